from __future__ import annotations

import datetime as dt
from decimal import Decimal

from goldenthread.domain.strategy import Side
from goldenthread.reports.divergence.course import Cause, NoTrade
from goldenthread.reports.divergence.told import WIDTH, course_told, told
from goldenthread.reports.divergence.totals import diverge
from reports.divergence.courses import IN, course

LATER = dt.date(2012, 6, 13)
NAME = "20120601-0123456789abcdef"
IDEAS = {f"{NAME}{n}": f"breakout STOCK{n}" for n in range(9)}
NAMES = ("sim:main", "research/backtest/a-folder-with-a-name-longer-than-its-column-of-the-text")


def test_a_course_is_told_by_what_was_filled_in_out_and_made() -> None:
    short = course((IN, "50.00012345", 50), (LATER, 49, 49), costs=("1.5", 0), side=Side.SHORT)
    # (50.00012345 - 49) x 100 - 1.5 = 98.51
    assert course_told(short) == (
        "short 100, in 2012-06-04 at 50.0001, out 2012-06-13 at 49.00: +$98.51"
    )
    assert course_told(NoTrade(Cause.REJECTED, "rejected: MAX_POSITIONS")) == (
        "rejected: MAX_POSITIONS"
    )


def test_the_text_has_both_sides_each_cause_and_the_furthest_in_80_columns() -> None:
    first, second = f"{NAME}1", f"{NAME}2"
    found = diverge(
        {first: course(), second: course()},
        {first: course((IN, "50.05", 50)), second: NoTrade(Cause.REJECTED, "rejected: X")},
    )
    lines = told(found, NAMES, IDEAS, 1).splitlines()
    assert max(map(len, lines)) <= WIDTH
    body = [line.split() for line in lines]
    assert ["A", "sim:main", "$1,000.00", "2"] in body
    assert ["$495.00", "1"] in body  # below the long name of B
    assert ["slippage", "-$5.00", "1"] in body
    assert ["rejected", "-$500.00", "1"] in body
    assert ["sum", "-$505.00"] in body
    assert lines[-4:] == [
        "20120601-01234567 breakout STOCK2: -$500.00",
        "  A long 100, in 2012-06-04 at 50.00, out 2012-06-12 at 55.00: +$500.00",
        "  B rejected: X",
        "  rejected -$500.00",
    ]


def test_what_does_not_show_in_cents_is_equal() -> None:
    found = diverge({NAME: course()}, {NAME: course((IN, "50.00004", 50))})
    assert told(found, ("a", "b"), {NAME: "x"}, 9).endswith("\n\nequal, trade by trade")
    assert found.difference == Decimal("-0.004")
