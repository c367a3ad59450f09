"""The exchange's memory: orders, executions, payments, ledger and the last date met."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from goldenthread.adapters.broker.simulated.tickets import OrderBook, Ticket
from goldenthread.domain.order import Fill, OrderSide
from goldenthread.rules.ledger import Ledger, Stake, cash_effect

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from goldenthread.adapters.broker.simulated.settings import BarSource
    from goldenthread.domain.account import Payment

NEVER = dt.date(1970, 1, 1)
"""The last date met before the first one."""

_RUN_STARTS = dt.time(0, 5, tzinfo=dt.UTC)
_STATED = dt.timedelta(days=31)
"""How far back an account states its payments: longer than anybody forgets to run."""


@dataclass
class Remembered:
    """The exchange as a store keeps it; ``fills`` and ``payments`` in the order of events."""

    met: dt.date
    cash: Decimal
    tickets: Sequence[Ticket] = ()
    fills: Sequence[Fill] = ()
    payments: Sequence[Payment] = ()
    stakes: Sequence[Stake] = ()


@dataclass
class Changes:
    """What one call changed: the rows to write, and nothing else."""

    tickets: dict[str, Ticket] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)


class ExchangeState:
    """Everything the exchange knows, as of the last date met, and what is already ahead of it.

    A crypto market order executes at the open of the day after the last one met, as soon as it
    is submitted. Such an execution is *ahead*: reports and fills show it at once, and checks
    of quantity and buying power count it (``present``); cash and holdings do so from the
    ``meet`` that reaches its date, so that an account asked again after a restart still
    answers as of the day it was asked for.
    """

    def __init__(self, remembered: Remembered, bars: BarSource) -> None:
        self._bars = bars
        self.met = remembered.met
        self.orders = OrderBook(remembered.tickets)
        self.fills = list(remembered.fills)
        self.payments = list(remembered.payments)
        self.ledger = Ledger(remembered.cash, {s.symbol: s for s in remembered.stakes})
        self.changes = Changes()
        self._ahead = [f for f in self.fills_since(self.met) if f.ds > self.met]

    @property
    def clock(self) -> dt.datetime:
        """00:05 UTC after the last date met, when a run of that date starts."""
        return dt.datetime.combine(self.met + dt.timedelta(days=1), _RUN_STARTS)

    @property
    def is_idle(self) -> bool:
        """Whether no date can change anything: no stake, no open order, nothing ahead."""
        return not (self.ledger.stakes or self._ahead or self.orders.open_symbols())

    @property
    def present(self) -> Ledger:
        """The ledger with what is ahead of it; a copy unless nothing is."""
        if not self._ahead:
            return self.ledger
        present = self.ledger.copy()
        for fill in self._ahead:
            present.book(fill, self._bars.asset(fill.symbol).asset_class)
        return present

    def live_symbols(self) -> list[str]:
        """The symbols with a stake or an open order, sorted."""
        return sorted(self.orders.open_symbols() | self.ledger.stakes.keys())

    def put(self, ticket: Ticket) -> Ticket:
        """Remember a ticket's new state; given back."""
        self.orders.put(ticket)
        self.changes.tickets[ticket.id] = ticket
        return ticket

    def record(self, fill: Fill) -> Fill:
        """Remember an execution, with NEGATIVE_CASH when it spent more than there was."""
        if fill.side is OrderSide.BUY and self.present.cash + cash_effect(fill) < 0:
            fill = fill.model_copy(update={"flags": (*fill.flags, "NEGATIVE_CASH")})
        self.fills.append(fill)
        self.changes.fills.append(fill)
        if fill.ds > self.met:
            self._ahead.append(fill)
        else:
            self.ledger.book(fill, self._bars.asset(fill.symbol).asset_class)
        return fill

    def pay(self, payment: Payment | None) -> None:
        """Remember what the ledger paid or was charged, if anything."""
        if payment is not None:
            self.payments.append(payment)
            self.changes.payments.append(payment)

    @property
    def stated(self) -> tuple[Payment, ...]:
        """The payments an account states."""
        since = bisect_left(self.payments, self.met - _STATED, key=lambda p: p.ds)
        return tuple(self.payments[since:])

    def reach(self, ds: dt.date) -> None:
        """Let ``ds`` be the last date met, and book what was ahead up to it."""
        self.met = ds
        due = [f for f in self._ahead if f.ds <= ds]
        self._ahead = [f for f in self._ahead if f.ds > ds]
        for fill in due:
            self.ledger.book(fill, self._bars.asset(fill.symbol).asset_class)

    def fills_since(self, ds: dt.date) -> list[Fill]:
        """Executions with a date from ``ds`` on, oldest first."""
        late = self.fills[bisect_left(self.fills, ds, key=lambda f: f.ds) :]
        return sorted(late, key=lambda f: f.filled_at)
