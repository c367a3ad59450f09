"""Prices and fees in float64, counted in whole steps: one arithmetic for money and for arrays.

Plain functions of numbers, called by the rules on ``Decimal`` and compiled by ``rules.kernel``.
Every price they give back is a whole number of decimal steps divided once, hence the float
nearest to an exact decimal: ``Decimal(repr(price))`` is that decimal. A value within 1e-12
(relative) of a step is on it: float noise never moves a level or adds a cent.
"""

from __future__ import annotations

import math

ON_THE_STEP = 1e-12
"""How far (relative) from a step a value may be and still count as on it."""

PROTECTIVE_DISTANCE = 0.05
"""How far beyond its stop the limit of a protective stop_limit lies, as a fraction."""

ONE_DOLLAR = 1.0
SUB_DOLLAR_TICKS = 10_000
"""Ticks a dollar for equities below one dollar: 0.0001."""

UNITS = 1_000_000_000
"""Units of money and quantity in one: nine decimals."""

WHOLE_AFTER_SPLIT = 1e-9
"""How far from a whole step a quantity may be after a split and still count as on it."""

_MILLION = 1_000_000
_HALF = 0.5


def whole(steps: float, direction: int) -> int:
    """The whole step ``steps`` is on, else the next one: up for a positive direction."""
    below = math.floor(steps)
    nearest = below if steps - below < _HALF else below + 1
    if abs(steps - nearest) <= ON_THE_STEP * abs(steps):
        return nearest
    return below if direction < 0 else below + 1


def half_even(steps: float) -> int:
    """The nearest whole step, of two equally near the even one."""
    below = math.floor(steps)
    rest = steps - below
    if rest == _HALF:
        return below + below % 2
    return below if rest < _HALF else below + 1


def split_price(price: float, ratio: float) -> float:
    """A price in the units after a split of ``ratio`` new shares per old, at nine decimals."""
    return half_even(half_even(price * UNITS) / ratio) / UNITS


def split_units(units: int, ratio: float, step: int) -> tuple[int, int]:
    """What is kept of a quantity after a split, in steps, and the rest; all in units.

    Exact where the ratio is a decimal of nine places, six from 1 up: 1:3 is no decimal.
    """
    scale = UNITS if ratio < 1.0 else _MILLION
    per = half_even(ratio * scale)
    if per / scale == ratio:
        low = units % scale * per
        count, part = units // scale * per + low // scale, low % scale / scale
    else:
        product = units * ratio
        count = whole(product, -1)
        part = max(product - count, 0.0)
    above, near = count % step, WHOLE_AFTER_SPLIT * step
    if above + part <= near:
        return count - above, 0
    if step - above - part <= near:
        return count - above + step, 0
    return count - above, above + half_even(above % 2 + part) - above % 2


def slipped(price: float, sign: int, slippage: float) -> float:
    """``price`` moved by the fraction ``slippage`` against an order that buys (+1) or sells.

    On steps of 0.000001, below one dollar of 0.000000001, rounded against the order.
    """
    steps = _MILLION if price >= ONE_DOLLAR else UNITS
    return whole(price * (1.0 + sign * slippage) * steps, sign) / steps


def trailed(best: float, sign: int, distance: float) -> float:
    """The level ``distance`` behind the best price of a long (+1) or short; not yet on a tick."""
    return best - sign * distance


def beyond(stop: float, sign: int) -> float:
    """The limit of a protective stop_limit that buys (+1) or sells; not yet on a tick."""
    return stop * (1.0 + sign * PROTECTIVE_DISTANCE)


def coin_fee(units: int, rate: float) -> int:
    """What a crypto buy of so many units pays in coin, in units, rounded up."""
    return whole(units * rate, 1)


def value_cents(units: int, price: float, rate: float) -> int:
    """A fee on the value of a sale, in cents, rounded up."""
    return whole(units / UNITS * price * rate * 100.0, 1)


def share_cents(units: int, rate: float, cap: float) -> int:
    """A fee a share, at most ``cap`` dollars, in cents, rounded up."""
    return whole(min(units / UNITS * rate, cap) * 100.0, 1)
