from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenthread.domain.asset import ActionKind, CorporateAction
from goldenthread.domain.errors import UsageError
from goldenthread.reports.figures.benchmark import BenchmarkFigures, against, held
from reports.facts import DAY, equity

SPY = ("EQUITY", "SPY")


def line(*values: float, step: int = 1) -> pl.DataFrame:
    """A benchmark with a point every ``step`` days."""
    days = [DAY + dt.timedelta(days=step * n) for n in range(len(values))]
    columns = {"ds": days, "equity": [float(v) for v in values]}
    return pl.DataFrame(columns, schema={"ds": pl.Date, "equity": pl.Float64})


def closes(*values: float) -> pl.DataFrame:
    return line(*values).rename({"equity": "close"})


def action(kind: ActionKind, day: int, *, ratio: str = "1", amount: str = "0") -> CorporateAction:
    return CorporateAction(
        symbol="SPY",
        kind=kind,
        ex_ds=DAY + dt.timedelta(days=day),
        ratio=Decimal(ratio),
        amount=Decimal(amount),
        source="test",
        known_at=dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
    )


def test_alpha_beta_and_correlation_are_those_computed_by_hand() -> None:
    # account +20 % 0 +20 % 0, benchmark +10 % -10 % +10 % -10 %: points 25 days apart
    mine = equity(100, 120, 120, 144, 144, step=25)
    other = line(100, 110, 99, 108.9, 98.01, step=25)
    found = against(mine, other, SPY)
    assert (found.asset_class, found.benchmark, found.returns) == ("EQUITY", "SPY", 4)
    assert found.periods == pytest.approx(14.6)  # 365 * 4 / 100
    assert found.benchmark_return == pytest.approx(-0.0199)
    # deviations .1 -.1 .1 -.1 of both: covariance .01, variance .01
    assert found.beta == pytest.approx(1.0)
    assert found.correlation == pytest.approx(1.0)
    # mean of account - benchmark: .1 each
    assert found.alpha == pytest.approx(1.1**14.6 - 1)
    assert found.note == ""


def test_days_without_a_session_of_the_benchmark_are_in_the_return_to_the_next_one() -> None:
    # the account has a point every day, the benchmark on every 20th: 100 -> 121 -> 100
    walk = [100.0] * 19 + [110.0, 121.0] + [121.0] * 19 + [100.0]
    found = against(equity(*walk), line(10, 11, 10, step=20), SPY)
    direct = against(equity(100, 121, 100, step=20), line(10, 11, 10, step=20), SPY)
    assert found.returns == 2
    assert found == direct


def test_a_benchmark_without_bars_has_no_figures_and_says_so() -> None:
    found = against(equity(100, 110, 120, step=30), line(), SPY)
    assert found == BenchmarkFigures(*SPY, note="no bars of SPY on days of the account")
    assert against(pl.DataFrame(), line(1, 2), SPY).note.startswith("no bars of SPY")


def test_a_short_stretch_in_common_has_no_figures_and_says_so() -> None:
    found = against(equity(100, 110, 120), line(1, 2, 3), SPY)
    assert (found.alpha, found.beta, found.correlation, found.periods) == (None,) * 4
    assert found.note == "3 days in common over 2 calendar days; 30 are needed"


def test_a_benchmark_that_stands_still_has_no_beta_but_a_return() -> None:
    found = against(equity(100, 110, 120, step=30), line(5, 5, 5, step=30), SPY)
    assert (found.benchmark_return, found.beta, found.alpha) == (0.0, None, None)
    assert found.note == "SPY did not move"


def test_an_account_that_stands_still_has_beta_and_alpha_zero_and_no_correlation() -> None:
    found = against(equity(100, 100, 100, step=30), line(5, 6, 5, step=30), SPY)
    assert (found.beta, found.alpha, found.correlation) == (0.0, 0.0, None)


def test_a_lost_account_has_no_figures() -> None:
    found = against(equity(100, -10, 20, step=30), line(5, 6, 5, step=30), SPY)
    assert (found.beta, found.note) == (None, "the account lost everything: it has no returns")


def test_two_books_in_one_frame_are_refused() -> None:
    both = pl.concat([equity(100, 101), equity(200, 202)])
    with pytest.raises(UsageError, match="filter by `book`"):
        against(both, line(1, 2), SPY)


def test_a_split_of_the_benchmark_changes_nothing() -> None:
    split = action(ActionKind.SPLIT, 2, ratio="2")
    assert held(closes(100, 110, 60.5), [split])["equity"].to_list() == pytest.approx(
        [1, 1.1, 1.21]
    )


def test_a_dividend_of_the_benchmark_is_reinvested_on_its_ex_date() -> None:
    # 100 -> 98 and 2 paid is no loss; then +10 %
    paid = action(ActionKind.DIVIDEND, 1, amount="2")
    assert held(closes(100, 98, 107.8), [paid])["equity"].to_list() == pytest.approx([1, 1, 1.1])


def test_dividends_of_two_sessions_are_each_paid_once() -> None:
    paid = [action(ActionKind.DIVIDEND, 1, amount="2"), action(ActionKind.DIVIDEND, 2, amount="1")]
    assert held(closes(100, 98, 97), paid)["equity"].to_list() == pytest.approx([1, 1, 1])


def test_a_dividend_after_a_split_is_paid_for_each_new_share() -> None:
    # one share of 100 is two of 49, each paid 1, between two bars
    days = closes(100, 0, 49)[[0, 2]]
    both = [
        action(ActionKind.SPLIT, 1, ratio="2"),
        action(ActionKind.DIVIDEND, 2, amount="1"),
    ]
    assert held(days, both)["equity"].to_list() == pytest.approx([1.0, 1.0])


def test_actions_before_the_first_bar_and_after_the_last_do_not_count() -> None:
    cut = [action(ActionKind.SPLIT, day, ratio="2") for day in (-1, 0, 9)]
    assert held(closes(100, 110), cut)["equity"].to_list() == pytest.approx([1, 1.1])


@given(st.floats(min_value=-3, max_value=3), st.integers(min_value=0, max_value=99))
def test_a_multiple_of_the_benchmark_has_that_beta_and_no_alpha(beta: float, seed: int) -> None:
    moves = np.random.default_rng(seed).normal(0, 0.01, 60)
    other = line(*np.cumprod([1.0, *(1 + moves)]))
    days = other["ds"]
    mine = pl.DataFrame({"ds": days, "equity": np.cumprod([1.0, *(1 + beta * moves)])})
    found = against(mine, other, SPY)
    assert found.beta == pytest.approx(beta, abs=1e-9)
    assert found.alpha == pytest.approx(0.0, abs=1e-9)
    if found.correlation is not None:
        assert abs(found.correlation) == pytest.approx(1.0)
