"""What the bars offered an execution before slippage: the price it is measured against."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from goldenthread.domain.account import money
from goldenthread.domain.order import OrderSide, OrderType
from goldenthread.rules.slippage import slipped

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLACES = (2, 4, 6)


def offered(fill: Mapping[str, Any]) -> Decimal | None:
    """The price of an execution of a known order before slippage; None where it cannot be told.

    Expects ``price order_side``, of its order ``order_type stop_price``, and ``open low high`` of
    its session. A market order is offered the open, a stop the worse of open and stop, a limit
    order what it got. A stop of before a split lies outside the bar and says nothing.
    """
    kind, opened, stop = fill["order_type"], fill["open"], fill["stop_price"]
    if kind == OrderType.LIMIT.value:
        price: Decimal = fill["price"]
        return price
    if kind is None or opened is None:
        return None
    if kind == OrderType.MARKET.value or stop is None:
        return Decimal(opened)
    worse = max if fill["order_side"] == OrderSide.BUY.value else min
    found: Decimal = worse(opened, stop)
    return found if fill["low"] <= found <= fill["high"] else None


def unslipped(price: Decimal, side: OrderSide, bps: Decimal) -> Decimal:
    """The price that slips to ``price``: the one of fewest decimals, else to nine decimals."""
    raw = price / (1 + side.sign * bps / 10_000)
    for places in _PLACES:
        near = raw.quantize(Decimal(1).scaleb(-places))
        if near > 0 and slipped(near, side, bps) == price:
            return near
    return money(raw)
