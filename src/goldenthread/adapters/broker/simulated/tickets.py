"""Every order the exchange ever took, and the ways to find one."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from goldenthread.domain.asset import AssetClass
from goldenthread.domain.order import (
    OrderClass,
    OrderReport,
    OrderStatus,
    OrderType,
    TimeInForce,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from goldenthread.domain.order import OrderSide


class Ticket(BaseModel):
    """One order inside the exchange: what the outside sees, and what it does not.

    ``number`` counts orders as they came. ``reserve`` is the price a unit reserves of buying
    power, 0 for orders that close. ``last_run`` is the last bar that executed a part of it,
    ``changed`` the date of the last change.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    report: OrderReport
    number: int
    asset_class: AssetClass
    time_in_force: TimeInForce
    order_class: OrderClass
    reserve: Decimal = Decimal(0)
    executions: int = 0
    last_run: dt.date = dt.date.min
    changed: dt.date

    @property
    def id(self) -> str:
        """The broker's id of the order."""
        return self.report.broker_order_id

    @property
    def remaining(self) -> Decimal:
        """What is not executed yet."""
        return self.report.quantity - self.report.filled_quantity

    @property
    def group(self) -> str:
        """The id of the order that heads its group; its own without a parent."""
        return self.report.parent_id or self.report.broker_order_id

    @property
    def is_working(self) -> bool:
        """Whether a bar may execute it: open and not held behind its parent."""
        return self.report.status.is_open and self.report.status is not OrderStatus.HELD

    @property
    def is_group_exit(self) -> bool:
        """Whether it is one of two exits of which one cancels the other."""
        return bool(self.report.leg) or self.order_class is OrderClass.OCO

    @property
    def is_at_market(self) -> bool:
        """Whether it executes at whatever the next open is."""
        kind = self.report.type
        return kind is OrderType.MARKET or (kind is OrderType.STOP and self.report.triggered)

    def updated(self, changed: dt.date, **report: Any) -> Ticket:  # noqa: ANN401  # report fields
        """The ticket with some fields of its report changed on ``changed``."""
        after = self.report.model_copy(update=report)
        return self.model_copy(update={"report": after, "changed": changed})


class OrderBook:
    """The tickets by id, client order id, symbol, group and date of their last change."""

    def __init__(self, tickets: Iterable[Ticket]) -> None:
        self._by_id: dict[str, Ticket] = {}
        self._by_client: dict[str, str] = {}
        self._open: dict[str, dict[str, Ticket]] = {}
        self._groups: dict[str, list[str]] = {}
        self._closed: list[tuple[dt.date, str]] = []
        self.number = 0
        ordered = sorted(tickets, key=lambda t: t.number)
        for ticket in ordered:
            self._index(ticket)
            self._place(ticket)
        self._closed.sort()

    def put(self, ticket: Ticket) -> None:
        """Take a new ticket, or the next state of a known one."""
        if ticket.id not in self._by_id:
            self._index(ticket)
        self._place(ticket)

    def find(self, order_id: str) -> Ticket | None:
        """The ticket of a broker order id."""
        return self._by_id.get(order_id)

    def find_client(self, client_order_id: str) -> Ticket | None:
        """The ticket of a client order id."""
        order_id = self._by_client.get(client_order_id)
        return None if order_id is None else self._by_id[order_id]

    def open_of(self, symbol: str) -> list[Ticket]:
        """The open orders of a symbol, in order of submission."""
        return list(self._open.get(symbol, {}).values())

    def open_symbols(self) -> set[str]:
        """The symbols with open orders."""
        return {symbol for symbol, tickets in self._open.items() if tickets}

    def group_of(self, ticket: Ticket) -> list[Ticket]:
        """The open orders of its bracket or OCO, itself included while open."""
        members = (self._by_id[order_id] for order_id in self._groups[ticket.group])
        return [t for t in members if t.report.status.is_open]

    def promised(self, symbol: str, side: OrderSide) -> Decimal:
        """How much of a holding its working exits may take; a pair of exits promises once."""
        groups: dict[str, Decimal] = {}
        for ticket in self.open_of(symbol):
            if ticket.is_working and not ticket.reserve and ticket.report.side is side:
                groups[ticket.group] = max(groups.get(ticket.group, Decimal(0)), ticket.remaining)
        return sum(groups.values(), Decimal(0))

    def with_legs(self, ticket: Ticket) -> list[Ticket]:
        """The order and its legs, take profit first; of replaced legs the replacement only."""
        if ticket.report.parent_id:
            return [ticket]
        members = [self._by_id[order_id] for order_id in self._groups[ticket.id]]
        legs = [t for t in members if t.report.leg and t.report.status is not OrderStatus.REPLACED]
        return [ticket, *sorted(legs, key=lambda t: t.report.leg, reverse=True)]

    def since(self, ds: dt.date) -> list[Ticket]:
        """Everything open, and everything changed on or after ``ds``, by id."""
        late = self._closed[bisect_left(self._closed, (ds, "")) :]
        found = {order_id: self._by_id[order_id] for _, order_id in late}
        for tickets in self._open.values():
            found.update(tickets)
        return [found[order_id] for order_id in sorted(found)]

    def _index(self, ticket: Ticket) -> None:
        self._by_client[ticket.report.client_order_id] = ticket.id
        self._groups.setdefault(ticket.group, []).append(ticket.id)
        self.number = max(self.number, ticket.number)

    def _place(self, ticket: Ticket) -> None:
        self._by_id[ticket.id] = ticket
        tickets = self._open.setdefault(ticket.report.symbol, {})
        if ticket.report.status.is_open:
            tickets[ticket.id] = ticket
        else:
            tickets.pop(ticket.id, None)
            self._closed.append((ticket.changed, ticket.id))
