from __future__ import annotations

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest

from goldenthread.reports.figures.portfolio import capital, correlations, daily_pnl, overlaps
from reports.facts import DAY, Row, equity, trade_row, trades


def day(n: int) -> dt.date:
    return DAY + dt.timedelta(days=n)


def position(n: int, strategy: str, unrealised: str, value: str = "100", fees: str = "1") -> Row:
    """An open position at the end of day ``n``."""
    return {
        "ds": day(n),
        "strategy_id": strategy,
        "market_value": Decimal(value),
        "unrealised_pnl": Decimal(unrealised),
        "realised_pnl": Decimal(0),
        "fees": Decimal(fees),
    }


# `up` holds from day 1, closes on day 3 with +14; `down` shorts on days 2 and 3 and stays open
DONE = trades(trade_row("14", strategy_id="up", entry_ds=day(1), exit_ds=day(3)))
HELD = pl.DataFrame(
    [
        position(1, "up", "6"),
        position(2, "up", "11", value="105"),
        position(2, "down", "-3", value="-50"),
        position(3, "down", "2", value="-45"),
        position(3, "down", "4", value="-10"),
    ]
)
CURVE = equity(1000, 1005, 1006, 1018)


def test_the_pnl_of_a_day_is_what_open_and_closed_gained_since_the_day_before() -> None:
    found = daily_pnl(CURVE, DONE, HELD)
    assert found.columns == ["ds", "down", "up"]
    # up: 0, 6 - 1, 11 - 1, then 14 closed: steps 0 5 5 4
    assert found["up"].to_list() == [0.0, 5.0, 5.0, 4.0]
    # down: -3 - 1 on day 2, (2 - 1) + (4 - 1) on day 3: steps -4, +8
    assert found["down"].to_list() == [0.0, 0.0, -4.0, 8.0]


def test_the_days_of_all_strategies_add_up_to_what_the_account_made() -> None:
    found = daily_pnl(CURVE, DONE, HELD)
    assert sum(found["up"].to_list() + found["down"].to_list()) == 1018 - 1000


def test_a_trade_closed_on_a_day_without_a_snapshot_counts_on_the_next_one() -> None:
    found = daily_pnl(CURVE.filter(pl.col("ds") != day(3)), DONE, pl.DataFrame())
    assert found["up"].sum() == 0.0
    assert daily_pnl(equity(1, 1, step=4), DONE, pl.DataFrame())["up"].to_list() == [0.0, 14.0]


def test_capital_is_what_was_held_on_the_mean_and_at_the_most() -> None:
    rows = {row["strategy"]: row for row in capital(CURVE, DONE, HELD).to_dicts()}
    up, down = rows["up"], rows["down"]
    assert (up["capital"], up["peak_capital"]) == (pytest.approx(205 / 4), 105.0)
    assert (up["net_pnl"], up["open_pnl"]) == (14.0, 0.0)
    assert (down["capital"], down["peak_capital"]) == (pytest.approx(105 / 4), 55.0)  # 50 + 55
    assert (down["net_pnl"], down["open_pnl"]) == (0.0, 4.0)


def test_strategies_that_gain_and_lose_on_the_same_days_are_correlated() -> None:
    days = [day(20 * n) for n in range(4)]
    daily = pl.DataFrame(
        {
            "ds": days,
            "_": [0.0, 0.0, 0.0, 0.0],
            "a": [1.0, -1.0, 1.0, -1.0],
            "b": [-2.0, 2.0, -2.0, 2.0],
            "c": [1.0, 1.0, -1.0, -1.0],
            "d": [0.0, 0.0, 0.0, 0.0],
        }
    )
    found = {(one, other): value for one, other, value in correlations(daily).iter_rows()}
    assert list(found)[:5] == [("_", "a"), ("_", "b"), ("_", "c"), ("_", "d"), ("a", "b")]
    assert found["a", "b"] == pytest.approx(-1.0)
    assert found["a", "c"] == pytest.approx(0.0, abs=1e-12)
    assert (found["_", "a"], found["c", "d"]) == (None, None)  # they never moved


def test_a_short_stretch_has_no_correlation() -> None:
    assert correlations(daily_pnl(CURVE, DONE, HELD)).rows() == [("down", "up", None)]


def test_one_strategy_or_none_has_nothing_to_correlate() -> None:
    assert correlations(daily_pnl(CURVE, DONE, pl.DataFrame())).is_empty()
    nothing = daily_pnl(pl.DataFrame(), pl.DataFrame(), pl.DataFrame())
    assert correlations(nothing).is_empty()
    assert capital(pl.DataFrame(), pl.DataFrame(), pl.DataFrame()).is_empty()


def test_two_strategies_overlap_where_both_hold_a_symbol_on_a_day() -> None:
    held = [
        *((1, "one", "AAPL"), (2, "one", "AAPL"), (3, "one", "AAPL")),
        *((2, "two", "AAPL"), (3, "two", "AAPL"), (3, "two", "IBM"), (4, "two", "AAPL")),
        (3, "three", "MSFT"),
    ]
    rows = [{**position(n, name, "0"), "symbol": symbol} for n, name, symbol in held]
    # of 3 + 4 - 2 days and symbols, 2 were held by both
    assert overlaps(pl.DataFrame(rows)).rows() == [
        ("one", "three", 0.0),
        ("one", "two", 0.4),
        ("three", "two", 0.0),
    ]
    assert overlaps(pl.DataFrame()).is_empty()
