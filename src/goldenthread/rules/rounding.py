"""Rounding of levels and quantities: the one place where a tick or a step is applied.

Prices are counted in ticks in float64 (``rules.ticks``), whether they come as ``Decimal`` or as
float, so that exact money and the kernel reach the same tick; the price is that whole number of
exact ticks.
"""

from __future__ import annotations

import math
from decimal import ROUND_FLOOR, Context, Decimal
from typing import TYPE_CHECKING, Literal

from goldenthread.domain.account import money
from goldenthread.domain.asset import AssetClass
from goldenthread.domain.errors import DataError
from goldenthread.rules.ticks import ONE_DOLLAR, SUB_DOLLAR_TICKS, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from goldenthread.domain.asset import Asset
    from goldenthread.domain.strategy import Side

SUB_DOLLAR_TICK = Decimal(1) / SUB_DOLLAR_TICKS
"""The finest step of an equity's price below one dollar."""
_EXACT = Context(prec=60, rounding=ROUND_FLOOR)


def price_tick(asset: Asset, price: Decimal | float) -> Decimal:
    """The step of prices near ``price``: the asset's own, or 0.0001 for equities below $1.

    Source: SEC Rule 612 of Regulation NMS; Alpaca refuses other prices as sub-penny.
    """
    below_one_dollar = asset.asset_class is AssetClass.EQUITY and float(price) < ONE_DOLLAR
    return min(asset.price_tick, SUB_DOLLAR_TICK) if below_one_dollar else asset.price_tick


def round_stop(price: Decimal | float, asset: Asset, side: Side) -> Decimal:
    """A protective stop on its tick, away from the market: long down, short up."""
    return _to_tick(price, asset, -side.sign)


def round_target(price: Decimal | float, asset: Asset, side: Side) -> Decimal:
    """A profit target on its tick, toward the market: long down, short up."""
    return _to_tick(price, asset, -side.sign)


def round_entry(
    price: Decimal | float, asset: Asset, side: Side, order: Literal["market", "limit", "stop"]
) -> Decimal:
    """An entry price as it is planned and sent.

    A limit goes toward the market and a stop away from it, which is up for longs and down for
    shorts in both cases. A market order has no tick: its planned price keeps nine decimals.
    """
    if order == "market":
        return money(Decimal(repr(_finite(price))))
    return _to_tick(price, asset, side.sign)


def round_quantity(quantity: Decimal, asset: Asset) -> Decimal:
    """The largest multiple of the asset's quantity step that is not above ``quantity``."""
    return _floor(quantity, asset.quantity_step)


def tranche_quantities(
    quantity: Decimal, sells: Sequence[Decimal], step: Decimal
) -> tuple[Decimal, ...]:
    """How ``quantity`` is divided: one part for each target, then the runner; any may be 0.

    Each target gets the fraction it sells, down to the step; the runner keeps what is left.
    When the fractions sum to 1 the last target takes what is left and the runner is 0. The
    parts sum to ``quantity`` exactly. ``sells`` sum to at most 1.
    """
    parts = [_floor(_EXACT.multiply(quantity, sell), step) for sell in sells]
    rest = quantity - sum(parts, Decimal(0))
    if parts and sum(sells) == 1:
        parts[-1] += rest
        rest = Decimal(0)
    return (*parts, rest)


def significant(value: float) -> Decimal | None:
    """The value at 12 significant digits, as stored and digested; None for NaN and infinity."""
    if not math.isfinite(value):
        return None
    return Decimal(f"{value:.12g}") or Decimal(0)


def _to_tick(price: Decimal | float, asset: Asset, direction: int) -> Decimal:
    tick = price_tick(asset, price)
    return tick * whole(_finite(price) / float(tick), direction)


def _finite(price: Decimal | float) -> float:
    value = float(price)
    if not math.isfinite(value):
        message = f"a price of {price} cannot be rounded: leave out levels that are not numbers"
        raise DataError(message)
    return value


def _floor(quantity: Decimal, step: Decimal) -> Decimal:
    return _EXACT.divide_int(quantity, step) * step
