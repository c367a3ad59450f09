from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from goldenthread.domain.strategy import Side
from goldenthread.reports.divergence.alone import Terms, ran_alone
from goldenthread.reports.divergence.course import Leg

IN, OUT = dt.date(2012, 6, 4), dt.date(2012, 6, 12)
D = Decimal


def trade(entry: float, leave: float) -> dict[str, Any]:
    return {
        "quantity": 100.0,
        "entry_ds": IN,
        "exit_ds": OUT,
        "entry_price": entry,
        "exit_price": leave,
        "gross_pnl": (leave - entry) * 100,
        "fees": 0.1 + 0.2,
        "dividends": 0.0,
        "exit_reason": "STOP",
    }


@pytest.mark.parametrize(
    ("terms", "entry", "leave"),
    [
        # five basis points: 50 is paid as 50.025, 60 is got as 59.97
        (Terms(Side.LONG, "market", in_parts=False, bps=D(5)), D(50), D(60)),
        (Terms(Side.LONG, "limit", in_parts=False, bps=D(5)), D("50.025"), D(60)),
        (Terms(Side.LONG, "stop", in_parts=True, bps=D(5)), D(50), None),
    ],
)
def test_what_was_offered_follows_from_the_terms(
    terms: Terms, entry: Decimal, leave: Decimal | None
) -> None:
    found = ran_alone(trade(50.025, 59.97), terms)
    assert found.entry == Leg((IN,), D("50.025"), entry)
    assert found.exit == Leg((OUT,), D("59.97"), leave)
    assert (found.quantity, found.missed) == (D(100), D(0))
    assert (found.fees, found.net) == (D("0.3"), D("994.2"))  # floats to nine decimals


def test_a_short_is_slipped_the_other_way() -> None:
    terms = Terms(Side.SHORT, "market", in_parts=False, bps=D(5))
    found = ran_alone(trade(49.975, 60.03), terms)
    assert (found.entry.reference, found.exit.reference) == (D(50), D(60))
