"""Orders on the wire: what is asked, what is answered, and the states of both sides."""

from __future__ import annotations

import datetime as dt
import logging
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from goldenthread.adapters.alpaca.symbols import asset_class_name, asset_class_of, canonical
from goldenthread.adapters.alpaca.values import (
    Json,
    amount,
    amount_or_none,
    instant,
    instant_text,
    text,
    text_or_null,
    uuid_of,
)
from goldenthread.domain.asset import AssetClass
from goldenthread.domain.errors import DataError, EngineRefusedError
from goldenthread.domain.order import (
    OrderClass,
    OrderReport,
    OrderRequest,
    OrderSide,
    OrderStatus,
    OrderType,
    TimeInForce,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

TRIGGERED = "goldenthread_triggered"
"""A field our exchange adds to an order: its stop was crossed. Alpaca does not tell."""

_MALFORMED = "40010001"
_UNPROCESSABLE = "42210000"
_WAITING = frozenset(
    {
        "pending_new",
        "accepted_for_bidding",
        "pending_review",
        "suspended",
        "stopped",
        "calculated",
        "done_for_day",
    }
)
"""Open for us: they may still execute, and what they executed is in ``filled_qty``."""

_E = TypeVar("_E", bound=StrEnum)

_log = logging.getLogger(__name__)


class OrderTerms(NamedTuple):
    """What an order's JSON tells beside its report."""

    asset_class: AssetClass
    time_in_force: TimeInForce
    order_class: OrderClass
    updated_at: dt.datetime
    filled_at: dt.datetime | None = None
    replaced_by: str = ""


def request_json(request: OrderRequest) -> Json:
    """The body of ``POST /v2/orders``; quantities and prices are strings, never floats."""
    body: Json = {
        "client_order_id": request.client_order_id,
        "symbol": request.symbol,
        "qty": text(request.quantity),
        "side": request.side.value,
        "type": request.type.value,
        "time_in_force": request.time_in_force.value,
    }
    if request.limit_price is not None:
        body["limit_price"] = text(request.limit_price)
    if request.stop_price is not None:
        body["stop_price"] = text(request.stop_price)
    if request.order_class is OrderClass.SIMPLE:
        return body
    body["order_class"] = request.order_class.value
    gain = request.take_profit
    if request.order_class is OrderClass.OCO:
        gain = body.pop("limit_price", None) and request.limit_price
    if gain is not None:
        body["take_profit"] = {"limit_price": text(gain)}
    if request.stop_loss is not None:
        body["stop_loss"] = {"stop_price": text(request.stop_loss)}
    return body


def request_from_json(body: Json, client_order_id: str) -> OrderRequest:
    """The order a body of ``POST /v2/orders`` asks for; ``client_order_id`` when it names none.

    Raises:
        EngineRefusedError: The body asks for something Alpaca does not know, or does not take.
    """
    symbol = canonical(str(body.get("symbol") or ""))
    if body.get("qty") is None:
        msg = "qty is required; orders by notional are not taken here"
        raise EngineRefusedError(msg, _MALFORMED)
    order_class = _chosen(OrderClass, body.get("order_class") or "simple", "order_class")
    gain = amount_or_none((body.get("take_profit") or {}).get("limit_price"), "take_profit")
    loss = amount_or_none((body.get("stop_loss") or {}).get("stop_price"), "stop_loss")
    limit = amount_or_none(body.get("limit_price"), "limit_price")
    if order_class is OrderClass.OCO:
        limit, gain = gain if limit is None else limit, None
    return OrderRequest(
        client_order_id=str(body.get("client_order_id") or client_order_id),
        symbol=symbol,
        asset_class=AssetClass.CRYPTO if "/" in symbol else AssetClass.EQUITY,
        side=_chosen(OrderSide, body.get("side"), "side"),
        type=_chosen(OrderType, body.get("type"), "type"),
        quantity=amount(body["qty"], "qty"),
        time_in_force=_chosen(TimeInForce, body.get("time_in_force"), "time_in_force"),
        order_class=order_class,
        limit_price=limit,
        stop_price=amount_or_none(body.get("stop_price"), "stop_price"),
        take_profit=gain,
        stop_loss=loss,
    )


def order_json(report: OrderReport, terms: OrderTerms, legs: Sequence[Json] = ()) -> Json:
    """An order as Alpaca shows it; ``legs`` are the JSON of the orders it created."""
    final = instant_text(terms.updated_at)
    status = report.status
    return {
        "id": report.broker_order_id,
        "client_order_id": report.client_order_id,
        "created_at": instant_text(report.submitted_at),
        "updated_at": final,
        "submitted_at": instant_text(report.submitted_at),
        "filled_at": None if terms.filled_at is None else instant_text(terms.filled_at),
        "expired_at": final if status is OrderStatus.EXPIRED else None,
        "canceled_at": final if status is OrderStatus.CANCELED else None,
        "failed_at": final if status is OrderStatus.REJECTED else None,
        "replaced_at": final if status is OrderStatus.REPLACED else None,
        "replaced_by": terms.replaced_by or None,
        "replaces": report.replaces or None,
        "asset_id": uuid_of(report.symbol),
        "symbol": report.symbol,
        "asset_class": asset_class_name(terms.asset_class),
        "notional": None,
        "qty": text(report.quantity),
        "filled_qty": text(report.filled_quantity),
        "filled_avg_price": text_or_null(report.average_price),
        "order_class": terms.order_class.value,
        "order_type": report.type.value,
        "type": report.type.value,
        "side": report.side.value,
        "time_in_force": terms.time_in_force.value,
        "limit_price": text_or_null(report.limit_price),
        "stop_price": text_or_null(report.stop_price),
        "status": status.value,
        "extended_hours": False,
        "legs": list(legs) or None,
        "trail_percent": None,
        "trail_price": None,
        "hwm": None,
        TRIGGERED: report.triggered,
    }


def reports_from_json(row: Json) -> tuple[OrderReport, ...]:
    """The order, then its legs, take profit first (legs are there when asked ``nested``)."""
    head = report_from_json(row)
    legs = [report_from_json(leg, head.broker_order_id) for leg in row.get("legs") or ()]
    return (head, *sorted(legs, key=lambda leg: leg.leg, reverse=True))


def report_from_json(row: Json, parent_id: str = "") -> OrderReport:
    """One order without its legs; with ``parent_id`` it is the leg of that order.

    Raises:
        DataError: A field we need is missing or not what it should be.
    """
    try:
        kind = OrderType(row.get("type") or row["order_type"])
        report = OrderReport(
            broker_order_id=row["id"],
            client_order_id=row["client_order_id"],
            symbol=canonical(row["symbol"], asset_class_of(row.get("asset_class", ""))),
            side=OrderSide(row["side"]),
            type=kind,
            status=status_of(row["status"], amount(row.get("filled_qty") or 0, "filled_qty")),
            quantity=amount(row["qty"], "qty"),
            filled_quantity=amount(row.get("filled_qty") or 0, "filled_qty"),
            average_price=amount_or_none(row.get("filled_avg_price"), "filled_avg_price"),
            limit_price=amount_or_none(row.get("limit_price"), "limit_price"),
            stop_price=amount_or_none(row.get("stop_price"), "stop_price"),
            triggered=bool(row.get(TRIGGERED)),
            parent_id=parent_id,
            leg=_leg(kind) if parent_id else "",
            replaces=row.get("replaces") or "",
            submitted_at=instant(row.get("submitted_at") or row["created_at"], "submitted_at"),
        )
    except (KeyError, ValueError) as error:
        msg = (
            f"order {row.get('id')!r}: {error} is not what an order shows; it was not ours to send"
        )
        raise DataError(msg) from error
    return report


def status_of(name: str, filled: Decimal = Decimal(0)) -> OrderStatus:
    """Our state for Alpaca's; one we do not know counts as open, which is the safe side."""
    try:
        return OrderStatus(name)
    except ValueError:
        if name not in _WAITING:
            _log.warning("Alpaca reports the unknown order status %r; taken as open", name)
    return OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.ACCEPTED


def _leg(kind: OrderType) -> Literal["take_profit", "stop_loss"]:
    return "take_profit" if kind is OrderType.LIMIT else "stop_loss"


def _chosen(kinds: type[_E], value: Any, field: str) -> _E:  # noqa: ANN401  # any JSON value
    try:
        return kinds(value)
    except ValueError as error:
        msg = f"invalid {field} {value!r}"
        raise EngineRefusedError(msg, _UNPROCESSABLE) from error
