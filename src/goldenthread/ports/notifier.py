"""Where a person hears of what happened, and where programs read it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple, Protocol

Level = Literal["info", "warning", "error"]

Facts = Mapping[str, object]
"""What a line of the log says besides its event, in values JSON has, dates or exact numbers."""

NOTHING: Facts = MappingProxyType({})


class Notice(NamedTuple):
    """What a person should hear of, and which symbol and signal it is about; None where of none."""

    text: str
    symbol: str | None = None
    signal_id: str | None = None


class Notifier(Protocol):
    """Best effort: what cannot be delivered or written never disturbs the run."""

    def notify(self, level: Level, title: str, text: str, about: Facts = NOTHING) -> None:
        """Deliver one notice; the log has with it what it is about."""
        ...

    def log(self, level: Level, event: str, about: Facts) -> None:
        """Write one line to the log, and tell nobody."""
        ...
