from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from goldenthread.domain.strategy import Strategy
from goldenthread.research.replay.comparing import Difference, first_difference
from goldenthread.warehouse.rows.signals import decided_row
from signals.windows import strategy
from warehouse.examples import signal

if TYPE_CHECKING:
    from goldenthread.domain.signal import Signal

PLAN = strategy(
    factors={"rsi": "RSI(close, 14)", "volume_ratio": "volume / SMA(volume, 20)"},
    reject_unless={"RSI_TOO_HIGH": "rsi < 70", "VOLUME_TOO_LOW": "volume_ratio >= 1.5"},
)


def fact(decided: Signal | None = None, **other: Any) -> dict[str, Any]:  # noqa: ANN401  # columns by name
    """What the warehouse keeps of a decision, some columns otherwise."""
    found = decided or signal()
    row = {**decided_row(found, found.ds), "signal_id": found.signal_id}
    return {**row, "rejection_reasons": list(found.rejection_reasons), **other}


def factors(rsi: float | None) -> list[dict[str, object]]:
    return [{"name": "rsi", "value": rsi}, {"name": "volume_ratio", "value": None}]


def test_a_decision_made_again_is_its_own_fact_in_whatever_order_factors_are_kept() -> None:
    row = fact()
    assert first_difference(row, signal(), PLAN) is None
    turned = fact(factors=row["factors"][::-1])
    assert first_difference(turned, signal(), PLAN) is None


def test_what_comes_first_is_named_and_what_follows_from_it_is_not() -> None:
    row = fact(factors=factors(61.25), quantity=Decimal(19), close=Decimal(99))
    assert first_difference(row, signal(), PLAN) == Difference(
        "factor rsi (RSI(close, 14))", "61.25", "61.5"
    )


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"factors": factors(None)}, ("factor rsi (RSI(close, 14))", "null", "61.5")),
        ({"factors": factors(61.5)[:1]}, ("factors", "null", "volume_ratio")),
        ({"close": Decimal("99.990000000")}, ("close", "99.99", "100")),
        ({"targets": []}, ("targets", "none", "110 0.5")),
        ({"planned_stop": None}, ("planned_stop", "null", "95")),
        ({"priority": 1.5}, ("priority", "1.5", "1.75")),
        ({"planned_quantity": Decimal(21)}, ("planned_quantity", "21", "20.833333333")),
        ({"quantity": Decimal(200)}, ("quantity", "200", "20")),
        (
            {"rejection_reasons": ["RSI_TOO_HIGH"]},
            ("rejection_reasons", "RSI_TOO_HIGH", "VOLUME_TOO_LOW"),
        ),
    ],
)
def test_each_column_is_compared(other: dict[str, Any], said: tuple[str, str, str]) -> None:
    assert first_difference(fact(**other), signal(), PLAN) == Difference(*said)


@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        ("value", 61.25, "filter RSI_TOO_HIGH (rsi < 70) value"),
        ("threshold", 71.0, "filter RSI_TOO_HIGH (rsi < 70) threshold"),
        ("passed", False, "filter RSI_TOO_HIGH (rsi < 70) passed"),
    ],
)
def test_a_filter_differs_in_value_threshold_or_verdict(
    column: str, value: object, what: str
) -> None:
    row = fact()
    first, *others = row["verdicts"]
    found = first_difference(
        {**row, "verdicts": [{**first, column: value}, *others]}, signal(), PLAN
    )
    assert found is not None
    assert found.what == what


def test_what_the_broker_refused_had_no_reason_of_ours() -> None:
    passed = signal(rejection_reason=None, rejection_reasons=())
    refused = fact(passed, rejection_reasons=["BROKER_REFUSED"])
    assert first_difference(refused, passed, PLAN) is None
    assert first_difference(refused, signal(), PLAN) == Difference(
        "rejection_reasons", "BROKER_REFUSED", "VOLUME_TOO_LOW"
    )


def test_a_strategy_without_factors_has_nothing_to_differ_in() -> None:
    bare = Strategy.model_validate({**PLAN.model_dump(), "factors": {}})
    plain = signal(factors={})
    assert first_difference(fact(plain), plain, bare) is None
