"""What if: a strategy without one of its filters, and with another threshold in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from goldenthread.app.api.evaluation.recorded import archive_of
from goldenthread.app.api.records import ALL_TIME, begun_book
from goldenthread.domain.errors import DataError, UsageError
from goldenthread.research.whatif.curves import curve, turned
from goldenthread.research.whatif.dial import dial_of
from goldenthread.research.whatif.leave_one_out import LEFT_OUT, leave_one_out

if TYPE_CHECKING:
    from goldenthread.app.api.evaluation.archive import Archive
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.records import Span


@dataclass(frozen=True)
class Curve:
    """What one strategy would have made at each threshold of one filter.

    ``points`` has the columns ``research.whatif.curves.CURVE``, at equal stakes: money is of a
    fixed stake a signal, not the account's. ``signals`` counts all decisions, ``unknown`` those
    whose value was null, which pass at no threshold, ``as_recorded`` those of versions without
    this term, whose filter stays as it was.
    """

    strategy_id: str
    name: str
    test: str
    signals: int
    unknown: int
    as_recorded: int
    points: pl.DataFrame


def left_out(
    project: Project, book: str, span: Span = ALL_TIME, strategy: str = ""
) -> pl.DataFrame:
    """What each strategy would have earned more without each of its filters.

    ``strategy_id`` and the columns ``research.whatif.leave_one_out.LEFT_OUT``; no row of a
    strategy whose decisions cannot be priced any more, for want of bars or of its own code.

    Raises:
        UsageError: There are no bars.
    """
    frames = [pl.DataFrame(schema={"strategy_id": pl.String, **LEFT_OUT})]
    archive = archive_of(project, begun_book(project, book), span, strategy)
    if archive is None:
        return frames[0]
    for name in archive.strategies:
        try:
            found = leave_one_out(archive.of(name).candidates)
        except (UsageError, DataError):
            continue
        frames.append(found.select(pl.lit(name).alias("strategy_id"), pl.all()))
    return pl.concat(frames)


def threshold_curve(
    project: Project, name: str, strategy: str = "", book: str = "", span: Span = ALL_TIME
) -> Curve:
    """The curve of a filter ``NAME`` or a term ``NAME[n]``, from recorded values alone.

    Args:
        project: The project.
        name: The filter; ``strategy`` may be left out when one strategy alone has it.
        strategy: Whose filter.
        book: The book, by default the one to look at.
        span: The dates of the decisions.

    Raises:
        UsageError: No such filter, several strategies have it, or it has no number to turn.
    """
    archive = archive_of(project, begun_book(project, book), span, strategy)
    if archive is None:
        whose = f" of {strategy}" if strategy else ""
        msg = f"the book has no decision{whose} on these dates; see `goldenthread signals`"
        raise UsageError(msg)
    return curve_of(archive, strategy or _owner(archive, name), name)


def heaviest_curves(project: Project, book: str, table: pl.DataFrame, count: int) -> list[Curve]:
    """The curves of at most ``count`` filters, those that decided the most money by themselves.

    ``table`` is that of ``attribution``. A filter without a number to turn has none, and so has
    one of a strategy whose decisions cannot be priced any more.
    """
    archive = archive_of(project, book, ALL_TIME, "")
    found: list[Curve] = []
    own = table.filter((pl.col("kind") == "filter") & (pl.col("alone_resolved") > 0))
    own = own.sort(pl.col("alone_net_pnl").abs(), descending=True)
    for strategy, name in own.select("strategy_id", "name").iter_rows():
        if archive is None or len(found) == count:
            break
        try:
            found.append(curve_of(archive, strategy, name))
        except (UsageError, DataError):
            continue
    return found


def curve_of(archive: Archive, strategy: str, name: str) -> Curve:
    """The curve of one filter of a strategy among recorded decisions; see ``threshold_curve``."""
    found = archive.of(strategy)
    dial = dial_of(found.present, name)
    verdicts = archive.verdicts(strategy, dial.filter.name)
    ready = turned(found.candidates, verdicts, dial, found.versions)
    return Curve(
        strategy_id=strategy,
        name=dial.name,
        test=found.present.strategy.reject_unless[dial.filter.name],
        signals=len(ready.values),
        unknown=int((ready.moved & np.isnan(ready.values)).sum()),
        as_recorded=int((~ready.moved).sum()),
        points=curve(found.candidates, ready),
    )


def _owner(archive: Archive, name: str) -> str:
    """The only strategy that has such a filter."""
    own = name.partition("[")[0]
    filters = {each: archive.filters(each) for each in archive.strategies}
    having = [each for each, names in filters.items() if own in names]
    if len(having) == 1:
        return having[0]
    if having:
        msg = f"{own} is a filter of {', '.join(having)}; say which: shadow STRATEGY --curve {name}"
    else:
        known = sorted({each for names in filters.values() for each in names})
        msg = f"no strategy has a filter {own!r}; there are {', '.join(known) or 'none'}"
    raise UsageError(msg)
