from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from goldenthread.reports.bootstrap import LEVEL, block_days, resampled_days, sum_interval

if TYPE_CHECKING:
    from goldenthread.domain.bar import FloatArray


def test_a_block_is_as_long_as_trades_were_held_and_no_shorter_than_the_cube_root_of_days() -> None:
    assert block_days(21, 2310) == 16  # log2(21) = 4.4
    assert block_days(30, 2310) == 32  # log2(30) = 4.9
    assert block_days(1, 2310) == 16  # 2310 ** (1/3) = 13.2, log2 = 3.7
    assert block_days(1, 27) == 4  # 27 ** (1/3) = 3, log2 = 1.6
    assert block_days(1, 1) == 1


def test_equal_days_leave_no_doubt() -> None:
    daily = np.full((100, 1), 2.0)
    assert sum_interval(daily, 8).tolist() == [[200.0], [200.0]]


def test_the_same_days_give_the_same_interval_whatever_stands_beside_them() -> None:
    daily = np.random.default_rng(5).normal(size=(200, 3))
    whole = sum_interval(daily, 8)
    assert whole.tolist() == sum_interval(daily, 8).tolist()
    assert whole[:, 1] == pytest.approx(sum_interval(daily[:, 1:2], 8)[:, 0], rel=1e-12)


def test_twice_the_money_is_twice_the_interval() -> None:
    daily = np.random.default_rng(6).normal(size=(200, 1))
    assert sum_interval(2 * daily, 8) == pytest.approx(2 * sum_interval(daily, 8), rel=1e-12)


def test_a_span_of_fewer_than_eight_blocks_says_nothing() -> None:
    assert np.isnan(sum_interval(np.ones((63, 1)), 8)).all()
    assert not np.isnan(sum_interval(np.ones((64, 1)), 8)).any()


def test_a_block_goes_on_day_by_day_round_the_end_and_has_the_expected_length() -> None:
    drawn = resampled_days(50, 10, np.random.default_rng(7), 2000)
    assert drawn.shape == (2000, 50)
    goes_on = (drawn[:, 1:] == (drawn[:, :-1] + 1) % 50).mean()
    assert goes_on == pytest.approx(0.9 + 0.1 / 50, abs=0.005)  # or a new block begins there
    assert np.bincount(drawn.ravel(), minlength=50) == pytest.approx(2000, rel=0.1)
    assert ((drawn[:, :-1] == 49) & (drawn[:, 1:] == 0)).any()


def test_sums_spread_as_the_formula_of_politis_and_romano_says() -> None:
    days, block = 400, 8
    rng = np.random.default_rng(8)
    made = np.convolve(rng.normal(size=days + 4), np.ones(5), mode="valid")
    low, high = sum_interval(made[:, None], block)[:, 0]
    spread = np.sqrt(exact_variance(made, block))
    width = 2 * 2.326 * spread  # a normal sum: 98 of 100 lie within 2.326 spreads of the mean
    assert LEVEL == 0.98
    assert high - low == pytest.approx(width, rel=0.1)
    assert (low + high) / 2 == pytest.approx(made.sum(), abs=0.2 * spread)


def exact_variance(made: FloatArray, block: int) -> float:
    """The variance of a resampled sum as Politis & Romano (1994) give it, lag by lag."""
    days, goes_on = len(made), 1 - 1 / block
    off = made - made.mean()
    total = float((off**2).sum() / days)
    for lag in range(1, days):
        around = float(off @ np.roll(off, lag)) / days
        weight = (1 - lag / days) * goes_on**lag + lag / days * goes_on ** (days - lag)
        total += weight * around  # the circular covariance holds both directions
    return total * days
