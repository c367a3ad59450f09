"""What becomes of an accepted signal: every execution to come, told by its bars alone.

Fills do not depend on the account, so that the whole path is known when the signal is accepted.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from goldenthread.domain.asset import ActionKind, Asset, CorporateAction, ExitMode
from goldenthread.domain.bar import Bar
from goldenthread.domain.order import Fill
from goldenthread.domain.policy import Policy
from goldenthread.domain.position import ExitReason
from goldenthread.domain.strategy import Side
from goldenthread.research import shadow_trade
from goldenthread.research.shadow_trade import ShadowTrade
from goldenthread.rules.calendar import session_open, sessions
from goldenthread.rules.fills import protective_limit
from goldenthread.rules.rounding import round_entry, tranche_quantities
from goldenthread.rules.slippage import slipped
from goldenthread.rules.splits import ratio_between, split_quantity

if TYPE_CHECKING:
    from goldenthread.domain.order import OrderSide
    from goldenthread.domain.signal import Plan, Signal
    from goldenthread.market.bars import KnownBars


class Step(NamedTuple):
    """One execution of a path, and for an exit its reason."""

    fill: Fill
    reason: ExitReason | None


class Path(NamedTuple):
    """Everything that happens to an accepted signal, oldest first.

    ``ended`` is the date of the last exit, or of the end without an execution, whose
    ``end_reason`` is then NOT_TRIGGERED, CANCEL_IF or BROKER_CANCELED; None while it is open.
    """

    steps: tuple[Step, ...]
    ended: dt.date | None = None
    end_reason: str = ""


class Reel(NamedTuple):
    """One symbol's sessions, oldest first, and the tradable bars among them."""

    asset: Asset
    actions: Sequence[CorporateAction]
    days: Sequence[dt.date]
    bars: Mapping[dt.date, Bar]


class Terms(NamedTuple):
    """What a path follows from, besides its signal.

    ``leaves`` and ``cancels`` answer whether the rules of the strategy held on a close.
    """

    reel: Reel
    policy: Policy
    leaves: Callable[[dt.date], bool]
    cancels: Callable[[dt.date], bool]


def reel_of(market: KnownBars, symbol: str, first: dt.date, upto: dt.date) -> Reel:
    """The reel of a symbol from one date to another, each bar as the run of its date knew it."""
    asset = market.assets[symbol]
    days = sessions(asset.asset_class, first, upto)
    bars = {ds: bar for ds in days if (bar := market.bar(symbol, ds)) is not None}
    return Reel(asset, market.bars.actions(symbol), days, bars)


def path_of(signal: Signal, plan: Plan, terms: Terms) -> Path:
    """The path of a signal whose entry orders were all taken."""
    reel = terms.reel
    days = reel.days[bisect_right(reel.days, signal.ds) :]
    trade = _trade(signal, plan, terms, days)
    steps: list[Step] = []
    for ds in days:
        trade.meet(ds, reel.bars.get(ds))
        for execution in trade.executions[len(steps) :]:
            is_entry = execution.fill.side.sign == signal.side.sign
            reason = None if is_entry else trade.reason
            steps.append(_step(execution.fill, len(steps) + 1, reason, signal))
        if trade.is_closed:
            return Path(_with_entry_told(steps, signal, plan, terms), ds)
        if not steps and (why := _end_of_waiting(signal, plan, terms, ds)):
            return Path((), ds, why)
    return Path(_with_entry_told(steps, signal, plan, terms))


def _trade(signal: Signal, plan: Plan, terms: Terms, days: Sequence[dt.date]) -> ShadowTrade:
    reel = terms.reel
    with_bar = islice((ds for ds in days if ds in reel.bars), plan.max_bars + plan.valid_bars)
    return ShadowTrade(
        shadow_trade.Terms(
            asset=reel.asset,
            actions=reel.actions,
            policy=terms.policy,
            side=signal.side,
            plan=plan,
            quantity=signal.quantity,
            signal_ds=signal.ds,
            rule_exits=frozenset(ds for ds in with_bar if terms.leaves(ds)),
            at_market=False,
        )
    )


def _end_of_waiting(signal: Signal, plan: Plan, terms: Terms, ds: dt.date) -> str:
    """Why an entry that did not fill up to a session ends there; empty when it waits on."""
    has_bar = ds in terms.reel.bars
    if _is_gone(signal, plan, terms.reel, ds) or (not has_bar and _is_delisted(terms.reel, ds)):
        return "BROKER_CANCELED"
    if has_bar and terms.cancels(ds):
        return "CANCEL_IF"
    return "NOT_TRIGGERED" if signal.valid_until <= ds else ""


def _is_delisted(reel: Reel, ds: dt.date) -> bool:
    return any(a.kind is ActionKind.DELISTING and a.ex_ds <= ds for a in reel.actions)


def _is_gone(signal: Signal, plan: Plan, reel: Reel, ds: dt.date) -> bool:
    """Whether splits since the signal left no whole step of any entry order."""
    if ratio_between(reel.actions, signal.ds, ds) == 1:
        return False
    step = reel.asset.quantity_step
    parts = list(tranche_quantities(signal.quantity, [t.sell for t in plan.targets], step))
    for action in reel.actions:
        if action.kind is ActionKind.SPLIT and signal.ds < action.ex_ds <= ds:
            parts = [split_quantity(part, action.ratio, step)[0] for part in parts]
    return not any(parts)


def _step(fill: Fill, number: int, reason: ExitReason | None, signal: Signal) -> Step:
    name = f"{signal.signal_id}-{number}"
    update: dict[str, object] = {"execution_id": name, "broker_order_id": name}
    if reason in {ExitReason.SPLIT_CASH, ExitReason.DELISTED}:
        update["flags"] = (str(reason),)
    return Step(fill.model_copy(update=update), reason)


def _with_entry_told(
    steps: Sequence[Step], signal: Signal, plan: Plan, terms: Terms
) -> tuple[Step, ...]:
    """The steps with AT_OPEN on the entries that filled at the open of their bar."""
    told = []
    for step in steps:
        fill = step.fill
        if step.reason is None and _is_at_open(fill, (signal.ds, plan), terms):
            instant = session_open(terms.reel.asset.asset_class, fill.ds)
            fill = fill.model_copy(update={"flags": ("AT_OPEN",), "filled_at": instant})
        told.append(Step(fill, step.reason))
    return tuple(told)


def _is_at_open(fill: Fill, order: tuple[dt.date, Plan], terms: Terms) -> bool:
    """Whether an entry took the open: the price it got tells which rule filled it."""
    reel, sign = terms.reel, fill.side.sign
    bar = reel.bars[fill.ds]
    _, plan = order
    if plan.order == "market":
        return True
    if plan.order == "limit":
        return (fill.price - bar.open) * sign >= 0
    if reel.asset.exit_mode is ExitMode.RESTING:
        return fill.price == slipped(bar.open, fill.side, terms.policy.slippage_bps)
    return _takes_open(order, reel, bar, fill.side)


def _takes_open(order: tuple[dt.date, Plan], reel: Reel, bar: Bar, order_side: OrderSide) -> bool:
    """Whether a stop_limit entry that this bar executes does so at its open."""
    (since, plan), sign = order, order_side.sign
    side = Side.LONG if sign > 0 else Side.SHORT
    limit = round_entry(protective_limit(plan.entry, order_side), reel.asset, side, "limit")
    earlier = (b.high if sign > 0 else b.low for ds, b in reel.bars.items() if since < ds < bar.ds)
    crossed = any((extreme - plan.entry) * sign >= 0 for extreme in earlier)
    elected = crossed or (bar.open - plan.entry) * sign >= 0
    return elected and (limit - bar.open) * sign >= 0
