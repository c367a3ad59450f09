"""Changing a resting order: another one takes its place, with what remained of it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from goldenthread.adapters.broker.answers import name_of
from goldenthread.domain.errors import EngineRefusedError
from goldenthread.domain.order import OrderClass, OrderRequest, OrderStatus, TimeInForce

if TYPE_CHECKING:
    import datetime as dt

    from goldenthread.adapters.broker.simulated.tickets import Ticket

_UNPROCESSABLE = "42210000"


class Amendment(NamedTuple):
    """What is to change of an order; None leaves it as it is.

    ``quantity`` counts what was executed already.
    """

    quantity: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    time_in_force: TimeInForce | None = None


def amended(old: Ticket, client_order_id: str, change: Amendment, at: dt.datetime) -> Ticket:
    """What takes the place of ``old`` at the instant ``at``, not admitted yet.

    Raises:
        EngineRefusedError: ``old`` is final, or its quantity or time in force is bound to those
            of other orders.
    """
    report = old.report
    if not report.status.is_open:
        msg = f"cannot replace {report.type} order in {report.status} state"
        raise EngineRefusedError(msg, _UNPROCESSABLE)
    alone = change.quantity is None and change.time_in_force is None
    if not alone and old.order_class is not OrderClass.SIMPLE:
        msg = f"qty and time_in_force of {old.order_class} orders cannot be replaced"
        raise EngineRefusedError(msg, _UNPROCESSABLE)
    whole = report.quantity if change.quantity is None else change.quantity
    held = report.status is OrderStatus.HELD
    moved = report.model_copy(
        update={
            "broker_order_id": name_of(client_order_id),
            "client_order_id": client_order_id,
            "quantity": whole - report.filled_quantity,
            "filled_quantity": report.filled_quantity * 0,
            "average_price": None,
            "limit_price": _or(change.limit_price, report.limit_price),
            "stop_price": _or(change.stop_price, report.stop_price),
            "replaces": report.broker_order_id,
            "triggered": False,
            "status": OrderStatus.HELD if held else OrderStatus.NEW,
            "submitted_at": at,
        }
    )
    update = {
        "report": moved,
        "time_in_force": change.time_in_force or old.time_in_force,
        "executions": 0,
        "changed": at.date(),
    }
    return old.model_copy(update=update)


def as_request(ticket: Ticket) -> OrderRequest:
    """The order as if it were sent now, alone."""
    report = ticket.report
    return OrderRequest(
        client_order_id=report.client_order_id,
        symbol=report.symbol,
        asset_class=ticket.asset_class,
        side=report.side,
        type=report.type,
        quantity=report.quantity,
        time_in_force=ticket.time_in_force,
        limit_price=report.limit_price,
        stop_price=report.stop_price,
    )


def _or(new: Decimal | None, old: Decimal | None) -> Decimal | None:
    return old if new is None else new
