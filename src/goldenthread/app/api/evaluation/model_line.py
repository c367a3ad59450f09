"""The last day of a book beside the same day of its model: both returns, and what made them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from goldenthread.app.api.evaluation.sides.books import endings, executions_of, trade_rows
from goldenthread.app.api.records import ALL_TIME, facts, live_signals
from goldenthread.domain.ids import model_book, signal_ds
from goldenthread.reports.divergence.course import Cause, NoTrade
from goldenthread.reports.divergence.daily import Change, Standing, day_causes, day_line
from goldenthread.reports.divergence.rows import held, traded
from goldenthread.reports.notation import money

if TYPE_CHECKING:
    from collections.abc import Mapping

    from goldenthread.app.api.evaluation.sides.contender import Span
    from goldenthread.app.api.project import Project
    from goldenthread.reports.divergence.course import Taken
    from goldenthread.reports.divergence.rows import Execution

_LAST_TWO = """
SELECT ds, equity FROM snapshot_accounts WHERE book = @book AND ds BETWEEN @first AND @last
ORDER BY ds DESC LIMIT 2
"""
_EQUITY = (
    "SELECT ds, equity FROM snapshot_accounts WHERE book = @book AND ds BETWEEN @first AND @last"
)
_HELD = "SELECT * FROM snapshot_positions WHERE book = @book AND ds BETWEEN @first AND @last"
_CLOSED = "SELECT trade_id FROM fact_trades WHERE book = @book AND ds BETWEEN @first AND @last"
_DAY = dt.timedelta(days=1)
REAL = ("paper:", "live:")
"""How the names of books begin that have a model."""
_NOT_IN = NoTrade(Cause.TIMING, "not in yet")


def model_line(project: Project, book: str) -> str:
    """The last archived day of a real book beside its model; empty when there is none to compare.

    After missed days, the change since the last day that had a snapshot.
    """
    if not book.startswith(REAL):
        return ""
    model = model_book(book)
    days = facts(project, book, _LAST_TWO, ALL_TIME).rows()
    if not days:
        return ""
    ds, start = days[0][0], days[-1][0]
    equity = dict(facts(project, model, _EQUITY, (start, ds)).rows())
    if ds not in equity:
        return ""
    if start == ds or start not in equity:
        return f"model {model} begins with {money(equity[ds], 2)}"
    account = Change(book.partition(":")[0], days[1][1], days[0][1])
    modelled = Change("model", equity[start], equity[ds])
    before, after = _standings(project, (model, book), (start, ds))
    causes = day_causes(before, after, account.before / modelled.before)
    return day_line(account, modelled, causes)


@dataclass(frozen=True)
class _Known:
    """What a book tells of any signal since a date."""

    trades: Mapping[str, dict[str, Any]]
    positions: Mapping[tuple[dt.date, str], dict[str, Any]]
    executions: Mapping[str, list[Execution]]
    ended: Mapping[str, NoTrade]
    ordered: Mapping[str, Decimal]

    def at(self, name: str, ds: dt.date) -> Taken:
        """How the signal stood at the end of ``ds``, as it is known at the end of the day."""
        trade, position = self.trades.get(name), self.positions.get((ds, name))
        if trade is not None and trade["exit_ds"] <= ds:
            return traded(trade, self.executions.get(name, ()))
        met = [e for e in self.executions.get(name, ()) if e.ds <= ds]
        if position is not None and met:
            ordered = self.ordered.get(name) if trade is None else trade["quantity"]
            return held(position, ordered or position["quantity"], met)
        if trade is not None or name in self.ordered:
            return _NOT_IN
        return self.ended.get(name, NoTrade(Cause.MISSING_DATA, "no signal"))


def _standings(
    project: Project, books: tuple[str, str], ends: tuple[dt.date, dt.date]
) -> tuple[list[Standing], list[Standing]]:
    """Every signal that lived on the days, in the model and in the account, at both ends."""
    living = {name for book in books for name in _living(project, book, ends)}
    begun = min(map(signal_ds, living), default=ends[1])
    model, account = (_known(project, book, (begun, ends[1]), ends) for book in books)
    before, after = (
        [Standing(model.at(name, ds), account.at(name, ds)) for name in sorted(living)]
        for ds in ends
    )
    return before, after


def _living(project: Project, book: str, ends: tuple[dt.date, dt.date]) -> set[str]:
    """The signals held at one of the ends, or closed in between."""
    held_ids = {name for _, name in _positions(project, book, ends)}
    closed = facts(project, book, _CLOSED, (ends[0] + _DAY, ends[1]))
    return held_ids | set(closed["trade_id"])


def _known(project: Project, book: str, span: Span, ends: tuple[dt.date, dt.date]) -> _Known:
    trades = {row["trade_id"]: row for row in trade_rows(project, book, span)}
    return _Known(
        trades={name: row for name, row in trades.items() if row["exit_ds"] <= ends[1]},
        positions=_positions(project, book, ends),
        executions=executions_of(project, book, span),
        ended=endings(project, book, span),
        ordered={d.id: Decimal(d.body["quantity"]) for d in live_signals(project, book, span)},
    )


def _positions(
    project: Project, book: str, ends: tuple[dt.date, dt.date]
) -> dict[tuple[dt.date, str], dict[str, Any]]:
    rows = facts(project, book, _HELD, ends).iter_rows(named=True)
    return {(row["ds"], row["position_id"]): row for row in rows if row["ds"] in ends}
