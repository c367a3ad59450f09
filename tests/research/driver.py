"""One signal traded through the simulated exchange, its exits managed as DESIGN section 5 says.

A second, independent telling of the rules: it knows orders and executions, not bars against
levels, and takes its profit from the account's cash.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from adapters.broker.market import D, settings
from goldenthread.adapters.broker.simulated import SimulatedBroker
from goldenthread.domain.asset import AssetClass
from goldenthread.domain.order import (
    Fill,
    OrderClass,
    OrderRequest,
    OrderSide,
    OrderStatus,
    OrderType,
)
from goldenthread.domain.strategy import Side
from goldenthread.rules.calendar import sessions
from goldenthread.rules.fills import StopQuery, StopSource, protective_limit, tightened_stop
from goldenthread.rules.rounding import (
    round_entry,
    round_stop,
    round_target,
    tranche_quantities,
)
from goldenthread.rules.splits import split_price, split_quantity

if TYPE_CHECKING:
    from goldenthread.domain.bar import Bar
    from research.histories import History

CASH = D(10**9)
KINDS = {"market": OrderType.MARKET, "limit": OrderType.LIMIT, "stop": OrderType.STOP}


class Traded(NamedTuple):
    """What the exchange did; ``reason`` is empty while something is held or nothing was."""

    fills: list[Fill]
    reason: str
    net_pnl: Decimal | None


class Driver:
    """Trades one history; ``run`` gives back what happened."""

    def __init__(self, history: History, *, at_market: bool = False) -> None:
        plan = history.signal.plan
        assert plan is not None
        if at_market:
            plan = plan.model_copy(update={"order": "market", "valid_bars": 1000})
        self.history, self.plan = history, plan
        self.asset, self.side = history.asset, history.signal.side
        self.managed = self.asset.asset_class is AssetClass.CRYPTO
        policy = history.policy
        terms = {"profile": policy.profile, "slippage_bps": policy.slippage_bps}
        self.broker = SimulatedBroker(settings(start_cash=CASH, **terms), history.market)
        self.buy, self.sell = OrderSide.BUY, OrderSide.SELL
        if self.side is Side.SHORT:
            self.buy, self.sell = self.sell, self.buy
        self.stop, self.trail = plan.stop, plan.trail
        self.source: StopSource = "STOP"
        self.targets = [t.price for t in plan.targets]
        sells = [t.sell for t in plan.targets]
        quantity = history.signal.planned_quantity
        self.parts = list(tranche_quantities(quantity, sells, self.asset.quantity_step))
        self.touched = [False] * len(self.targets)
        self.reasons: dict[str, str] = {}
        self.bars_held = self.keys = 0
        self.best: Decimal | None = None
        self.due, self.due_key = "", ""
        self.stop_key = ""
        self.ratio = D(1)
        self.fill_ratios: list[Decimal] = []

    def run(self) -> Traded:
        start = self.history.signal.ds
        self.broker.meet(start)
        self.enter()
        later = sessions(self.asset.asset_class, start + dt.timedelta(days=1), self.history.upto)
        for number, ds in enumerate(later, 1):
            self.broker.meet(ds)
            self.day(ds, self.history.market.bar(self.asset.symbol, ds))
            if self.entered(ds) and not self.held():
                break
            if not self.entered(ds) and number >= self.plan.valid_bars:
                self.cancel_all()
                break
        fills = self.broker.fills(start)
        while len(self.fill_ratios) < len(fills):
            self.fill_ratios.append(self.ratio)
        if not fills or self.held():
            return Traded(fills, "", None)
        flags = fills[-1].flags
        reason = "SPLIT_CASH" if "SPLIT_CASH" in flags else self.reasons[fills[-1].broker_order_id]
        return Traded(fills, reason, self.broker.account().cash - CASH)

    def day(self, ds: dt.date, bar: Bar | None) -> None:
        self.split(ds)
        while len(self.fill_ratios) < len(self.broker.fills(self.history.signal.ds)):
            self.fill_ratios.append(self.ratio)
        if not self.entered(ds) or not self.held():
            return
        self.bars_held += 1
        if self.due_key and self.is_filled(self.due_key):
            self.due, self.due_key = "", ""
        if bar is not None:
            self.follow(bar)
        self.decide(ds, bar)

    def follow(self, bar: Bar) -> None:
        """Best price, touched targets, trail and breakeven after a close."""
        entry = self.entries()[0]
        sign = self.side.sign
        if entry.ds != bar.ds or entry.at_open:
            extreme = bar.high if sign > 0 else bar.low
            self.best = (
                extreme if self.best is None else max(self.best * sign, extreme * sign) * sign
            )
            for n, target in enumerate(self.targets):
                if (extreme - target) * sign >= 0:
                    self.touched[n] = True
        nth = self.plan.breakeven_after
        met = nth is not None and self.touched[nth - 1]
        average = self.average() if met else None
        query = StopQuery(self.side, self.stop, self.source, self.best, self.trail, average)
        self.stop, self.source = tightened_stop(query, self.asset)

    def decide(self, ds: dt.date, bar: Bar | None) -> None:
        """The exit that is due, sent; else the stops moved to where they belong."""
        full = self.due not in {"", "TARGET"}
        if not full:
            was = self.due
            self.due = self.what_is_due(ds, bar)
            if self.due and not (was == self.due == "TARGET"):
                self.leave()
        if self.managed and self.due in {"", "TARGET"}:
            self.place_stop()
        elif not self.managed and not self.due:
            self.move_legs()

    def what_is_due(self, ds: dt.date, bar: Bar | None) -> str:
        if self.managed and self.stop_key and self.broker.find_order(self.stop_key)[0].triggered:
            return "STOP_GAPPED"
        if self.bars_held >= self.plan.max_bars:
            return "TIME"
        if bar is not None and ds in self.history.rule_exits:
            return "RULE"
        pending = any(t and q for t, q in zip(self.touched, self.parts, strict=False))
        return "TARGET" if self.managed and (pending or self.due) else ""

    def leave(self) -> None:
        """Cancel what rests and sell at the market, all or the touched parts."""
        self.cancel_all()
        self.stop_key = ""
        quantity = abs(self.held())
        if self.due == "TARGET":
            met = [n for n, t in enumerate(self.touched) if t]
            quantity = min(quantity, sum((self.parts[n] for n in met), D(0)))
            for n in met:
                self.parts[n] = D(0)
        self.due_key = self.key()
        report = self.submit(self.sell, OrderType.MARKET, quantity, self.due_key)
        self.reasons[report] = self.due
        self.place_stop_after_entry_known()

    # entry and protection

    def enter(self) -> None:
        quantities = [sum(self.parts, D(0))] if self.managed else self.parts
        legs = [*self.targets, None]
        for quantity, target in zip(quantities, legs, strict=False):
            if quantity:
                self.submit_entry(quantity, target)
        if self.managed and self.entered(self.history.upto):
            self.place_stop()

    def submit_entry(self, quantity: Decimal, target: Decimal | None) -> None:
        kind = KINDS[self.plan.order]
        limit = self.plan.entry if kind is OrderType.LIMIT else None
        stop = self.plan.entry if kind is OrderType.STOP else None
        if self.managed and kind is OrderType.STOP:
            kind = OrderType.STOP_LIMIT
            wide = protective_limit(self.plan.entry, self.buy)
            limit = round_entry(wide, self.asset, self.side, "limit")
        bracket = OrderClass.OTO if target is None else OrderClass.BRACKET
        request = OrderRequest(
            client_order_id=self.key(),
            symbol=self.asset.symbol,
            asset_class=self.asset.asset_class,
            side=self.buy,
            type=kind,
            quantity=quantity,
            limit_price=limit,
            stop_price=stop,
            order_class=OrderClass.SIMPLE if self.managed else bracket,
            take_profit=None if self.managed else target,
            stop_loss=None if self.managed else self.stop,
        )
        for report in self.broker.submit(request)[1:]:
            self.reasons[report.broker_order_id] = (
                "TARGET" if report.leg == "take_profit" else "STOP"
            )

    def place_stop_after_entry_known(self) -> None:
        if self.managed and self.due == "TARGET" and self.is_filled(self.due_key):
            self.due, self.due_key = "", ""

    def place_stop(self) -> None:
        """MANAGED: one stop_limit for everything held that no exit has promised."""
        if self.stop_key:
            (report,) = self.broker.find_order(self.stop_key)
            if report.stop_price != self.stop:
                key = self.key()
                moved = self.broker.replace(report.broker_order_id, key, self.stop)
                self.name_stop(moved.broker_order_id)
                self.stop_key = key
            return
        held = self.present()
        if self.due_key and not self.is_filled(self.due_key):
            held -= self.broker.find_order(self.due_key)[0].quantity
        if held > 0:
            self.stop_key = self.key()
            limit = round_stop(protective_limit(self.stop, self.sell), self.asset, self.side)
            levels = (self.stop, limit)
            order = self.submit(self.sell, OrderType.STOP_LIMIT, held, self.stop_key, levels)
            self.name_stop(order)

    def move_legs(self) -> None:
        for report in self.broker.orders(dt.date.max):
            if report.leg == "stop_loss" and report.stop_price != self.stop:
                moved = self.broker.replace(report.broker_order_id, self.key(), self.stop)
                self.name_stop(moved.broker_order_id)

    def name_stop(self, order_id: str) -> None:
        self.reasons[order_id] = "TRAIL" if self.source == "TRAIL" else "STOP"

    # what the broker knows

    def submit(
        self,
        side: OrderSide,
        kind: OrderType,
        quantity: Decimal,
        key: str,
        levels: tuple[Decimal | None, Decimal | None] = (None, None),
    ) -> str:
        request = OrderRequest(
            client_order_id=key,
            symbol=self.asset.symbol,
            asset_class=self.asset.asset_class,
            side=side,
            type=kind,
            quantity=quantity,
            stop_price=levels[0],
            limit_price=levels[1],
        )
        return self.broker.submit(request)[0].broker_order_id

    def key(self) -> str:
        self.keys += 1
        return f"k{self.keys}"

    def cancel_all(self) -> None:
        for report in self.broker.orders(dt.date.max):
            self.broker.cancel(report.broker_order_id)

    def is_filled(self, key: str) -> bool:
        return self.broker.find_order(key)[0].status is OrderStatus.FILLED

    def entries(self) -> list[Fill]:
        return [f for f in self.broker.fills(self.history.signal.ds) if f.side is self.buy]

    def entered(self, ds: dt.date) -> bool:
        return any(f.ds <= ds for f in self.entries())

    def held(self) -> Decimal:
        return sum((h.quantity for h in self.broker.account().holdings), D(0))

    def present(self) -> Decimal:
        """What is held with executions the account does not count yet."""
        fills = self.broker.fills(self.history.signal.ds)
        bought = sum((f.quantity - f.fee_quantity for f in fills if f.side is self.buy), D(0))
        return bought - sum((f.quantity for f in fills if f.side is self.sell), D(0))

    def average(self) -> Decimal:
        fills = self.broker.fills(self.history.signal.ds)
        pairs = [
            (f, r) for f, r in zip(fills, self.fill_ratios, strict=False) if f.side is self.buy
        ]
        shares = sum((f.quantity * (self.ratio / r) for f, r in pairs), D(0))
        cost = sum((f.quantity * f.price for f, _ in pairs), D(0))
        return (cost / shares).quantize(D("0.000000001"))

    def split(self, ds: dt.date) -> None:
        ratio = self.history.market.ratio(self.asset.symbol, ds)
        if ratio == 1:
            return
        self.ratio *= ratio
        self.stop = round_stop(split_price(self.stop, ratio), self.asset, self.side)
        self.targets = [
            round_target(split_price(t, ratio), self.asset, self.side) for t in self.targets
        ]
        self.trail = None if self.trail is None else split_price(self.trail, ratio)
        self.best = None if self.best is None else split_price(self.best, ratio)
        step = self.asset.quantity_step
        self.parts = [split_quantity(q, ratio, step)[0] for q in self.parts]
