"""Slippage: what crossing the spread costs, always against you."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from goldenthread.domain.order import OrderSide

BASIS_POINT = Decimal("0.0001")
_ONE_DOLLAR = Decimal(1)
_STEP = Decimal("0.000001")
_SUB_DOLLAR_STEP = Decimal("0.000000001")


def slipped(price: Decimal, side: OrderSide, bps: Decimal) -> Decimal:
    """``price`` moved ``bps`` basis points against the order: buys pay more, sells get less.

    Rounded against the order to 0.000001, below one dollar to 0.000000001, where six
    decimals would cost a coin of 0.0002 more than the slippage itself.
    """
    moved = price * (1 + side.sign * bps * BASIS_POINT)
    step = _STEP if price >= _ONE_DOLLAR else _SUB_DOLLAR_STEP
    return moved.quantize(step, ROUND_CEILING if side is OrderSide.BUY else ROUND_FLOOR)
