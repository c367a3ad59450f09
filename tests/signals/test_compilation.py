from __future__ import annotations

from decimal import Decimal

import pytest

from goldenthread.domain.errors import UsageError
from goldenthread.domain.strategy import Entry, Exit, Target
from goldenthread.signals.compilation import compile_strategy
from signals.windows import strategy


def test_parameters_and_earlier_factors_are_written_out() -> None:
    compiled = compile_strategy(
        strategy(
            params={"n": Decimal(5)},
            factors={"mean": "SMA(close, n)", "above": "close / mean"},
            when="above > 1",
            stop="entry - n",
        )
    )
    assert compiled.when.text == "((close / SMA(close, 5.0)) > 1.0)"
    assert compiled.factors["above"].text == "(close / SMA(close, 5.0))"
    assert compiled.stop.text == "(entry - 5.0)"


def test_the_longest_look_back_and_all_other_symbols_are_told() -> None:
    compiled = compile_strategy(
        strategy(
            factors={"spy": "ref('SPY', SMA(close, 99))"},
            reject_unless={"WEAK": "ref('QQQ', close) > 1", "LOW": "HIGHEST(high, 30) > 2"},
        )
    )
    assert compiled.lookback == 29
    assert compiled.refs == ("QQQ", "SPY")


def exits(**parts: object) -> Exit:
    return Exit.model_validate({"stop": "entry - 1", "max_bars": 5, **parts})


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"when": "clse > 1"}, "entry.when, column 1: unknown name 'clse'"),
        ({"when": "close"}, "entry.when, column 1: 'close' is a number"),
        ({"stop": "SMA(entry, 2)"}, "exit.stop, column 1: entry is one price"),
        ({"factors": {"a": "b", "b": "close"}}, "factors.a, column 1: unknown name 'b'"),
        ({"factors": {"close": "1"}}, "factors.close: 'close' has a meaning already"),
        ({"params": {"entry": 1}}, "params.entry: 'entry' has a meaning already"),
        ({"params": {"Big": 1}}, "params.Big: 'Big' is no name"),
        ({"params": {"lambda": 1}}, "params.lambda: 'lambda' is no name"),
        ({"params": {"a": 1}, "factors": {"a": "1"}}, "factors.a: 'a' is a parameter too"),
        ({"reject_unless": {"low": "close > 1"}}, "reject_unless.low: 'low' is no rejection"),
        ({"reject_unless": {"COOLDOWN": "close > 1"}}, "reject_unless.COOLDOWN: 'COOLDOWN' is the"),
        ({"reject_unless": {"A": "close"}}, "reject_unless.A, column 1: 'close' is a number"),
        ({"assets": ("aapl",)}, "assets: 'aapl' is no asset"),
        ({"entry": Entry(when="close > 1", price="close")}, "entry.price: a market order has no"),
        ({"entry": Entry(when="close > 1", order="limit")}, 'entry.order: order = "limit" needs'),
        ({"entry": Entry(when="close > 1", cancel_if="close")}, "entry.cancel_if, column 1: "),
        ({"exit": exits(when="close")}, "exit.when, column 1: 'close' is a number"),
        ({"exit": exits(trail="x")}, "exit.trail, column 1: unknown name 'x'"),
        ({"exit": exits(breakeven_after=1)}, "exit.breakeven_after: 1 is more than the number"),
        (
            {"exit": exits(targets=[Target(at="entry + 1", sell=Decimal("0.6"))] * 2)},
            "exit.targets: the targets sell 1.2 of the position; at most 1",
        ),
        (
            {"exit": exits(targets=[Target(at="entri", sell=Decimal(1))])},
            "exit.targets[1].at, column 1: unknown name 'entri'; did you mean entry",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_key(parts: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as refused:
        compile_strategy(strategy(**parts))
    assert str(refused.value).startswith(message)


def test_the_planned_price_is_unknown_where_nothing_is_planned_yet() -> None:
    with pytest.raises(UsageError, match="unknown name 'entry'"):
        compile_strategy(strategy(when="close > entry"))
