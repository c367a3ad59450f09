"""One order on its way to the broker, and the broker's answer on its way into our records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldenthread.domain.errors import EngineRefusedError, UnknownOutcomeError
from goldenthread.domain.ids import split_order_key
from goldenthread.domain.order import (
    IntentStatus,
    OrderClass,
    OrderIntent,
    OrderRequest,
    OrderStatus,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from goldenthread.domain.order import OrderReport
    from goldenthread.ports.broker import Broker
    from goldenthread.positions.blotter import Blotter


def send(blotter: Blotter, broker: Broker, intent: OrderIntent) -> OrderIntent:
    """The order after the broker was told, staged: WORKING, REFUSED, UNKNOWN or DROPPED.

    Nothing is committed here. A replacement whose order is gone is DROPPED.
    """
    try:
        reports = _transmit(blotter, broker, intent)
    except EngineRefusedError as error:
        return _staged(
            blotter,
            intent,
            status=IntentStatus.REFUSED,
            refusal_code=error.code,
            refusal=str(error),
        )
    except UnknownOutcomeError:
        return _staged(blotter, intent, status=IntentStatus.UNKNOWN)
    if not reports:
        return _staged(blotter, intent, status=IntentStatus.DROPPED)
    return accept(blotter, intent, reports)


def ask(blotter: Blotter, broker: Broker, intent: OrderIntent) -> OrderIntent:
    """The order after the broker was asked for it, staged: PENDING when it was never seen."""
    reports = broker.find_order(intent.order_key)
    if not reports:
        return _staged(blotter, intent, status=IntentStatus.PENDING)
    return accept(blotter, intent, reports)


def cancel(blotter: Blotter, broker: Broker, intents: Sequence[OrderIntent]) -> None:
    """Ask for the cancellation of the orders that are still open, and stage the answers.

    That we asked is committed first, so that a restart knows why an order is gone.
    """
    resting = [i for i in intents if is_resting(i)]
    asked = [i.model_copy(update={"cancel_requested": True}) for i in resting]
    if any(not i.cancel_requested for i in resting):
        blotter.stage(*asked)
        blotter.commit()
    for intent in asked:
        if intent.report is not None:
            _staged(blotter, intent, report=_cancelled(broker, intent.report))


def is_resting(intent: OrderIntent) -> bool:
    """Whether the broker may still execute the order."""
    report = intent.report
    return intent.status is IntentStatus.WORKING and report is not None and report.status.is_open


def accept(blotter: Blotter, intent: OrderIntent, reports: Sequence[OrderReport]) -> OrderIntent:
    """The order as the broker took it, staged with the legs it created and what it replaced."""
    head, *legs = reports
    if intent.kind == "replace" and (old := blotter.intents.get(intent.replaces)):
        _retire_replaced(blotter, old)
    taken = _staged(blotter, intent, status=IntentStatus.WORKING, report=head)
    known = {i.report.broker_order_id for i in blotter.of_signal(intent.signal_id) if i.report}
    for leg in legs:
        if leg.broker_order_id not in known:
            blotter.stage(_leg(blotter, taken, leg))
    return taken


def _cancelled(broker: Broker, report: OrderReport) -> OrderReport:
    try:
        return broker.cancel(report.broker_order_id)
    except (EngineRefusedError, UnknownOutcomeError):
        found = broker.find_order(report.client_order_id)
        return found[0] if found else report


def _transmit(blotter: Blotter, broker: Broker, intent: OrderIntent) -> tuple[OrderReport, ...]:
    if intent.kind != "replace":
        return broker.submit(intent.request)
    old = blotter.intents.get(intent.replaces)
    if old is None or old.report is None or not old.report.status.is_open:
        return ()
    stop = intent.request.stop_price
    if stop is None:
        return ()
    return (broker.replace(old.report.broker_order_id, intent.order_key, stop),)


def _staged(blotter: Blotter, intent: OrderIntent, **update: object) -> OrderIntent:
    after = intent.model_copy(update=update)
    blotter.stage(after)
    return after


def _retire_replaced(blotter: Blotter, old: OrderIntent) -> None:
    """The order a replacement took over from is done, unless an execution of it is outstanding."""
    if old.report is None:
        return
    report = old.report.model_copy(update={"status": OrderStatus.REPLACED})
    untouched = report.filled_quantity == 0
    status = IntentStatus.DONE if untouched else IntentStatus.WORKING
    _staged(blotter, old, report=report, status=status)


def _leg(blotter: Blotter, parent: OrderIntent, report: OrderReport) -> OrderIntent:
    """Our record of a leg the broker created: ``tp`` or ``stop`` with the number of its entry."""
    _, name, _ = split_order_key(parent.order_key)
    number = name.lstrip("abcdefghijklmnopqrstuvwxyz")
    prefix = "tp" if report.leg == "take_profit" else "stop"
    key = blotter.next_key(parent.signal_id, f"{prefix}{number}")
    request = OrderRequest(
        client_order_id=key,
        symbol=report.symbol,
        asset_class=parent.request.asset_class,
        side=report.side,
        type=report.type,
        quantity=report.quantity,
        order_class=OrderClass.SIMPLE,
        limit_price=report.limit_price,
        stop_price=report.stop_price,
    )
    return OrderIntent(
        book=parent.book,
        order_key=key,
        signal_id=parent.signal_id,
        ds=parent.ds,
        kind="leg",
        request=request,
        status=IntentStatus.WORKING,
        decided_at=parent.decided_at,
        parent_key=parent.order_key,
        report=report,
    )
