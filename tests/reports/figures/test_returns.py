from __future__ import annotations

import datetime as dt
import math
import statistics

import numpy as np
import polars as pl
import pytest

from goldenthread.reports.figures.returns import (
    WINDOW_DAYS,
    daily_returns,
    distribution,
    rolling,
    rolling_beta,
    worst_drawdowns,
    yearly_returns,
)
from goldenthread.reports.performance import curve_figures

FIRST = dt.date(2023, 12, 30)
NOTHING = pl.DataFrame()


def curve(*values: float, first: dt.date = FIRST, every: int = 1) -> pl.DataFrame:
    days = [first + dt.timedelta(days=n * every) for n in range(len(values))]
    return pl.DataFrame(
        {"ds": days, "equity": [*map(float, values)]}, schema_overrides={"ds": pl.Date}
    )


def wander(days: int, seed: int) -> pl.DataFrame:
    steps = np.random.default_rng(seed).normal(0.0005, 0.01, days)
    return curve(*(1000 * np.cumprod(1 + steps)))


def test_a_year_is_measured_from_the_last_day_before_it() -> None:
    # 30 and 31 December 2023, then 2024
    found = yearly_returns(curve(100, 110, 121, 99))
    assert found["year"].to_list() == [2023, 2024]
    assert found["return"].to_list() == pytest.approx([0.10, -0.10])


def test_each_day_but_the_first_has_a_return() -> None:
    found = daily_returns(curve(100, 110, 99))
    assert found["ds"].to_list() == [FIRST + dt.timedelta(days=n) for n in (1, 2)]
    assert found["return"].to_list() == pytest.approx([0.1, -0.1])


def test_days_are_counted_by_their_return_and_days_at_rest_are_not() -> None:
    # +10 %, nothing, -10 %, +10 %
    found = distribution(curve(100, 110, 110, 99, 108.9)).filter(pl.col("days") > 0)
    assert found["days"].to_list() == [1, 2]
    assert found["low"][0] <= -0.1 < found["high"][0]
    assert found["low"][1] <= 0.1 <= found["high"][1]


def test_the_moving_half_year_is_that_of_its_own_returns() -> None:
    equity = wander(400, 1)
    found = rolling(equity)
    assert found["ds"][0] == equity["ds"][1] + dt.timedelta(days=WINDOW_DAYS - 1)
    assert found["ds"][-1] == equity["ds"][-1]
    returns = daily_returns(equity)["return"].to_list()[-WINDOW_DAYS:]
    a_year = math.sqrt(365 * len(returns) / WINDOW_DAYS)
    spread = statistics.stdev(returns)
    assert found["volatility"][-1] == pytest.approx(spread * a_year, rel=1e-9)
    assert found["sharpe"][-1] == pytest.approx(
        statistics.fmean(returns) / spread * a_year, rel=1e-9
    )


def test_a_window_with_a_point_a_day_says_what_the_curve_says() -> None:
    equity = wander(WINDOW_DAYS + 1, 2)  # one window of 182 returns, and their first point
    whole = curve_figures(equity)
    found = rolling(equity)
    assert found.height == 1
    assert found["sharpe"][0] == pytest.approx(whole.sharpe, rel=1e-9)
    assert found["volatility"][0] == pytest.approx(whole.volatility, rel=1e-9)


def test_too_few_returns_in_the_window_say_nothing() -> None:
    found = rolling(curve(*range(100, 160), every=7))  # 26 a window
    assert found.height > 0
    assert found["sharpe"].null_count() == found["volatility"].null_count() == found.height


def test_an_account_at_twice_the_benchmark_has_a_beta_of_two() -> None:
    other = wander(300, 3)
    doubled = np.cumprod(1 + 2 * daily_returns(other)["return"].to_numpy())
    mine = curve(1000, *(1000 * doubled))
    found = rolling_beta(mine, other)
    assert found["beta"].to_list() == pytest.approx([2.0] * found.height, rel=1e-9)
    flat = other.with_columns(equity=pl.lit(5.0))
    assert rolling_beta(mine, flat)["beta"].null_count() == found.height


def test_falls_are_told_from_the_peak_until_it_is_reached_again() -> None:
    # 100 -> 90 -> 80 -> 100, then 120 -> 114, which lasts
    found = worst_drawdowns(curve(100, 90, 80, 100, 120, 114)).to_dicts()
    day = [FIRST + dt.timedelta(days=n) for n in range(6)]
    assert found[0] == {
        "peak_ds": day[0],
        "trough_ds": day[2],
        "recovered_ds": day[3],
        "depth": pytest.approx(0.2),
        "days": 3,
    }
    assert found[1] == {
        "peak_ds": day[4],
        "trough_ds": day[5],
        "recovered_ds": None,
        "depth": pytest.approx(0.05),
        "days": 1,
    }
    assert worst_drawdowns(curve(100, 90, 80, 100, 120, 114), count=1).height == 1


def test_the_deepest_fall_is_the_maximum_drawdown() -> None:
    equity = wander(500, 4)
    assert worst_drawdowns(equity)["depth"][0] == pytest.approx(curve_figures(equity).max_drawdown)


def test_without_a_curve_there_is_nothing_to_say() -> None:
    for found in (
        yearly_returns(NOTHING),
        daily_returns(NOTHING),
        distribution(NOTHING),
        rolling(NOTHING),
        rolling_beta(NOTHING, curve(1, 2)),
        worst_drawdowns(NOTHING),
    ):
        assert found.is_empty()
