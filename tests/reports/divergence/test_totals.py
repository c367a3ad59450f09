from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from goldenthread.reports.divergence.course import Cause, NoTrade
from goldenthread.reports.divergence.totals import Bucket, diverge
from reports.divergence.courses import IN, course

if TYPE_CHECKING:
    from goldenthread.reports.divergence.course import Taken

LATER = dt.date(2012, 6, 13)
A: dict[str, Taken] = {
    "slipped": course(),
    "late": course(),
    "refused": course(),
    "same": course(),
    "neither": NoTrade(Cause.MISSED_FILL, "NOT_TRIGGERED"),
}
B: dict[str, Taken] = {
    "slipped": course((IN, "50.05", 50)),
    "late": course((IN, "50.02", 50), (LATER, 54, 54)),
    "refused": NoTrade(Cause.REJECTED, "MAX_POSITIONS"),
    "same": course(),
    "neither": NoTrade(Cause.REJECTED, "RSI_TOO_HIGH"),
    "alone": course(),
}


def test_buckets_have_the_money_and_the_count_of_each_cause() -> None:
    found = diverge(A, B)
    assert found.trades == (4, 4)
    # A 4 x 500; B 495 + 398 + 500 + 500
    assert found.net == (Decimal(2000), Decimal(1893))
    assert found.buckets == (
        Bucket(Cause.TIMING, Decimal(-100), 1),
        Bucket(Cause.SLIPPAGE, Decimal(-7), 2),
        Bucket(Cause.REJECTED, Decimal(-500), 1),
        Bucket(Cause.MISSING_DATA, Decimal(500), 1),
    )
    assert found.difference == sum(bucket.amount for bucket in found.buckets)


def test_the_signals_furthest_apart_come_first_and_equal_ones_never() -> None:
    found = diverge(A, B)
    assert [p.signal_id for p in found.furthest(9)] == ["alone", "refused", "late", "slipped"]
    assert [p.signal_id for p in found.furthest(1)] == ["alone"]


def test_less_than_half_a_cent_is_summed_and_not_counted() -> None:
    b = course((IN, "50.00004", 50))  # 0.00004 x 100 = 0.004
    found = diverge({"x": course()}, {"x": b})
    assert found.buckets == (Bucket(Cause.SLIPPAGE, Decimal("-0.004"), 0),)
    assert found.furthest(9) == ()


def test_a_side_against_itself_is_empty_and_the_sides_turn() -> None:
    assert diverge(A, A).buckets == ()
    there, back = diverge(A, B), diverge(B, A)
    assert [(b.cause, -b.amount, b.signals) for b in back.buckets] == list(there.buckets)
    assert back.difference == -there.difference
