"""Where a person hears of what happened."""

from __future__ import annotations

from typing import Literal, Protocol

Level = Literal["info", "warning", "error"]


class Notifier(Protocol):
    """Best effort: a notice that cannot be delivered never disturbs the run."""

    def notify(self, level: Level, title: str, text: str) -> None:
        """Deliver one notice."""
        ...
