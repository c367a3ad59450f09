"""Proofs about bars and rules: doubtful bars, no look-ahead, theory equal to the exchange."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, Any

import polars as pl

from goldenthread.app.api.bars import judged_bars, missing
from goldenthread.app.api.checks import begun
from goldenthread.app.api.desks import load_assets, load_inputs, members_of
from goldenthread.app.api.records import facts
from goldenthread.domain.position import ExitReason
from goldenthread.domain.trade import OutcomeStatus
from goldenthread.market.bars import BarBook
from goldenthread.signals.engine import Evaluator, compile_strategy
from goldenthread.warehouse.rows.signals import traded_signal

if TYPE_CHECKING:
    from goldenthread.app.api.project import Project
    from goldenthread.app.desk import Desk

_TRADES = """
SELECT *
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
    inputs = load_inputs(project, strategies).steps
    whole = Evaluator(BarBook(bars, actions, list(assets.values())).window, inputs=inputs)
    last: Any = bars["ds"].max()
    decisions, changed = 0, []
    for back in range(days):
        ds = last - dt.timedelta(days=back + days)
        cut = BarBook(bars.filter(pl.col("ds") <= ds), actions, list(assets.values()))
        alone = Evaluator(cut.window, inputs=inputs)
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

    The signals are taken from the facts, so that every trade can be compared for ever; where
    theory cannot speak, ``not_compared`` counts the trades by the reason. Differences come from
    what theory does not know: part fills, refusals of single tranches.
    """
    desk, _ = begun(project, book)
    rows = facts(project, desk.book, _TRADES).to_dicts()
    silent = Counter(words for row in rows if (words := _incomparable(desk, row)))
    comparable = [row for row in rows if not _incomparable(desk, row)]
    differ = [words for row in comparable if (words := _difference(desk, row))]
    return {
        "book": desk.book,
        "trades": len(rows),
        "compared": len(comparable),
        "not_compared": dict(sorted(silent.items())),
        "different": len(differ),
        "shown": differ[:_SHOWN],
        "ok": not differ,
    }


def _incomparable(desk: Desk, row: dict[str, Any]) -> str:
    """Why theory has nothing to say about a trade; empty when it has."""
    if row["exit_reason"] == ExitReason.EXTERNAL:
        return "closed by the operator or at the broker"
    if row["symbol"] not in desk.assets:
        return f"no bars of {row['symbol']} any more"
    if desk.library.version(desk.engines.hot_store, row["version_key"]) is None:
        return f"version {row['version_key'][:12]} of {row['strategy_id']} is not known any more"
    return ""


def _difference(desk: Desk, row: dict[str, Any]) -> str:
    """How theory and trade disagree; empty when they agree."""
    outcome = desk.pricer.outcome(traded_signal(row), row["exit_ds"], planned=True)
    name = f"{row['strategy_id']} {row['symbol']} {row['trade_id'][:16]}"
    if outcome.status is not OutcomeStatus.RESOLVED:
        return f"{name}: traded, in theory {outcome.status}"
    if (outcome.exit_ds, outcome.net_pnl) != (row["exit_ds"], row["net_pnl"]):
        return (
            f"{name}: {row['net_pnl']} by {row['exit_reason']} on {row['exit_ds']}, in theory"
            f" {outcome.net_pnl} by {outcome.exit_reason} on {outcome.exit_ds}"
        )
    return ""
