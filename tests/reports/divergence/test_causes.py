from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenthread.domain.strategy import Side
from goldenthread.reports.divergence.causes import divide
from goldenthread.reports.divergence.course import Cause, Course, Leg, NoTrade
from reports.divergence.courses import IN, OUT, course

if TYPE_CHECKING:
    from goldenthread.reports.divergence.course import Taken

LATER = dt.date(2012, 6, 13)
MODEL = course()  # 100 bought at 50, sold at 55: +500


@pytest.mark.parametrize(
    ("other", "cause", "amount"),
    [
        # paid 50.05 where the open was 50: 0.05 x 100
        (course((IN, "50.05", 50)), Cause.SLIPPAGE, "-5"),
        # a limit at 49.50 where the other paid the open of 50: 0.50 x 100
        (course((IN, "49.5", "49.5")), Cause.PRICE, "50"),
        # left at the next open, 54.20: 0.80 x 100
        (course(way_out=(LATER, "54.2", "54.2")), Cause.TIMING, "-80"),
        (course(costs=("3.10", 0)), Cause.FEES, "-3.10"),
        (course(costs=(0, "12")), Cause.INCOME, "12"),
        # ordered 120 and filled 120: 20 more at 5 each
        (course(quantity=(120, 120)), Cause.SIZE, "100"),
        # ordered 100 and filled 40: 60 fewer at 5 each
        (course(quantity=(100, 40)), Cause.MISSED_FILL, "-300"),
        (NoTrade(Cause.MISSED_FILL, "NOT_TRIGGERED"), Cause.MISSED_FILL, "-500"),
        (NoTrade(Cause.REJECTED, "MAX_POSITIONS"), Cause.REJECTED, "-500"),
        (NoTrade(Cause.MISSING_DATA), Cause.MISSING_DATA, "-500"),
        (NoTrade(Cause.STILL_OPEN), Cause.STILL_OPEN, "-500"),
    ],
)
def test_one_cause_alone_takes_the_whole_difference(
    other: Taken, cause: Cause, amount: str
) -> None:
    assert divide(MODEL, other) == {cause: Decimal(amount)}
    assert divide(other, MODEL) == {cause: -Decimal(amount)}


def test_all_causes_at_once_are_told_apart_on_the_means_of_both_sides() -> None:
    a = course((IN, "50.10", "50"), (OUT, "55", "55"), (100, 100), ("1", 0))
    b = course((IN, "50.30", "50.10"), (LATER, "53.90", "54"), (80, 60), ("0.70", "2"))
    # net A = 4.90 x 100 - 1 = 489; net B = 3.60 x 60 - 0.70 + 2 = 217.30; B - A = -271.70
    # mean P&L a unit (4.90 + 3.60) / 2 = 4.25; mean quantity (100 + 60) / 2 = 80
    assert divide(a, b) == {
        Cause.TIMING: Decimal(-80),  # (54 - 55) x 80
        Cause.PRICE: Decimal(-8),  # (50.10 - 50) x 80, paid
        Cause.SLIPPAGE: Decimal(-16),  # entry 0.20 against 0.10, exit 0.10 against 0: 0.20 x 80
        Cause.FEES: Decimal("0.30"),  # 1 - 0.70
        Cause.SIZE: Decimal(-85),  # (80 - 100) x 4.25
        Cause.INCOME: Decimal(2),
        Cause.MISSED_FILL: Decimal(-85),  # 20 of 80 not filled x 4.25
    }


def test_a_short_that_sold_lower_lost_by_slippage() -> None:
    a = course((IN, 50, 50), (OUT, 45, 45), side=Side.SHORT)
    b = course((IN, "49.90", 50), (OUT, 45, 45), side=Side.SHORT)
    assert divide(a, b) == {Cause.SLIPPAGE: Decimal(-10)}  # 0.10 x 100


def test_without_a_reference_the_whole_move_of_a_session_is_price() -> None:
    b = course((IN, "50.05", None))
    assert divide(MODEL, b) == {Cause.PRICE: Decimal(-5)}


def test_what_rounding_of_averages_leaves_is_price() -> None:
    # 3 bought for 100 in all: an average of 33.333333333 (x 3 = 99.999999999)
    a = course((IN, "33.333333333", None), (OUT, 40, None), (3, 3))
    b = replace(a, gross=Decimal(20))  # 3 x 40 - 100, of the executions
    assert a.gross == Decimal("20.000000001")
    assert divide(a, b) == {Cause.PRICE: Decimal("-0.000000001")}


def test_opposite_sides_have_nothing_in_common() -> None:
    other = course(side=Side.SHORT)  # -500
    assert divide(MODEL, other) == {Cause.MISSING_DATA: Decimal(-1000)}


amounts = st.decimals("0.0001", "100000", places=9)
quantities = st.decimals("0.000000001", "1000000", places=9)
sessions = st.lists(st.dates(IN, LATER), min_size=1, max_size=2, unique=True).map(tuple)
legs = st.builds(Leg, sessions, amounts, st.none() | amounts)
costs = st.decimals("-1000", "1000", places=9)
courses = st.builds(
    Course,
    st.sampled_from(list(Side)),
    quantities,
    quantities,
    legs,
    legs,
    st.decimals("-10000000", "10000000", places=9),
    costs,
    costs,
)
taken = courses | st.builds(NoTrade, st.sampled_from(list(Cause)))


@given(taken, taken)
def test_the_causes_sum_to_the_difference_and_turn_with_the_sides(a: Taken, b: Taken) -> None:
    parts = divide(a, b)
    assert sum(parts.values(), Decimal(0)) == b.net - a.net  # to the last digit
    assert divide(b, a) == {cause: -amount for cause, amount in parts.items()}


@given(taken)
def test_the_same_course_twice_differs_in_nothing(a: Taken) -> None:
    assert divide(a, a) == {}


@given(courses, st.decimals("0.5", "2", places=12))
def test_a_scaled_course_against_itself_is_size_and_costs_only(a: Course, ratio: Decimal) -> None:
    exact = a.per_unit * a.quantity
    whole = Course(a.side, a.quantity, a.quantity, a.entry, a.exit, exact, a.fees, a.income)
    parts = divide(whole, whole.scaled(ratio))
    assert abs(parts.pop(Cause.PRICE, Decimal(0))) < Decimal("0.000001")
    assert set(parts) <= {Cause.SIZE, Cause.FEES, Cause.INCOME}
