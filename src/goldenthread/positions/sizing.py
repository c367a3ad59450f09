"""How much to buy: sizing modes, caps and the step, and what the account can still take."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from goldenthread.domain.account import MONEY_STEP
from goldenthread.domain.asset import AssetClass
from goldenthread.domain.position import PositionStatus
from goldenthread.rules.rounding import round_quantity

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Mapping

    from goldenthread.domain.account import AccountState
    from goldenthread.domain.asset import Asset
    from goldenthread.domain.bar import FloatArray
    from goldenthread.domain.policy import Policy
    from goldenthread.domain.signal import Candidate, Plan
    from goldenthread.domain.strategy import Side
    from goldenthread.positions.session import Records, Session

_ZERO = Decimal(0)
_MARGIN_OF_COINS = Decimal(2)  # a coin binds its whole worth of equity, which carries twice that
_FEWEST_RETURNS = 20


class Sized(NamedTuple):
    """What sizing asked for (``planned``), what the step leaves of it, and the arithmetic."""

    planned: Decimal
    quantity: Decimal
    arithmetic: str


def size(candidate: Candidate, equity: Decimal, policy: Policy, asset: Asset) -> Sized:
    """The quantity the strategy wants from this equity, capped, in steps of the asset.

    0 when a figure it needs is missing (levels, volatility) or the equity is not positive.
    """
    plan = candidate.plan
    if plan is None or not plan.is_sound(candidate.side):
        return Sized(_ZERO, _ZERO, "no sound levels, so no size")
    if equity <= 0:
        return Sized(_ZERO, _ZERO, f"equity is {equity}, so no size")
    wanted, words = _wanted(candidate, plan, equity, policy)
    cap = candidate.size.max_position_fraction
    if cap is not None and wanted * plan.entry > equity * cap:
        wanted, words = equity * cap / plan.entry, f"{words}, capped at {cap} of equity"
    planned = wanted.quantize(MONEY_STEP, rounding=ROUND_DOWN)
    return Sized(planned, round_quantity(planned, asset), words)


def _wanted(
    candidate: Candidate, plan: Plan, equity: Decimal, policy: Policy
) -> tuple[Decimal, str]:
    """The quantity of the sizing mode before the cap, and how it came about."""
    rule, entry = candidate.size, plan.entry
    if rule.mode == "risk" and rule.risk_fraction is not None:
        distance = abs(entry - plan.stop)
        words = f"{equity} x {rule.risk_fraction} at risk over a stop {distance} away"
        return equity * rule.risk_fraction / distance, words
    if rule.mode == "fraction" and rule.fraction is not None:
        return equity * rule.fraction / entry, f"{equity} x {rule.fraction} at {entry}"
    if rule.mode == "cash" and rule.cash is not None:
        return rule.cash / entry, f"{rule.cash} cash at {entry}"
    if rule.mode == "equal":
        places = policy.gates.max_positions
        return equity / places / entry, f"{equity} over {places} positions at {entry}"
    if rule.mode == "vol_target" and rule.vol_target and candidate.volatility:
        words = f"{equity} x {rule.vol_target} over a volatility of {candidate.volatility}"
        return equity * rule.vol_target / candidate.volatility / entry, words
    return _ZERO, f"mode {rule.mode} lacks a figure it needs, so no size"


@dataclass
class Capacity:
    """What the account can still take; accepted signals consume it.

    ``Capacity.of`` measures it; set the fields with defaults afterwards. ``held`` maps every
    symbol held or waited for to its side; ``exposure`` is gross notional. ``last_exits`` maps
    (strategy_id, symbol) to the session of the last exit. ``stale`` counts the sessions without
    a bar just before ``ds``. ``returns(symbol, n)`` gives the last n daily returns, or None.
    ``frozen`` and ``paused`` say why no entry is wanted, by symbol and by strategy.
    """

    equity: Decimal
    buying_power: Decimal
    crypto_buying_power: Decimal
    held: dict[str, Side]
    exposure: dict[AssetClass, Decimal]
    peak_equity: Decimal | None = None
    previous_equity: Decimal | None = None
    halted: bool = False
    orders: int = 0
    frozen: Mapping[str, str] = field(default_factory=dict)
    paused: Mapping[str, str] = field(default_factory=dict)
    last_exits: Mapping[tuple[str, str], dt.date] = field(default_factory=dict)
    stale: Mapping[str, int] = field(default_factory=dict)
    returns: Callable[[str, int], FloatArray | None] = lambda _symbol, _n: None
    _scores: dict[str, FloatArray | None] = field(default_factory=dict)

    @classmethod
    def of(cls, session: Session, blotter: Records, account: AccountState) -> Capacity:
        """The capacity of this account with what the book holds and waits for."""
        stops = blotter.stops()
        capacity = cls(
            equity=account.equity,
            buying_power=account.buying_power,
            crypto_buying_power=account.crypto_buying_power,
            held={p.symbol: p.side for p in blotter.positions.values()},
            exposure=dict.fromkeys(AssetClass, _ZERO),
            frozen={**stops.frozen, **blotter.frozen},
            paused=stops.paused,
            halted=stops.halted,
        )
        for position in blotter.positions.values():
            price = session.closes.get(position.symbol)
            quantity = position.open_quantity
            if position.status is PositionStatus.PENDING:
                signal = blotter.signals.get(position.position_id)
                quantity = position.quantity
                if signal is not None and signal.plan is not None:
                    price = signal.plan.entry / signal.split_factor
            capacity.exposure[position.asset_class] += quantity * (price or _ZERO)
        return capacity

    def take(
        self, candidate: Candidate, notional: Decimal | None, cost: Decimal | None, orders: int
    ) -> None:
        """Reserve what an accepted candidate needs."""
        self.held[candidate.symbol] = candidate.side
        self.exposure[candidate.asset_class] += notional or _ZERO
        self.orders += orders
        crypto = candidate.asset_class is AssetClass.CRYPTO
        self.buying_power -= (cost or _ZERO) * (_MARGIN_OF_COINS if crypto else 1)
        self.crypto_buying_power -= cost or _ZERO

    def correlation(self, symbol: str, others: Iterable[str], bars: int) -> float | None:
        """The highest correlation of daily returns with the others; None when one is unknown.

        0 without others. Returns are paired from the newest backwards.
        """
        highest = 0.0
        for other in others:
            found = _dot(self._score(symbol, bars), self._score(other, bars))
            if found is None:
                return None
            highest = max(highest, found)
        return highest

    def _score(self, symbol: str, bars: int) -> FloatArray | None:
        if symbol not in self._scores:
            self._scores[symbol] = _standardised(self.returns(symbol, bars))
        return self._scores[symbol]


def _standardised(returns: FloatArray | None) -> FloatArray | None:
    """Returns with mean 0 and length 1, all 0 for a price that stood still; None when too few."""
    if returns is None or len(returns) < _FEWEST_RETURNS or not np.isfinite(returns).all():
        return None
    centred: FloatArray = returns - returns.mean()
    length = float(np.sqrt(centred @ centred))
    return centred / length if length > 0 else centred  # it goes along with nothing


def _dot(one: FloatArray | None, other: FloatArray | None) -> float | None:
    if one is None or other is None:
        return None
    if len(one) != len(other):
        shared = min(len(one), len(other))
        one, other = _standardised(one[-shared:]), _standardised(other[-shared:])
        if one is None or other is None:
            return None
    return float(one @ other)
