"""The statistics of luck, against published and hand-computed values."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from goldenthread.domain.errors import UsageError
from goldenthread.research.luck import (
    Record,
    Trials,
    deflated_sharpe,
    expected_best,
    probabilistic_sharpe,
    record_of,
    trials_of,
)


def test_the_example_of_the_paper_comes_out_as_printed() -> None:
    # 2014, "A numerical example": annual Sharpe 2.5 over 1,250 days, 250 a year, 100 trials with
    # an annual variance of 1/2, skewness -3, kurtosis 10: SR0 0.1132 a day, deflated 0.9004
    trials = Trials(100, 0.5 / 250)
    record = Record(2.5 / math.sqrt(250), 1250, -3.0, 10.0)
    assert expected_best(trials) == pytest.approx(0.1132, abs=5e-5)
    assert deflated_sharpe(record, trials) == pytest.approx(0.9004, abs=5e-5)


def test_forty_six_trials_leave_the_papers_strategy_at_ninety_five_percent() -> None:
    record = Record(2.5 / math.sqrt(250), 1250, -3.0, 10.0)
    assert deflated_sharpe(record, Trials(46, 0.5 / 250)) == pytest.approx(0.9505, abs=5e-4)


def test_a_normal_record_has_the_textbook_probability() -> None:
    # SR 0.1, T 101: z = 0.1 * 10 / sqrt(1 + 0.5 * 0.01) = 0.99751
    found = probabilistic_sharpe(Record(0.1, 101))
    assert found == pytest.approx(NormalDist().cdf(1 / math.sqrt(1.005)), abs=1e-15)
    assert probabilistic_sharpe(Record(0.1, 101), 0.1) == 0.5


def test_left_tails_cost_probability() -> None:
    even, left = Record(0.1, 101), Record(0.1, 101, -2.0, 9.0)
    one, other = probabilistic_sharpe(even), probabilistic_sharpe(left)
    assert one is not None
    assert other is not None
    assert one > other


def test_a_single_trial_is_not_deflated() -> None:
    record = Record(0.1, 101)
    assert expected_best(Trials(1, 0.3)) == 0.0
    assert deflated_sharpe(record, Trials(1, 0.0)) == probabilistic_sharpe(record)


def test_every_further_trial_raises_the_bar() -> None:
    bars = [expected_best(Trials(count, 0.01)) for count in (1, 2, 3, 10, 100, 10_000, 10**9)]
    assert bars == sorted(bars)
    assert len(set(bars)) == len(bars)


def test_the_bar_is_about_the_mean_of_the_best_of_so_many_normals() -> None:
    best = np.random.default_rng(1).normal(0, 0.2, (4_000, 50)).max(axis=1)
    assert expected_best(Trials(50, 0.04)) == pytest.approx(float(best.mean()), rel=0.02)


def test_a_record_by_hand() -> None:
    # the mean is 0.02, the mean square of the moves from it 0.0002, of their squares 8e-8
    record = record_of(np.array([0.0, 0.02, 0.04, 0.02]))
    assert record is not None
    assert record.sharpe == pytest.approx(0.02 / math.sqrt(0.0002 * 4 / 3))
    assert record.periods == 4
    assert record.skewness == pytest.approx(0)
    assert record.kurtosis == pytest.approx(8e-8 / 4e-8)


def test_what_is_not_defined_is_none() -> None:
    assert record_of(np.array([0.01, 0.02])) is None
    assert record_of(np.full(50, 0.01)) is None
    assert probabilistic_sharpe(Record(1.0, 9, 1.0, 1.0)) is None


def test_trials_are_counted_with_their_sample_variance() -> None:
    pair = trials_of([0.1, 0.3])
    assert pair.number == 2
    assert pair.variance == pytest.approx(0.02)
    assert trials_of([0.1]) == Trials(1, 0.0)
    with pytest.raises(UsageError, match="no trials"):
        trials_of([])


@pytest.mark.parametrize("trials", [Trials(0, 0.1), Trials(5, -0.1), Trials(5, math.nan)])
def test_wrong_trials_are_refused_with_what_is_allowed(trials: Trials) -> None:
    with pytest.raises(UsageError, match="at least one trial"):
        expected_best(trials)
