"""Rounding of whole columns of levels: ``rules.rounding`` for many prices at once.

The same float64 arithmetic on whole ticks, so every price is the float nearest to the decimal
that ``rules.rounding`` gives for it. Prices that are not numbers stay NaN.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import numpy as np

from goldenthread.domain.account import money
from goldenthread.domain.asset import AssetClass
from goldenthread.rules.rounding import price_tick
from goldenthread.rules.ticks import ON_THE_STEP, ONE_DOLLAR, UNITS

if TYPE_CHECKING:
    from goldenthread.domain.asset import Asset
    from goldenthread.domain.bar import FloatArray
    from goldenthread.domain.strategy import Side

_HALF = 0.5
_EXACT_BELOW = 2.0**53
_NEAR_HALF = 1e-3
_FINE_BELOW = 1e12
"""Units of 1e-9 up to which a product with float noise tells on which side of a half it lies."""


def round_stops(prices: FloatArray, asset: Asset, side: Side) -> FloatArray:
    """Protective stops on their ticks, away from the market (``rounding.round_stop``)."""
    return _to_ticks(prices, asset, -side.sign)


def round_targets(prices: FloatArray, asset: Asset, side: Side) -> FloatArray:
    """Profit targets on their ticks, toward the market (``rounding.round_target``)."""
    return _to_ticks(prices, asset, -side.sign)


def round_entries(
    prices: FloatArray, asset: Asset, side: Side, order: Literal["market", "limit", "stop"]
) -> FloatArray:
    """Entry prices as they are planned and sent (``rounding.round_entry``)."""
    if order == "market":
        return nine_decimals(prices)
    return _to_ticks(prices, asset, side.sign)


def nine_decimals(prices: FloatArray) -> FloatArray:
    """The prices as money: nine decimals, half to even on their shortest decimal."""
    with np.errstate(invalid="ignore", over="ignore"):
        units = prices * UNITS
        nearest = np.rint(units)
        rounded = nearest / UNITS
        near_half = np.abs(np.abs(units - nearest) - 0.5) < _NEAR_HALF
        doubtful = (near_half | (np.abs(nearest) >= _FINE_BELOW)) & (rounded != prices)
    for at in np.flatnonzero(doubtful & np.isfinite(prices)):
        rounded[at] = float(money(Decimal(repr(float(prices[at])))))
    return rounded


def _to_ticks(prices: FloatArray, asset: Asset, direction: int) -> FloatArray:
    result = _on_tick(prices, asset.price_tick, direction)
    low = price_tick(asset, 0.0)
    if asset.asset_class is AssetClass.EQUITY and low != asset.price_tick:
        below = prices < ONE_DOLLAR
        result[below] = _on_tick(prices[below], low, direction)
    return result


def _on_tick(prices: FloatArray, tick: Decimal, direction: int) -> FloatArray:
    """The arithmetic of ``ticks.whole``, on a column."""
    exact = prices / float(tick)
    below = np.floor(exact)
    nearest = np.where(exact - below < _HALF, below, below + 1)
    is_on = np.abs(exact - nearest) <= ON_THE_STEP * np.abs(exact)
    ticks = np.where(is_on, nearest, below if direction < 0 else below + 1)
    num, den = tick.as_integer_ratio()
    result: FloatArray = ticks * num / den
    for at in np.flatnonzero(np.abs(ticks) * max(num, 1) >= _EXACT_BELOW):
        result[at] = float(tick * int(ticks[at]))
    return result
