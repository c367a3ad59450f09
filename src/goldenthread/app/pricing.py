"""Theoretical outcomes of the signals that were not traded, by the shared fill rules."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from goldenthread.domain.position import ExitReason
from goldenthread.domain.signal import SignalStatus
from goldenthread.research.shadow import PriceQuery, price

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from goldenthread.domain.asset import Asset
    from goldenthread.domain.policy import Policy
    from goldenthread.domain.signal import Signal
    from goldenthread.domain.trade import Outcome
    from goldenthread.market.bars import BarBook

_RUN_AT = dt.time(0, 5, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Pricer:
    """Prices signals up to a date; remembers on which closes each version's exit rule held.

    ``rule`` answers whether ``exit.when`` of a version held for a symbol on the close of a date
    as known at an instant; None where it cannot say. ``knows`` says whether it can at all.
    """

    bars: BarBook
    assets: Mapping[str, Asset]
    policy: Policy
    rule: Callable[[str, str, dt.date, dt.datetime], bool | None]
    knows: Callable[[str], bool]
    _known: dict[tuple[str, str], dict[dt.date, bool]] = field(default_factory=dict)

    def outcome(self, signal: Signal, upto: dt.date, *, planned: bool | None = None) -> Outcome:
        """What one signal would have made; OPEN or UNPRICEABLE where that is not known.

        ``planned`` prices the signal's own order (the default for a rejected one) or, when
        False, a market order at the next open (the default for one that never triggered).
        """
        own = signal.status is SignalStatus.REJECTED if planned is None else planned
        bars = self.bars.bars_since(signal.symbol, signal.ds, upto)
        query = PriceQuery(
            asset=self.assets[signal.symbol],
            actions=self.bars.actions(signal.symbol),
            policy=self.policy,
            upto=upto,
            rule_exits=self._rule_exits(signal, [bar.ds for bar in bars]),
            priced_as="PLANNED" if own else "MARKET_NEXT_OPEN",
        )
        return price(signal, bars, query)

    def silence(self, trade: Mapping[str, Any]) -> str:
        """Why theory has nothing to say about a row of ``fact_trades``; empty when it has."""
        if trade["exit_reason"] == ExitReason.EXTERNAL:
            return "closed by the operator or at the broker"
        if trade["symbol"] not in self.assets:
            return f"no bars of {trade['symbol']} any more"
        if not self.knows(trade["version_key"]):
            return (
                f"version {trade['version_key'][:12]} of {trade['strategy_id']} is not known any"
                " more"
            )
        return ""

    def _rule_exits(self, signal: Signal, dates: Sequence[dt.date]) -> frozenset[dt.date]:
        """The dates on whose close the exit rule of the signal's own version held."""
        if signal.plan is None:
            return frozenset()
        known = self._known.setdefault((signal.version_key, signal.symbol), {})
        horizon = dates[: signal.plan.max_bars + signal.plan.valid_bars]
        for ds in horizon:
            if ds not in known:
                now = dt.datetime.combine(ds + dt.timedelta(days=1), _RUN_AT)
                known[ds] = self.rule(signal.version_key, signal.symbol, ds, now) is True
        return frozenset(ds for ds in horizon if known[ds])
