"""Nobody is told and nothing is written: for a plan, whose report says it all."""

from __future__ import annotations

from typing_extensions import override

from goldenthread.ports.notifier import NOTHING, Facts, Level, Notifier


class SilentNotifier(Notifier):
    """Keeps everything to itself."""

    @override
    def notify(self, level: Level, title: str, text: str, about: Facts = NOTHING) -> None:
        pass

    @override
    def log(self, level: Level, event: str, about: Facts) -> None:
        pass
