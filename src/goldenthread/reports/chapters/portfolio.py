"""Strategies as a portfolio: what each held and made, and how they go together."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import polars as pl

from goldenthread.reports.chapters.tables import traded_columns
from goldenthread.reports.figures.breakdowns import by_version
from goldenthread.reports.figures.portfolio import capital, correlations, daily_pnl, overlaps
from goldenthread.reports.layout import section
from goldenthread.reports.markup import Column, money_column, table, text, written
from goldenthread.reports.notation import money, number, percent
from goldenthread.reports.performance import per_strategy
from goldenthread.reports.plots.spans import InForce, span_chart

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_KEY_DIGITS = 8
_NO_TRADE = "No trade was closed."


def strategies(equity: pl.DataFrame, trades: pl.DataFrame) -> str:
    """One row a strategy, the one with the largest net P&L first."""
    found = per_strategy(equity, trades) if trades.height else {}
    rows = [{"strategy": name, **figures.as_row()} for name, figures in found.items()]
    rows.sort(key=lambda row: (-row["net_pnl"], row["strategy"]))
    hold = written("average_hold", lambda n: number(n, 1))
    columns = [
        Column("Strategy", text("strategy"), figure=False),
        *traded_columns(
            Column("Hold", hold, hint="sessions", defined="average_hold"),
            Column("Sharpe", written("sharpe", number), defined="sharpe"),
            Column("Max drawdown", written("max_drawdown", percent), defined="max_drawdown"),
            Column("Exposure", written("exposure", percent), defined="exposure"),
        ),
    ]
    about = "Each as if the account had traded it alone, P&L booked on the day a trade closed."
    return section("Strategies", about, table(columns, rows, _NO_TRADE))


def held(equity: pl.DataFrame, trades: pl.DataFrame, positions: pl.DataFrame) -> str:
    """The capital each strategy held and what it made."""
    columns = [
        Column("Strategy", text("strategy"), figure=False),
        Column("Capital", written("capital", money), defined="capital"),
        Column("Peak", written("peak_capital", money), defined="peak_capital"),
        money_column("Open P&L", "open_pnl", defined="open_pnl"),
        money_column("Net P&L", "net_pnl", defined="net_pnl"),
    ]
    body = table(columns, capital(equity, trades, positions).to_dicts(), "Nothing was held.")
    about = "Capital is the mean market value held; open positions at each day's closes."
    return section("Portfolio", about, body)


def correlated(equity: pl.DataFrame, trades: pl.DataFrame, positions: pl.DataFrame) -> str:
    """The correlations of daily P&L as a triangle, each strategy beside those before it."""
    daily = daily_pnl(equity, trades, positions)
    names = daily.columns[1:]
    rows = {name: {"strategy": name} for name in names}
    for one, other, value in correlations(daily).iter_rows():
        rows[other][f"with {one}"] = number(value)
    columns = [Column("Strategy", text("strategy"), figure=False)]
    columns += [Column(name, _cell(f"with {name}")) for name in names[:-1]]
    about = "Of daily P&L, closed trades and open positions; a strategy that never moved has none."
    body = table(columns, list(rows.values())[1:], "Two strategies are needed.")
    return section("Correlation", about, body)


def overlapping(positions: pl.DataFrame) -> str:
    """How often each two strategies held the same symbol, most often first."""
    found = overlaps(positions).filter(pl.col("overlap") > 0)
    found = found.sort("overlap", "strategy", "other", descending=[True, False, False])
    columns = [
        Column("Strategy", text("strategy"), figure=False),
        Column("And", text("other"), figure=False),
        Column("Overlap", written("overlap", percent), defined="overlap"),
    ]
    about = "Of the days and symbols that either held, the share that both did."
    none = "No two strategies held the same symbol on the same day."
    return section("Overlap", about, table(columns, found.to_dicts(), none))


def versions(trades: pl.DataFrame) -> str:
    """One row a version of a strategy."""
    columns = [
        Column("Strategy", text("strategy_id"), figure=False),
        Column("Version", lambda row: str(row["version_key"])[:_KEY_DIGITS], figure=False),
        Column("First exit", text("first_ds"), figure=False),
        Column("Last exit", text("last_ds"), figure=False),
        *traded_columns(),
    ]
    return section("Versions", "", table(columns, by_version(trades).to_dicts(), _NO_TRADE))


def time_line(versions: pl.DataFrame, first: dt.date | None, last: dt.date | None) -> str:
    """A row a strategy, a span a version, from ``strategy_id version_key valid_from valid_to``."""
    if versions.is_empty() or first is None or last is None:
        return ""
    told = versions.select("strategy_id", "version_key", "valid_from", "valid_to")
    spans = [
        InForce(name, key[:_KEY_DIGITS], start.date(), (end.date() if end else dt.date.max))
        for name, key, start, end in told.iter_rows()
    ]
    about = "A span a version, from its first day to the next one's. The figures of each are below."
    return section("Versions in force", about, span_chart("Versions in force", spans, first, last))


def _cell(name: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda row: str(row.get(name, ""))
