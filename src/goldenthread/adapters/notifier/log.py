"""Notices as JSON lines in a file, for people and for `tail -f`."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from typing_extensions import override

from goldenthread.ports.notifier import Level, Notifier

if TYPE_CHECKING:
    from pathlib import Path

    from goldenthread.domain.clock import Clock


class LogNotifier(Notifier):
    """Appends one line a notice: ``at level title text``.

    Args:
        path: The file; its folder is created when the first notice comes.
        clock: Says when a notice was given.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock

    @override
    def notify(self, level: Level, title: str, text: str) -> None:
        at = self._clock.now().isoformat(timespec="seconds")
        line = json.dumps({"at": at, "level": level, "title": title, "text": text})
        with suppress(OSError):  # the port's promise: a lost notice never disturbs the run
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as log:
                log.write(line + "\n")
