from __future__ import annotations

import datetime as dt
import math
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenthread.domain.errors import UsageError
from goldenthread.reports.performance import (
    CurveFigures,
    curve_figures,
    drawdowns,
    metrics,
    monthly_returns,
    per_strategy,
    trade_figures,
)
from reports.facts import DAY, equity, trade_row, trades


def test_trade_figures_are_those_computed_by_hand() -> None:
    # net +30 -10 +20 -20: two wins of 50, two losses of 30, 20 in all
    done = trades(
        trade_row("30", bars_held=2),
        trade_row("-10", bars_held=4),
        trade_row("20", bars_held=6),
        trade_row("-20", bars_held=8),
    )
    found = trade_figures(done)
    assert (found.trades, found.wins, found.win_rate) == (4, 2, 0.5)
    assert found.profit_factor == pytest.approx(50 / 30)
    assert found.expectancy == 5.0  # 20 / 4
    assert found.expectancy_r == pytest.approx(0.5)  # (3 - 1 + 2 - 2) / 4
    assert (found.gross_pnl, found.costs, found.net_pnl) == (24.0, 4.0, 20.0)
    assert found.average_hold == 5.0  # (2 + 4 + 6 + 8) / 4


def test_a_trade_that_made_nothing_is_no_win() -> None:
    found = trade_figures(trades(trade_row("0"), trade_row("5")))
    assert found.win_rate == 0.5


def test_ratios_of_no_trades_are_unknown_and_sums_are_zero() -> None:
    found = trade_figures(pl.DataFrame())
    assert (found.win_rate, found.profit_factor, found.expectancy) == (None, None, None)
    assert (found.average_hold, found.expectancy_r) == (None, None)
    assert (found.trades, found.net_pnl, found.costs) == (0, 0.0, 0.0)


def test_without_a_loss_there_is_no_profit_factor() -> None:
    assert trade_figures(trades(trade_row("5"))).profit_factor is None


def test_a_trade_without_r_multiple_does_not_enter_the_mean_r() -> None:
    found = trade_figures(trades(trade_row("30"), trade_row("10", r_multiple=None)))
    assert found.expectancy_r == 3.0


def test_returns_and_drawdown_are_those_computed_by_hand() -> None:
    # 100 -> 110 -> 99 -> 121 over three points of 73 days each: 219 days
    found = curve_figures(equity(100, 110, 99, 121, step=73))
    assert found.days == 219
    assert found.total_return == pytest.approx(0.21)
    # 365 / 219 = 5 / 3; 1.21 ** (5 / 3) - 1
    assert found.annual_return == pytest.approx(1.21 ** (5 / 3) - 1)
    assert found.max_drawdown == pytest.approx(0.1)  # 110 to 99
    assert found.calmar == pytest.approx((1.21 ** (5 / 3) - 1) / 0.1)
    assert found.longest_drawdown_days == 73  # below 110 on one point, above it on the next
    assert found.exposure == pytest.approx(0.5)


def test_sharpe_and_sortino_are_those_computed_by_hand() -> None:
    # returns +10 %, -10 %, +10 % and -10 % on points 25 days apart: 100 days, 4 returns
    found = curve_figures(equity(100, 110, 99, 108.9, 98.01, step=25))
    # mean 0; periods a year 365 * 4 / 100 = 14.6
    assert found.sharpe == pytest.approx(0.0, abs=1e-12)
    # sample deviation sqrt(4 * 0.01 / 3) = 0.115470
    assert found.volatility == pytest.approx(math.sqrt(0.04 / 3) * math.sqrt(14.6))
    rising = curve_figures(equity(100, 120, 132, 118.8, 142.56, step=25))
    # returns .2 .1 -.1 .2: mean .1; deviations .1 0 -.2 .1, squares .06, /3 = .02
    assert rising.sharpe == pytest.approx(0.1 / math.sqrt(0.02) * math.sqrt(14.6))
    # one return below zero: sqrt(.01 / 4) = .05
    assert rising.sortino == pytest.approx(0.1 / 0.05 * math.sqrt(14.6))


def test_a_point_every_day_is_annualised_by_365_periods() -> None:
    values = [100 * 1.01 if n % 2 else 100.0 for n in range(41)]
    found = curve_figures(equity(*values))
    returns = [b / a - 1 for a, b in pairwise(values)]
    mean = sum(returns) / 40
    deviation = math.sqrt(sum((r - mean) ** 2 for r in returns) / 39)
    assert found.volatility == pytest.approx(deviation * math.sqrt(365))


def test_nothing_is_annualised_below_thirty_days() -> None:
    found = curve_figures(equity(100, 101, 99, 102))
    assert found.total_return == pytest.approx(0.02)
    assert (found.annual_return, found.sharpe, found.sortino, found.calmar) == (None,) * 4


def test_a_flat_curve_has_no_sharpe_and_no_calmar_but_a_drawdown_of_zero() -> None:
    found = curve_figures(equity(*[100.0] * 50))
    assert (found.sharpe, found.sortino, found.calmar) == (None, None, None)
    assert (found.max_drawdown, found.total_return, found.volatility) == (0.0, 0.0, 0.0)


def test_steady_growth_has_no_sharpe_for_its_spread_is_rounding() -> None:
    found = curve_figures(equity(*[100 * 1.001**n for n in range(60)]))
    assert (found.sharpe, found.sortino) == (None, None)


def test_a_lost_account_has_no_ratios() -> None:
    found = curve_figures(equity(100, 50, -10, 20, step=20))
    assert found.total_return == pytest.approx(-0.8)
    assert (found.sharpe, found.volatility, found.exposure) == (None, None, None)
    assert found.max_drawdown == pytest.approx(1.1)


def test_no_curve_gives_no_figures() -> None:
    assert curve_figures(pl.DataFrame()) == CurveFigures()


def test_two_books_in_one_frame_are_refused() -> None:
    both = pl.concat([equity(100, 101), equity(200, 202)])
    with pytest.raises(UsageError, match=r"2024-01-02 twice.*filter by `book`"):
        curve_figures(both)


def test_the_order_of_rows_does_not_matter() -> None:
    curve = equity(100, 110, 99, 121, step=73)
    assert curve_figures(curve.reverse()) == curve_figures(curve)


def test_drawdowns_are_measured_from_the_peak_before() -> None:
    assert drawdowns(equity(100, 80, 120, 90))["drawdown"].to_list() == pytest.approx(
        [0, -0.2, 0, -0.25]
    )
    assert drawdowns(pl.DataFrame()).is_empty()


def test_a_month_is_measured_from_the_last_day_before_it() -> None:
    # 30 Jan 100, 31 Jan 110, 1 Feb 110, 2 Feb 99
    curve = equity(100, 110, 110, 99, start=dt.date(2024, 1, 30))
    assert monthly_returns(curve).rows() == [
        (2024, 1, pytest.approx(0.1)),
        (2024, 2, pytest.approx(-0.1)),
    ]
    assert monthly_returns(pl.DataFrame()).is_empty()


def test_a_strategy_is_judged_as_if_it_had_traded_alone() -> None:
    # account 1000 for 41 days; `alpha` makes +100 on day 10 and -55 on day 20
    curve = equity(*[1000.0] * 41)
    done = trades(
        trade_row("100", strategy_id="alpha", entry_ds=DAY, exit_ds=DAY + dt.timedelta(10)),
        trade_row(
            "-55",
            strategy_id="alpha",
            entry_ds=DAY + dt.timedelta(15),
            exit_ds=DAY + dt.timedelta(20),
        ),
        trade_row("7", strategy_id="beta"),
    )
    found = per_strategy(curve, done)
    assert list(found) == ["alpha", "beta"]
    alpha = found["alpha"]
    assert alpha.trades.net_pnl == 45.0
    assert alpha.curve.total_return == pytest.approx(0.045)
    assert alpha.curve.max_drawdown == pytest.approx(55 / 1100)
    # 1000 held 10 days on equity 1000, then 5 days on equity 1100, of 41 days
    assert alpha.curve.exposure == pytest.approx((10 * 1.0 + 5 * 1000 / 1100) / 41)


def test_a_trade_closed_on_a_day_without_a_point_is_booked_on_the_next_point() -> None:
    curve = equity(1000, 1000, 1000, step=20)
    found = per_strategy(curve, trades(trade_row("50", exit_ds=DAY + dt.timedelta(days=5))))
    assert found["breakout"].curve.total_return == pytest.approx(0.05)


def test_turnover_is_what_was_bought_and_sold_in_a_year_over_mean_equity() -> None:
    # 10 bought at 100 and sold at 101, twice: 4020; mean equity 1050; a fifth of a year
    found = metrics(equity(1000, 1100, step=73), trades(trade_row("5"), trade_row("5")))
    assert found.turnover == pytest.approx(4020 / 1050 * 5)
    assert metrics(equity(1000, 1100, step=73), pl.DataFrame()).turnover == 0.0


def test_turnover_is_unknown_below_thirty_days_without_equity_and_without_prices() -> None:
    done = trades(trade_row("5"))
    assert metrics(equity(1000, 1100), done).turnover is None
    assert metrics(pl.DataFrame(), done).turnover is None
    assert metrics(equity(-5, 1, step=73), done).turnover is None
    assert metrics(equity(1000, 1100, step=73), done.drop("exit_price")).turnover is None


def test_the_periods_of_a_year_are_those_observed() -> None:
    assert curve_figures(equity(*[100.0] * 50)).periods == 365.0
    assert curve_figures(equity(100, 110, 99, 121, step=73)).periods == 5.0
    assert curve_figures(equity(100, 101, 99)).periods is None  # two days


def test_a_row_of_metrics_has_every_figure_under_its_name() -> None:
    row = metrics(equity(100, 110, step=40), trades(trade_row("5"))).as_row()
    assert row["total_return"] == pytest.approx(0.1)
    assert (row["trades"], row["costs"]) == (1, 1.0)


curves = st.lists(st.floats(min_value=1, max_value=1e6), min_size=2, max_size=60)


@given(curves, st.floats(min_value=0.01, max_value=100))
def test_a_larger_account_has_the_same_rates(values: list[float], scale: float) -> None:
    here = curve_figures(_floats(values))
    there = curve_figures(_floats([v * scale for v in values]))
    for name in ("total_return", "annual_return", "volatility", "max_drawdown", "sortino"):
        first, second = getattr(here, name), getattr(there, name)
        if first is not None and second is not None:
            assert second == pytest.approx(first, rel=1e-6, abs=1e-9)
    assert here.longest_drawdown_days is not None


@given(curves)
def test_a_drawdown_lies_between_nothing_and_everything(values: list[float]) -> None:
    deepest = curve_figures(_floats(values)).max_drawdown
    assert deepest is not None
    assert 0 <= deepest < 1
    assert drawdowns(_floats(values))["drawdown"].min() == pytest.approx(-deepest)


def _floats(values: list[float]) -> pl.DataFrame:
    days = [DAY + dt.timedelta(days=n) for n in range(len(values))]
    return pl.DataFrame({"ds": days, "equity": values}, schema_overrides={"equity": pl.Float64})
