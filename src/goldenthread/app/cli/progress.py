"""The progress bar of commands that walk through many dates or pieces of work."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def bar(title: str, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A function to call with (done, in all); draws nothing when quiet.

    Drawn are how many are done, how many a second, and the time left.
    """
    if quiet:
        yield lambda _done, _total: None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn())
    progress = Progress(*columns, TextColumn("{task.fields[rate]}"), TimeRemainingColumn())
    task = progress.add_task(title, total=None, rate="")

    def advance(done: int, total: int) -> None:
        progress.start()  # at the first date: a message before it stands alone
        progress.update(task, completed=done, total=total)
        speed = progress.tasks[0].speed
        progress.update(task, rate=f"{speed:,.1f}/s" if speed else "")

    try:
        yield advance
    finally:
        if progress.live.is_started:
            progress.stop()
