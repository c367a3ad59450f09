"""What if: a strategy without one of its filters, and with another threshold in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from goldenthread.app.api.evaluation.recorded import Recorded, recorded, verdicts_of
from goldenthread.app.api.records import ALL_TIME, begun_book
from goldenthread.domain.errors import UsageError
from goldenthread.research.whatif.curves import curve, turned
from goldenthread.research.whatif.dial import dial_of
from goldenthread.research.whatif.leave_one_out import LEFT_OUT, leave_one_out

if TYPE_CHECKING:
    from collections.abc import Sequence

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

    book: str
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

    ``strategy_id`` and the columns ``research.whatif.leave_one_out.LEFT_OUT``.
    """
    frames = [pl.DataFrame(schema={"strategy_id": pl.String, **LEFT_OUT})]
    for found in recorded(project, begun_book(project, book), span, strategy):
        own = pl.lit(found.strategy_id).alias("strategy_id")
        frames.append(leave_one_out(found.candidates).select(own, pl.all()))
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
    own = begun_book(project, book)
    found = _chosen(recorded(project, own, span, strategy), name, strategy)
    dial = dial_of(found.present, name)
    verdicts = verdicts_of(project, own, span, found.strategy_id, dial.filter.name)
    ready = turned(found.candidates, verdicts, dial, found.versions)
    return Curve(
        book=own,
        strategy_id=found.strategy_id,
        name=dial.name,
        test=f"{dial.value} {dial.sign} {dial.threshold:g}",
        signals=len(ready.values),
        unknown=int((ready.moved & np.isnan(ready.values)).sum()),
        as_recorded=int((~ready.moved).sum()),
        points=curve(found.candidates, ready),
    )


def _chosen(found: Sequence[Recorded], name: str, strategy: str) -> Recorded:
    """The strategy named, or the only one with such a filter."""
    own = name.partition("[")[0]
    having = [r for r in found if own in r.present.strategy.reject_unless]
    if strategy and found:
        return found[0]
    if len(having) == 1:
        return having[0]
    if having:
        names = ", ".join(each.strategy_id for each in having)
        msg = f"{own} is a filter of {names}; say which: shadow STRATEGY --curve {name}"
    elif found:
        known = sorted({n for r in found for n in r.present.strategy.reject_unless})
        msg = f"no strategy has a filter {own!r}; there are {', '.join(known) or 'none'}"
    else:
        whose = f" of {strategy}" if strategy else ""
        msg = f"the book has no decision{whose} on these dates; see `goldenthread signals`"
    raise UsageError(msg)
