"""A book on a hand-written market: the real hot store, the real exchange, day after day."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from goldenthread.adapters.broker.simulated import SimulatedBroker, SimulatedSettings
from goldenthread.adapters.hot_store.sqlite import SqliteHotStore
from goldenthread.domain.asset import ActionKind, Asset, AssetClass, CorporateAction
from goldenthread.domain.bar import Bar, FloatArray
from goldenthread.domain.order import Fill, OrderStatus, OrderType
from goldenthread.domain.policy import Gates, Policy
from goldenthread.domain.position import Position
from goldenthread.domain.signal import Candidate, Plan, Signal, TargetLevel
from goldenthread.domain.strategy import Side, Size, StrategyStatus
from goldenthread.positions.blotter import Blotter
from goldenthread.positions.execution import decided, dispatch, intend
from goldenthread.positions.gates import judge, order_candidates
from goldenthread.positions.lifecycle import advance, retire
from goldenthread.positions.reconciliation import Reconciled, reconcile
from goldenthread.positions.session import Session
from goldenthread.positions.sizing import Capacity
from goldenthread.positions.snapshot import Ledger, snapshot
from goldenthread.rules.splits import dividend_between, ratio_between, split_price

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from goldenthread.domain.account import AccountSnapshot, AccountState
    from goldenthread.ports.broker import Broker
    from goldenthread.ports.hot_store import Collection

D = Decimal
BOOK = "sim:test"
DAY = dt.timedelta(days=1)
CALM = "100 101 99 100"

AAPL = Asset(
    symbol="AAPL",
    asset_class=AssetClass.EQUITY,
    price_tick=D("0.01"),
    quantity_step=D(1),
    min_notional=D(1),
)
IBM = AAPL.model_copy(update={"symbol": "IBM"})
BTC = Asset(
    symbol="BTC/USD",
    asset_class=AssetClass.CRYPTO,
    price_tick=D("0.01"),
    quantity_step=D("0.000000001"),
    min_notional=D(10),
    shortable=False,
)
ASSETS = {asset.symbol: asset for asset in (AAPL, IBM, BTC)}
POLICY = Policy(
    gates=Gates(max_position_fraction=D(1), max_order_notional=D(1_000_000)), slippage_bps=D(0)
)


def day(number: int) -> dt.date:
    """The day ``number`` of 2024; 2-5, 8-12, 16-19 are New York sessions."""
    return dt.date(2024, 1, 1) + (number - 1) * DAY


@dataclass
class Market:
    """Bars and corporate actions written by hand; a bar is ``open high low close``."""

    bars: dict[tuple[str, dt.date], Bar] = field(default_factory=dict)
    actions: list[CorporateAction] = field(default_factory=list)

    def add(self, symbol: str, first: int, *prices: str) -> Market:
        """Itself with bars of consecutive dates from January ``first``; empty text is no bar."""
        for number, text in enumerate(prices, first):
            if text:
                opened, high, low, close = (D(price) for price in text.split())
                ds = day(number)
                self.bars[symbol, ds] = Bar(symbol, ds, opened, high, low, close, D(1000))
        return self

    def act(
        self, kind: ActionKind, symbol: str, number: int, ratio: str = "1", amount: str = "0"
    ) -> Market:
        """Itself with a corporate action effective on January ``number``."""
        known = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
        self.actions.append(
            CorporateAction(
                symbol=symbol,
                kind=kind,
                ex_ds=day(number),
                ratio=D(ratio),
                amount=D(amount),
                source="hand",
                known_at=known,
            )
        )
        return self

    def bar(self, symbol: str, ds: dt.date) -> Bar | None:
        """The bar of that date."""
        return self.bars.get((symbol, ds))

    def next_open(self, symbol: str, ds: dt.date) -> tuple[dt.date, Decimal] | None:
        """Date and open of the first bar after that date."""
        later = sorted(d for s, d in self.bars if s == symbol and d > ds)
        return (later[0], self.bars[symbol, later[0]].open) if later else None

    def ratio(self, symbol: str, ds: dt.date) -> Decimal:
        """The split of that date."""
        ratios = [a.ratio for a in self.actions if (a.symbol, a.ex_ds) == (symbol, ds)]
        return ratios[0] if ratios else D(1)

    def dividend(self, symbol: str, ds: dt.date) -> Decimal:
        """The dividend of that date."""
        return dividend_between([a for a in self.actions if a.symbol == symbol], ds - DAY, ds)

    def asset(self, symbol: str) -> Asset:
        """The asset."""
        return ASSETS[symbol]

    def last_close(self, symbol: str, ds: dt.date) -> Decimal | None:
        """The last close known on that date, in its units."""
        known = sorted(d for s, d in self.bars if s == symbol and d <= ds)
        if not known:
            return None
        mine = [a for a in self.actions if a.symbol == symbol]
        close = self.bars[symbol, known[-1]].close
        return split_price(close, ratio_between(mine, known[-1], ds))


def _scales(action: CorporateAction, fill: Fill, met: dt.date) -> bool:
    """Whether an exchange that stands at ``met`` has met a split after the execution."""
    return action.symbol == fill.symbol and fill.ds < action.ex_ds < met


class HandClock:
    """Wall time that passes when told."""

    def __init__(self) -> None:
        self._now = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)

    def now(self) -> dt.datetime:
        """The instant reached."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self._now += dt.timedelta(seconds=seconds)


@dataclass
class Rig:
    """One book; every ``run`` reads its state anew, as a process of its own would."""

    folder: Path
    market: Market
    policy: Policy = POLICY
    settings: SimulatedSettings = field(
        default_factory=lambda: SimulatedSettings("t", D(100_000), slippage_bps=D(0))
    )
    may_submit: frozenset[str] | None = None

    def __post_init__(self) -> None:
        self.clock = HandClock()
        self.reopen()
        self.exchange = SimulatedBroker(self.settings, self.market, None)
        self.broker: Broker = self.exchange
        self.last_ds: dt.date | None = None
        self.snapshots: list[AccountSnapshot] = []
        self.reconciled: Reconciled | None = None
        self.account: AccountState | None = None
        self.sent = 0

    def reopen(self) -> None:
        """Open the hot store as a new process would; one that was open is not closed."""
        self.store = SqliteHotStore(self.folder / "hot.db", BOOK, self.clock, synchronous="NORMAL")

    def blotter(self) -> Blotter:
        """The book as stored now; the lease of a run that died has expired."""
        self.clock.sleep(61)
        return Blotter(self.store, self.store.acquire("run", "test", 60))

    def session(self, ds: dt.date) -> Session:
        """What a run of ``ds`` knows."""
        closes = {s: c for s in ASSETS if (c := self.market.last_close(s, ds)) is not None}
        return Session(
            book=BOOK,
            ds=ds,
            now=dt.datetime.combine(ds + dt.timedelta(days=1), dt.time(0, 5), dt.UTC),
            policy=self.policy,
            assets=ASSETS,
            bars={s: b for s in ASSETS if (b := self.market.bar(s, ds)) is not None},
            closes=closes,
            actions=self.market.actions,
            last_ds=self.last_ds,
            may_submit=self.may_submit,
        )

    def run(
        self,
        number: int,
        *candidates: Candidate,
        rules: Sequence[str] = (),
        cancels: Sequence[str] = (),
        done: bool = True,
    ) -> list[Signal]:
        """The signals decided on January ``number``; rules and cancels name symbols."""
        session = self.session(day(number))
        blotter = self.blotter()
        self.reconciled = reconcile(session, blotter, self.broker)
        self.account = self.account or self.reconciled.account
        advance(
            session,
            blotter,
            {p.position_id: p.symbol in rules for p in blotter.positions.values()},
        )
        retire(
            session,
            blotter,
            self.broker,
            {s.signal_id: s.symbol in cancels for s in blotter.signals.values()},
        )
        signals: list[Signal] = []
        if not decided(session, blotter):
            capacity = Capacity.of(session, blotter, self.account)
            capacity.returns = unrelated_returns
            signals = judge(session, order_candidates(candidates), capacity)
        intend(session, blotter, signals)
        self.sent = dispatch(session, blotter, self.broker)
        if done:
            self._finish(session, blotter)
        self.store.release(blotter.lease)
        return signals

    def _finish(self, session: Session, blotter: Blotter) -> None:
        account, self.account = self.account, None
        assert account is not None
        closed = [p for p in self.positions() if p.status.is_final]
        ledger = Ledger(self.settings.start_cash).after(closed)
        previous = self.snapshots[-1] if self.snapshots else None
        self.snapshots.append(snapshot(session, blotter, account, previous, ledger))
        self.last_ds = session.ds

    def bare(self) -> dict[str, Decimal]:
        """What the exchange holds of each symbol without a stop or an exit order for it."""
        start, met = day(1), self.exchange.account().as_of.date()
        bare: dict[str, Decimal] = {}
        for fill in self.exchange.fills(start):
            later = [a.ratio for a in self.market.actions if _scales(a, fill, met)]
            shares = prod(later, start=fill.quantity)
            change = fill.side.sign * shares - fill.fee_quantity
            bare[fill.symbol] = bare.get(fill.symbol, D(0)) + change
        entering = set()
        for order in self.exchange.orders(start):
            if not order.status.is_open or order.status is OrderStatus.HELD:
                continue
            if "-entry" in order.client_order_id:
                entering.add(order.symbol)
            elif order.stop_price is not None or order.type is OrderType.MARKET:
                bare[order.symbol] += order.side.sign * (order.quantity - order.filled_quantity)
        return {s: quantity for s, quantity in bare.items() if quantity and s not in entering}

    def positions(self) -> list[Position]:
        """Every stored position, oldest first."""
        documents = self.store.query("live_positions")
        return [Position.model_validate(d.body) for d in documents]

    def position(self) -> Position:
        """The only stored position."""
        (found,) = self.positions()
        return found

    def signal(self) -> Signal:
        """The only stored live signal."""
        (document,) = self.store.query("live_signals")
        return Signal.model_validate(document.body)

    def orders(self) -> dict[str, str]:
        """Leg and attempt of every order of ours with its status, sorted."""
        found = self.store.query("order_intents")
        return {d.id.split("-", 2)[2]: d.body["status"] for d in found}

    def image(self) -> dict[str, Mapping[str, object]]:
        """Everything stored, for comparison."""
        collections: tuple[Collection, ...] = (
            "live_signals",
            "rejected_signals",
            "live_positions",
            "order_intents",
            "system_checks",
            "job_metadata",
        )
        return {f"{c}/{d.id}": d.body for c in collections for d in self.store.query(c)}


CALM_BARS = {
    symbol: Bar(symbol, day(2), D(100), D(101), D(99), D(100), D(1000)) for symbol in ASSETS
}


def unrelated_returns(symbol: str, n: int) -> FloatArray:
    """Daily returns that are a symbol's own."""
    return np.random.default_rng(list(symbol.encode())).normal(size=n)


def candidate(symbol: str, ds: int, plan: Plan | None, **more: object) -> Candidate:
    """An idea of the strategy ``s``; long and 1000 in cash unless told."""
    asset = ASSETS[symbol]
    return Candidate.model_validate(
        {
            "ds": day(ds),
            "strategy_id": "s",
            "version_key": "v",
            "symbol": symbol,
            "asset_class": asset.asset_class,
            "side": Side.LONG,
            "strategy_status": StrategyStatus.ACTIVE,
            "close": "100",
            "plan": plan,
            "size": Size(mode="cash", cash=D(1000)),
            "bars_digest": "b",
            **more,
        }
    )


def plan(
    entry: str = "100",
    stop: str = "90",
    targets: Sequence[tuple[str, str]] = (),
    **more: object,
) -> Plan:
    """A plan; market order and 20 bars unless told."""
    levels = tuple(TargetLevel(price=D(price), sell=D(sell)) for price, sell in targets)
    fields: dict[str, object] = {"order": "market", "max_bars": 20, **more}
    return Plan.model_validate({"entry": entry, "stop": stop, "targets": levels, **fields})
