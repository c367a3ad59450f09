from __future__ import annotations

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest

from goldenthread.reports.figures.turnover import rolling_turnover
from reports.facts import trade_row, trades

FIRST = dt.date(2024, 1, 1)
DAY = dt.timedelta(days=1)


def curve(days: int, equity: int = 1000) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "book": "sim:main",
            "ds": [FIRST + n * DAY for n in range(days)],
            "equity": [Decimal(equity)] * days,
        }
    )


def test_each_leg_counts_in_the_half_year_it_was_traded_in() -> None:
    """10 bought at 100 on day 1, sold at 101 on day 181: 1,000 and 1,010 of 1,000."""
    dates = {"entry_ds": FIRST + DAY, "exit_ds": FIRST + 181 * DAY}
    found = rolling_turnover(curve(184), trades(trade_row("9", **dates)))
    assert found["ds"].to_list() == [FIRST + n * DAY for n in (181, 182, 183)]
    both, only_sale = 2.01 * 365 / 182, 1.01 * 365 / 182
    assert found["turnover"].to_list() == pytest.approx([both, both, only_sale])


def test_a_day_without_a_snapshot_keeps_what_was_traded_on_it() -> None:
    missed = FIRST + 181 * DAY
    equity = curve(184).filter(pl.col("ds") != missed)
    dates = {"entry_ds": missed, "exit_ds": missed}
    found = rolling_turnover(equity, trades(trade_row("9", **dates)))
    assert found["ds"].to_list() == [FIRST + n * DAY for n in (182, 183)]
    assert found["turnover"].to_list() == pytest.approx([2.01 * 365 / 182] * 2)


def test_without_trades_nothing_was_turned_over_and_without_equity_nothing_is_known() -> None:
    assert rolling_turnover(curve(182), pl.DataFrame())["turnover"].to_list() == [0.0]
    assert rolling_turnover(curve(182, equity=0), pl.DataFrame())["turnover"].to_list() == [None]
    assert rolling_turnover(curve(181), pl.DataFrame()).is_empty()
    assert rolling_turnover(pl.DataFrame(), pl.DataFrame()).columns == ["ds", "turnover"]
