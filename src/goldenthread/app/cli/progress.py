"""How far a command is that takes its time: on stderr, and in a terminal only."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def bar(title: str, *, vanishing: bool = False) -> Iterator[Callable[[int, int | None], None]]:
    """A function to call with (done, in all); in a file or pipe it draws nothing.

    Drawn are how many are done, how many a second, the time it took and the time left. Where
    nobody knows how many there are (None), the bar moves to and fro beside the time it took.
    """
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    progress = Progress(
        TextColumn(title),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[count]}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=vanishing,
    )
    task = progress.add_task(title, total=None, count="", left="")

    def advance(done: int, total: int | None) -> None:
        progress.start()  # at the first date: a message before it stands alone
        progress.update(task, completed=done, total=total)
        if total is not None:
            speed = progress.tasks[0].speed
            rate = f" {speed:,.1f}/s" if speed else ""
            progress.update(task, count=f"{done}/{total}{rate}", left="left")

    try:
        yield advance
    finally:
        if progress.live.is_started:
            progress.stop()


@contextmanager
def working(title: str) -> Iterator[None]:
    """The bar of work that nobody can count, for as long as it goes on."""
    with bar(title, vanishing=True) as advance:
        advance(0, None)
        yield
