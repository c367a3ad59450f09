"""When each order changed, and how: what Alpaca shows of an order and the engine need not know."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from goldenthread.domain.order import Fill, OrderStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from goldenthread.adapters.broker.simulated.tickets import Ticket
    from goldenthread.domain.order import OrderReport

_EVENTS = {
    OrderStatus.NEW: "new",
    OrderStatus.CANCELED: "canceled",
    OrderStatus.EXPIRED: "expired",
    OrderStatus.REPLACED: "replaced",
}


@dataclass(frozen=True)
class Entry:
    """One order and its instants."""

    ticket: Ticket
    updated_at: dt.datetime
    filled_at: dt.datetime | None = None
    replaced_by: str = ""

    @property
    def id(self) -> str:
        """The id of the order."""
        return self.ticket.id

    @property
    def report(self) -> OrderReport:
        """The order; its instant of submission is its own, so that a list has one order."""
        report = self.ticket.report
        own = report.submitted_at + dt.timedelta(microseconds=self.ticket.number)
        return report.model_copy(update={"submitted_at": own})


class Event(NamedTuple):
    """One thing that happened to an order; ``entry`` is the order right after it."""

    name: str
    at: dt.datetime
    entry: Entry
    fill: Fill | None = None


class Journal:
    """Every order there was, in the order they came."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self._by_client: dict[str, str] = {}
        self._legs: dict[str, list[str]] = {}
        self._executions: set[str] = set()

    def find(self, order_id: str) -> Entry | None:
        """The order of an id."""
        return self.entries.get(order_id)

    def find_client(self, client_order_id: str) -> Entry | None:
        """The order of a client order id."""
        return self.entries.get(self._by_client.get(client_order_id, ""))

    def legs(self, order_id: str) -> list[Entry]:
        """The legs of an order, take profit first; a replaced leg before its replacement."""
        members = [self.entries[member] for member in self._legs.get(order_id, ())]
        return sorted(members, key=lambda entry: entry.ticket.report.leg, reverse=True)

    def take(
        self,
        tickets: Iterable[Ticket],
        fills: Iterable[Fill],
        when: Callable[[Ticket], dt.datetime],
    ) -> list[Event]:
        """What is new in the orders and executions; ``when`` dates all but the executions."""
        fresh: dict[str, list[Fill]] = {}
        for fill in fills:
            if fill.execution_id not in self._executions:
                self._executions.add(fill.execution_id)
                fresh.setdefault(fill.broker_order_id, []).append(fill)
        events: list[Event] = []
        for ticket in tickets:
            known = self.entries.get(ticket.id)
            if known is None or known.ticket != ticket:
                events += self._change(known, ticket, fresh.get(ticket.id, []), when(ticket))
        return events

    def _change(
        self, known: Entry | None, ticket: Ticket, fills: list[Fill], at: dt.datetime
    ) -> list[Event]:
        events = []
        if known is None:
            known = self._first(ticket, at)
            if known.ticket.report.status is not OrderStatus.HELD:
                events.append(Event("new", at, known))
        entry = replace(known, ticket=ticket, updated_at=at)
        for fill in fills:
            entry = replace(entry, filled_at=fill.filled_at, updated_at=fill.filled_at)
            whole = ticket.report.status is OrderStatus.FILLED
            name = "fill" if whole else "partial_fill"
            events.append(Event(name, fill.filled_at, entry, fill))
        self.entries[ticket.id] = entry
        status = ticket.report.status
        if status is not known.ticket.report.status and status in _EVENTS:
            events.append(Event(_EVENTS[status], at, entry))
        elif not fills and status.is_open and ticket.report != known.ticket.report:
            events.append(Event("restated", at, entry))
        return events

    def _first(self, ticket: Ticket, at: dt.datetime) -> Entry:
        """The order as it was taken, before anything happened to it."""
        report = ticket.report
        self._by_client[report.client_order_id] = ticket.id
        if report.parent_id:
            self._legs.setdefault(report.parent_id, []).append(ticket.id)
        replaced = self.entries.get(report.replaces)
        if replaced is not None:
            self.entries[replaced.id] = replace(replaced, replaced_by=ticket.id)
        status = OrderStatus.HELD if report.status is OrderStatus.HELD else OrderStatus.NEW
        untouched = report.model_copy(
            update={
                "status": status,
                "filled_quantity": report.filled_quantity * 0,
                "average_price": None,
                "triggered": False,
            }
        )
        first = Entry(ticket.model_copy(update={"report": untouched}), at)
        self.entries[ticket.id] = first
        return first
