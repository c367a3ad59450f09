"""The difference of one signal's money on two sides, divided among its causes."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from goldenthread.domain.account import money
from goldenthread.reports.divergence.course import Cause, NoTrade

if TYPE_CHECKING:
    from goldenthread.reports.divergence.course import Course, Leg, Taken


def divide(a: Taken, b: Taken) -> dict[Cause, Decimal]:
    """What each cause added to the money of ``b`` over ``a``, in quote currency, in order told.

    The amounts sum to ``b.net - a.net`` exactly, and change their sign with the sides. Causes
    that did nothing are left out; so the same course twice gives nothing.

    Traded on both sides, with quantities Q, prices P and P&L a unit G:

    1. size: the difference of what was ordered x mean G; missed fill: that of what was not filled
    2. slippage, of each leg: the difference of P - reference x mean Q
    3. timing where a leg's sessions differ, else price: the difference of the references x mean Q
    4. fees and income as they were paid; what rounding of the averages leaves is price

    Means of both sides, not the figures of one: else the answer would hang on who is ``a``.
    Traded on one side only, its whole net P&L goes to the cause of the other; a long on one and a
    short on the other had no common signal: missing data.

    Source: Bennet (1920), The Theory of Measurement of Changes in Cost of Living.
    """
    if isinstance(a, NoTrade):
        parts = {a.cause: b.net}
    elif isinstance(b, NoTrade):
        parts = {b.cause: -a.net}
    elif a.side is b.side:
        parts = _between(a, b)
    else:
        parts = {Cause.MISSING_DATA: b.net - a.net}
    return {cause: parts[cause] for cause in Cause if parts.get(cause)}


def _between(a: Course, b: Course) -> dict[Cause, Decimal]:
    parts = dict.fromkeys(Cause, Decimal(0))
    unit, quantity = (a.per_unit + b.per_unit) / 2, (a.quantity + b.quantity) / 2
    parts[Cause.SIZE] = money((b.ordered - a.ordered) * unit)
    parts[Cause.MISSED_FILL] = money((a.missed - b.missed) * unit)
    parts[Cause.FEES] = money(a.fees) - money(b.fees)
    parts[Cause.INCOME] = money(b.income) - money(a.income)
    for one, other, sign in ((a.entry, b.entry, -a.side.sign), (a.exit, b.exit, a.side.sign)):
        reference, slipped = _moved(one, other)
        cause = Cause.PRICE if one.sessions == other.sessions else Cause.TIMING
        parts[cause] += money(reference * quantity * sign)
        parts[Cause.SLIPPAGE] += money(slipped * quantity * sign)
    parts[Cause.PRICE] += b.net - a.net - sum(parts.values())
    return parts


def _moved(a: Leg, b: Leg) -> tuple[Decimal, Decimal]:
    """How far apart two legs are: what the bars offered, and what was slipped on it."""
    whole = b.price - a.price
    if a.reference is None or b.reference is None:
        return whole, Decimal(0)
    offered = b.reference - a.reference
    return offered, whole - offered
