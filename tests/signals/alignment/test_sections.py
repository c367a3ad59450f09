"""rank, pct_rank and zscore: by hand, across calendars, and with members that come and go."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from goldenthread.domain.errors import UsageError
from goldenthread.signals.alignment.sections import Panel
from goldenthread.signals.binding import bind
from goldenthread.signals.calls import Universe
from goldenthread.signals.engine import Evaluator, compile_strategy
from goldenthread.signals.evaluation import Calculator, Memo
from signals.windows import COLUMNS, Market, asset, strategy

if TYPE_CHECKING:
    from goldenthread.signals.calls import Expr

D = dt.date


def market(closes: dict[str, dict[int, float]]) -> Market:
    """Closes by symbol and day of January 2024."""
    found = {}
    for symbol, listed in closes.items():
        dates = np.array([np.datetime64(D(2024, 1, day)) for day in listed])
        column = np.array(list(listed.values()), dtype=np.float64)
        found[symbol] = (dates, dict.fromkeys(COLUMNS, column))
    return Market(found)


def values(bars: Market, expression: str, ds: dt.date) -> dict[str, float | None]:
    """What each symbol has on a date, as the factor of a strategy on all of them."""
    compiled = compile_strategy(strategy(assets=tuple(bars.bars), factors={"f": expression}))
    evaluator = Evaluator(bars.window)
    found: dict[str, float | None] = {}
    for symbol in bars.bars:
        candidate = evaluator.decide(compiled, symbol, ds, asset(symbol))
        if candidate is not None:
            factor = candidate.factors["f"]
            found[symbol] = None if factor is None else float(factor)
    return found


FIVE = market({"AAA": {2: 10}, "BBB": {2: 40}, "CCC": {2: 20}, "DDD": {2: 20}, "EEE": {2: 5}})


def test_rank_1_is_the_highest_and_equal_values_share_the_better_rank() -> None:
    ranks = {"AAA": 4, "BBB": 1, "CCC": 2, "DDD": 2, "EEE": 5}
    assert values(FIVE, "rank(close)", D(2024, 1, 2)) == ranks
    assert values(FIVE, "rank(-close)", D(2024, 1, 2))["EEE"] == 1


def test_pct_rank_is_the_share_of_the_others_that_lie_below_and_half_of_the_equal() -> None:
    shares = {"AAA": 0.25, "BBB": 1, "CCC": 0.625, "DDD": 0.625, "EEE": 0}
    assert values(FIVE, "pct_rank(close)", D(2024, 1, 2)) == shares


def test_zscore_is_the_distance_from_the_mean_in_sample_deviations() -> None:
    three = market({"AAA": {2: 1}, "BBB": {2: 2}, "CCC": {2: 3}})
    assert values(three, "zscore(close)", D(2024, 1, 2)) == {"AAA": -1, "BBB": 0, "CCC": 1}


def test_scores_of_many_days_are_those_of_each_day_alone_to_the_bit() -> None:
    random = np.random.default_rng(4)
    values = random.normal(0, 1, (200, 9)) * 10.0 ** random.integers(-7, 8, (200, 1))
    values[random.random(values.shape) < 0.3] = np.nan
    values[random.random(200) < 0.1] = 3.0
    days = np.arange(200).astype("datetime64[D]")
    names = tuple("ABCDEFGHI")
    found = Panel.of("zscore", names, [(days, column) for column in values.T])
    for row, *scores in zip(values.tolist(), *(found.columns[name] for name in names), strict=True):
        there = [value for value in row if not math.isnan(value)]
        mean = math.fsum(there) / max(1, len(there))
        variance = math.fsum((v - mean) ** 2 for v in there) / max(1, len(there) - 1)
        told = [(v - mean) / math.sqrt(variance) if variance > 0 else math.nan for v in row]
        assert np.array(scores).tobytes() == np.array(told).tobytes()


def test_alone_there_is_a_rank_but_no_share_and_no_score() -> None:
    one = market({"AAA": {2: 10}})
    assert values(one, "rank(close)", D(2024, 1, 2)) == {"AAA": 1}
    assert values(one, "pct_rank(close)", D(2024, 1, 2)) == {"AAA": None}
    assert values(one, "zscore(close)", D(2024, 1, 2)) == {"AAA": None}
    equal = market({"AAA": {2: 10}, "BBB": {2: 10}})
    assert values(equal, "zscore(close)", D(2024, 1, 2)) == {"AAA": None, "BBB": None}


def test_a_member_without_a_bar_of_the_date_or_with_a_null_is_left_out() -> None:
    bars = market({"AAA": {2: 1, 3: 1}, "BBB": {2: 9}, "CCC": {2: 2, 3: 2}, "DDD": {3: 7}})
    assert values(bars, "rank(close)", D(2024, 1, 2)) == {"AAA": 3, "BBB": 1, "CCC": 2}
    assert values(bars, "rank(close)", D(2024, 1, 3)) == {"AAA": 3, "CCC": 2, "DDD": 1}
    # DDD has no bar before the 3rd, so its LAG is null and it takes no rank away.
    lagged = values(bars, "rank(LAG(close, 1))", D(2024, 1, 3))
    assert lagged == {"AAA": 2, "CCC": 1, "DDD": None}


def test_on_a_weekend_coins_are_compared_with_coins() -> None:
    bars = market({"AAA": {5: 50, 8: 50}, "BTC/USD": {5: 2, 6: 2, 8: 2}, "ETH/USD": {6: 1, 8: 1}})
    assert values(bars, "rank(close)", D(2024, 1, 6)) == {"BTC/USD": 1, "ETH/USD": 2}
    assert values(bars, "rank(close)", D(2024, 1, 8)) == {"AAA": 1, "BTC/USD": 2, "ETH/USD": 3}


def test_an_average_of_ranks_reads_the_ranks_of_earlier_days() -> None:
    bars = market({"AAA": {2: 1, 3: 9, 4: 9}, "BBB": {2: 5, 3: 5, 4: 5}})
    assert values(bars, "SMA(rank(close), 3)", D(2024, 1, 4))["AAA"] == pytest.approx(4 / 3)
    assert values(bars, "LAG(rank(close), 2)", D(2024, 1, 4)) == {"AAA": 2, "BBB": 1}


def test_a_member_whose_bar_is_not_believed_yet_is_left_out_that_day_only() -> None:
    bars = market({"AAA": {2: 1, 3: 1, 4: 1}, "BBB": {2: 5, 3: 50, 4: 51}})
    late = replace(bars, lag=frozenset({("BBB", D(2024, 1, 3))}))
    assert values(late, "rank(close)", D(2024, 1, 3)) == {"AAA": 1}
    assert values(late, "LAG(rank(close), 1)", D(2024, 1, 4)) == {"AAA": 2, "BBB": 1}


def test_who_is_no_member_has_no_rank_and_takes_none() -> None:
    compiled = compile_strategy(strategy(assets=("AAA", "CCC"), when="rank(close) <= 1"))
    evaluator = Evaluator(FIVE.window)
    day = D(2024, 1, 2)
    assert evaluator.decide(compiled, "CCC", day, asset("CCC")) is not None
    assert evaluator.decide(compiled, "BBB", day, asset("BBB")) is None


def test_the_section_is_computed_once_for_all_members() -> None:
    memo = Memo()
    compiled = compile_strategy(strategy(assets=tuple(FIVE.bars), when="rank(close) <= 9"))
    evaluator = Evaluator(FIVE.window, memo)
    for symbol in FIVE.bars:
        evaluator.decide(compiled, symbol, D(2024, 1, 2), asset(symbol))
    # A panel; per member its rank and the comparison.
    assert len(memo) == 1 + 5 * 2


def test_a_memo_smaller_than_the_section_keeps_it_all_the_same() -> None:
    memo = Memo(most=3)
    compiled = compile_strategy(strategy(assets=tuple(FIVE.bars), when="rank(close) <= 9"))
    evaluator = Evaluator(FIVE.window, memo)
    for symbol in FIVE.bars:
        evaluator.decide(compiled, symbol, D(2024, 1, 2), asset(symbol))
    # A panel; of the last two members the rank and the comparison.
    assert len(memo) == 1 + 2 * 2


def bound(expression: str) -> Expr:
    return bind(expression, {}, universe=Universe(("AAA",)))


def test_the_look_back_is_that_of_what_is_compared() -> None:
    assert bound("rank(SMA(close, 20))").lookback == 19
    assert bound("LAG(rank(SMA(close, 20)), 5)").lookback == 24


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("rank()", "column 1: rank takes one expression: rank(ROC(close, 120))"),
        ("rank(close, 5)", "column 1: rank takes one expression"),
        ("rank > 1", "column 1: rank is a function; write rank(ROC(close, 120))"),
        ("zscore(close > 1)", "column 1: zscore takes a number, but (close > 1.0) is a condition"),
        ("rank(pct_rank(close))", "column 1: rank cannot hold rank, pct_rank or zscore; write"),
        ("ref('SPY', rank(close))", "column 1: ref cannot hold rank: it reads the bars of SPY"),
        ("rnk(close)", "column 1: unknown function 'rnk'; did you mean rank"),
    ],
)
def test_what_does_not_fit_is_refused_with_place_and_remedy(expression: str, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        bound(expression)
    assert str(refused.value).startswith(message)


def test_without_a_strategy_there_is_nobody_to_compare_with() -> None:
    with pytest.raises(UsageError, match="column 1: rank compares the members of a strategy"):
        bind("rank(close)", {})
    window = FIVE.window("AAA", D(2024, 1, 2))
    assert window is not None
    with pytest.raises(UsageError, match="nobody said who they are"):
        Calculator(lambda _: None, Memo()).at(bound("rank(close)"), window)
    assert not math.isnan(Calculator(lambda _: None, Memo()).at(bound("close"), window))
