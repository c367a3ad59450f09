"""The sections of the tear sheet for benchmarks and for what made the figures."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from goldenthread.reports.figures.breakdowns import by_month, by_symbol, by_version
from goldenthread.reports.figures.portfolio import capital, correlations, daily_pnl
from goldenthread.reports.markup import Column, money_column, section, table, text, written
from goldenthread.reports.notation import money, number, percent, signed_money, signed_percent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import polars as pl

    from goldenthread.reports.figures.benchmark import BenchmarkFigures

SYMBOL_ROWS = 60
"""How many symbols are listed before the rest is only counted."""

_KEY_DIGITS = 8
_NO_TRADE = "No trade was closed."


def benchmarks(found: Sequence[BenchmarkFigures]) -> str:
    """One row a benchmark: what it made, and how the account moved with it."""
    columns = [
        Column("Benchmark", text("benchmark"), figure=False),
        Column("Of", lambda row: row["asset_class"].lower(), figure=False),
        Column("Its return", written("benchmark_return", signed_percent), signed=True),
        Column("Alpha", written("alpha", signed_percent), signed=True, hint="a year"),
        Column("Beta", written("beta", number)),
        Column("Correlation", written("correlation", number)),
        Column("Returns", text("returns"), hint="pairs of days both have"),
        Column("A year", written("periods", lambda n: number(n, 1)), hint="returns a year"),
        Column("Note", written("note", str), figure=False),
    ]
    about = (
        "The whole account beside each, on the days both have a point; dividends of the benchmark "
        "are reinvested. Alpha is a year's return beyond beta times the benchmark's."
    )
    rows = [asdict(figures) for figures in found]
    return section("Benchmarks", about, table(columns, rows, "The settings name no benchmark."))


def portfolio(equity: pl.DataFrame, trades: pl.DataFrame, positions: pl.DataFrame) -> str:
    """The capital each strategy held and what it made."""
    columns = [
        Column("Strategy", text("strategy"), figure=False),
        Column("Capital", written("capital", money), hint="mean market value held"),
        Column("Peak", written("peak_capital", money)),
        money_column("Open P&L", "open_pnl"),
        money_column("Net P&L", "net_pnl"),
    ]
    held = table(columns, capital(equity, trades, positions).to_dicts(), "Nothing was held.")
    about = "Capital is the mean market value held; open positions at each day's closes."
    return section("Portfolio", about, held)


def together(equity: pl.DataFrame, trades: pl.DataFrame, positions: pl.DataFrame) -> str:
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


def versions(trades: pl.DataFrame) -> str:
    """One row a version of a strategy."""
    columns = [
        Column("Strategy", text("strategy_id"), figure=False),
        Column("Version", lambda row: str(row["version_key"])[:_KEY_DIGITS], figure=False),
        Column("First exit", text("first_ds"), figure=False),
        Column("Last exit", text("last_ds"), figure=False),
        *_traded(),
    ]
    return section("Versions", "", table(columns, by_version(trades).to_dicts(), _NO_TRADE))


def symbols(trades: pl.DataFrame) -> str:
    """One row a symbol, those that made or lost most first."""
    rows = by_symbol(trades).to_dicts()
    rows.sort(key=lambda row: (-abs(row["net_pnl"]), row["symbol"]))
    more = f"The {SYMBOL_ROWS} of {len(rows):,} that made or lost most."
    about = more if len(rows) > SYMBOL_ROWS else ""
    columns = [Column("Symbol", text("symbol"), figure=False), *_traded()]
    return section("Symbols", about, table(columns, rows[:SYMBOL_ROWS], _NO_TRADE))


def traded_months(trades: pl.DataFrame) -> str:
    """One row a month in which trades were closed."""
    columns = [Column("Month", lambda row: f"{row['month']:%Y-%m}", figure=False), *_traded()]
    return section("Months", "By exit.", table(columns, by_month(trades).to_dicts(), _NO_TRADE))


def _traded() -> list[Column]:
    """The columns every breakdown of trades has."""
    return [
        Column("Trades", text("trades")),
        Column("Win rate", written("win_rate", percent)),
        Column("Profit factor", written("profit_factor", number)),
        Column("Expectancy", written("expectancy", signed_money)),
        Column("R", written("expectancy_r", number), hint="mean net P&L over initial risk"),
        Column("Fees", written("costs", money)),
        money_column("Net P&L", "net_pnl"),
    ]


def _cell(name: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda row: str(row.get(name, ""))
