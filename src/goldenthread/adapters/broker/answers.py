"""What a broker answers to a new order: the order and the legs it creates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from uuid import UUID, uuid5

from goldenthread.domain.order import (
    OrderClass,
    OrderReport,
    OrderRequest,
    OrderSide,
    OrderStatus,
    OrderType,
)

if TYPE_CHECKING:
    import datetime as dt
    from decimal import Decimal

_NAMESPACE = UUID("b1f3a0de-93a7-5c52-8f0b-0d1a5d4e9c11")


def name_of(*parts: str) -> str:
    """A deterministic id: equal parts, equal id."""
    return str(uuid5(_NAMESPACE, "|".join(parts)))


def opposite(side: OrderSide) -> OrderSide:
    """The side that undoes ``side``."""
    return OrderSide.SELL if side is OrderSide.BUY else OrderSide.BUY


def limit_in_proportion(report: OrderReport, stop: Decimal) -> Decimal | None:
    """The limit of a stop_limit whose stop moves to ``stop``, not yet on a tick; else None.

    The proportion is taken in whole percent, so that the ticks of many moves do not add up.
    """
    if report.limit_price is None or not report.stop_price:
        return None
    return stop * round(report.limit_price / report.stop_price, 2)


def answer_to(
    request: OrderRequest, status: OrderStatus, at: dt.datetime
) -> tuple[OrderReport, ...]:
    """The order with ``status``, then its legs, take profit first.

    Legs of an entry are HELD until it is completely filled. An OCO has no entry: the order is
    its take profit, and its stop works at once.
    """
    head = OrderReport(
        broker_order_id=name_of(request.client_order_id),
        client_order_id=request.client_order_id,
        symbol=request.symbol,
        side=request.side,
        type=OrderType.LIMIT if request.order_class is OrderClass.OCO else request.type,
        status=status,
        quantity=request.quantity,
        limit_price=request.limit_price,
        stop_price=request.stop_price,
        submitted_at=at,
    )
    if request.order_class is OrderClass.SIMPLE:
        return (head,)
    if request.order_class is OrderClass.OCO:
        return (head, _leg(head, "stop_loss", request, head.side, status))
    legs = [
        _leg(head, leg, request, opposite(head.side), OrderStatus.HELD)
        for leg in ("take_profit", "stop_loss")
        if getattr(request, leg) is not None
    ]
    return (head, *legs)


def _leg(
    head: OrderReport,
    leg: Literal["take_profit", "stop_loss"],
    request: OrderRequest,
    side: OrderSide,
    status: OrderStatus,
) -> OrderReport:
    is_stop = leg == "stop_loss"
    broker_id = name_of(head.broker_order_id, leg)
    return head.model_copy(
        update={
            "broker_order_id": broker_id,
            "client_order_id": name_of(broker_id, "client"),
            "side": side,
            "type": OrderType.STOP if is_stop else OrderType.LIMIT,
            "status": status,
            "limit_price": None if is_stop else request.take_profit,
            "stop_price": request.stop_loss if is_stop else None,
            "parent_id": head.broker_order_id,
            "leg": leg,
        }
    )
