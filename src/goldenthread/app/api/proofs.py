"""Proofs about bars and rules: doubtful bars, no look-ahead, theory equal to the exchange."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import polars as pl

from goldenthread.app.api.bars import judged_bars, missing
from goldenthread.app.api.checks import begun
from goldenthread.app.api.desks import load_assets, members_of
from goldenthread.app.api.records import facts
from goldenthread.domain.signal import Signal
from goldenthread.domain.trade import OutcomeStatus
from goldenthread.market.bars import BarBook
from goldenthread.signals.engine import Evaluator, compile_strategy

if TYPE_CHECKING:
    from goldenthread.app.api.project import Project
    from goldenthread.app.desk import Desk

_TRADES = """
SELECT trade_id, symbol, strategy_id, exit_ds, exit_price, exit_reason, net_pnl
FROM fact_trades WHERE book = @book AND ds BETWEEN @first AND @last ORDER BY trade_id
"""
_SHOWN = 20


def check_data(project: Project) -> list[dict[str, Any]]:
    """Every bar that was not believed and every run of missing sessions between two bars."""
    bars = judged_bars(project)
    doubted = bars.filter(pl.col("state") != "GOOD").select("symbol", "ds", "state", "close")
    first, last = bars["ds"].min(), bars["ds"].max()
    if not (isinstance(first, dt.date) and isinstance(last, dt.date)):
        return []
    gaps = missing(project, first, last).filter(pl.col("where") == "inside")
    return [
        *({**row, "sessions": 1} for row in doubted.to_dicts()),
        *(
            {"symbol": g["symbol"], "ds": g["first"], "state": "MISSING", "close": None}
            | {"sessions": g["sessions"]}
            for g in gaps.to_dicts()
        ),
    ]


def check_lookahead(project: Project, days: int) -> dict[str, Any]:
    """Whether any decision on the last ``days`` dates changes when later bars are cut off."""
    assets = load_assets(project)
    strategies = project.strategies()
    bars = judged_bars(project)
    members = members_of(project, strategies, assets)
    actions = project.market_data.actions(list(assets))
    whole = Evaluator(BarBook(bars, actions, list(assets.values())).window)
    last: Any = bars["ds"].max()
    decisions, changed = 0, []
    for back in range(days):
        ds = last - dt.timedelta(days=back + days)
        cut = BarBook(bars.filter(pl.col("ds") <= ds), actions, list(assets.values()))
        alone = Evaluator(cut.window)
        for strategy in strategies:
            compiled = compile_strategy(strategy)
            for symbol in members[strategy.strategy_id]:
                known = whole.decide(compiled, symbol, ds, assets[symbol])
                decisions += 1
                if known != alone.decide(compiled, symbol, ds, assets[symbol]):
                    changed.append(f"{strategy.strategy_id} {symbol} {ds}")
    return {"decisions": decisions, "changed": changed[:_SHOWN], "ok": not changed}


def check_parity(project: Project, book: str) -> dict[str, Any]:
    """Whether each trade made what the rules alone say it would have made.

    Differences come from what theory does not know: part fills, refusals of single tranches,
    the operator.
    """
    desk, _ = begun(project, book)
    rows = facts(project, desk.book, _TRADES).to_dicts()
    differ = [words for row in rows if (words := _difference(desk, row))]
    return {
        "trades": len(rows),
        "different": len(differ),
        "shown": differ[:_SHOWN],
        "ok": not differ,
    }


def _difference(desk: Desk, row: dict[str, Any]) -> str:
    document = desk.engines.hot_store.get("live_signals", row["trade_id"])
    if document is None:
        return ""
    signal = Signal.model_validate(document.body)
    outcome = desk.pricer.outcome(signal, row["exit_ds"], planned=True)
    name = f"{row['strategy_id']} {row['symbol']} {row['trade_id'][:16]}"
    if outcome.status is not OutcomeStatus.RESOLVED:
        return f"{name}: traded, in theory {outcome.status}"
    if (outcome.exit_ds, outcome.net_pnl) != (row["exit_ds"], row["net_pnl"]):
        return (
            f"{name}: {row['net_pnl']} by {row['exit_reason']} on {row['exit_ds']}, in theory"
            f" {outcome.net_pnl} by {outcome.exit_reason} on {outcome.exit_ds}"
        )
    return ""
