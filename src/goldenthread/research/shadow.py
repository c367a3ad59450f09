"""What a signal that was not traded would have made, had its order been sent alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from goldenthread.domain.account import money
from goldenthread.domain.asset import Asset, CorporateAction
from goldenthread.domain.policy import Policy
from goldenthread.domain.position import Position, PositionStatus
from goldenthread.domain.trade import Outcome, OutcomeStatus
from goldenthread.research.shadow_trade import Course, ShadowTrade, Terms
from goldenthread.rules.calendar import add_sessions, sessions
from goldenthread.rules.rounding import round_quantity
from goldenthread.rules.tape import PATIENCE
from goldenthread.trades.pnl import exit_price, r_multiple

if TYPE_CHECKING:
    from goldenthread.domain.bar import Bar
    from goldenthread.domain.signal import Plan, Signal

NOT_TRIGGERED = "not triggered"
NO_LEVELS = "no levels"
NO_QUANTITY = "no quantity"
NO_BARS = f"not resolved within max_bars + {PATIENCE} sessions, for want of bars"


class PriceQuery(NamedTuple):
    """What a signal is priced with.

    ``actions`` are those of its symbol, ``upto`` the last business date whose bar is known,
    ``rule_exits`` the dates on whose close the strategy's ``exit.when`` was true.
    """

    asset: Asset
    actions: Sequence[CorporateAction]
    policy: Policy
    upto: dt.date
    rule_exits: frozenset[dt.date] = frozenset()
    priced_as: str = "PLANNED"


def price(signal: Signal, bars: Sequence[Bar], query: PriceQuery) -> Outcome:
    """The theoretical outcome of one signal, by the same fill rules as every traded one.

    Args:
        signal: The signal; its levels are in the units of its date.
        bars: The tradable raw bars of its symbol after its date, oldest first.
        query: Asset, corporate actions, policy, dates, and whether the signal's own order
            (PLANNED) or a market order at the next open (MARKET_NEXT_OPEN) is priced.

    Returns:
        RESOLVED with prices, P&L and R multiple once everything is sold. A planned order
        that no bar triggered in its ``valid_bars`` sessions is RESOLVED too, with the note
        ``not triggered`` and without prices or money: nothing was made, and nothing is not 0.
        OPEN while the bars up to ``upto`` leave it open; UNPRICEABLE after ``max_bars`` + 5
        sessions that had too few bars, or at once when the signal has no levels or no size.
        Prices are in the units of the signal's date. ``cancel_if`` is not considered.
    """
    plan, quantity = signal.plan, quantity_of(signal, query.asset)
    if plan is None or not quantity:
        return unpriceable(query, signal.ds, NO_QUANTITY if plan else NO_LEVELS)
    trade = ShadowTrade(_terms(signal, plan, quantity, query))
    by_ds = {bar.ds: bar for bar in bars}
    longest = plan.valid_bars + 2 * (plan.max_bars + PATIENCE)
    horizon = add_sessions(query.asset.asset_class, signal.ds, longest)
    start = signal.ds + dt.timedelta(days=1)
    for ds in sessions(query.asset.asset_class, start, min(query.upto, horizon)):
        trade.meet(ds, by_ds.get(ds))
        ended = _ended(trade, signal, plan, query, ds)
        if ended is not None:
            return ended
    return so_far(trade.course, signal, query)


def quantity_of(signal: Signal, asset: Asset) -> Decimal:
    """What was ordered, else what was planned; unrounded when rounding leaves nothing."""
    if signal.quantity > 0:
        return signal.quantity
    return round_quantity(signal.planned_quantity, asset) or money(signal.planned_quantity)


def _terms(signal: Signal, plan: Plan, quantity: Decimal, query: PriceQuery) -> Terms:
    return Terms(
        asset=query.asset,
        actions=query.actions,
        policy=query.policy,
        side=signal.side,
        plan=plan,
        quantity=quantity,
        signal_ds=signal.ds,
        rule_exits=query.rule_exits,
        at_market=query.priced_as == "MARKET_NEXT_OPEN",
    )


def _ended(
    trade: ShadowTrade, signal: Signal, plan: Plan, query: PriceQuery, ds: dt.date
) -> Outcome | None:
    """The outcome if the session ``ds`` settled it."""
    if trade.is_closed:
        return resolved(trade.course, signal, query)
    if not trade.executions and query.priced_as == "PLANNED":
        if trade.sessions < plan.valid_bars:
            return None
        return not_triggered(query, ds)
    waited = trade.bars_held if trade.executions else trade.sessions
    if waited < plan.max_bars + PATIENCE:
        return None
    return unpriceable(query, ds, NO_BARS)


def not_triggered(query: PriceQuery, ds: dt.date) -> Outcome:
    """Nothing was made: the planned order was still unfilled after its last session ``ds``."""
    return Outcome(
        status=OutcomeStatus.RESOLVED,
        priced_as=query.priced_as,
        revision=ds,
        note=NOT_TRIGGERED,
    )


def resolved(trade: Course, signal: Signal, query: PriceQuery) -> Outcome:
    """The closed trade's figures, by the same arithmetic a traded position uses."""
    position = _position(trade, signal)
    entry, gross, fees = position.average_entry or Decimal(0), position.realised_pnl, position.fees
    net = gross - fees + position.dividends
    return Outcome(
        status=OutcomeStatus.RESOLVED,
        priced_as=query.priced_as,
        revision=position.exit_ds or signal.ds,
        entry_ds=position.entry_ds,
        entry_price=money(entry * trade.ratio),
        exit_ds=position.exit_ds,
        exit_price=money(exit_price(position) * trade.ratio),
        exit_reason=position.exit_reason,
        bars_held=trade.bars_held,
        gross_pnl=gross,
        fees=fees,
        dividends=position.dividends,
        net_pnl=net,
        r_multiple=r_multiple(position, net),
    )


def _position(trade: Course, signal: Signal) -> Position:
    fills = tuple(
        execution.fill.model_copy(update={"split": trade.ratio / execution.ratio})
        for execution in trade.executions
    )
    plan = signal.plan
    return Position(
        book=signal.book,
        position_id=signal.signal_id,
        ds=signal.ds,
        strategy_id=signal.strategy_id,
        version_key=signal.version_key,
        policy_key=signal.policy_key,
        symbol=signal.symbol,
        asset_class=signal.asset_class,
        side=signal.side,
        status=PositionStatus.CLOSED,
        decided_at=signal.decided_at,
        quantity=signal.quantity,
        tranches=(),
        initial_stop=trade.initial_stop,
        stop=trade.initial_stop,
        max_bars=plan.max_bars if plan else 0,
        fills=fills,
        dividends=trade.income.dividends,
        borrow_fees=trade.income.borrow_fees,
        exit_reason=trade.reason,
    )


def so_far(trade: Course, signal: Signal, query: PriceQuery) -> Outcome:
    """OPEN: what is known of the entry, and no money."""
    position = _position(trade, signal)
    average = position.average_entry
    return Outcome(
        status=OutcomeStatus.OPEN,
        priced_as=query.priced_as,
        revision=trade.counted_ds,
        entry_ds=position.entry_ds,
        entry_price=None if average is None else money(average * trade.ratio),
        bars_held=None if average is None else trade.bars_held,
    )


def unpriceable(query: PriceQuery, revision: dt.date, note: str) -> Outcome:
    """Nobody knows what would have been made, and why."""
    return Outcome(
        status=OutcomeStatus.UNPRICEABLE, priced_as=query.priced_as, revision=revision, note=note
    )
