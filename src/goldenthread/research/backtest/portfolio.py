"""The account through time: shared cash, gates and sizing, one date after the other."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from goldenthread.domain.account import AccountSnapshot, AccountState
from goldenthread.domain.position import Position
from goldenthread.domain.signal import Signal, SignalStatus
from goldenthread.domain.strategy import Side
from goldenthread.domain.trade import Trade
from goldenthread.market.bars import paired_returns, sessions_missed
from goldenthread.positions.execution import opening
from goldenthread.positions.gates import judge
from goldenthread.positions.session import Stops
from goldenthread.positions.sizing import Capacity
from goldenthread.positions.snapshot import Ledger as Totals
from goldenthread.positions.snapshot import snapshot
from goldenthread.research.backtest.path import Reel, Terms, path_of, reel_of
from goldenthread.research.backtest.ride import Ride
from goldenthread.rules.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from goldenthread.domain.asset import AssetClass
    from goldenthread.positions.session import Session
    from goldenthread.research.backtest.decisions import Decisions, Rule
    from goldenthread.research.backtest.setup import Setup

_DAY = dt.timedelta(days=1)
_AFTER = dt.timedelta(days=14)
"""How far past the last date bars are read: coins bought after it execute at the next open."""
_FORBIDDEN = "40310000"
BROKER_REFUSED = "BROKER_REFUSED"
_ENDS = {"CANCEL_IF": SignalStatus.INVALIDATED}


class Booked(NamedTuple):
    """A closed position with its signal and trade."""

    position: Position
    signal: Signal
    trade: Trade


@dataclass
class Outcome:
    """What a walk through the dates left: every signal at its end, or as it stands."""

    trades: list[Booked] = field(default_factory=list)
    rejected: list[Signal] = field(default_factory=list)
    expired: list[Signal] = field(default_factory=list)
    snapshots: list[AccountSnapshot] = field(default_factory=list)
    live: list[Ride] = field(default_factory=list)


class Live:
    """What the account holds and waits for, as gates and snapshot look at it."""

    def __init__(self, rides: Iterable[Ride]) -> None:
        rides = list(rides)
        self.positions = {r.signal.signal_id: r.position for r in rides}
        self.signals = {r.signal.signal_id: r.signal for r in rides}
        self.frozen: dict[str, str] = {}

    def stops(self) -> Stops:
        """None: a backtest has no operator."""
        return Stops()


class Portfolio:
    """One account over the dates of a setup; ``run`` walks them in order.

    Of a date it does what `app/day.py` does, in the same order: what was executed is booked and
    marked, the account is looked at, waiting entries end, the strategies decide, all gates are
    asked, and what was accepted is sent. Paths are known from bars alone, so that the walk only
    moves cash, holdings and marks.
    """

    def __init__(self, setup: Setup, decisions: Decisions) -> None:
        self._setup = setup
        self._decisions = decisions
        self._ledger = Ledger(setup.account.start_cash)
        self._rides: dict[str, Ride] = {}
        self._totals = Totals(setup.account.start_cash)
        self._last_exits: dict[tuple[str, str], dt.date] = {}
        self._found = Outcome()
        self._reels: dict[str, Reel] = {}

    def run(self, progress: Callable[[int, int], None]) -> Outcome:
        """Everything the dates brought."""
        setup = self._setup
        total = (setup.last - setup.first).days + 1
        for number in range(total):
            self._meet(setup.first + number * _DAY)
            progress(number + 1, total)
        self._found.live = list(self._rides.values())
        return self._found

    def _meet(self, ds: dt.date) -> None:
        candidates = self._decisions.candidates(ds)
        symbols = {
            *(c.symbol for c in candidates),
            *(r.signal.symbol for r in self._rides.values()),
        }
        session = self._setup.session(ds, symbols)
        self._execute(session)
        account = self._account(session)
        self._settle(session)
        capacity = self._capacity(session, account)
        for signal in judge(session, candidates, capacity):
            self._accept(session, signal)
        self._send(session)
        self._remember(session, account)

    def _execute(self, session: Session) -> None:
        """Dividends, splits, executions, marks and borrow of the date, symbol by symbol."""
        ds, pays = session.ds, self._setup.policy.profile == "live_like"
        for ride in sorted(self._rides.values(), key=lambda r: r.signal.symbol):
            symbol = ride.signal.symbol
            if pays:
                dividend = self._setup.market.dividend(symbol, ds)
                ride.pay(self._ledger.pay_dividend(symbol, ds, dividend))
            if ride.position.split_factor != 1 or symbol in session.splits:
                ratio = self._setup.market.ratio(symbol, session.ds)
                if ratio != 1:
                    step = session.asset(symbol).quantity_step
                    self._ledger.split(symbol, ratio, step)
                    ride.split(session)
            for fill in ride.fills_on(session.ds):
                self._ledger.book(fill, ride.signal.asset_class)
            ride.take(session)
            if symbol in session.closes:
                self._ledger.mark(symbol, session.closes[symbol])
            if pays and session.meets(symbol):
                ride.pay(self._ledger.charge_borrow(symbol, ds))

    def _account(self, session: Session) -> AccountState:
        ledger = self._ledger
        stakes = ledger.stakes.values()
        waiting = [
            w for r in self._rides.values() if not self._is_void(r, session) for w in r.reserved()
        ]
        power = ledger.buying_power(waiting, self._setup.account.multiplier)
        return AccountState(
            account_id="SIM-backtest",
            as_of=session.now,
            cash=ledger.cash,
            equity=ledger.equity,
            buying_power=power.equities,
            crypto_buying_power=power.crypto,
            initial_margin=sum((s.initial_margin for s in stakes), Decimal(0)),
            maintenance_margin=sum((s.maintenance_margin for s in stakes), Decimal(0)),
            long_value=ledger.long_value,
            short_value=ledger.short_value,
        )

    def _is_void(self, ride: Ride, session: Session) -> bool:
        """Whether the exchange itself ended the waiting entry on this date."""
        return ride.path.ended == session.ds and ride.path.end_reason == "BROKER_CANCELED"

    def _settle(self, session: Session) -> None:
        """Book what closed, let bars be seen by what is held, end what waited in vain."""
        for name, ride in list(self._rides.items()):
            done = ride.booked(session.ds)
            if done is not None:
                self._close(Booked(*done))
            elif ride.path.ended == session.ds:
                self._expire(ride, session.ds)
            else:
                ride.observe(session)
                continue
            del self._rides[name]

    def _close(self, booked: Booked) -> None:
        position, trade = booked.position, booked.trade
        self._found.trades.append(booked)
        self._last_exits[position.strategy_id, position.symbol] = trade.exit_ds
        self._totals = self._totals.after([position])

    def _expire(self, ride: Ride, ds: dt.date) -> None:
        reason = ride.path.end_reason
        status = _ENDS.get(reason, SignalStatus.EXPIRED)
        ended = {"status": status, "ended_ds": ds, "end_reason": reason}
        self._found.expired.append(ride.signal.model_copy(update=ended))

    def _capacity(self, session: Session, account: AccountState) -> Capacity:
        capacity = Capacity.of(session, Live(self._rides.values()), account)
        bars, ds = self._setup.market.bars, session.ds
        if self._found.snapshots:
            capacity.peak_equity = self._found.snapshots[-1].peak_equity
            capacity.previous_equity = self._found.snapshots[-1].equity
        capacity.last_exits = self._last_exits
        capacity.stale = {symbol: sessions_missed(bars, symbol, ds) for symbol in session.bars}
        capacity.returns = lambda symbol, n: paired_returns(bars, symbol, ds, n)
        return capacity

    def _accept(self, session: Session, signal: Signal) -> None:
        """Keep a judged signal: refused for good, or accepted and not sent yet."""
        if signal.status is not SignalStatus.WAITING or signal.plan is None:
            self._found.rejected.append(signal)
            return
        position, *intents = opening(session, signal, signal.plan)
        path = path_of(signal, signal.plan, self._terms(signal))
        requests = [intent.request for intent in intents]
        self._rides[signal.signal_id] = Ride.of(signal, position, path, requests)

    def _terms(self, signal: Signal) -> Terms:
        def holds(rule: Rule) -> Callable[[dt.date], bool]:
            return lambda ds: self._decisions.holds(signal.version_key, rule, signal.symbol, ds)

        if signal.symbol not in self._reels:
            market, first = self._setup.market, self._setup.first
            upto = self._setup.last + _AFTER
            self._reels[signal.symbol] = reel_of(market, signal.symbol, first, upto)
        return Terms(self._reels[signal.symbol], self._setup.policy, holds("exit"), holds("cancel"))

    def _send(self, session: Session) -> None:
        """Send the entries in order; the exchange refuses what the account cannot carry now."""
        new = [r for r in self._rides.values() if r.signal.ds == session.ds]
        if not new:
            return
        tomorrow = session.ds + _DAY
        present, waiting = self._ledger.copy(), []
        for ride in self._rides.values():
            if ride.signal.ds < session.ds:
                waiting += ride.reserved()
                for fill in ride.ahead_on(tomorrow):
                    present.book(fill, ride.signal.asset_class)
        for ride in new:
            if not self._is_taken(ride, present, waiting):
                self._refuse(ride, session.ds)
            elif ahead := ride.ahead_on(tomorrow):
                for fill in ahead:
                    present.book(fill, ride.signal.asset_class)
            else:
                waiting += ride.reserved()

    def _is_taken(
        self, ride: Ride, present: Ledger, waiting: list[tuple[AssetClass, Decimal]]
    ) -> bool:
        """Whether the account can carry the entry as it stands after what was sent before it."""
        power = present.buying_power(waiting, self._setup.account.multiplier)
        asset = self._setup.market.assets[ride.signal.symbol]
        may_short = asset.shortable or ride.signal.side is Side.LONG
        cost = sum((worth for _, worth in ride.reserved()), Decimal(0))
        return may_short and cost <= power.of(ride.signal.asset_class)

    def _refuse(self, ride: Ride, ds: dt.date) -> None:
        refused = {
            "status": SignalStatus.REJECTED,
            "ended_ds": ds,
            "end_reason": BROKER_REFUSED,
            "broker_code": _FORBIDDEN,
            "rejection_reason": BROKER_REFUSED,
            "rejection_reasons": (BROKER_REFUSED,),
        }
        self._found.rejected.append(ride.signal.model_copy(update=refused))
        del self._rides[ride.signal.signal_id]

    def _remember(self, session: Session, account: AccountState) -> None:
        last = self._found.snapshots[-1] if self._found.snapshots else None
        live = Live(self._rides.values())
        self._found.snapshots.append(snapshot(session, live, account, last, self._totals))
