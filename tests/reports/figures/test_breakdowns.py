from __future__ import annotations

import datetime as dt

import polars as pl

from goldenthread.reports.figures.breakdowns import by_month, by_symbol, by_version
from goldenthread.reports.performance import trade_figures
from reports.facts import Row, trade_row, trades


def closed(net: str, day: str, symbol: str = "AAPL", version: str = "aa") -> Row:
    return trade_row(net, symbol=symbol, exit_ds=dt.date.fromisoformat(day), version_key=version)


DONE = trades(
    closed("-10", "2024-02-01", version="bb"),
    closed("30", "2024-01-05", symbol="MSFT"),
    closed("20", "2024-01-31"),
    closed("-5", "2025-01-31", symbol="MSFT", version="bb"),
)


def test_versions_come_in_the_order_they_traded() -> None:
    rows = by_version(DONE).to_dicts()
    assert [(r["strategy_id"], r["version_key"], r["net_pnl"]) for r in rows] == [
        ("breakout", "aa", 50.0),  # 30 + 20
        ("breakout", "bb", -15.0),  # -10 - 5
    ]
    assert (rows[0]["first_ds"], rows[0]["last_ds"]) == (dt.date(2024, 1, 5), dt.date(2024, 1, 31))
    assert (rows[0]["win_rate"], rows[0]["profit_factor"], rows[1]["win_rate"]) == (1.0, None, 0.0)


def test_symbols_are_told_apart() -> None:
    rows = by_symbol(DONE).to_dicts()
    assert [(r["symbol"], r["trades"], r["costs"]) for r in rows] == [
        ("AAPL", 2, 2.0),
        ("MSFT", 2, 2.0),
    ]
    assert [r["profit_factor"] for r in rows] == [2.0, 6.0]  # 20 / 10 and 30 / 5


def test_a_trade_counts_in_the_month_of_its_exit_and_years_are_kept_apart() -> None:
    rows = by_month(DONE).to_dicts()
    assert [(r["month"], r["net_pnl"]) for r in rows] == [
        (dt.date(2024, 1, 1), 50.0),
        (dt.date(2024, 2, 1), -10.0),
        (dt.date(2025, 1, 1), -5.0),
    ]


def test_the_parts_add_up_to_the_whole() -> None:
    whole = trade_figures(DONE)
    for parts in (by_version(DONE), by_symbol(DONE), by_month(DONE)):
        assert parts["trades"].sum() == whole.trades
        assert parts["net_pnl"].sum() == whole.net_pnl
        assert parts["costs"].sum() == whole.costs


def test_without_trades_there_are_no_parts() -> None:
    for parts in (by_version, by_symbol, by_month):
        assert parts(pl.DataFrame()).is_empty()
