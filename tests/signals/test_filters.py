from __future__ import annotations

from decimal import Decimal

import numpy as np

from goldenthread.domain.signal import Verdict
from goldenthread.signals.binding import bind, number
from goldenthread.signals.filters import filter_of

NULL = float("nan")


def verdicts(text: str, values: list[float]) -> list[Verdict]:
    scope = {"most": number(70), "up": bind("ref('SPY', close > open)", {})}
    return filter_of("NAME", bind(text, scope, condition=True)).verdicts(values)


def parts(text: str) -> list[str]:
    scope = {"most": number(70), "up": bind("ref('SPY', close > open)", {})}
    return [part.text for part in filter_of("NAME", bind(text, scope)).parts]


def test_one_comparison_records_its_value_and_threshold() -> None:
    assert verdicts("close < most", [1.0, 1.0, 62.5, 70.0]) == [
        Verdict(
            name="NAME", kind="filter", value=Decimal("62.5"), threshold=Decimal(70), passed=True
        )
    ]


def test_the_side_that_varies_is_the_value() -> None:
    assert parts("70 > close")[2:] == ["close", "70.0"]
    assert parts("close > open")[2:] == ["close", "open"]


def test_a_null_value_did_not_pass_and_is_recorded_as_null() -> None:
    [only] = verdicts("close < most", [NULL, NULL, NULL, 70.0])
    assert (only.passed, only.value, only.threshold) == (False, None, Decimal(70))


def test_several_terms_are_recorded_one_by_one() -> None:
    text = "close > 1 and (volume > 2 or open > 3)"
    values = [1.0, 1.0, 5.0, 1.0, 0.0, 1.0, 2.0, 1.0, 4.0, 3.0]
    found = verdicts(text, values)
    assert [(v.name, v.kind, v.passed) for v in found] == [
        ("NAME", "filter", True),
        ("NAME[1]", "term", True),
        ("NAME[2]", "term", False),
        ("NAME[3]", "term", True),
    ]
    assert [(v.value, v.threshold) for v in found] == [
        (None, None),
        (Decimal(5), Decimal(1)),
        (Decimal(1), Decimal(2)),
        (Decimal(4), Decimal(3)),
    ]


def test_terms_are_the_comparisons_below_and_or_in_the_order_written() -> None:
    assert parts("close > 1 and (volume > 2 or not open > 3)")[1::3] == [
        *("(close > 1.0)", "(volume > 2.0)", "(not (open > 3.0))"),
    ]


def test_a_chained_comparison_has_two_terms() -> None:
    assert parts("30 < close < 70")[1:] == [
        *("(30.0 < close)", "close", "30.0"),
        *("(close < 70.0)", "close", "70.0"),
    ]


def test_a_condition_that_is_no_comparison_is_one_or_zero_against_one() -> None:
    [only] = verdicts("up", [0.0, 0.0, 0.0, 1.0])
    assert (only.passed, only.value, only.threshold) == (False, Decimal(0), Decimal(1))


def test_values_carry_twelve_significant_digits() -> None:
    [only] = verdicts("close < most", [1.0, 1.0, 1 / 3, 70.0])
    assert only.value == Decimal("0.333333333333")


def test_terms_said_otherwise_join_as_the_filter_joins_them() -> None:
    text = "close > 1 and (volume > 2 or open > 3)"
    scope = bind(text, {}, condition=True)
    truths = [np.array([1.0, 1.0, 0.0, 1.0]), np.array([0, 0, 1, 1]), np.array([1, 0, 1, NULL])]
    # A null beside an or that is already true makes it null: not passed.
    assert filter_of("NAME", scope).passes(truths).tolist() == [True, False, False, False]
