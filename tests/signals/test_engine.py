from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from goldenthread.domain.signal import Candidate, TargetLevel
from goldenthread.domain.strategy import Entry, Exit, Side, Size, Strategy, Target
from goldenthread.signals.engine import (
    Evaluator,
    code_of,
    compile_strategy,
    engine_digest,
    engine_manifest,
    refs,
)
from signals.windows import Market, asset, closes, days, strategy

D = dt.date


def decide(market: Market, plan: Strategy, ds: dt.date) -> Candidate | None:
    return Evaluator(market.window).decide(compile_strategy(plan), "AAPL", ds, asset())


def found(market: Market, plan: Strategy, ds: dt.date) -> Candidate:
    candidate = decide(market, plan, ds)
    assert candidate is not None
    return candidate


def test_a_candidate_stands_where_the_entry_is_true_and_nowhere_else() -> None:
    market = closes([10, 11, 10, 12])
    plan = strategy(when="close > LAG(close, 1)")
    held = [decide(market, plan, D(2024, 1, day)) is not None for day in (1, 2, 3, 4)]
    assert held == [False, True, False, True]  # on the first bar the entry is null


def test_without_a_bar_of_the_date_nothing_is_decided() -> None:
    market = closes([10, 11])
    assert decide(market, strategy(), D(2024, 1, 6)) is None
    assert (
        Evaluator(market.window).decide(compile_strategy(strategy()), "XYZ", D(2024, 1, 2), asset())
        is None
    )


def test_a_candidate_tells_what_the_strategy_saw() -> None:
    market = closes([10, 11, 12.5])
    plan = strategy(
        factors={"gain": "close / LAG(close, 1) - 1", "far": "LAG(close, 9)"},
        entry=Entry(when="close > 1", priority="gain"),
        reject_unless={"GAIN_TOO_SMALL": "gain > 0.2", "NO_HISTORY": "far > 0"},
        size=Size(mode="cash", cash=Decimal(500)),
    )
    candidate = found(market, plan, D(2024, 1, 3))
    gain = Decimal("0.136363636364")  # 12.5 / 11 - 1 = 0.1363636363636...
    assert candidate.factors == {"gain": gain, "far": None}
    assert candidate.priority == gain
    assert candidate.close == Decimal("12.5")
    assert candidate.size == plan.size
    assert candidate.version_key == plan.version_key
    assert candidate.failed == ("GAIN_TOO_SMALL", "NO_HISTORY")  # all are judged
    assert [(v.value, v.threshold) for v in candidate.verdicts] == [
        (gain, Decimal("0.2")),
        (None, Decimal(0)),
    ]
    window = market.window("AAPL", D(2024, 1, 3))
    assert window is not None
    assert candidate.bars_digest == window.digest(compile_strategy(plan).lookback)


def exit_rules(**parts: object) -> Exit:
    return Exit.model_validate({"stop": "entry - 1.005", "max_bars": 7, **parts})


def test_levels_of_a_market_entry_start_from_the_close_and_lie_on_ticks() -> None:
    targets = [Target(at="entry + 2.007", sell=Decimal("0.5"))]
    rules = exit_rules(targets=targets, trail="LAG(close, 1) / 3", breakeven_after=1)
    plan = found(closes([10, 11]), strategy(exit=rules), D(2024, 1, 2)).plan
    assert plan is not None
    assert plan.entry == Decimal(11)
    assert plan.stop == Decimal("9.99")  # 9.995 away from the market
    # 13.007 toward the market
    assert plan.targets == (TargetLevel(price=Decimal("13.00"), sell=Decimal("0.5")),)
    assert plan.trail == Decimal("3.333333333")
    assert (plan.order, plan.breakeven_after, plan.max_bars) == ("market", 1, 7)


@pytest.mark.parametrize(
    ("side", "order", "entry", "stop"),
    [
        # 10.5 * 0.951 = 9.9855: longs up, shorts down; the stop is 1.005 beyond, away
        (Side.LONG, "limit", "9.99", "8.98"),
        (Side.LONG, "stop", "9.99", "8.98"),
        (Side.SHORT, "limit", "9.98", "10.99"),
        (Side.SHORT, "stop", "9.98", "10.99"),
    ],
)
def test_levels_of_other_entries_start_from_the_rounded_price(
    side: Side, order: str, entry: str, stop: str
) -> None:
    rules = exit_rules(stop=f"entry {'-' if side is Side.LONG else '+'} 1.005")
    given = {"when": "close > 1", "order": order, "price": "close * 0.951", "valid_bars": 3}
    plan = strategy(side=side, entry=Entry.model_validate(given), exit=rules)
    levels = found(closes([10.5]), plan, D(2024, 1, 1)).plan
    assert levels is not None
    assert (levels.entry, levels.stop) == (Decimal(entry), Decimal(stop))
    assert levels.valid_bars == 3


@pytest.mark.parametrize(
    "rules",
    [
        exit_rules(stop="entry - LAG(close, 5)"),
        exit_rules(trail="LAG(close, 5)"),
        exit_rules(targets=[Target(at="LAG(close, 5)", sell=Decimal(1))]),
        exit_rules(stop="entry - 10 ** 18"),
    ],
)
def test_a_level_without_a_value_leaves_no_plan(rules: Exit) -> None:
    assert found(closes([10, 11]), strategy(exit=rules), D(2024, 1, 2)).plan is None


def test_an_entry_price_without_a_value_leaves_no_plan() -> None:
    entry = Entry(when="close > 1", order="limit", price="LAG(close, 5)")
    assert found(closes([10]), strategy(entry=entry), D(2024, 1, 1)).plan is None


def test_volatility_is_that_of_twenty_returns_a_year() -> None:
    # Returns alternate +10 % and -10 %: mean 0, sample variance 20 * 0.01 / 19.
    prices = [100.0]
    for at in range(20):
        prices.append(prices[-1] * (1.1 if at % 2 == 0 else 0.9))
    dates = days(D(2024, 1, 1), 21)
    last = dates[-1].astype(object)
    candidate = found(closes(prices), strategy(), last)
    expected = math.sqrt(20 * 0.01 / 19 * 252)
    assert float(candidate.volatility or 0) == pytest.approx(expected, rel=1e-11)
    before = dates[-2].astype(object)
    assert found(closes(prices), strategy(), before).volatility is None


def test_exit_and_cancel_rules_hold_fail_or_cannot_be_told() -> None:
    market = closes([10, 11, 10])
    entry = Entry(when="close > 0", cancel_if="close < 11")
    rules = exit_rules(when="close < LAG(close, 1)")
    compiled = compile_strategy(strategy(entry=entry, exit=rules))
    evaluator = Evaluator(market.window)

    def holds(which: str, day: int) -> bool | None:
        assert which in {"exit", "cancel"}
        chosen = "exit" if which == "exit" else "cancel"
        return evaluator.holds(compiled, chosen, "AAPL", D(2024, 1, day))  # type: ignore[arg-type]  # one of the two

    assert [holds("exit", day) for day in (1, 2, 3, 6)] == [None, False, True, None]
    assert [holds("cancel", day) for day in (1, 2, 3, 6)] == [True, False, True, None]
    bare = compile_strategy(strategy())
    assert evaluator.holds(bare, "exit", "AAPL", D(2024, 1, 2)) is False
    assert evaluator.holds(bare, "cancel", "AAPL", D(2024, 1, 2)) is False


def test_windows_are_asked_once_a_moment_with_what_was_known_then() -> None:
    market = closes([10, 11, 12])
    asked: list[tuple[str, dt.date, dt.datetime | None]] = []

    def windows(symbol: str, ds: dt.date, now: dt.datetime | None) -> object:
        asked.append((symbol, ds, now))
        return market.window(symbol, ds)

    evaluator = Evaluator(windows)  # type: ignore[arg-type]  # a spy of the same shape
    compiled = compile_strategy(strategy())
    now = dt.datetime(2024, 1, 3, 0, 5, tzinfo=dt.UTC)
    evaluator.at(D(2024, 1, 2), now)
    for _ in range(2):
        evaluator.decide(compiled, "AAPL", D(2024, 1, 2), asset())
        evaluator.holds(compiled, "exit", "AAPL", D(2024, 1, 2))
    evaluator.decide(compiled, "AAPL", D(2024, 1, 3), asset())  # moves on by itself
    assert asked == [("AAPL", D(2024, 1, 2), now), ("AAPL", D(2024, 1, 3), None)]
    evaluator.at(D(2024, 1, 3), now)  # the same date, but less was known
    evaluator.decide(compiled, "AAPL", D(2024, 1, 3), asset())
    assert asked[2:] == [("AAPL", D(2024, 1, 3), now)]


def test_a_bar_that_is_not_believed_yet_decides_nothing() -> None:
    market = replace(closes([10, 11, 12]), lag=frozenset({("AAPL", D(2024, 1, 2))}))
    assert decide(market, strategy(), D(2024, 1, 2)) is None
    later = found(market, strategy(when="LAG(close, 1) == 11"), D(2024, 1, 3))
    assert later.close == Decimal(12)


def test_the_other_symbols_of_a_strategy_are_told() -> None:
    assert refs(compile_strategy(strategy(when="ref('SPY', close) > 1"))) == ("SPY",)


def test_the_engine_digest_is_short_and_stable() -> None:
    assert len(engine_digest()) == 16
    assert engine_digest() == engine_digest()
    assert np.array([int(engine_digest(), 16)]).size == 1


def test_the_manifest_names_the_function_whose_code_is_another_one() -> None:
    before = (
        "import math\n\nclass A:\n    def f(self):\n        return 1\n\ndef g(x):\n    return x\n"
    )
    reworded = before.replace("    return x", '    """Say more."""\n    return x  # as it is')
    changed = before.replace("return 1", "return 2").replace("import math", "import cmath")

    def manifest(text: str) -> dict[str, str]:
        return code_of("signals/a.py", text)

    assert set(manifest(before)) == {"signals/a.py", "signals/a.py A.f", "signals/a.py g"}
    assert manifest(reworded) == manifest(before)
    differing = {name for name, sha in manifest(changed).items() if manifest(before)[name] != sha}
    assert differing == {"signals/a.py", "signals/a.py A.f"}


def test_the_manifest_of_this_code_holds_functions_tables_and_libraries() -> None:
    known = engine_manifest()
    named = {"rules/rounding.py significant", "signals/engine.py Evaluator.decide", "numpy"}
    assert named <= known.keys()
    assert {"signals/catalogue.csv", "ta-lib"} <= known.keys()
    assert known["numpy"] == np.__version__
