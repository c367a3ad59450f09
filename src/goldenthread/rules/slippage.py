"""Slippage: what crossing the spread costs, always against you."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from goldenthread.rules import ticks

if TYPE_CHECKING:
    from goldenthread.domain.order import OrderSide

_BASIS_POINT = Decimal("0.0001")


def slipped(price: Decimal, side: OrderSide, bps: Decimal) -> Decimal:
    """``price`` moved ``bps`` basis points against the order: buys pay more, sells get less.

    Rounded against the order to 0.000001, below one dollar to 0.000000001, where six
    decimals would cost a coin of 0.0002 more than the slippage itself.
    """
    return Decimal(repr(ticks.slipped(float(price), side.sign, slippage(bps))))


def slippage(bps: Decimal) -> float:
    """Basis points as the fraction prices are moved by."""
    return float(bps * _BASIS_POINT)
