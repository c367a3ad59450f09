"""Who gets the account's money: every gate is asked of every candidate, and only winners take."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from goldenthread.domain.asset import AssetClass
from goldenthread.domain.order import OrderSide
from goldenthread.domain.position import PositionStatus
from goldenthread.domain.signal import Signal, SignalStatus, Verdict
from goldenthread.domain.strategy import Side, StrategyStatus
from goldenthread.positions.orders import EntryTicket
from goldenthread.positions.sizing import size
from goldenthread.rules.broker_rules import violation
from goldenthread.rules.calendar import add_sessions, count_sessions
from goldenthread.rules.ledger import reserve_price
from goldenthread.rules.rounding import significant

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from goldenthread.domain.account import AccountState
    from goldenthread.domain.asset import Asset
    from goldenthread.domain.bar import FloatArray
    from goldenthread.domain.order import OrderRequest
    from goldenthread.domain.policy import Gates
    from goldenthread.domain.signal import Candidate
    from goldenthread.positions.session import Records, Session
    from goldenthread.positions.sizing import Sized

_ZERO, _ONE = Decimal(0), Decimal(1)
_MARGIN_OF_COINS = Decimal(2)  # a coin binds its whole worth of equity, which carries twice that
_TWELVE_DIGITS = Context(prec=12)
_FEWEST_RETURNS = 20


@dataclass
class Capacity:
    """What the account can still take; accepted signals consume it.

    ``Capacity.of`` measures it; set the fields with defaults afterwards. ``held`` maps every
    symbol held or waited for to its side; ``exposure`` is gross notional. ``last_exits`` maps
    (strategy_id, symbol) to the session of the last exit. ``stale`` counts the sessions without
    a bar just before ``ds``. ``returns(symbol, n)`` gives the last n daily returns, or None.
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
    last_exits: Mapping[tuple[str, str], dt.date] = field(default_factory=dict)
    stale: Mapping[str, int] = field(default_factory=dict)
    returns: Callable[[str, int], FloatArray | None] = lambda _symbol, _n: None
    _scores: dict[str, FloatArray | None] = field(default_factory=dict)

    @classmethod
    def of(cls, session: Session, blotter: Records, account: AccountState) -> Capacity:
        """The capacity of this account with what the book holds and waits for."""
        capacity = cls(
            equity=account.equity,
            buying_power=account.buying_power,
            crypto_buying_power=account.crypto_buying_power,
            held={p.symbol: p.side for p in blotter.positions.values()},
            exposure=dict.fromkeys(AssetClass, _ZERO),
            frozen=dict(blotter.frozen),
            halted=blotter.request("halt") is not None,
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

    def take(self, case: Case) -> None:
        """Reserve what an accepted candidate needs."""
        candidate = case.candidate
        self.held[candidate.symbol] = candidate.side
        self.exposure[candidate.asset_class] += case.notional or _ZERO
        self.orders += len(case.requests)
        cost = case.cost or _ZERO
        crypto = candidate.asset_class is AssetClass.CRYPTO
        self.buying_power -= cost * (_MARGIN_OF_COINS if crypto else 1)
        self.crypto_buying_power -= cost

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


@dataclass(frozen=True)
class Case:
    """One candidate before the gates: sized, with the orders that would be sent."""

    session: Session
    capacity: Capacity
    candidate: Candidate
    asset: Asset
    sized: Sized
    requests: Sequence[OrderRequest]

    @property
    def gates(self) -> Gates:
        """The thresholds of the policy."""
        return self.session.policy.gates

    @property
    def notional(self) -> Decimal | None:
        """Quantity times planned entry; None without levels."""
        plan = self.candidate.plan
        return None if plan is None else self.sized.quantity * plan.entry

    @property
    def cost(self) -> Decimal | None:
        """The buying power the orders reserve, by limit, stop or close; 103 % for shorts."""
        if self.notional is None:
            return None
        close = self.candidate.close
        return sum((r.quantity * reserve_price(r, close) for r in self.requests), _ZERO)


class Finding(NamedTuple):
    """What a gate saw, what it allows, and whether that passed; an unknown value did not."""

    value: Decimal | None
    threshold: Decimal
    passed: bool


def order_candidates(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The candidates in the order in which they get the cash.

    Highest priority first, unknown priorities last; equal ones by strategy, then symbol.
    """
    return sorted(
        candidates,
        key=lambda c: (c.priority is None, -(c.priority or _ZERO), c.strategy_id, c.symbol),
    )


def judge(session: Session, candidates: Sequence[Candidate], capacity: Capacity) -> list[Signal]:
    """A signal for every candidate, in the order given: WAITING, REJECTED or EXPIRED.

    All gates are asked of all candidates; only those that are accepted consume ``capacity``.
    A candidate that passed but may not be submitted any more (``may_submit``) is EXPIRED with
    SUBMIT_WINDOW_MISSED and consumes nothing.
    """
    signals = []
    for candidate in candidates:
        case = _case(session, candidate, capacity)
        signal = _signal(case, tuple(_verdict(name, gate(case)) for name, gate in GATES))
        if signal.status is SignalStatus.WAITING:
            capacity.take(case)
        signals.append(signal)
    return signals


def _case(session: Session, candidate: Candidate, capacity: Capacity) -> Case:
    asset = session.asset(candidate.symbol)
    sized = size(candidate, capacity.equity, session.policy, asset)
    requests: list[OrderRequest] = []
    if candidate.plan is not None and sized.quantity > 0:
        side = OrderSide.BUY if candidate.side is Side.LONG else OrderSide.SELL
        ticket = EntryTicket(candidate.plan, candidate.side, side, sized.quantity, asset)
        requests = ticket.requests(candidate.signal_id)
    return Case(session, capacity, candidate, asset, sized, requests)


def _signal(case: Case, verdicts: tuple[Verdict, ...]) -> Signal:
    candidate, session = case.candidate, case.session
    reasons = (*candidate.failed, *(v.name for v in verdicts if not v.passed))
    status = SignalStatus.REJECTED if reasons else SignalStatus.WAITING
    missed = not reasons and not session.submits(candidate.symbol)
    if missed:
        status = SignalStatus.EXPIRED
    bars = candidate.plan.valid_bars if candidate.plan else 1
    return Signal(
        book=session.book,
        signal_id=candidate.signal_id,
        ds=candidate.ds,
        strategy_id=candidate.strategy_id,
        version_key=candidate.version_key,
        policy_key=session.policy.policy_key,
        symbol=candidate.symbol,
        asset_class=candidate.asset_class,
        side=candidate.side,
        status=status,
        decided_at=session.now,
        engine_digest=session.engine_digest,
        bars_digest=candidate.bars_digest,
        close=candidate.close,
        plan=candidate.plan,
        priority=candidate.priority,
        factors=candidate.factors,
        verdicts=(*candidate.verdicts, *verdicts),
        rejection_reason=reasons[0] if reasons else None,
        rejection_reasons=reasons,
        quantity=case.sized.quantity,
        planned_quantity=case.sized.planned,
        equity_at_decision=case.capacity.equity,
        valid_until=add_sessions(candidate.asset_class, candidate.ds, bars),
        ended_ds=None if status is SignalStatus.WAITING else candidate.ds,
        end_reason="SUBMIT_WINDOW_MISSED" if missed else "",
    )


def _verdict(name: str, finding: Finding) -> Verdict:
    value = None if finding.value is None else _TWELVE_DIGITS.plus(finding.value)
    return Verdict(
        name=name, kind="gate", value=value, threshold=finding.threshold, passed=finding.passed
    )


def _at_most(value: Decimal | None, threshold: Decimal) -> Finding:
    return Finding(value, threshold, value is not None and value <= threshold)


def _below(value: Decimal | None, threshold: Decimal) -> Finding:
    return Finding(value, threshold, value is not None and value < threshold)


def _not(condition: bool) -> Finding:
    return _at_most(_ONE if condition else _ZERO, _ZERO)


def _of_equity(case: Case, amount: Decimal | None, threshold: Decimal) -> Finding:
    known = amount is not None and case.capacity.equity > 0
    return _at_most(
        amount / case.capacity.equity if known and amount is not None else None, threshold
    )


def _sum(amount: Decimal, added: Decimal | None) -> Decimal | None:
    return None if added is None else amount + added


def _is_unsound(case: Case) -> bool:
    plan = case.candidate.plan
    return plan is None or not plan.is_sound(case.candidate.side)


def _cooldown(case: Case) -> Finding:
    """Sessions still to wait since the strategy's last exit in the symbol."""
    candidate = case.candidate
    last = case.capacity.last_exits.get((candidate.strategy_id, candidate.symbol))
    if last is None:
        return _at_most(_ZERO, _ZERO)
    passed = count_sessions(candidate.asset_class, last, candidate.ds)
    return _at_most(Decimal(max(0, candidate.size.cooldown_bars - passed)), _ZERO)


def _class_exposure(case: Case) -> Finding:
    kind = case.candidate.asset_class
    equity = kind is AssetClass.EQUITY
    limit = case.gates.max_equity_exposure if equity else case.gates.max_crypto_exposure
    return _of_equity(case, _sum(case.capacity.exposure[kind], case.notional), limit)


def _gross_exposure(case: Case) -> Finding:
    held = sum(case.capacity.exposure.values(), _ZERO)
    return _of_equity(case, _sum(held, case.notional), case.gates.max_gross_exposure)


def _price_collar(case: Case) -> Finding:
    plan, close = case.candidate.plan, case.candidate.close
    distance = None if plan is None or close <= 0 else abs(plan.entry / close - 1)
    return _at_most(distance, case.gates.price_collar)


def _correlation(case: Case) -> Finding:
    candidate, held = case.candidate, case.capacity.held
    others = [s for s, side in held.items() if side is candidate.side and s != candidate.symbol]
    found = case.capacity.correlation(candidate.symbol, others, case.gates.correlation_bars)
    value = None if found is None else significant(found)
    return _at_most(value, case.gates.correlation_max)


def _drawdown(case: Case, high: Decimal | None, threshold: Decimal) -> Finding:
    """The fraction lost since ``high``; 0 before there was one."""
    if high is None:
        return _below(_ZERO, threshold)
    return _below(1 - case.capacity.equity / high if high > 0 else None, threshold)


def _buying_power(case: Case) -> Finding:
    crypto = case.candidate.asset_class is AssetClass.CRYPTO
    power = case.capacity.crypto_buying_power if crypto else case.capacity.buying_power
    return _at_most(case.cost, power)


def _minimum(case: Case) -> Finding:
    enough = case.notional is not None and case.sized.quantity > 0
    enough = enough and case.notional is not None and case.notional >= case.asset.min_notional
    return Finding(case.notional, case.asset.min_notional, enough)


def _broker_rule(case: Case) -> Finding:
    """How many of the orders the broker would refuse for their form."""
    close = case.candidate.close
    refused = sum(violation(r, case.asset, close) is not None for r in case.requests)
    return _at_most(Decimal(refused), _ZERO)


def _stale(case: Case) -> Finding:
    symbol = case.candidate.symbol
    known = symbol in case.session.bars
    value = Decimal(case.capacity.stale.get(symbol, 0)) if known else None
    return _below(value, Decimal(case.gates.stale_sessions))


GATES: tuple[tuple[str, Callable[[Case], Finding]], ...] = (
    ("SHADOW_STRATEGY", lambda c: _not(c.candidate.strategy_status is not StrategyStatus.ACTIVE)),
    ("INVALID_LEVELS", lambda c: _not(_is_unsound(c))),
    ("DUPLICATE_SYMBOL", lambda c: _not(c.candidate.symbol in c.capacity.held)),
    ("COOLDOWN", _cooldown),
    (
        "MAX_POSITIONS",
        lambda c: _below(Decimal(len(c.capacity.held)), Decimal(c.gates.max_positions)),
    ),
    ("MAX_ORDER_NOTIONAL", lambda c: _at_most(c.notional, c.gates.max_order_notional)),
    (
        "MAX_POSITION_FRACTION",
        lambda c: _of_equity(c, c.notional, c.gates.max_position_fraction),
    ),
    ("MAX_ASSET_CLASS_EXPOSURE", _class_exposure),
    ("MAX_GROSS_EXPOSURE", _gross_exposure),
    (
        "MAX_ORDERS_PER_RUN",
        lambda c: _at_most(
            Decimal(c.capacity.orders + len(c.requests)), Decimal(c.gates.max_orders_per_run)
        ),
    ),
    ("PRICE_COLLAR", _price_collar),
    ("CORRELATION_TOO_HIGH", _correlation),
    (
        "DAILY_DRAWDOWN",
        lambda c: _drawdown(c, c.capacity.previous_equity, c.gates.daily_drawdown),
    ),
    ("MAX_DRAWDOWN", lambda c: _drawdown(c, c.capacity.peak_equity, c.gates.max_drawdown)),
    ("INSUFFICIENT_BUYING_POWER", _buying_power),
    ("BELOW_MINIMUM_ORDER", _minimum),
    ("BROKER_RULE", _broker_rule),
    ("STALE_DATA", _stale),
    ("SYMBOL_FROZEN", lambda c: _not(c.candidate.symbol in c.capacity.frozen)),
    ("KILL_SWITCH", lambda c: _not(c.capacity.halted)),
)
"""Every gate in declared order: the first that fails gives the rejection reason."""


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
