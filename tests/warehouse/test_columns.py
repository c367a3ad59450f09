from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenthread.warehouse.rows.columns import fits_numeric, numeric, numeric_or_null


@pytest.mark.parametrize(
    ("exact", "stored"),
    [
        ("20.833333333333", "20.833333333"),
        ("0.0000000029", "0.000000003"),
        ("0.0000000025", "0.000000002"),  # half to even
        ("0.0000000035", "0.000000004"),
        ("-0.0000000025", "-0.000000002"),
        ("100", "100"),
    ],
)
def test_money_is_rounded_once_half_to_even_at_nine_decimals(exact: str, stored: str) -> None:
    assert numeric(Decimal(exact)) == Decimal(stored)


def test_null_stays_null() -> None:
    assert numeric_or_null(None) is None


@given(st.decimals())
def test_the_crossing_never_raises_and_what_fits_is_within_half_a_unit(value: Decimal) -> None:
    crossed = numeric(value)
    if value.is_finite() and abs(value) < 10**28:
        assert abs(crossed - value) <= Decimal("0.0000000005")
        assert fits_numeric(crossed) == crossed


@pytest.mark.parametrize("value", ["1e29", "-1e29", "0.0000000001", "1e-30"])
def test_numeric_holds_29_digits_before_the_point_and_9_after(value: str) -> None:
    with pytest.raises(ValueError, match="29 digits"):
        fits_numeric(Decimal(value))
