"""A broker that reads from another one and only writes down what it is asked to do."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from goldenthread.adapters.broker.answers import answer_to, limit_in_proportion, name_of
from goldenthread.domain.errors import EngineRefusedError
from goldenthread.domain.order import OrderStatus

if TYPE_CHECKING:
    from decimal import Decimal

    from goldenthread.domain.account import AccountState
    from goldenthread.domain.order import Fill, OrderReport, OrderRequest
    from goldenthread.ports.broker import Broker

_NOT_FOUND = "40410000"


@dataclass(frozen=True)
class Asked:
    """What would have been sent, in the order it was asked for."""

    submitted: list[OrderRequest] = field(default_factory=list)
    canceled: list[OrderReport] = field(default_factory=list)
    replaced: list[OrderReport] = field(default_factory=list)


class RecordingBroker:
    """The port ``Broker`` for a plan: reads pass through, nothing is sent.

    A submitted order is answered ``accepted`` and stays so; a canceled or replaced order is
    answered and found as if the broker had done it. ``asked`` holds everything.
    """

    def __init__(self, inner: Broker) -> None:
        self._inner = inner
        self._ours: dict[str, OrderReport] = {}
        self.asked = Asked()

    def meet(self, ds: dt.date) -> None:
        """See the port."""
        self._inner.meet(ds)

    def account(self) -> AccountState:
        """See the port; what would have been sent reserves nothing."""
        return self._inner.account()

    def submit(self, request: OrderRequest) -> tuple[OrderReport, ...]:
        """The order, accepted but never sent, and its legs."""
        known = self.find_order(request.client_order_id)
        if known:
            return known
        reports = answer_to(request, OrderStatus.ACCEPTED, self._inner.account().as_of)
        self._ours.update({report.broker_order_id: report for report in reports})
        self.asked.submitted.append(request)
        return reports

    def replace(
        self, broker_order_id: str, client_order_id: str, stop_price: Decimal
    ) -> OrderReport:
        """The order as it would have been replaced."""
        known = self.find_order(client_order_id)
        if known:
            return known[0]
        old = self._report(broker_order_id)
        moved = old.model_copy(
            update={
                "broker_order_id": name_of(client_order_id),
                "client_order_id": client_order_id,
                "stop_price": stop_price,
                "limit_price": limit_in_proportion(old, stop_price),
                "replaces": broker_order_id,
            }
        )
        self._ours[broker_order_id] = old.model_copy(update={"status": OrderStatus.REPLACED})
        self._ours[moved.broker_order_id] = moved
        self.asked.replaced.append(moved)
        return moved

    def cancel(self, broker_order_id: str) -> OrderReport:
        """The order as it would be after the request."""
        report = self._report(broker_order_id)
        if not report.status.is_open:
            return report
        canceled = report.model_copy(update={"status": OrderStatus.CANCELED})
        group = report.parent_id or broker_order_id
        for other in self.orders(self._inner.account().as_of.date()):
            if (other.parent_id or other.broker_order_id) == group and other.status.is_open:
                ended = other.model_copy(update={"status": OrderStatus.CANCELED})
                self._ours[other.broker_order_id] = ended
        self.asked.canceled.append(canceled)
        return canceled

    def find_order(self, client_order_id: str) -> tuple[OrderReport, ...]:
        """See the port; orders that were only written down are found, too."""
        for head in self._ours.values():
            if head.client_order_id == client_order_id:
                legs = [r for r in self._ours.values() if r.parent_id == head.broker_order_id]
                return (head, *(r for r in legs if r.status is not OrderStatus.REPLACED))
        found = self._inner.find_order(client_order_id)
        return tuple(self._ours.get(r.broker_order_id, r) for r in found)

    def orders(self, since: dt.date) -> list[OrderReport]:
        """See the port."""
        found = {report.broker_order_id: report for report in self._inner.orders(since)}
        return [report for _, report in sorted({**found, **self._ours}.items())]

    def fills(self, since: dt.date) -> list[Fill]:
        """See the port."""
        return self._inner.fills(since)

    def _report(self, broker_order_id: str) -> OrderReport:
        for since in (self._inner.account().as_of.date(), dt.date.min):
            for report in self.orders(since):
                if report.broker_order_id == broker_order_id:
                    return report
        msg = f"order not found for {broker_order_id}"
        raise EngineRefusedError(msg, _NOT_FOUND)
