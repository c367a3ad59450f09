"""A book as a side: trades measured against their orders and bars, and how the rest ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from goldenthread.app.api.evaluation.sides.contender import Contender, Entrant, Idea
from goldenthread.app.api.records import books, facts, live_signals
from goldenthread.domain.errors import UsageError
from goldenthread.domain.order import OrderSide
from goldenthread.domain.signal import SignalStatus
from goldenthread.reports.divergence.course import Cause, NoTrade
from goldenthread.reports.divergence.prices import offered
from goldenthread.reports.divergence.rows import Execution, traded

if TYPE_CHECKING:
    from goldenthread.app.api.evaluation.sides.contender import Span
    from goldenthread.app.api.project import Project

_DECIDED = """
SELECT MIN(ds) AS first, MAX(ds) AS last FROM snapshot_accounts
WHERE book = @book AND ds BETWEEN @first AND @last
"""
_ENDED = """
SELECT signal_id, outcome, reason FROM all_signals
WHERE book = @book AND ds BETWEEN @first AND DATE '9999-12-31' AND outcome <> 'TRADED'
  AND signal_ds BETWEEN @first AND @last
"""
_TRADES = """
SELECT * FROM fact_trades
WHERE book = @book AND ds BETWEEN @first AND DATE '9999-12-31'  -- a trade stands under its exit
  AND signal_ds BETWEEN @first AND @last
"""
_EXECUTIONS = """
SELECT f.position_id, f.ds, f.order_side, f.quantity, f.price, o.order_type, o.stop_price,
       b.open, b.low, b.high
FROM (
  SELECT * FROM fact_fills WHERE book = @book AND ds BETWEEN @first AND DATE '9999-12-31'
) AS f
LEFT JOIN (
  SELECT order_key, order_type, stop_price FROM fact_orders
  WHERE book = @book AND ds BETWEEN @first AND DATE '9999-12-31'
) AS o ON o.order_key = f.order_key
LEFT JOIN (
  SELECT symbol, ds, open, low, high FROM bars_current
  WHERE ds BETWEEN @first AND DATE '9999-12-31'
) AS b ON b.symbol = f.symbol AND b.ds = f.ds
ORDER BY f.ds, f.filled_at, f.order_key, f.fill_no
"""
_NO_DATA = "STALE_DATA"
"""The gate that refuses a signal because its bars are not there."""


def book_side(project: Project, name: str) -> Entrant:
    """The book, ready to be compared.

    Raises:
        UsageError: It has no archived day.
    """
    book = project.book(name)
    found = facts(project, book, _DECIDED).row(0, named=True)
    if found["first"] is None:
        known = ", ".join(books(project)) or "none yet"
        msg = f"book {book} has no archived day; books that have: {known}"
        raise UsageError(msg)

    def read(span: Span) -> Contender:
        return _read(project, book, span)

    return Entrant(book, (found["first"], found["last"]), "", read)


def executions_of(project: Project, book: str, span: Span) -> dict[str, list[Execution]]:
    """The executions since the first date of the span by position, in order of time."""
    found: dict[str, list[Execution]] = {}
    for row in facts(project, book, _EXECUTIONS, span).iter_rows(named=True):
        found.setdefault(row["position_id"], []).append(
            Execution(
                row["ds"], OrderSide(row["order_side"]), row["quantity"], row["price"], offered(row)
            )
        )
    return found


def ending(outcome: str, reason: str) -> NoTrade:
    """Why a signal that ended without a trade made none."""
    told = f"{outcome.lower()}: {reason}"
    if outcome != SignalStatus.REJECTED.value:
        return NoTrade(Cause.MISSED_FILL, told)
    return NoTrade(Cause.MISSING_DATA if reason == _NO_DATA else Cause.REJECTED, told)


def trade_rows(project: Project, book: str, span: Span) -> list[dict[str, Any]]:
    """The closed trades of the signals of the span."""
    return list(facts(project, book, _TRADES, span).iter_rows(named=True))


def endings(project: Project, book: str, span: Span) -> dict[str, NoTrade]:
    """Why each signal of the span that ended without a trade made none, by id."""
    rows = facts(project, book, _ENDED, span).iter_rows(named=True)
    return {row["signal_id"]: ending(row["outcome"], row["reason"]) for row in rows}


def _read(project: Project, book: str, span: Span) -> Contender:
    executions = executions_of(project, book, span)
    trades = {
        Idea(row["trade_id"], row["strategy_id"], row["symbol"], row["signal_ds"]): traded(
            row, executions.get(row["trade_id"], ())
        )
        for row in trade_rows(project, book, span)
    }
    alive = {document.id: _living(document.body) for document in live_signals(project, book, span)}
    ended = endings(project, book, span) | alive

    def why_not(idea: Idea) -> NoTrade:
        return ended.get(idea.signal_id, NoTrade(Cause.MISSING_DATA, "no signal"))

    return Contender(trades, why_not)


def _living(body: dict[str, Any]) -> NoTrade:
    held = body["status"] == SignalStatus.ACTIVE
    return NoTrade(Cause.STILL_OPEN, "still open" if held else "waits for its entry")
