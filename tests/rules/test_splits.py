from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from goldenthread.domain.account import money
from goldenthread.domain.asset import ActionKind, CorporateAction
from goldenthread.rules.splits import dividend_between, ratio_between, split_price, split_quantity
from goldenthread.rules.ticks import split_units
from rules.market import D


def action(ex_ds: dt.date, ratio: str, kind: ActionKind = ActionKind.SPLIT) -> CorporateAction:
    return CorporateAction(
        symbol="AAPL",
        kind=kind,
        ex_ds=ex_ds,
        ratio=D(ratio),
        source="test",
        known_at=dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
    )


APPLE = [action(dt.date(2014, 6, 9), "7"), action(dt.date(2020, 8, 31), "4")]


@pytest.mark.parametrize(
    ("after", "upto", "ratio"),
    [
        (dt.date(2014, 6, 6), dt.date(2014, 6, 9), 7),  # the ex date itself counts
        (dt.date(2014, 6, 9), dt.date(2020, 8, 30), 1),  # nothing after it before the next
        (dt.date(2014, 6, 8), dt.date(2020, 8, 31), 28),  # 7 * 4
        (dt.date(2020, 8, 31), dt.date(2024, 1, 1), 1),
    ],
)
def test_splits_multiply_between_two_dates(after: dt.date, upto: dt.date, ratio: int) -> None:
    assert ratio_between(APPLE, after, upto) == ratio


def test_only_splits_count() -> None:
    dividend = action(dt.date(2020, 1, 2), "3", ActionKind.DIVIDEND)
    assert ratio_between([dividend], dt.date(2020, 1, 1), dt.date(2020, 1, 3)) == 1


def test_dividends_add_up_between_two_dates_and_splits_are_none() -> None:
    def paid(number: int, amount: str) -> CorporateAction:
        given = {"ratio": D(1), "amount": D(amount)}
        dividend = action(dt.date(2024, 1, number), "1", ActionKind.DIVIDEND)
        return dividend.model_copy(update=given)

    actions = [paid(3, "0.24"), paid(5, "0.25"), action(dt.date(2024, 1, 5), "2"), paid(8, "1")]
    between = (dt.date(2024, 1, 2), dt.date(2024, 1, 5))
    assert dividend_between(actions, *between) == D("0.49")
    assert dividend_between(actions, dt.date(2024, 1, 3), dt.date(2024, 1, 5)) == D("0.25")
    assert dividend_between(actions, dt.date(2024, 1, 5), dt.date(2024, 1, 7)) == 0


@pytest.mark.parametrize(
    ("quantity", "ratio", "step", "kept", "rest"),
    [
        ("10", "7", "1", "70", "0"),
        ("33", "0.05", "1", "1", "0.65"),  # 1:20, 33 / 20 = 1.65
        ("5", "1.5", "1", "7", "0.5"),  # 3:2
        ("3000", "0.3333333333333333333333333333", "1", "1000", "0"),  # 1:3
        ("1", "0.05", "1", "0", "0.05"),
        ("0.5", "1.5", "0.001", "0.75", "0"),
    ],
)
def test_a_split_keeps_whole_steps_and_pays_out_the_rest(
    quantity: str, ratio: str, step: str, kept: str, rest: str
) -> None:
    assert split_quantity(D(quantity), D(ratio), D(step)) == (D(kept), D(rest))


RATIOS = ["2", "7", "20", "1.5", "1.1", "1.25", "0.5", "0.05", "0.333333333", "0.1"]


@given(
    units=st.one_of(st.integers(1, 4 * 10**11), st.integers(1, 400).map(lambda n: n * 10**9)),
    ratio=st.sampled_from(RATIOS),
    step=st.sampled_from([1, 10**7, 10**9]),
)
@example(units=347_204_661_025, ratio="1.1", step=10**9)  # the rest ends in half a unit
def test_a_split_counted_in_units_is_the_split_of_the_quantity(
    units: int, ratio: str, step: int
) -> None:
    kept, rest = split_quantity(D(units).scaleb(-9), D(ratio), D(step).scaleb(-9))

    counted = split_units(units, float(ratio), step)
    assert counted == (int(kept.scaleb(9)), int(money(rest).scaleb(9)))


def test_a_third_that_no_decimal_can_write_is_counted_too() -> None:
    third = float(D("0.3333333333333333333333333333"))

    assert split_units(3000 * 10**9, third, 10**9) == (1000 * 10**9, 0)
    assert split_units(10 * 10**9, third, 10**9) == (3 * 10**9, 333_333_333)


def test_a_price_is_divided_by_the_ratio_to_nine_decimals() -> None:
    # AAPL closed at 645.57 before its 7:1 split; 645.57 / 7 = 92.22428571428...
    assert split_price(D("645.57"), D(7)) == D("92.224285714")
    assert split_price(D("1.50"), D("0.05")) == 30


@given(st.integers(0, 10**7), st.sampled_from(["0.05", "0.1", "1.5", "2", "7", "1.25"]))
def test_nothing_is_lost_in_a_split(quantity: int, ratio: str) -> None:
    kept, rest = split_quantity(D(quantity), D(ratio), D(1))
    assert kept + rest == quantity * D(ratio)
    assert 0 <= rest < 1
    assert kept % 1 == 0
