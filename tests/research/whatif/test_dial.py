"""Which number of a filter can be turned, and what is tried."""

from __future__ import annotations

import re

import numpy as np
import pytest

from goldenthread.domain.errors import UsageError
from goldenthread.research.whatif.dial import dial_of, thresholds
from goldenthread.signals.compilation import CompiledStrategy, compile_strategy
from goldenthread.signals.strategy_file import parse_strategy

TEXT = """
strategy_id = "one"
assets = ["A"]

[params]
most = 70

[entry]
when = "close > 1"

[reject_unless]
TOO_HIGH = "RSI(close, 14) < most"
TURNED_ROUND = "2 <= volume"
MOVING = "close < SMA(close, 20)"
EITHER = "close > 5 and (volume > 1000 or open < close)"
SIGNLESS = "not close > 9"
EXACT = "volume == 3"

[exit]
stop = "entry - 1"
max_bars = 5

[size]
mode = "equal"
"""


def strategy(**changed: str) -> CompiledStrategy:
    text = TEXT
    for old, new in changed.items():
        text = re.sub(rf"^{old} = .*$", f"{old} = {new}", text, flags=re.MULTILINE)
    return compile_strategy(parse_strategy(text, "one.toml"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("TOO_HIGH", ("RSI(close, 14.0)", "<", 70.0)),
        ("TURNED_ROUND", ("volume", ">=", 2.0)),  # as it reads with the value first
        ("EITHER[1]", ("close", ">", 5.0)),
        ("EITHER[2]", ("volume", ">", 1000.0)),
        ("TOO_HIGH[1]", ("RSI(close, 14.0)", "<", 70.0)),
    ],
)
def test_a_dial_is_a_value_a_sign_and_a_number(name: str, said: tuple[str, str, float]) -> None:
    dial = dial_of(strategy(), name)
    assert (dial.value, dial.sign, dial.threshold) == said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("TOO_HIGHT", "one has no filter 'TOO_HIGHT'; did you mean TOO_HIGH?"),
        ("MOVING", "MOVING tests (close < SMA(close, 20.0)), which has no number to turn"),
        ("SIGNLESS", "which has no number to turn; a curve needs a value compared by < <= > >="),
        ("EXACT", "in one there are TOO_HIGH, TURNED_ROUND, EITHER[1], EITHER[2]"),
        ("EITHER", "EITHER joins 3 terms, turn one of them: EITHER[1] ((close > 5.0)), EITHER[2]"),
        ("EITHER[3]", "EITHER[3] tests (open < close), which has no number to turn"),
        ("EITHER[4]", "EITHER[4] is no term of EITHER; it has EITHER[1]"),
        ("TOO_HIGH[0]", "TOO_HIGH[0] is no term of TOO_HIGH; it has one: ask for TOO_HIGH"),
    ],
)
def test_what_cannot_be_turned_is_said_with_what_can(name: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        dial_of(strategy(), name)
    assert said in str(raised.value)


def test_another_version_has_the_dial_when_only_numbers_differ() -> None:
    now = dial_of(strategy(), "TOO_HIGH")
    assert now.is_in(strategy(TOO_HIGH='"RSI(close, 14) < 65"'))
    assert not now.is_in(strategy(TOO_HIGH='"RSI(close, 10) < most"'))
    assert not now.is_in(strategy(TOO_HIGH='"RSI(close, 14) <= most"'))
    assert not now.is_in(strategy(TOO_HIGH='"RSI(close, 14) < most and close > 2"'))
    assert not dial_of(strategy(), "EITHER[1]").is_in(
        strategy(EITHER='"close > 5 or (volume > 1000 and open < close)"')
    )


def test_thresholds_are_quantiles_in_round_numbers_and_the_present_one() -> None:
    values = np.arange(101) / 100  # quantiles 0, 0.05 … 1; a twentieth of the bulk is 0.045
    tried = thresholds(values, 0.333)
    # Rounded to 0.02: 0.05 lies between 0.04 and 0.06; halves go to the even neighbour.
    assert tried[:4] == [0.0, 0.04, 0.1, 0.16]
    assert 0.333 in tried
    assert len(tried) == 22
    assert tried == sorted(tried)


def test_thresholds_of_one_value_or_none_are_few() -> None:
    assert thresholds(np.array([3.0, 3.0, np.nan]), 5) == [3.0, 5]
    assert thresholds(np.array([np.nan]), 5) == [5]


def test_a_value_is_judged_as_the_strategy_would_and_null_stays_null() -> None:
    said = dial_of(strategy(), "TURNED_ROUND").holds(np.array([1.0, 2.0, 3.0, np.nan]), 2.0)
    np.testing.assert_array_equal(said, [0, 1, 1, np.nan])
