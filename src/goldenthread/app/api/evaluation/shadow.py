"""What the refusals of a book were worth: filters, gates and the broker, judged by the facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldenthread.app.api.records import ALL_TIME, begun_book, facts
from goldenthread.domain.errors import UsageError
from goldenthread.reports.attribution.refusals import attribution, ranked

if TYPE_CHECKING:
    import polars as pl

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

    The rows of ``attribution``, ranked; of one strategy's signals only where it is named.

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
    return ranked(attribution(found, by))


def refusals(
    project: Project, book: str, strategy: str = "", span: Span = ALL_TIME
) -> pl.DataFrame:
    """The refused signals, by date, with no more columns than ``attribution`` reads."""
    asked = _OF_STRATEGY if strategy else ""
    sql = f"{_REFUSED}{asked}ORDER BY ds, signal_id"
    return facts(project, book, sql, span, strategy_id=strategy)
