"""Every figure that empyrical defines too is empyrical's, to 1e-9.

empyrical multiplies by periods a year where ours counts them: 365 x returns / calendar days
spanned. That number is handed to it as ``annualization``; nothing else is converted but the sign
of a drawdown (ours is a positive fraction).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import empyrical
import numpy as np
import pandas as pd
import polars as pl
import pytest

from goldenthread.reports.figures.benchmark import against
from goldenthread.reports.performance import (
    curve_figures,
    drawdowns,
    monthly_returns,
    trade_figures,
)
from reports.facts import trade_row, trades

FIRST = dt.date(2022, 1, 3)
_EVERY_DAY = [FIRST + dt.timedelta(days=n) for n in range(800)]
CALENDARS = {
    "a point every day, as of crypto": _EVERY_DAY,
    "a point every weekday, as of equities": [d for d in _EVERY_DAY if d.weekday() < 5],
    "points at uneven distances": [d for d in _EVERY_DAY if d.day % 7 and d.month % 5],
    "a short curve": _EVERY_DAY[:31],
}

Reference = Callable[["pd.Series[float]", float], float]
REFERENCES: dict[str, Reference] = {
    "total_return": lambda r, _: empyrical.cum_returns_final(r),
    "annual_return": lambda r, n: empyrical.annual_return(r, annualization=n),
    "volatility": lambda r, n: empyrical.annual_volatility(r, annualization=n),
    "sharpe": lambda r, n: empyrical.sharpe_ratio(r, annualization=n),
    "sortino": lambda r, n: empyrical.sortino_ratio(r, annualization=n),
    "max_drawdown": lambda r, _: -empyrical.max_drawdown(r),
    "calmar": lambda r, n: empyrical.calmar_ratio(r, annualization=n),
}


def curve_on(days: list[dt.date], seed: int) -> pl.DataFrame:
    """A random walk of equity with a point on each of the days."""
    steps = np.random.default_rng(seed).normal(0.0004, 0.013, len(days))
    return pl.DataFrame({"ds": days, "equity": 100_000 * np.exp(np.cumsum(steps))})


def returns_of(curve: pl.DataFrame) -> pd.Series[float]:
    """The simple returns of a curve as empyrical wants them."""
    index = pd.DatetimeIndex(curve["ds"].to_list())
    return pd.Series(curve["equity"].to_numpy(), index=index).pct_change().iloc[1:]


def close(expected: object) -> Any:  # noqa: ANN401  # what pytest compares with
    """Equal to 1e-9, relative or absolute."""
    return pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("days", CALENDARS.values(), ids=CALENDARS)
@pytest.mark.parametrize("name", REFERENCES)
def test_a_figure_of_a_curve_is_that_of_empyrical(name: str, days: list[dt.date]) -> None:
    for seed in range(5):
        curve = curve_on(days, seed)
        returns = returns_of(curve)
        periods = 365 * len(returns) / (days[-1] - days[0]).days
        expected = REFERENCES[name](returns, periods)
        assert getattr(curve_figures(curve), name) == close(expected)


@pytest.mark.parametrize("days", CALENDARS.values(), ids=CALENDARS)
def test_the_drawdown_of_every_day_is_that_of_empyrical(days: list[dt.date]) -> None:
    curve = curve_on(days, seed=7)
    expected = empyrical.stats.drawdown_series(returns_of(curve))
    # empyrical begins with the first return; ours has the first day before it
    assert drawdowns(curve)["drawdown"].to_list() == close([0.0, *expected])


@pytest.mark.parametrize("days", CALENDARS.values(), ids=CALENDARS)
def test_the_return_of_every_month_is_that_of_empyrical(days: list[dt.date]) -> None:
    curve = curve_on(days, seed=8)
    expected = empyrical.aggregate_returns(returns_of(curve), "monthly")
    found = {(year, month): made for year, month, made in monthly_returns(curve).iter_rows()}
    assert list(found) == list(expected.index)
    assert list(found.values()) == close(expected.to_list())


def test_what_trades_say_is_what_empyrical_says_of_their_money() -> None:
    # Of a row of results with the threshold 0, omega is gains over losses, which is the profit
    # factor, and the batting average against 0 is the share that gained, which is the win rate.
    random = np.random.default_rng(3)
    net = [f"{value:.2f}" for value in random.normal(5, 100, 400)] + ["0"]
    found = trade_figures(trades(*[trade_row(value) for value in net]))
    money = pd.Series([float(value) for value in net])
    assert found.profit_factor == close(empyrical.omega_ratio(money, annualization=1))
    batting = empyrical.batting_average(money, pd.Series(0.0, money.index))
    assert found.win_rate == close(batting["batting average"])
    assert found.expectancy == close(money.mean())


@pytest.mark.parametrize("days", CALENDARS.values(), ids=CALENDARS)
def test_alpha_beta_and_correlation_are_those_of_empyrical(days: list[dt.date]) -> None:
    # empyrical does not pair days: it gets the returns between the days both curves have
    for seed in range(5):
        mine, other = curve_on(_EVERY_DAY, seed), curve_on(days, seed + 100)
        found = against(mine, other, ("CRYPTO", "BTC/USD"))
        ours, theirs = returns_of(mine.join(other, on="ds", how="semi")), returns_of(other)
        periods = 365 * len(theirs) / (days[-1] - days[0]).days
        assert found.periods == close(periods)
        assert found.beta == close(empyrical.beta(ours, theirs))
        assert found.alpha == close(empyrical.alpha(ours, theirs, annualization=periods))
        assert found.correlation == close(np.corrcoef(ours, theirs)[0, 1])
        assert found.benchmark_return == close(empyrical.cum_returns_final(theirs))
