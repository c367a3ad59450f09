"""Elapsed time, as an injected object; business time is always an argument ``now``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


class Clock(Protocol):
    """Wall time for leases, back-off and time-to-live; never for a decision."""

    def now(self) -> datetime:
        """The present instant, aware and UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` of wall time pass."""
        ...
