"""What becomes of an accepted signal: every execution to come, told by its bars alone.

Fills do not depend on the account, so that the whole path is known when the signal is accepted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from goldenthread.domain.asset import ActionKind, ExitMode
from goldenthread.domain.order import Fill
from goldenthread.domain.policy import Policy
from goldenthread.domain.position import ExitReason
from goldenthread.domain.strategy import Side
from goldenthread.market.known import KnownBars
from goldenthread.research import shadow_trade
from goldenthread.research.shadow_trade import ShadowTrade
from goldenthread.rules.calendar import session_open, sessions
from goldenthread.rules.fills import protective_limit
from goldenthread.rules.rounding import round_entry, tranche_quantities
from goldenthread.rules.slippage import slipped
from goldenthread.rules.splits import ratio_between, split_quantity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from goldenthread.domain.bar import Bar
    from goldenthread.domain.signal import Plan, Signal

_DAY = dt.timedelta(days=1)


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


class Terms(NamedTuple):
    """What a path follows from, besides its signal.

    ``leaves`` and ``cancels`` answer whether the rules of the strategy held on a close; ``upto``
    is the last date there are bars to follow it for.
    """

    market: KnownBars
    policy: Policy
    leaves: Callable[[dt.date], bool]
    cancels: Callable[[dt.date], bool]
    upto: dt.date


def path_of(signal: Signal, plan: Plan, terms: Terms) -> Path:
    """The path of a signal whose entry orders were all taken."""
    asset = terms.market.assets[signal.symbol]
    days = sessions(asset.asset_class, signal.ds + _DAY, terms.upto)
    bars = {ds: bar for ds in days if (bar := terms.market.bar(signal.symbol, ds)) is not None}
    trade, steps = _trade(signal, plan, terms, bars), []
    for ds in days:
        trade.meet(ds, bars.get(ds))
        for execution in trade.executions[len(steps) :]:
            is_entry = execution.fill.side.sign == signal.side.sign
            reason = None if is_entry else trade.reason
            steps.append(_step(execution.fill, len(steps) + 1, reason, signal))
        if trade.is_closed:
            return Path(_with_entry_told(steps, bars, plan, terms), ds)
        if not steps and (reason_ := _end_of_waiting(signal, plan, terms, (ds, ds in bars))):
            return Path((), ds, reason_)
    return Path(_with_entry_told(steps, bars, plan, terms))


def _trade(signal: Signal, plan: Plan, terms: Terms, bars: Mapping[dt.date, Bar]) -> ShadowTrade:
    horizon = list(bars)[: plan.max_bars + plan.valid_bars]
    return ShadowTrade(
        shadow_trade.Terms(
            asset=terms.market.assets[signal.symbol],
            actions=terms.market.bars.actions(signal.symbol),
            policy=terms.policy,
            side=signal.side,
            plan=plan,
            quantity=signal.quantity,
            signal_ds=signal.ds,
            rule_exits=frozenset(ds for ds in horizon if terms.leaves(ds)),
            at_market=False,
        )
    )


def _end_of_waiting(signal: Signal, plan: Plan, terms: Terms, met: tuple[dt.date, bool]) -> str:
    """Why an entry that did not fill up to a session ends there; empty when it waits on."""
    ds, has_bar = met
    if _is_gone(signal, plan, terms, ds) or (not has_bar and _is_delisted(signal, terms, ds)):
        return "BROKER_CANCELED"
    if has_bar and terms.cancels(ds):
        return "CANCEL_IF"
    return "NOT_TRIGGERED" if signal.valid_until <= ds else ""


def _is_delisted(signal: Signal, terms: Terms, ds: dt.date) -> bool:
    actions = terms.market.bars.actions(signal.symbol)
    return any(a.kind is ActionKind.DELISTING and a.ex_ds <= ds for a in actions)


def _is_gone(signal: Signal, plan: Plan, terms: Terms, ds: dt.date) -> bool:
    """Whether splits since the signal left no whole step of any entry order."""
    actions = terms.market.bars.actions(signal.symbol)
    if ratio_between(actions, signal.ds, ds) == 1:
        return False
    step = terms.market.assets[signal.symbol].quantity_step
    parts = list(tranche_quantities(signal.quantity, [t.sell for t in plan.targets], step))
    for action in actions:
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
    steps: list[Step], bars: Mapping[dt.date, Bar], plan: Plan, terms: Terms
) -> tuple[Step, ...]:
    """The steps with AT_OPEN on the entries that filled at the open of their bar."""
    told = []
    for step in steps:
        fill = step.fill
        if step.reason is None and _is_at_open(fill, bars, plan, terms):
            asset_class = terms.market.assets[fill.symbol].asset_class
            opened = {"flags": ("AT_OPEN",), "filled_at": session_open(asset_class, fill.ds)}
            fill = fill.model_copy(update=opened)
        told.append(Step(fill, step.reason))
    return tuple(told)


def _is_at_open(fill: Fill, bars: Mapping[dt.date, Bar], plan: Plan, terms: Terms) -> bool:
    """Whether an entry took the open: what price it got tells which rule filled it."""
    bar, sign = bars[fill.ds], fill.side.sign
    asset = terms.market.assets[fill.symbol]
    if plan.order == "market":
        return True
    if plan.order == "limit":
        return (fill.price - bar.open) * sign >= 0
    if asset.exit_mode is ExitMode.RESTING:
        return fill.price == slipped(bar.open, fill.side, terms.policy.slippage_bps)
    earlier = [b for b in bars.values() if b.ds < fill.ds]
    elected = any((_far(b, sign) - plan.entry) * sign >= 0 for b in earlier)
    limit = round_entry(protective_limit(plan.entry, fill.side), asset, _side(sign), "limit")
    reached = (limit - bar.open) * sign >= 0
    return reached and (elected or (bar.open - plan.entry) * sign >= 0)


def _far(bar: Bar, sign: int) -> Decimal:
    return bar.high if sign > 0 else bar.low


def _side(sign: int) -> Side:
    return Side.LONG if sign > 0 else Side.SHORT
