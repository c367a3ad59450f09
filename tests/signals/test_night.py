"""All symbols and strategies of a date at once find whom single decisions find."""

from __future__ import annotations

import datetime as dt
import random
from typing import TYPE_CHECKING

import numpy as np
import pytest

from goldenthread.domain.bar import Steps
from goldenthread.domain.strategy import Entry, UniverseRule
from goldenthread.signals.engine import Evaluator, Memo, compile_strategy
from goldenthread.signals.night import entering
from goldenthread.signals.strategy_file import read_strategy
from signals.test_same_bits import DATES, MARKET, SHIPPED, SYMBOLS, condition
from signals.windows import NEW_YEAR, Market, asset, closes, random_bars, strategy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from goldenthread.signals.engine import CompiledStrategy

    Pairs = list[tuple[str, str]]


def scores(table: str, symbol: str) -> Steps:
    """A value every third week; none for CCC."""
    assert table == "scores"
    ds = np.arange(np.datetime64("2021-03-01"), np.datetime64("2024-09-01"), 21)
    kept = ds[: 0 if symbol == "CCC" else None]
    return Steps(kept + 1, kept, np.random.default_rng(len(symbol)).normal(0, 1, len(kept)))


def together(evaluator: Evaluator, asked: Sequence[CompiledStrategy], ds: dt.date) -> Pairs:
    evaluator.at(ds)
    found = entering(evaluator.moment, [(c, SYMBOLS) for c in asked])
    return [(c.strategy.strategy_id, symbol) for c, symbol in found]


def one_by_one(evaluator: Evaluator, asked: Sequence[CompiledStrategy], ds: dt.date) -> Pairs:
    return [
        (compiled.strategy.strategy_id, symbol)
        for compiled in asked
        for symbol in SYMBOLS
        if evaluator.decide(compiled, symbol, ds, asset(symbol))
    ]


def compare(asked: Sequence[CompiledStrategy]) -> int:
    """Hold the night against single decisions on every date; the candidates seen."""
    seen = 0
    kept = Evaluator(MARKET.window, inputs=scores)  # its series outlive the days
    for ds in DATES:
        alone = one_by_one(Evaluator(MARKET.nightly, inputs=scores), asked, ds)
        forgetful = Evaluator(MARKET.nightly, Memo(most=1), inputs=scores)
        assert together(kept, asked, ds) == alone, ds
        assert together(forgetful, asked, ds) == alone, ds
        seen += len(alone)
    return seen


def test_the_shipped_strategies_find_whom_single_decisions_find() -> None:
    assert compare([compile_strategy(read_strategy(path)) for path in SHIPPED]) > 10


@pytest.mark.parametrize("seed", range(30))
def test_random_strategies_find_whom_single_decisions_find(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311  # the same dice on every machine
    asked = []
    for number in range(4):
        one, two, three = condition(dice, 2), condition(dice, 1), condition(dice, 0)
        when = dice.choice([f"{one} or {two} and {three}", f"not ({one}) or {three}", one])
        asked.append(
            compile_strategy(
                strategy(strategy_id=f"random_{number}", assets=SYMBOLS, entry=Entry(when=when))
            )
        )
    compare(asked)


def test_members_tables_weeks_and_others_find_whom_single_decisions_find() -> None:
    rule = UniverseRule(rule="pct_rank(ROC(close, 60)) >= 0.4", among=SYMBOLS)
    whom: dict[str, dict[str, object]] = {
        "fixed": {"assets": SYMBOLS},
        "chosen": {"assets": ("IBM", "@strong"), "universes": {"strong": rule}},
    }
    whens = [
        "rank(ROC(close, 20)) <= 2",
        "on('1W', close > SMA(close, 10)) and zscore(ref('IBM', ROC(close, 3)) + close) > 0",
        "score > 0 or close > 90",
        "ref('AAPL', close > SMA(close, 20)) and LAG(pct_rank(close), 2) < 0.9",
    ]
    asked = [
        compile_strategy(
            strategy(
                strategy_id=f"{name}_{at}",
                inputs={"score": {"table": "scores", "max_age_days": 15}},
                entry=Entry(when=when),
                **members,
            )
        )
        for at, when in enumerate(whens)
        for name, members in whom.items()
    ]
    assert compare(asked) > 30


def test_thresholds_by_hand() -> None:
    market = closes([10, 11, 12])
    low, high = (
        compile_strategy(strategy(strategy_id=name, when=f"close > {limit}"))
        for name, limit in (("low", 11), ("high", 12))
    )
    evaluator = Evaluator(market.window)
    evaluator.at(dt.date(2024, 1, 3))
    asked = [(low, ("AAPL", "NONE")), (high, ("AAPL", "NONE"))]
    assert list(entering(evaluator.moment, asked)) == [(low, "AAPL")]
    evaluator.at(dt.date(2024, 1, 4))  # no bar of that day
    assert list(entering(evaluator.moment, asked)) == []


def test_a_condition_of_numbers_alone_holds_for_every_symbol_with_a_bar() -> None:
    evaluator = Evaluator(closes([10, 11, 12]).window)
    evaluator.at(NEW_YEAR)
    always = compile_strategy(strategy(when="2 > 1"))
    assert list(entering(evaluator.moment, [(always, ("AAPL", "NONE"))])) == [(always, "AAPL")]


def test_a_series_is_computed_once_for_all_strategies_that_write_it() -> None:
    dates = MARKET.bars["AAPL"][0]
    market = Market({"AAPL": (dates, random_bars(len(dates), 5))})
    memo = Memo()
    evaluator = Evaluator(market.window, memo)
    evaluator.at(dt.date(2023, 12, 29))
    asked = [
        (compile_strategy(strategy(strategy_id=f"s{at}", when=f"RSI(close, 5) < {at}")), ("AAPL",))
        for at in range(0, 101, 5)
    ]
    assert 0 < len(list(entering(evaluator.moment, asked))) < len(asked)
    assert len(memo) == 1  # the RSI of all strategies
