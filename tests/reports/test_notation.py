from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from goldenthread.reports.notation import (
    UNKNOWN,
    exact,
    money,
    number,
    percent,
    period,
    price,
    signed_money,
    signed_percent,
)


def test_money_has_its_sign_before_the_dollar() -> None:
    assert money(Decimal("-1234.5"), 2) == "-$1,234.50"
    assert money(1234) == "$1,234"
    assert signed_money(1234.4) == "+$1,234"
    assert signed_money(-0.5, 2) == "-$0.50"


@pytest.mark.parametrize("nothing", [0, 0.0, -0.0, Decimal(0), -0.001, 0.004])
def test_what_rounds_to_zero_has_no_sign(nothing: float | Decimal) -> None:
    assert signed_money(nothing, 2) == "$0.00"
    assert money(nothing, 2) == "$0.00"
    assert signed_percent(nothing, 0) == "0%"


def test_fractions_are_shown_as_percent() -> None:
    assert percent(0.1234) == "12.3%"
    assert percent(Decimal("-0.005")) == "-0.5%"
    assert signed_percent(0.1234, 2) == "+12.34%"


def test_unknown_is_a_dash_never_zero() -> None:
    shown = {form(None) for form in (money, signed_money, percent, signed_percent, number, price)}
    assert shown | {exact(None), period(None, None)} == {UNKNOWN}


def test_prices_have_two_decimals_at_least() -> None:
    assert price(Decimal("24.500000000")) == "24.50"
    assert price(Decimal("0.0125")) == "0.0125"
    assert price(Decimal(54000)) == "54,000.00"


def test_values_are_written_as_they_are() -> None:
    assert exact(Decimal("1200.500000000")) == "1,200.5"
    assert exact(Decimal("0E-9")) == "0"
    assert exact(1234567) == "1,234,567"
    assert exact(0.1) == "0.1"
    new_york = dt.timezone(dt.timedelta(hours=-5))
    assert exact(dt.datetime(2024, 1, 2, 19, 5, tzinfo=new_york)) == "2024-01-03 00:05:00 UTC"
    assert exact(dt.date(2024, 1, 2)) == "2024-01-02"
