"""How the account traded: what was bound, what it cost, how trades went and ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from goldenthread.reports.chapters.tables import labelled, traded_columns
from goldenthread.reports.charts import Beside, Chart, line_chart
from goldenthread.reports.figures.breakdowns import by_exit_reason, by_month, by_symbol
from goldenthread.reports.figures.costs import costs
from goldenthread.reports.figures.turnover import rolling_turnover
from goldenthread.reports.layout import half, halves, section
from goldenthread.reports.markup import Column, money_column, scrolled, table, text, written
from goldenthread.reports.notation import (
    money,
    number,
    percent,
    short,
    signed_money,
    signed_percent,
)
from goldenthread.reports.plots.scatter import Cloud, Point, scatter

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from goldenthread.reports.performance import Metrics

LAST_TRADES = 20
"""How many trades the chapter ends with."""

SYMBOL_ROWS = 60
"""How many symbols are listed before the rest is only counted."""

_NO_TRADE = "No trade was closed."


def exposure(equity: pl.DataFrame, figures: Metrics) -> str:
    """What part of the account was bound each day, long and short."""
    if "long_value" not in equity.columns:
        return ""
    value = pl.col("equity").cast(pl.Float64)
    bound = equity.sort("ds").filter(value > 0)
    long, short = (
        (bound[name].cast(pl.Float64) / bound["equity"].cast(pl.Float64)).to_list()
        for name in ("long_value", "short_value")
    )
    days = bound["ds"].to_list()
    beside = [Beside("Short", days, short)] if any(short) else []
    chart = Chart("Long", days, long, percent, height=200, baseline=0.0, beside=beside)
    about = (
        f"Market value over equity, at the closes. On average {percent(figures.curve.exposure)} "
        "was bound, long and short added up."
    )
    return section("Exposure", about, scrolled(line_chart(chart)))


def turnover(equity: pl.DataFrame, trades: pl.DataFrame) -> str:
    """What part of the account was bought and sold in the half year before each day."""
    known = rolling_turnover(equity, trades).drop_nulls()
    days, values = known["ds"].to_list(), known["turnover"].to_list()
    chart = Chart("Turnover", days, values, _times_a_year, height=200, baseline=0.0)
    about = (
        "Bought and sold by closed trades over the 182 calendar days before each day, in "
        "multiples of mean equity a year."
    )
    return section("Turnover", about, line_chart(chart))


def what_it_cost(trades: pl.DataFrame, slipped: Mapping[str, Decimal]) -> str:
    """One row an asset class: slippage, fees, borrowing and dividends, and what they were of."""
    share = written("slippage_rate", lambda rate: percent(rate, 3))
    columns = [
        Column("Of", lambda row: str(row["asset_class"]).lower(), figure=False),
        Column("Trades", text("trades"), defined="trades"),
        Column("Traded", written("traded", money), defined="traded"),
        Column("Slippage", written("slippage", money), defined="slippage"),
        Column("Slippage of traded", share, defined="slippage_rate"),
        Column("Fees", written("fees", money), defined="fees"),
        Column("For borrowing", written("borrow_fees", money), defined="borrow_fees"),
        Column("Dividends", written("dividends", signed_money), defined="dividends", signed=True),
        Column("Fees of traded", written("fee_rate", lambda f: percent(f, 3)), defined="fee_rate"),
        Column("Fees of gross P&L", written("fee_share", percent), defined="fee_share"),
    ]
    about = (
        "Of closed trades. Slippage is in the prices of the executions, so gross P&L is after "
        "it; it is told where orders and bars are known."
    )
    body = table(columns, costs(trades, slipped).to_dicts(), _NO_TRADE)
    return section("Costs", about, body)


def exits(trades: pl.DataFrame) -> str:
    """One row a way out."""
    columns = [Column("Out by", text("exit_reason"), figure=False), *traded_columns()]
    rows = by_exit_reason(trades).to_dicts()
    return section("Exit reasons", "", table(columns, rows, "No trade was closed."))


def excursions(trades: pl.DataFrame) -> str:
    """Each trade as two points: how far it went against it and for it, and where it ended."""
    drawn = [
        half(title, scatter(Cloud(title, across, _points(trades, column), signed_percent)))
        for column, title, across in (
            ("mae", "Worst move and result", "worst move while it was held"),
            ("mfe", "Best move and result", "best move while it was held"),
        )
    ]
    about = (
        "A point a closed trade: across, the move of the price in its favour (or against it) as "
        "a fraction of the entry; upwards, its net return. Losers that were once far ahead are "
        "low on the right of the second picture."
    )
    return section("Best and worst moves", about, halves(*drawn))


def _points(trades: pl.DataFrame, column: str) -> list[Point]:
    if trades.is_empty():
        return []
    told = trades.drop_nulls([column, "return_fraction"]).sort("exit_ds", "trade_id")
    return [
        Point(float(moved), float(made), f"{symbol} {left}")
        for moved, made, symbol, left in told.select(
            column, "return_fraction", "symbol", "exit_ds"
        ).iter_rows()
    ]


def symbols(trades: pl.DataFrame) -> str:
    """One row a symbol, those that made or lost most first."""
    rows = by_symbol(trades).to_dicts()
    rows.sort(key=lambda row: (-abs(row["net_pnl"]), row["symbol"]))
    more = f"The {SYMBOL_ROWS} of {len(rows):,} that made or lost most."
    about = more if len(rows) > SYMBOL_ROWS else ""
    columns = [Column("Symbol", text("symbol"), figure=False), *traded_columns()]
    return section("Symbols", about, table(columns, rows[:SYMBOL_ROWS], _NO_TRADE))


def traded_months(trades: pl.DataFrame) -> str:
    """One row a month in which trades were closed."""
    columns = [
        Column("Month", lambda row: f"{row['month']:%Y-%m}", figure=False),
        *traded_columns(),
    ]
    return section("Months", "By exit.", table(columns, by_month(trades).to_dicts(), _NO_TRADE))


def last_trades(trades: pl.DataFrame, synthetic: frozenset[str]) -> str:
    """The most recently closed trades, newest first."""
    newest = trades.sort("exit_ds", "trade_id", descending=True) if trades.height else trades
    rows = labelled(newest.head(LAST_TRADES).to_dicts(), synthetic)
    columns = [
        Column("Symbol", text("symbol"), figure=False),
        Column("Strategy", text("strategy_id"), figure=False),
        Column("Side", text("side"), figure=False),
        Column("Entry", text("entry_ds"), figure=False),
        Column("Exit", text("exit_ds"), figure=False),
        Column("Quantity", written("traded_quantity", lambda held: short(held, 0))),
        Column("In at", written("entry_price", short)),
        Column("Out at", written("exit_price", short)),
        Column("Sessions", text("bars_held")),
        Column("Reason", text("exit_reason"), figure=False),
        Column("R", written("r_multiple", number)),
        Column("Fees", written("fees", lambda fee: money(fee, 2))),
        money_column("Net P&L", "net_pnl", places=2, defined="net_pnl"),
    ]
    about = f"The last {len(rows)} of {trades.height:,}." if rows else ""
    return section("Last trades", about, table(columns, rows, "No trade was closed."))


def _times_a_year(multiple: float) -> str:
    return f"{number(multiple, 1)}\N{MULTIPLICATION SIGN}"
