"""What the signals that were not traded would have made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldenthread.domain.signal import SignalStatus
from goldenthread.research.backtest.decisions import Decisions
from goldenthread.research.shadow import PriceQuery, price
from goldenthread.rules.calendar import add_sessions
from goldenthread.rules.tape import PATIENCE

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from goldenthread.domain.bar import Bar
    from goldenthread.domain.signal import Signal
    from goldenthread.domain.trade import Outcome
    from goldenthread.research.backtest.setup import Setup


def priced(setup: Setup, signals: Iterable[Signal]) -> list[tuple[Signal, Outcome]]:
    """Each signal with its theoretical outcome by the bars up to the last date, as given.

    A refused one is priced as planned, one that ended unfilled as a market order at the next
    open; what is not resolved by the last date is OPEN.
    """
    rules = Decisions(setup)
    return [(signal, _price(setup, rules, signal)) for signal in signals]


def _price(setup: Setup, rules: Decisions, signal: Signal) -> Outcome:
    bars = setup.market.bars.bars_since(signal.symbol, signal.ds, _horizon(setup, signal))
    query = PriceQuery(
        asset=setup.market.assets[signal.symbol],
        actions=setup.market.bars.actions(signal.symbol),
        policy=setup.policy,
        upto=setup.last,
        rule_exits=_rule_exits(rules, signal, bars),
        priced_as="PLANNED" if signal.status is SignalStatus.REJECTED else "MARKET_NEXT_OPEN",
    )
    return price(signal, bars, query)


def _horizon(setup: Setup, signal: Signal) -> dt.date:
    """The last date whose bar can matter."""
    if signal.plan is None:
        return signal.ds
    longest = signal.plan.valid_bars + 2 * (signal.plan.max_bars + PATIENCE)
    return min(setup.last, add_sessions(signal.asset_class, signal.ds, longest))


def _rule_exits(rules: Decisions, signal: Signal, bars: list[Bar]) -> frozenset[dt.date]:
    plan = signal.plan
    if plan is None:
        return frozenset()
    horizon = [bar.ds for bar in bars[: plan.max_bars + plan.valid_bars]]
    version, symbol = signal.version_key, signal.symbol
    return frozenset(ds for ds in horizon if rules.holds(version, "exit", symbol, ds))
