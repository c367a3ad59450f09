"""Resting orders against one bar: first the open, then the bar, stops before targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldenthread.adapters.broker.simulated.executions import Desk, Execution
from goldenthread.domain.order import OrderType, TimeInForce
from goldenthread.rules.exits import bar_after_entry
from goldenthread.rules.fills import limit_fill, market_fill, stop_fill, stop_limit_fill

if TYPE_CHECKING:
    from decimal import Decimal

    from goldenthread.adapters.broker.simulated.tickets import Ticket
    from goldenthread.domain.bar import Bar
    from goldenthread.rules.fills import Touch

_OPEN_ONLY = frozenset({TimeInForce.IOC, TimeInForce.OPG})


class BarMatching:
    """One bar and the working orders of its symbol.

    Whatever executes at the open does so first: market orders, then stops the open is beyond,
    then limits it already reaches. Inside the bar stops come before limits, so that of a stop
    and a target in one bar the stop is taken. An entry filled at the open wakes its legs for
    the whole bar; one filled inside it lets its stop act on the bar from there, but not its
    target. A target whose stop was executed in part on this bar waits, too.
    """

    def __init__(self, desk: Desk, bar: Bar) -> None:
        self._desk = desk
        self._bar = bar
        self._late: dict[str, Touch] = {}
        self._stopped: set[str] = set()
        self._elected: dict[str, Ticket] = {}

    def run(self) -> None:
        """Execute everything the bar executes."""
        while (execution := self._first_at_open()) is not None:
            self._desk.execute(execution)
        while (execution := self._first_inside()) is not None:
            ticket = self._desk.execute(execution)
            if not ticket.is_group_exit:
                self._late[ticket.group] = execution.touch
            elif not _is_target(ticket):
                self._stopped.add(ticket.group)
        for ticket in self._elected.values():
            self._desk.trigger(ticket, self._bar.ds)

    def _first_at_open(self) -> Execution | None:
        for ticket in self._waiting():
            touch = self._touch(ticket)
            if touch is not None and touch.at_open:
                return Execution(ticket, touch, self._bar.ds)
        return None

    def _first_inside(self) -> Execution | None:
        for ticket in self._waiting():
            if self._is_too_late(ticket):
                continue
            touch = self._touch(ticket)
            if touch is not None:
                inside = touch._replace(at_open=False)
                return Execution(ticket, inside, self._bar.ds, self._has_target_in_reach(ticket))
        return None

    def _waiting(self) -> list[Ticket]:
        tickets = self._desk.state.orders.open_of(self._bar.symbol)
        return sorted((t for t in tickets if t.is_working and t.last_run < self._bar.ds), key=_rank)

    def _is_too_late(self, ticket: Ticket) -> bool:
        if ticket.time_in_force in _OPEN_ONLY:
            return True
        return _is_target(ticket) and (ticket.group in self._late or ticket.group in self._stopped)

    def _touch(self, ticket: Ticket) -> Touch | None:
        report, bps = ticket.report, self._desk.settings.slippage_bps
        entry = self._late.get(ticket.group)
        bar = self._bar if entry is None else bar_after_entry(self._bar, entry)
        if ticket.is_at_market:
            return market_fill(bar, report.side, bps)
        if report.type is OrderType.LIMIT:
            return limit_fill(bar, report.side, _price(report.limit_price))
        stop = _price(report.stop_price)
        if report.type is OrderType.STOP:
            return stop_fill(bar, report.side, stop, bps)
        limit = _price(report.limit_price)
        result = stop_limit_fill(bar, report.side, stop, limit, bps, report.triggered)
        if result.triggered and not report.triggered and result.touch is None:
            self._elected[ticket.id] = ticket
        return result.touch

    def _has_target_in_reach(self, ticket: Ticket) -> bool:
        if _rank(ticket) != 1 or not ticket.is_group_exit:
            return False
        return any(
            limit_fill(self._bar, t.report.side, _price(t.report.limit_price)) is not None
            for t in self._desk.state.orders.group_of(ticket)
            if _is_target(t)
        )


def _rank(ticket: Ticket) -> int:
    if ticket.is_at_market:
        return 0
    return 2 if ticket.report.type is OrderType.LIMIT else 1


def _is_target(ticket: Ticket) -> bool:
    return ticket.report.type is OrderType.LIMIT and ticket.is_group_exit


def _price(price: Decimal | None) -> Decimal:
    """A price the order's type always has."""
    if price is None:
        msg = "an order without the price its type needs; the exchange admits none"
        raise ValueError(msg)
    return price
