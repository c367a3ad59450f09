"""What an execution, a cancel or an expiry does to an order and its group."""

from __future__ import annotations

import datetime as dt
import hashlib
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from goldenthread.adapters.broker.answers import name_of
from goldenthread.adapters.broker.simulated.tickets import Ticket
from goldenthread.domain.account import money
from goldenthread.domain.order import (
    Fill,
    OrderClass,
    OrderStatus,
    OrderType,
    TimeInForce,
)
from goldenthread.rules.calendar import session_close, session_open
from goldenthread.rules.fees import FeeQuery, fee_for
from goldenthread.rules.fills import Touch
from goldenthread.rules.rounding import round_quantity

if TYPE_CHECKING:
    from goldenthread.adapters.broker.simulated.settings import BarSource, SimulatedSettings
    from goldenthread.adapters.broker.simulated.state import ExchangeState
    from goldenthread.domain.asset import Asset

_ONE_SHOT = frozenset({TimeInForce.IOC, TimeInForce.OPG})
_DRAWS = 2**64


class Execution(NamedTuple):
    """A touch of one order on one date; ``ambiguous`` when its target was in reach too."""

    ticket: Ticket
    touch: Touch
    ds: dt.date
    ambiguous: bool = False


class Desk:
    """Executes orders against the state of one account."""

    def __init__(self, state: ExchangeState, settings: SimulatedSettings, bars: BarSource) -> None:
        self.state = state
        self.settings = settings
        self.bars = bars

    def execute(self, execution: Execution) -> Ticket:
        """Fill the order, or the part of it the seed allows; the order afterwards."""
        ticket, _, ds, _ = execution
        asset = self.bars.asset(ticket.report.symbol)
        fill = self.state.record(self._fill(execution, asset))
        report = ticket.report
        filled = report.filled_quantity + fill.quantity
        cost = (report.average_price or Decimal(0)) * report.filled_quantity + fill.notional
        after = ticket.updated(
            ds,
            filled_quantity=filled,
            average_price=money(cost / filled),
            triggered=report.type in {OrderType.STOP, OrderType.STOP_LIMIT},
            status=self._status(ticket, filled),
        ).model_copy(update={"executions": fill.fill_no, "last_run": ds})
        self.state.put(after)
        self._carry_to_group(after, fill.quantity, ds)
        return after

    def trigger(self, ticket: Ticket, ds: dt.date) -> Ticket:
        """Remember that the stop of a stop_limit was crossed."""
        return self.state.put(ticket.updated(ds, triggered=True))

    def cancel(self, ticket: Ticket, ds: dt.date) -> Ticket:
        """Cancel the order and whatever of its group is still open; the order afterwards."""
        for member in self.state.orders.group_of(ticket):
            self.state.put(member.updated(ds, status=OrderStatus.CANCELED))
        return self.state.orders.find(ticket.id) or ticket

    def end_session(self, symbol: str, ds: dt.date) -> None:
        """Expire day orders of the symbol; cancel what only the open could execute."""
        for ticket in self.state.orders.open_of(symbol):
            if ticket.time_in_force is TimeInForce.GTC or not ticket.is_working:
                continue
            one_shot = ticket.time_in_force in _ONE_SHOT
            status = OrderStatus.CANCELED if one_shot else OrderStatus.EXPIRED
            self._end_group(ticket, status, ds)

    def _end_group(self, ticket: Ticket, status: OrderStatus, ds: dt.date) -> None:
        for member in self.state.orders.group_of(ticket):
            self.state.put(member.updated(ds, status=status))

    def _fill(self, execution: Execution, asset: Asset) -> Fill:
        ticket, touch, ds, ambiguous = execution
        report = ticket.report
        quantity = self._quantity(ticket, ds, asset)
        maker = report.type is OrderType.LIMIT and not touch.at_open
        query = FeeQuery(
            asset.asset_class, report.side, quantity, touch.price, ds, self.settings.profile, maker
        )
        fee = fee_for(query)
        named = {"AT_OPEN": touch.at_open, "GAPPED": touch.gapped, "AMBIGUOUS_BAR": ambiguous}
        instant = session_open if touch.at_open else session_close
        return Fill(
            execution_id=name_of(ticket.id, str(ticket.executions + 1)),
            broker_order_id=ticket.id,
            fill_no=ticket.executions + 1,
            symbol=report.symbol,
            side=report.side,
            quantity=quantity,
            price=touch.price,
            fee=fee.quote,
            fee_quantity=fee.coin,
            ds=ds,
            filled_at=instant(asset.asset_class, ds),
            flags=tuple(flag for flag, holds in named.items() if holds),
        )

    def _quantity(self, ticket: Ticket, ds: dt.date, asset: Asset) -> Decimal:
        """All that remains, or by the seed's draw for this order and date a part of it."""
        if not self.settings.partial_probability:
            return ticket.remaining
        draw = hashlib.sha256(f"{self.settings.seed}|{ticket.id}|{ds}".encode()).digest()
        if int.from_bytes(draw[:8], "big") >= self.settings.partial_probability * _DRAWS:
            return ticket.remaining
        share = Decimal(int.from_bytes(draw[8:16], "big")) / _DRAWS
        part = round_quantity(ticket.remaining * share, asset)
        return min(max(part, asset.quantity_step), ticket.remaining)

    def _status(self, ticket: Ticket, filled: Decimal) -> OrderStatus:
        if filled >= ticket.report.quantity:
            return OrderStatus.FILLED
        if ticket.time_in_force in _ONE_SHOT:
            return OrderStatus.CANCELED
        return OrderStatus.PARTIALLY_FILLED

    def _carry_to_group(self, ticket: Ticket, quantity: Decimal, ds: dt.date) -> None:
        """Let a complete entry wake its legs, and one exit of a pair shrink or end the other."""
        if ticket.order_class is OrderClass.SIMPLE:
            return
        complete = not ticket.report.status.is_open
        for other in self.state.orders.group_of(ticket):
            if other.id == ticket.id:
                continue
            if ticket.is_group_exit and not complete:
                rest = other.report.quantity - quantity
                self.state.put(other.updated(ds, quantity=rest))
            elif complete:
                status = OrderStatus.CANCELED if ticket.is_group_exit else OrderStatus.NEW
                self.state.put(other.updated(ds, status=status))
