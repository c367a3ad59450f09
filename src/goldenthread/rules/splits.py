"""Splits and dividends: what they make of quantities, prices and cash."""

from __future__ import annotations

from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from typing import TYPE_CHECKING

from goldenthread.domain.asset import ActionKind
from goldenthread.rules import ticks

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from goldenthread.domain.asset import CorporateAction

_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)
_WHOLE = Decimal(repr(ticks.WHOLE_AFTER_SPLIT))


def ratio_between(actions: Iterable[CorporateAction], after: dt.date, upto: dt.date) -> Decimal:
    """New shares per old share over the splits with ``after < ex_ds <= upto``; 1 without any.

    ``actions`` are those of one symbol; kinds other than SPLIT are passed over.
    """
    ratio = Decimal(1)
    for action in actions:
        if action.kind is ActionKind.SPLIT and after < action.ex_ds <= upto:
            ratio *= action.ratio
    return ratio


def dividend_between(actions: Iterable[CorporateAction], after: dt.date, upto: dt.date) -> Decimal:
    """Dividends a share over those with ``after < ex_ds <= upto``; 0 without any.

    A dividend is for the shares held over the close before ``ex_ds``, in their units: those
    before a split effective at the same open.
    """
    paid = (a.amount for a in actions if a.kind is ActionKind.DIVIDEND and after < a.ex_ds <= upto)
    return sum(paid, Decimal(0))


def split_quantity(quantity: Decimal, ratio: Decimal, step: Decimal) -> tuple[Decimal, Decimal]:
    """What is kept after a split, down to the step, and the remainder paid out in cash.

    Both are in new units. A product within 1e-9 of a whole step is that step, so that
    3 shares in a 1:3 reverse split, whose ratio no decimal can write, are 1 share.
    """
    product = _EXACT.multiply(quantity, ratio)
    steps = _EXACT.divide(product, step)
    nearest = steps.to_integral_value()
    if abs(steps - nearest) <= _WHOLE:
        return nearest * step, Decimal(0)
    kept = steps.to_integral_value(ROUND_FLOOR) * step
    return kept, product - kept


def split_price(price: Decimal, ratio: Decimal) -> Decimal:
    """A price in the units after the split, to nine decimals; levels are then rounded again."""
    return Decimal(repr(ticks.split_price(float(price), float(ratio))))
