"""Where a book stands, told in one cheap look: what a page shows is as old as its mark."""

from __future__ import annotations

import datetime as dt
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from goldenthread.app.api.records import begun_book
from goldenthread.app.book import read_book
from goldenthread.app.engines.embedded import last_writes, lies_here
from goldenthread.app.engines.wiring import read_hot_store
from goldenthread.domain.errors import GoldenthreadError

if TYPE_CHECKING:
    from goldenthread.app.api.project import Project

_SOON_S, _LATER_S = 0.5, 10.0


class Standing(NamedTuple):
    """A mark that is another one after every change, and the dates last run and last archived.

    The dates are None before the first run or archive, and while the store cannot be read.
    ``again_s`` is when the next look is worth its price.
    """

    again_s: float
    mark: str
    last_run: dt.date | None = None
    archived: dt.date | None = None


def standing(project: Project, book: str) -> Standing:
    """Where the book stands now.

    Embedded stores tell of every commit and every published copy, by their files; a cloud's tells
    of a run that ended, by the book's own document.
    """
    again_s = _SOON_S if lies_here(project.settings) else _LATER_S
    try:
        writes = last_writes(project.settings, project.root)
        name = begun_book(project, book)
        state = read_book(read_hot_store(project.settings, project.root, name))
    except (GoldenthreadError, OSError) as error:  # the pages say it, each in its place
        return Standing(again_s, _mark(str(error)))
    if state is None:
        return Standing(again_s, _mark(writes))
    dates = state.last_ds, state.archived_ds
    return Standing(again_s, _mark((writes, dates)), *dates)


def _mark(seen: object) -> str:
    return sha256(repr(seen).encode()).hexdigest()[:16]
