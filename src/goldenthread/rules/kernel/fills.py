"""At which price a bar executes an order: ``rules.fills`` and ``rules.exits`` on floats.

``sign`` is that of the order, +1 to buy. The prices of a tape have nine decimals, so an open
needs no rounding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from goldenthread.rules.kernel.state import Bar, compiled
from goldenthread.rules.ticks import ONE_DOLLAR, SUB_DOLLAR_TICKS, slipped, whole

if TYPE_CHECKING:
    from goldenthread.rules.tape import Terms


class Touch(NamedTuple):
    """Whether a bar executes an order, at which price, and whether at the open."""

    filled: bool
    price: float
    at_open: bool


@compiled
def reaches(price: float, sign: int, limit: float) -> bool:
    """Whether a limit order executes at ``price``."""
    return (price - limit) * sign <= 0.0


@compiled
def to_tick(price: float, direction: int, terms: Terms) -> float:
    """The price on its tick, else the next one up (+1) or down."""
    num, den = terms.tick_num, terms.tick_den
    if terms.sub_dollar and price < ONE_DOLLAR:
        num, den = 1, SUB_DOLLAR_TICKS
    return whole(price / (num / den), direction) * num / den


@compiled
def market_fill(bar: Bar, sign: int, slippage: float) -> Touch:
    """A market order: the open, slipped."""
    return Touch(filled=True, price=slipped(bar.open, sign, slippage), at_open=True)


@compiled
def limit_fill(bar: Bar, sign: int, limit: float) -> Touch:
    """A limit order: the better of open and limit when touched."""
    if not reaches(bar.low if sign > 0 else bar.high, sign, limit):
        return Touch(filled=False, price=np.nan, at_open=False)
    at_open = reaches(bar.open, sign, limit)
    return Touch(filled=True, price=bar.open if at_open else limit, at_open=at_open)


@compiled
def elected(bar: Bar, sign: int, stop: float) -> Touch:
    """Where a stop is elected, before slippage: at the open when past it, else at the stop."""
    if not reaches(stop, sign, bar.high if sign > 0 else bar.low):
        return Touch(filled=False, price=np.nan, at_open=False)
    at_open = reaches(stop, sign, bar.open)
    return Touch(filled=True, price=bar.open if at_open else stop, at_open=at_open)


@compiled
def stop_fill(bar: Bar, sign: int, stop: float, slippage: float) -> Touch:
    """A stop order: the worse of open and stop when crossed, slipped."""
    touch = elected(bar, sign, stop)
    if not touch.filled:
        return touch
    price = slipped(touch.price, sign, slippage)
    return Touch(filled=True, price=price, at_open=touch.at_open)


@compiled
def stop_limit_fill(bar: Bar, sign: int, stop: float, limit: float, slippage: float) -> Touch:
    """A stop_limit the bar elects: like a stop inside its limit, else when it trades back.

    One elected before rests as a limit order: ``limit_fill``.
    """
    touch = elected(bar, sign, stop)
    if not touch.filled:
        return touch
    if reaches(touch.price, sign, limit):
        price = slipped(touch.price, sign, slippage)
        price = price if reaches(price, sign, limit) else limit
        return Touch(filled=True, price=price, at_open=touch.at_open)
    best = bar.low if sign > 0 else bar.high
    is_back = reaches(best if touch.at_open else bar.close, sign, limit)
    return Touch(filled=is_back, price=limit, at_open=False)
