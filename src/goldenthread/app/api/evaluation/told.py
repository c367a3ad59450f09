"""The one sentence worth knowing at the end of a day, a demo or a backtest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from goldenthread.app.api.evaluation.curves import curve_of
from goldenthread.app.api.evaluation.recorded import archive_of, archive_of_backtest
from goldenthread.app.api.evaluation.shadow import refusals
from goldenthread.app.api.records import ALL_TIME, begun_book
from goldenthread.domain.errors import DataError, UsageError
from goldenthread.reports.attribution.money_line import in_hindsight, loudest, money_line
from goldenthread.reports.attribution.refusals import attribution

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from goldenthread.app.api.evaluation.archive import Archive
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.research.worlds import World
    from goldenthread.research.backtest.result import Backtest


def told_line(project: Project, book: str) -> str:
    """What a filter of the book refused, what that would have made, and a better threshold."""
    own = begun_book(project, book)
    row = loudest(attribution(refusals(project, own)))
    strategy = row["strategy_id"] if row else ""
    return _line(row, lambda: archive_of(project, own, ALL_TIME, strategy))


def told_line_of(world: World, found: Backtest) -> str:
    """The same of a backtest, from the bars it was made of."""
    return _line(loudest(found.filters), lambda: archive_of_backtest(world, found))


def _line(row: Mapping[str, Any] | None, archive: Callable[[], Archive | None]) -> str:
    if row is None or row["kind"] != "filter":
        return money_line(row)
    try:
        decided = archive()
        points = None if decided is None else curve_of(decided, row["strategy_id"], row["name"])
    except (UsageError, DataError):  # no number to turn, or nothing to price it with
        points = None
    return money_line(row, in_hindsight(points.points) if points else "")
