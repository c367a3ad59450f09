"""One signal alone in the market: its orders against daily bars, by the shared fill rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from goldenthread.domain.account import MONEY_STEP, money
from goldenthread.domain.asset import ActionKind, Asset, CorporateAction, ExitMode
from goldenthread.domain.order import Fill, OrderSide
from goldenthread.domain.policy import Policy
from goldenthread.domain.position import ExitReason
from goldenthread.domain.signal import Plan
from goldenthread.domain.strategy import Side
from goldenthread.research.income import Income
from goldenthread.rules.calendar import session_close
from goldenthread.rules.exits import bar_after_entry, first_exit
from goldenthread.rules.fees import FeeQuery, fee_for
from goldenthread.rules.fills import (
    StopQuery,
    StopSource,
    Touch,
    limit_fill,
    market_fill,
    protective_limit,
    stop_fill,
    stop_limit_fill,
    tightened_stop,
)
from goldenthread.rules.rounding import round_entry, round_stop, round_target, tranche_quantities
from goldenthread.rules.splits import ratio_between, split_price, split_quantity

if TYPE_CHECKING:
    from goldenthread.domain.bar import Bar

_NOTHING = Decimal(0)


class Terms(NamedTuple):
    """What a shadow trade is made of; ``at_market`` enters at the first open there is."""

    asset: Asset
    actions: Sequence[CorporateAction]
    policy: Policy
    side: Side
    plan: Plan
    quantity: Decimal
    signal_ds: dt.date
    rule_exits: frozenset[dt.date]
    at_market: bool


class Execution(NamedTuple):
    """An execution in the units of its date, and the shares then per share at the signal.

    ``reason`` is why it closes, None where it opens; ``maker`` whether its order rested.
    """

    fill: Fill
    ratio: Decimal
    reason: ExitReason | None
    maker: bool


class Course(NamedTuple):
    """What became of a signal so far: its executions, and its units and stop of the last session.

    ``ratio`` is shares now per share then, ``initial_stop`` in units of ``counted_ds``, the last.
    """

    executions: Sequence[Execution]
    ratio: Decimal
    initial_stop: Decimal
    reason: ExitReason | None
    bars_held: int
    counted_ds: dt.date
    income: Income


@dataclass
class _Part:
    """A tranche: what is held (before the entry: ordered), its target, all ordered, and if met."""

    quantity: Decimal
    target: Decimal | None
    size: Decimal
    touched: bool = False


class ShadowTrade:
    """The state of one signal as if it alone had been ordered; ``meet`` takes one session.

    It follows DESIGN sections 5 and 6 in the units of the current session. RESTING assets have
    a bracket a tranche, MANAGED ones a stop_limit for all and exits by market at the open after
    the close that decided them.
    """

    def __init__(self, terms: Terms) -> None:
        plan, asset = terms.plan, terms.asset
        self._terms = terms
        self._asset = asset
        self._managed = asset.exit_mode is ExitMode.MANAGED
        self._entry_side = OrderSide.BUY if terms.side is Side.LONG else OrderSide.SELL
        self._exit_side = OrderSide.SELL if terms.side is Side.LONG else OrderSide.BUY
        whole = terms.quantity % asset.quantity_step == 0
        self._step = asset.quantity_step if whole else MONEY_STEP
        parts = tranche_quantities(terms.quantity, [t.sell for t in plan.targets], self._step)
        targets = [*(t.price for t in plan.targets), None]
        pairs = zip(parts, targets, strict=True)
        self._parts = [_Part(q, t, q) for q, t in pairs if q or t is not None]
        self._planned, self._stop, self._trail = plan.entry, plan.stop, plan.trail
        self._source: StopSource = "STOP"
        self._entry_triggered = self._stop_triggered = False
        self._entry: Touch | None = None
        self._best: Decimal | None = None
        self._due: ExitReason | None = None
        self._last_ds, self._last_close = terms.signal_ds, _NOTHING
        self._income = Income(terms.actions, terms.policy.profile, terms.side)
        self.initial_stop = plan.stop
        self.executions: list[Execution] = []
        self.held = _NOTHING
        self.ratio = Decimal(1)
        self.sessions = self.bars_held = 0
        self.reason: ExitReason | None = None
        self.last_bar_ds = terms.signal_ds

    @property
    def is_closed(self) -> bool:
        """Whether it was entered and nothing is held any more."""
        return bool(self.executions) and not self.held

    @property
    def course(self) -> Course:
        """What became of it so far."""
        return Course(
            self.executions,
            self.ratio,
            self.initial_stop,
            self.reason,
            self.bars_held,
            self._last_ds if self.executions else self.last_bar_ds,  # held, every session counts
            self._income,
        )

    def meet(self, ds: dt.date, bar: Bar | None) -> None:
        """Take one session of the asset's calendar, with its tradable bar if there is one."""
        self.sessions += 1
        self._income.receive(self.held, self._last_ds, ds)
        self._apply_splits(ds, bar)
        if self.executions:
            self.bars_held += 1
        if bar is not None:
            self._trade(bar)
            self._last_close, self.last_bar_ds = bar.close, ds
        elif self.held and self._is_delisted(ds):
            at_last_close = Touch(self._last_close, at_open=False, gapped=False)
            self._leave(self.held, at_last_close, ds, ExitReason.DELISTED)
        if self.held:
            self._income.borrow(self.held, self._last_close, ds)
            self._even_out()
            self._decide(ds)

    def _trade(self, bar: Bar) -> None:
        is_entry_bar = not self.executions
        if is_entry_bar:
            self._enter(bar)
        else:
            self._leave_when_due(bar)
        if self._entry is None or not self.held:
            return
        late = is_entry_bar and not self._entry.at_open
        seen = bar_after_entry(bar, self._entry) if is_entry_bar else bar
        if not self._managed:
            self._meet_brackets(seen, late=late)
        elif not is_entry_bar or self._is_protected_at_entry:
            self._meet_stop_limit(seen)
        if self.held and not late:
            self._observe(bar)
        if self.held:
            self._tighten()

    @property
    def _enters_at_market(self) -> bool:
        return self._terms.at_market or self._terms.plan.order == "market"

    @property
    def _is_protected_at_entry(self) -> bool:
        """Whether the MANAGED entry was known when it was sent, so that its stop went along.

        A market order that found no bar on the first session executes unseen by the run.
        """
        return self._enters_at_market and self.sessions == 1

    def _enter(self, bar: Bar) -> None:
        """The entry if the bar executes it: an order a tranche, or one for all when MANAGED."""
        touch = self._entry_touch(bar)
        if touch is None:
            return
        self._entry, self.bars_held = touch, 1
        maker = not self._enters_at_market and self._terms.plan.order == "limit"
        maker = maker and not touch.at_open
        total = sum((part.quantity for part in self._parts), _NOTHING)
        orders = [total] if self._managed else [part.quantity for part in self._parts]
        for quantity in orders:
            if quantity:
                fill = self._execute(self._entry_side, quantity, touch, bar.ds, maker=maker)
                self.held += fill.quantity - fill.fee_quantity

    def _entry_touch(self, bar: Bar) -> Touch | None:
        bps, side = self._terms.policy.slippage_bps, self._entry_side
        if not any(part.quantity for part in self._parts):
            return None
        if self._enters_at_market:
            return market_fill(bar, side, bps)
        if self._terms.plan.order == "limit":
            return limit_fill(bar, side, self._planned)
        if not self._managed:
            return stop_fill(bar, side, self._planned, bps)
        wide = protective_limit(self._planned, side)
        limit = round_entry(wide, self._asset, self._terms.side, "limit")
        result = stop_limit_fill(bar, side, self._planned, limit, bps, self._entry_triggered)
        self._entry_triggered = result.triggered
        return result.touch

    def _leave_when_due(self, bar: Bar) -> None:
        """What the last close decided, by market at this open; the stop is then placed anew."""
        if self._due is None:
            return
        touch = market_fill(bar, self._exit_side, self._terms.policy.slippage_bps)
        quantity = self.held
        if self._due is ExitReason.TARGET:
            met = [part for part in self._parts if part.touched]
            quantity = min(quantity, sum((part.quantity for part in met), _NOTHING))
            for part in met:
                part.quantity = _NOTHING
            self._stop_triggered = False
        self._leave(quantity, touch, bar.ds, self._due)
        self._due = None

    def _meet_brackets(self, bar: Bar, *, late: bool) -> None:
        """Stop and target of each tranche: the stop first, unless the open met the target."""
        stop = stop_fill(bar, self._exit_side, self._stop, self._terms.policy.slippage_bps)
        exits = []
        for part in self._parts:
            reach = None if late or part.target is None else self._reach(bar, part.target)
            found = first_exit(stop, reach) if part.quantity else None
            if found is not None:
                exits.append((part, found))
        for part, found in sorted(exits, key=lambda e: (not e[1].touch.at_open, not e[1].is_stop)):
            reason = self._stop_reason if found.is_stop else ExitReason.TARGET
            resting = not found.is_stop and not found.touch.at_open
            self._leave(part.quantity, found.touch, bar.ds, reason, maker=resting)
            part.quantity = _NOTHING

    def _meet_stop_limit(self, bar: Bar) -> None:
        bps = self._terms.policy.slippage_bps
        wide = protective_limit(self._stop, self._exit_side)
        limit = round_stop(wide, self._asset, self._terms.side)
        result = stop_limit_fill(bar, self._exit_side, self._stop, limit, bps, self._stop_triggered)
        self._stop_triggered = result.triggered
        if result.touch is not None:
            self._leave(self.held, result.touch, bar.ds, self._stop_reason)

    @property
    def _stop_reason(self) -> ExitReason:
        return ExitReason.TRAIL if self._source == "TRAIL" else ExitReason.STOP

    def _reach(self, bar: Bar, target: Decimal) -> Touch | None:
        return limit_fill(bar, self._exit_side, target)

    def _leave(
        self, quantity: Decimal, touch: Touch, ds: dt.date, reason: ExitReason, maker: bool = False
    ) -> None:
        if quantity:
            self._execute(self._exit_side, quantity, touch, ds, maker=maker, reason=reason)
            self.held -= quantity
            self.reason = reason

    def _observe(self, bar: Bar) -> None:
        """The best price so far, and the targets the bar touched."""
        extreme = bar.high if self._terms.side is Side.LONG else bar.low
        sign = self._terms.side.sign
        if self._best is None or (extreme - self._best) * sign > 0:
            self._best = extreme
        for part in self._parts:
            if part.target is not None and self._reach(bar, part.target) is not None:
                part.touched = True

    def _tighten(self) -> None:
        nth = self._terms.plan.breakeven_after
        has_met = nth is not None and any(part.touched for part in self._parts[nth - 1 : nth])
        query = StopQuery(
            side=self._terms.side,
            stop=self._stop,
            source=self._source,
            best=self._best,
            trail=self._trail,
            breakeven=self.average_entry if has_met else None,
        )
        self._stop, self._source = tightened_stop(query, self._asset)

    def _decide(self, ds: dt.date) -> None:
        """What is due at the next open; an exit of everything stays due once decided."""
        if self._due not in {None, ExitReason.TARGET}:
            return
        if self._managed and self._stop_triggered:
            self._due = ExitReason.STOP_GAPPED
        elif self.bars_held >= self._terms.plan.max_bars:
            self._due = ExitReason.TIME
        elif ds in self._terms.rule_exits and self.last_bar_ds == ds:
            self._due = ExitReason.RULE
        elif self._managed and any(part.touched and part.quantity for part in self._parts):
            self._due = ExitReason.TARGET

    @property
    def average_entry(self) -> Decimal:
        """The average entry price in the units of the current session, fees apart."""
        entries = [e for e in self.executions if e.fill.side is self._entry_side]
        cost = sum((e.fill.quantity * e.fill.price for e in entries), _NOTHING)
        shares = sum((e.fill.quantity * (self.ratio / e.ratio) for e in entries), _NOTHING)
        return money(cost / shares)

    def _apply_splits(self, ds: dt.date, bar: Bar | None) -> None:
        ratio = ratio_between(self._terms.actions, self._last_ds, ds)
        self._last_ds = ds
        if ratio == 1:
            return
        side, asset = self._terms.side, self._asset
        self.ratio *= ratio
        order = "market" if self._enters_at_market else self._terms.plan.order
        self._planned = round_entry(split_price(self._planned, ratio), asset, side, order)
        self._stop = round_stop(split_price(self._stop, ratio), asset, side)
        self.initial_stop = round_stop(split_price(self.initial_stop, ratio), asset, side)
        self._last_close = split_price(self._last_close, ratio)
        self._trail = None if self._trail is None else split_price(self._trail, ratio)
        self._best = None if self._best is None else split_price(self._best, ratio)
        for part in self._parts:
            part.quantity = split_quantity(part.quantity, ratio, self._step)[0]
            part.size = split_quantity(part.size, ratio, self._step)[0]
            if part.target is not None:
                part.target = round_target(split_price(part.target, ratio), asset, side)
        if self.held:
            self._split_holding(ratio, ds, self._last_close if bar is None else bar.open)

    def _split_holding(self, ratio: Decimal, ds: dt.date, price: Decimal) -> None:
        """Whole steps are kept, the rest is paid in cash."""
        kept, remainder = split_quantity(self.held, ratio, self._step)
        remainder = money(remainder)
        self.held = kept + remainder
        in_cash = Touch(price, at_open=False, gapped=False)
        self._leave(remainder, in_cash, ds, ExitReason.SPLIT_CASH)

    def _even_out(self) -> None:
        """The last tranche takes what only the tranches together make after a split.

        The exchange scales each resting bracket on its own; what that leaves over gets its stop
        and target after the close, from the next session on.
        """
        loose = self.held - sum((part.quantity for part in self._parts), _NOTHING)
        if loose and not self._managed:
            last = [part for part in self._parts if part.size][-1:] or self._parts[-1:]
            last[0].quantity += loose

    def _is_delisted(self, ds: dt.date) -> bool:
        return any(a.kind is ActionKind.DELISTING and a.ex_ds <= ds for a in self._terms.actions)

    def _execute(
        self,
        side: OrderSide,
        quantity: Decimal,
        touch: Touch,
        ds: dt.date,
        *,
        maker: bool,
        reason: ExitReason | None = None,
    ) -> Fill:
        number = str(len(self.executions) + 1)
        kind, profile = self._asset.asset_class, self._terms.policy.profile
        query = FeeQuery(kind, side, quantity, touch.price, ds, profile, maker)
        is_free = reason in {ExitReason.SPLIT_CASH, ExitReason.DELISTED}
        fee = None if is_free else fee_for(query)
        fill = Fill(
            execution_id=number,
            broker_order_id=number,
            fill_no=1,
            symbol=self._asset.symbol,
            side=side,
            quantity=quantity,
            price=touch.price,
            fee=fee.quote if fee else _NOTHING,
            fee_quantity=fee.coin if fee else _NOTHING,
            ds=ds,
            filled_at=session_close(self._asset.asset_class, ds),
            flags=("AT_OPEN",) if touch.at_open else (),
        )
        self.executions.append(Execution(fill, self.ratio, reason, maker))
        return fill
