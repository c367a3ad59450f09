"""What the refusals of a book were worth: filters, gates and the broker, judged by the facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from goldenthread.app.api.evaluation.curves import left_out
from goldenthread.app.api.records import ALL_TIME, begun_book, facts
from goldenthread.domain.errors import UsageError
from goldenthread.reports.attribution.refusals import attribution, ranked
from goldenthread.research.whatif.leave_one_out import LEFT_OUT

if TYPE_CHECKING:
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.records import Span
    from goldenthread.reports.attribution.refusals import By

_REFUSED = """
SELECT strategy_id, symbol, ds AS signal_ds, rejection_reasons, outcome_status, priced_as,
       theoretical_entry_ds, theoretical_exit_ds,
       CAST(theoretical_net_pnl AS FLOAT64) AS theoretical_net_pnl,
       CAST(theoretical_r_multiple AS FLOAT64) AS theoretical_r_multiple
FROM fact_rejected_signals
WHERE book = @book AND ds BETWEEN @first AND @last
"""
_OF_STRATEGY = "  AND strategy_id = @strategy_id\n"
_STRATEGIES = """
SELECT DISTINCT strategy_id FROM fact_rejected_signals
WHERE book = @book AND ds BETWEEN @first AND @last
ORDER BY strategy_id
"""


def filters(
    project: Project,
    book: str,
    strategy: str = "",
    span: Span = ALL_TIME,
    by: By = "filter",
) -> pl.DataFrame:
    """What each filter, gate and the broker refused, and what that would have made.

    The rows of ``attribution``, ranked; of one strategy's signals only where it is named. A row
    a filter also has ``leave_one_out``: what the strategy would have made more without it, with
    all its other filters, in quote currency at equal stakes; null for a gate, which is the
    account's.

    Raises:
        UsageError: The book holds no refused signal of the strategy.
    """
    book = begun_book(project, book)
    found = refusals(project, book, strategy, span)
    if strategy and found.is_empty():
        known = facts(project, book, _STRATEGIES, span)["strategy_id"].to_list()
        msg = (
            f"no refused signal of strategy {strategy!r} in {book} on these dates; there are some"
            f" of: {', '.join(known) or 'no strategy'}"
        )
        raise UsageError(msg)
    table = ranked(attribution(found, by))
    return _with_left_out(project, book, strategy, span, table) if by == "filter" else table


def _with_left_out(
    project: Project, book: str, strategy: str, span: Span, table: pl.DataFrame
) -> pl.DataFrame:
    """The table with ``leave_one_out`` beside each filter; null for what is no filter."""
    try:
        worth = left_out(project, book, span, strategy)
    except UsageError:  # no bars here, so that nothing can be priced: the facts still speak
        worth = pl.DataFrame(schema={"strategy_id": pl.String, **LEFT_OUT})
    own = worth.select("strategy_id", "name", "leave_one_out")
    return table.join(own, on=("strategy_id", "name"), how="left", maintain_order="left")


def refusals(
    project: Project, book: str, strategy: str = "", span: Span = ALL_TIME
) -> pl.DataFrame:
    """The refused signals, by date, with no more columns than ``attribution`` reads."""
    asked = _OF_STRATEGY if strategy else ""
    sql = f"{_REFUSED}{asked}ORDER BY ds, signal_id"
    return facts(project, book, sql, span, strategy_id=strategy)
