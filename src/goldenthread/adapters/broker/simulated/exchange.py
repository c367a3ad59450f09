"""A broker inside this process: daily bars execute the orders, by the fill rules."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from typing import TYPE_CHECKING

from goldenthread.adapters.broker.answers import answer_to, limit_in_proportion
from goldenthread.adapters.broker.simulated.admission import Admission, buying_power
from goldenthread.adapters.broker.simulated.amendments import Amendment, amended, as_request
from goldenthread.adapters.broker.simulated.corporate import apply_split, pay_out_delisted
from goldenthread.adapters.broker.simulated.executions import Desk, Execution
from goldenthread.adapters.broker.simulated.matching import BarMatching
from goldenthread.adapters.broker.simulated.state import NEVER, Changes, ExchangeState
from goldenthread.adapters.broker.simulated.store import ExchangeStore, Synchronous
from goldenthread.adapters.broker.simulated.tickets import Ticket
from goldenthread.domain.account import AccountState, Holding
from goldenthread.domain.asset import AssetClass
from goldenthread.domain.errors import EngineRefusedError
from goldenthread.domain.order import OrderStatus, OrderType
from goldenthread.domain.strategy import Side
from goldenthread.rules.calendar import is_session
from goldenthread.rules.fills import Touch
from goldenthread.rules.rounding import round_stop
from goldenthread.rules.slippage import slipped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal
    from pathlib import Path

    from goldenthread.adapters.broker.simulated.settings import BarSource, SimulatedSettings
    from goldenthread.domain.order import Fill, OrderReport, OrderRequest, OrderSide
    from goldenthread.rules.ledger import Ledger

_NOT_FOUND = "40410000"
_UNPROCESSABLE = "42210000"
_DAY = dt.timedelta(days=1)


class SimulatedBroker:
    """The simulated exchange with one account; implements the port ``Broker``.

    It is the outside world: its own file (``path`` None: memory) is written in one transaction
    a call (``meet``: one a date), so a process killed anywhere finds it as a real broker would be.

    ``meet`` takes the dates in order, each once; an earlier date changes nothing, and a later
    one meets every date in between first. Of a date it pays the dividends, applies the splits, runs
    the working orders against the bars of their symbols, marks what is held at the closes, and
    charges what is borrowed there. Under ``paper`` nothing is paid or charged.

    A crypto market order submitted after ``meet(D)`` executes at once at the open of D+1 when
    the source knows that bar. Reports and ``fills`` show it at once; ``account`` counts it from
    ``meet(D+1)`` on, so that asked again after a restart it still answers as of D. Its buying
    power is what a new order may use now: it counts every open order and every execution.

    Not simulated: price collars, the 90 days after which Alpaca cancels a gtc order, fok and cls
    orders.
    """

    def __init__(
        self,
        settings: SimulatedSettings,
        bars: BarSource,
        path: Path | None = None,
        *,
        synchronous: Synchronous = "FULL",
    ) -> None:
        self._settings = settings
        self._bars = bars
        self._store = ExchangeStore(path, settings, synchronous)
        self._load()

    def meet(self, ds: dt.date) -> None:
        """See the port; idempotent, and in order whatever the caller skips."""
        while self._state.met < ds:
            jumps = self._state.met == NEVER or self._state.is_idle
            with self._transaction():
                self._meet(ds if jumps else self._state.met + _DAY)

    def account(self) -> AccountState:
        """See the port; as of the last date met."""
        return self._account(self._state.ledger)

    def account_now(self) -> AccountState:
        """The account with the executions ahead of the last date met, as its owner sees it."""
        return self._account(self._state.present)

    def submit(self, request: OrderRequest) -> tuple[OrderReport, ...]:
        """See the port; refusals carry Alpaca's codes."""
        known = self.find_order(request.client_order_id)
        if known:
            return known
        reserve = self._admission.admit(request)
        with self._transaction():
            reports = answer_to(request, OrderStatus.NEW, self._state.clock)
            tickets = [self._take(report, request, reserve) for report in reports]
            self._execute_at_once(tickets[0])
        return self.find_order(request.client_order_id)

    def replace(
        self, broker_order_id: str, client_order_id: str, stop_price: Decimal
    ) -> OrderReport:
        """See the port."""
        known = self._state.orders.find_client(client_order_id)
        if known is not None:
            return known.report
        report = self._find(broker_order_id).report
        if report.stop_price is None:
            msg = f"cannot replace {report.type} order in {report.status} state"
            raise EngineRefusedError(msg, _UNPROCESSABLE)
        limit = limit_in_proportion(report, stop_price)
        if limit is not None:
            side = Side.LONG if report.side.sign < 0 else Side.SHORT
            limit = round_stop(limit, self._bars.asset(report.symbol), side)
        return self.amend(broker_order_id, client_order_id, Amendment(None, limit, stop_price))

    def amend(self, broker_order_id: str, client_order_id: str, change: Amendment) -> OrderReport:
        """The order that took the place of an open one, with what ``change`` says changed.

        Raises:
            EngineRefusedError: The order is final, or the changed one would not be taken.
        """
        old = self._find(broker_order_id)
        ticket = amended(old, client_order_id, change, self._state.clock)
        reserve = self._admission.readmit(as_request(ticket), old)
        with self._transaction():
            today, number = self._state.clock.date(), self._state.orders.number + 1
            self._state.put(old.updated(today, status=OrderStatus.REPLACED))
            self._state.put(ticket.model_copy(update={"number": number, "reserve": reserve}))
        return ticket.report

    def cancel(self, broker_order_id: str) -> OrderReport:
        """See the port; the rest of a bracket or OCO is canceled with it."""
        ticket = self._find(broker_order_id)
        if not ticket.report.status.is_open:
            return ticket.report
        with self._transaction():
            return self._desk.cancel(ticket, self._state.clock.date()).report

    def find_order(self, client_order_id: str) -> tuple[OrderReport, ...]:
        """See the port; of a replaced leg only the replacement is given."""
        ticket = self._state.orders.find_client(client_order_id)
        if ticket is None:
            return ()
        return tuple(t.report for t in self._state.orders.with_legs(ticket))

    def orders(self, since: dt.date) -> list[OrderReport]:
        """See the port."""
        return [ticket.report for ticket in self._state.orders.since(since)]

    def tickets(self, since: dt.date) -> list[Ticket]:
        """The orders of ``orders`` as the exchange itself keeps them, in the order they came."""
        return sorted(self._state.orders.since(since), key=lambda ticket: ticket.number)

    def fills(self, since: dt.date) -> list[Fill]:
        """See the port."""
        return self._state.fills_since(since)

    def promised(self, symbol: str, side: OrderSide) -> Decimal:
        """How much of a holding its working exits on ``side`` may take."""
        return self._state.orders.promised(symbol, side)

    def close(self) -> None:
        """Let go of the file."""
        self._store.close()

    def _account(self, ledger: Ledger) -> AccountState:
        power = buying_power(self._state, self._settings)
        stakes = sorted(ledger.stakes.values())
        return AccountState(
            account_id=self._settings.account_id,
            as_of=self._state.clock,
            cash=ledger.cash,
            equity=ledger.equity,
            buying_power=power.equities,
            crypto_buying_power=power.crypto,
            initial_margin=sum((s.initial_margin for s in stakes), start=ledger.cash * 0),
            maintenance_margin=sum((s.maintenance_margin for s in stakes), start=ledger.cash * 0),
            long_value=ledger.long_value,
            short_value=ledger.short_value,
            payments=self._state.stated,
            holdings=tuple(
                Holding(
                    symbol=s.symbol,
                    quantity=s.quantity,
                    average_price=s.average_price,
                    market_price=s.mark,
                )
                for s in stakes
            ),
        )

    def _meet(self, ds: dt.date) -> None:
        self._state.reach(ds)
        ledger, pays = self._state.ledger, self._settings.profile == "live_like"
        for symbol in self._state.live_symbols():
            if pays:
                dividend = self._bars.dividend(symbol, ds)
                self._state.pay(ledger.pay_dividend(symbol, ds, dividend))
            ratio = self._bars.ratio(symbol, ds)
            if ratio != 1:
                apply_split(self._desk, symbol, ratio, ds)
            bar = self._bars.bar(symbol, ds)
            if bar is not None:
                BarMatching(self._desk, bar).run()
            close = self._bars.last_close(symbol, ds) if bar is None else bar.close
            if close is not None:  # a bar believed only later still tells what the stake is worth
                ledger.mark(symbol, close)
            if is_session(self._bars.asset(symbol).asset_class, ds):
                self._desk.end_session(symbol, ds)
                delisted = self._settings.delistings.get(symbol)
                if bar is None and delisted is not None and delisted <= ds:
                    pay_out_delisted(self._desk, symbol, ds)
                if pays:
                    self._state.pay(ledger.charge_borrow(symbol, ds))

    def _take(self, report: OrderReport, request: OrderRequest, reserve: Decimal) -> Ticket:
        return self._state.put(
            Ticket(
                report=report,
                number=self._state.orders.number + 1,
                asset_class=request.asset_class,
                time_in_force=request.time_in_force,
                order_class=request.order_class,
                reserve=reserve * 0 if report.parent_id else reserve,
                changed=self._state.clock.date(),
            )
        )

    def _execute_at_once(self, ticket: Ticket) -> None:
        """A crypto market order takes the open of the day that has just begun, when known."""
        is_crypto = ticket.asset_class is AssetClass.CRYPTO
        if not is_crypto or ticket.report.type is not OrderType.MARKET:
            return
        today = self._state.clock.date()
        found = self._bars.next_open(ticket.report.symbol, self._state.met)
        if found is None or found[0] != today or self._state.met == NEVER:
            return
        price = slipped(found[1], ticket.report.side, self._settings.slippage_bps)
        self._desk.execute(Execution(ticket, Touch(price, at_open=True, gapped=False), today))

    def _find(self, broker_order_id: str) -> Ticket:
        ticket = self._state.orders.find(broker_order_id)
        if ticket is None:
            msg = f"order not found for {broker_order_id}"
            raise EngineRefusedError(msg, _NOT_FOUND)
        return ticket

    def _load(self) -> None:
        self._state = ExchangeState(self._store.load(), self._bars)
        self._desk = Desk(self._state, self._settings, self._bars)
        self._admission = Admission(self._state, self._settings, self._bars)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Write what the block changed; when it fails, go back to what is written."""
        self._state.changes = Changes()
        written = False
        try:
            yield
            self._store.save(self._state.met, self._state.ledger, self._state.changes)
            written = True
        finally:
            if not written:
                self._load()
