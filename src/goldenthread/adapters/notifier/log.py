"""The log: JSON lines in a file, for people, for programs and for `tail -f`."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, get_args

from typing_extensions import override

from goldenthread.ports.notifier import NOTHING, Facts, Level, Notifier

if TYPE_CHECKING:
    from pathlib import Path

    from goldenthread.domain.clock import Clock

_LEVELS: tuple[Level, ...] = get_args(Level)
"""The least serious first."""


class LogNotifier(Notifier):
    """Appends one line at a time: ``at level event``, then what it is about.

    A notice is the event ``notice`` with its ``title`` and ``text``.

    Args:
        path: The file; its folder is created when the first line comes.
        clock: Says when a line was written.
        least: Lines less serious than this are left out.
    """

    def __init__(self, path: Path, clock: Clock, least: Level = "info") -> None:
        self._path = path
        self._clock = clock
        self._kept = _LEVELS[_LEVELS.index(least) :]

    @override
    def notify(self, level: Level, title: str, text: str, about: Facts = NOTHING) -> None:
        self.log(level, "notice", {**about, "title": title, "text": text})

    @override
    def log(self, level: Level, event: str, about: Facts) -> None:
        if level not in self._kept:
            return
        at = self._clock.now().isoformat(timespec="milliseconds")
        line = json.dumps({"at": at, "level": level, "event": event, **about}, default=str)
        with suppress(OSError):  # the port's promise: a lost line never disturbs the run
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as log:
                log.write(line + "\n")
