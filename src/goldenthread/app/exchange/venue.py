"""One account on one simulated exchange, with the past and the events Alpaca shows of it."""

from __future__ import annotations

import datetime as dt
from bisect import insort
from typing import TYPE_CHECKING, NamedTuple

from goldenthread.adapters.alpaca.activities import charges_json, dividend_json, fill_json
from goldenthread.adapters.alpaca.values import Json
from goldenthread.adapters.broker.answers import name_of
from goldenthread.adapters.broker.simulated import SimulatedBroker, SimulatedSettings
from goldenthread.app.exchange.journal import Journal
from goldenthread.domain.errors import EngineRefusedError, UsageError
from goldenthread.domain.order import Fill, OrderReport, OrderSide, OrderStatus, OrderType
from goldenthread.rules.calendar import is_session, session_close

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from goldenthread.adapters.broker.simulated.amendments import Amendment
    from goldenthread.adapters.broker.simulated.tickets import Ticket
    from goldenthread.app.exchange.journal import Entry, Event
    from goldenthread.app.exchange.market import ExchangeMarket
    from goldenthread.app.exchange.terms import ExchangeTerms
    from goldenthread.domain.account import AccountState
    from goldenthread.domain.order import OrderRequest

_DAY = dt.timedelta(days=1)
_RUN_STARTS = dt.time(0, 5, tzinfo=dt.UTC)
_FURTHEST = dt.date(2060, 12, 30)
"""The last date the trading calendar lets an exchange meet."""


class _Fee(NamedTuple):
    """The fee of an execution, not posted before ``due``."""

    due: dt.date
    fill: Fill
    late: bool


class Activity(NamedTuple):
    """An execution, a fee or a dividend, and when it became known."""

    at: dt.datetime
    row: Json


class Venue:
    """The engine, its journal, and whoever listens to its events.

    ``met`` is the last date met; the clock stands at 00:05 UTC of the next. Fees of executions
    from now on are posted ``fee_delay`` dates later than they were charged.
    """

    def __init__(self, market: ExchangeMarket, terms: ExchangeTerms) -> None:
        self.market = market
        self.terms = terms
        self.journal = Journal()
        self.listeners: list[Callable[[Event], None]] = []
        self.fee_delay = 0
        self.activities: list[Activity] = []
        self._payouts: set[str] = set()
        self._unposted: list[_Fee] = []
        self.broker = SimulatedBroker(_settings(market, terms), market.source)
        self.met = terms.start or market.first
        self.broker.meet(self.met)
        self.last_equity = self.account().equity

    @property
    def clock(self) -> dt.datetime:
        """00:05 UTC after the last date met."""
        return dt.datetime.combine(self.met + _DAY, _RUN_STARTS)

    def account(self) -> AccountState:
        """The account as its owner sees it now."""
        return self.broker.account_now()

    def advance(self, ds: dt.date) -> list[Event]:
        """Meet every date up to ``ds``; earlier dates change nothing.

        Raises:
            UsageError: ``ds`` is beyond the trading calendar.
        """
        if ds > _FURTHEST:
            msg = f"cannot advance to {ds}: the trading calendar ends on {_FURTHEST}"
            raise UsageError(msg)
        events: list[Event] = []
        while self.met < ds:
            self.last_equity = self.broker.account().equity
            self.met += _DAY
            self.broker.meet(self.met)
            events += self._happened(self._in_session)
            self._post_fees()
            self._post_dividends()
        return events

    def submit(self, request: OrderRequest) -> Entry:
        """The order taken.

        Raises:
            EngineRefusedError: As the engine says, or the client order id is known.
        """
        self._must_be_new(request.client_order_id)
        self.broker.submit(request)
        self._happened(self._now)
        return self._known(request.client_order_id)

    def amend(self, order_id: str, client_order_id: str, change: Amendment) -> Entry:
        """The order that took the place of another.

        Raises:
            EngineRefusedError: As the engine says, or the client order id is known.
        """
        self._must_be_new(client_order_id)
        self.broker.amend(order_id, client_order_id, change)
        self._happened(self._now)
        return self._known(client_order_id)

    def cancel(self, order_id: str) -> None:
        """Cancel the order and the rest of its group."""
        self.broker.cancel(order_id)
        self._happened(self._now)

    def next_name(self) -> str:
        """A client order id for an order that came without one."""
        return name_of("client", str(len(self.journal.entries)))

    def held(self, symbol: str) -> Decimal:
        """How much of a symbol the account holds, negative when short."""
        holdings = self.account().holdings
        found = [h.quantity for h in holdings if h.symbol == symbol]
        return found[0] if found else self.terms.cash * 0

    def promised(self, symbol: str) -> Decimal:
        """How much of a holding its exits may take, as a positive number."""
        side = OrderSide.SELL if self.held(symbol) > 0 else OrderSide.BUY
        return self.broker.promised(symbol, side)

    def release_fees(self) -> int:
        """Post every fee held back; how many there were."""
        released = len(self._unposted)
        self._unposted = [fee._replace(due=self.met) for fee in self._unposted]
        self._post_fees()
        return released

    def _must_be_new(self, client_order_id: str) -> None:
        if self.journal.find_client(client_order_id) is not None:
            message = "client_order_id must be unique"
            raise EngineRefusedError(message, "40010001")

    def _known(self, client_order_id: str) -> Entry:
        entry = self.journal.find_client(client_order_id)
        if entry is None:
            msg = f"order {client_order_id} was taken but is not in the journal"
            raise KeyError(msg)
        return entry

    def _happened(self, when: Callable[[Ticket], dt.datetime]) -> list[Event]:
        """Everything that is new since the last call, told to the listeners."""
        tickets, fills = self.broker.tickets(self.met), self.broker.fills(self.met)
        events = self.journal.take(tickets, fills, when)
        executed = {e.fill.execution_id: e.entry.report for e in events if e.fill is not None}
        for fill in fills:  # in the order they were executed
            if fill.execution_id in executed:
                self._book(fill, executed[fill.execution_id])
            elif self.journal.find(fill.broker_order_id) is None:
                self._book_payout(fill)
        self._post_fees()
        for event in events:
            for tell in self.listeners:
                tell(event)
        return events

    def _book(self, fill: Fill, report: OrderReport) -> None:
        before = report.filled_quantity - fill.quantity
        self._note(fill.filled_at, fill_json(fill, report, before))
        delay = self.fee_delay
        self._unposted.append(_Fee(fill.ds + delay * _DAY, fill, late=delay > 0))

    def _book_payout(self, fill: Fill) -> None:
        """Cash for a fraction a split left, or for a delisted holding: nobody's order."""
        if fill.execution_id in self._payouts:
            return
        self._payouts.add(fill.execution_id)
        paid = OrderReport(
            broker_order_id=fill.broker_order_id,
            client_order_id=fill.broker_order_id,
            symbol=fill.symbol,
            side=fill.side,
            type=OrderType.MARKET,
            status=OrderStatus.FILLED,
            quantity=fill.quantity,
            filled_quantity=fill.quantity,
            submitted_at=fill.filled_at,
        )
        self._book(fill, paid)

    def _post_fees(self) -> None:
        """Fees are posted with their execution, or at the clock when they were held back."""
        for due, fill, late in self._unposted:
            if due <= max(self.met, fill.ds):
                posted_at = self.clock if late else fill.filled_at
                for row in charges_json(fill, posted_at):
                    self._note(posted_at, row)
        self._unposted = [fee for fee in self._unposted if fee.due > max(self.met, fee.fill.ds)]

    def _post_dividends(self) -> None:
        """Those of the date just met; Alpaca posts a dividend weeks later, when it is paid."""
        for payment in self.broker.account().payments:
            if payment.ds == self.met and payment.kind == "DIVIDEND":
                self._note(self.clock, dividend_json(payment, self.clock))

    def _note(self, at: dt.datetime, row: Json) -> None:
        """Activities of one instant stay in the order they happened."""
        insort(self.activities, Activity(at, row), key=lambda activity: activity.at)

    def _now(self, _ticket: Ticket) -> dt.datetime:
        return self.clock

    def _in_session(self, ticket: Ticket) -> dt.datetime:
        """The close of the session just met, for what the market did to an order."""
        if is_session(ticket.asset_class, self.met):
            return session_close(ticket.asset_class, self.met)
        return self.clock


def _settings(market: ExchangeMarket, terms: ExchangeTerms) -> SimulatedSettings:
    return SimulatedSettings(
        account_id=terms.account_id,
        start_cash=terms.cash,
        profile=terms.profile,
        slippage_bps=terms.slippage_bps,
        seed=terms.seed,
        partial_probability=terms.partial_probability,
        multiplier=terms.multiplier,
        delistings=market.delistings(),
    )
