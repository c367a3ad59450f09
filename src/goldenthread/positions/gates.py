"""Who gets the account's money: every gate is asked of every candidate, and only winners take."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import TYPE_CHECKING

from goldenthread.domain.asset import AssetClass
from goldenthread.domain.order import OrderSide
from goldenthread.domain.signal import Signal, SignalStatus, Verdict
from goldenthread.domain.strategy import Side, StrategyStatus
from goldenthread.positions.orders import EntryTicket
from goldenthread.positions.sizing import size
from goldenthread.rules.broker_rules import violation
from goldenthread.rules.calendar import add_sessions, count_sessions
from goldenthread.rules.ledger import reserve_price
from goldenthread.rules.rounding import significant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from goldenthread.domain.asset import Asset
    from goldenthread.domain.order import OrderRequest
    from goldenthread.domain.policy import Gates
    from goldenthread.domain.signal import Candidate
    from goldenthread.positions.session import Session
    from goldenthread.positions.sizing import Capacity, Sized

_ZERO = Decimal(0)
_TWELVE_DIGITS = Context(prec=12)


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

    @property
    def power(self) -> Decimal:
        """The buying power the orders may reserve."""
        crypto = self.candidate.asset_class is AssetClass.CRYPTO
        return self.capacity.crypto_buying_power if crypto else self.capacity.buying_power


@dataclass(frozen=True)
class Gate:
    """One gate: what it looks at, what the policy or the asset allows, and how both compare.

    An unknown value does not pass. ``limit`` is None where the account's buying power is it.
    """

    name: str
    value: Callable[[Case], Decimal | None]
    limit: Callable[[Gates, Asset], Decimal] | None
    passes: Callable[[Decimal, Decimal], bool] = operator.le

    def judge(self, case: Case) -> Verdict:
        """What the gate says of a candidate; the value is kept at twelve digits."""
        value = self.value(case)
        limit = self.limit(case.gates, case.asset) if self.limit else case.power
        return Verdict(
            name=self.name,
            kind="gate",
            value=None if value is None else _TWELVE_DIGITS.plus(value),
            threshold=limit,
            passed=value is not None and self.passes(value, limit),
        )


def rejudge(verdict: Verdict, gates: Gates, asset: Asset) -> Verdict:
    """What a gate says today of the value it once saw: the threshold is that of ``gates``.

    A value that twelve digits cannot tell from its threshold keeps what was said of it; so does
    a gate that is not known any more. Of buying power the account's own figure stays.
    """
    gate = _BY_NAME.get(verdict.name)
    if gate is None:
        return verdict
    value, limit = verdict.value, verdict.threshold
    if gate.limit is not None:
        limit = gate.limit(gates, asset)
    if value is None or limit is None:
        return verdict.model_copy(update={"threshold": limit, "passed": False})
    is_close = value == _TWELVE_DIGITS.plus(limit) and limit == verdict.threshold
    passed = verdict.passed if is_close else gate.passes(value, limit)
    return verdict.model_copy(update={"threshold": limit, "passed": passed})


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
        signal = _signal(case, tuple(gate.judge(case) for gate in GATES))
        if signal.status is SignalStatus.WAITING:
            capacity.take(candidate, case.notional, case.cost, len(case.requests))
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


def _of_equity(case: Case, amount: Decimal | None) -> Decimal | None:
    known = amount is not None and case.capacity.equity > 0
    return amount / case.capacity.equity if known and amount is not None else None


def _sum(amount: Decimal, added: Decimal | None) -> Decimal | None:
    return None if added is None else amount + added


def _is_unsound(case: Case) -> bool:
    plan = case.candidate.plan
    return plan is None or not plan.is_sound(case.candidate.side)


def _cooldown(case: Case) -> Decimal:
    """Sessions still to wait since the strategy's last exit in the symbol."""
    candidate = case.candidate
    last = case.capacity.last_exits.get((candidate.strategy_id, candidate.symbol))
    if last is None:
        return _ZERO
    passed = count_sessions(candidate.asset_class, last, candidate.ds)
    return Decimal(max(0, candidate.size.cooldown_bars - passed))


def _class_exposure(case: Case) -> Decimal | None:
    held = case.capacity.exposure[case.candidate.asset_class]
    return _of_equity(case, _sum(held, case.notional))


def _class_limit(gates: Gates, asset: Asset) -> Decimal:
    is_equity = asset.asset_class is AssetClass.EQUITY
    return gates.max_equity_exposure if is_equity else gates.max_crypto_exposure


def _gross_exposure(case: Case) -> Decimal | None:
    held = sum(case.capacity.exposure.values(), _ZERO)
    return _of_equity(case, _sum(held, case.notional))


def _from_close(case: Case) -> Decimal | None:
    """The distance of the planned entry from the close, as a fraction of the close."""
    plan, close = case.candidate.plan, case.candidate.close
    return None if plan is None or close <= 0 else abs(plan.entry / close - 1)


def _correlation(case: Case) -> Decimal | None:
    candidate, held = case.candidate, case.capacity.held
    others = [s for s, side in held.items() if side is candidate.side and s != candidate.symbol]
    found = case.capacity.correlation(candidate.symbol, others, case.gates.correlation_bars)
    return None if found is None else significant(found)


def _drawdown(case: Case, high: Decimal | None) -> Decimal | None:
    """The fraction lost since ``high``; 0 before there was one."""
    if high is None:
        return _ZERO
    return 1 - case.capacity.equity / high if high > 0 else None


def _refused(case: Case) -> int:
    """How many of the orders the broker would refuse for their form."""
    close = case.candidate.close
    return sum(violation(r, case.asset, close) is not None for r in case.requests)


def _sessions_missed(case: Case) -> Decimal | None:
    symbol = case.candidate.symbol
    known = symbol in case.session.bars
    return Decimal(case.capacity.stale.get(symbol, 0)) if known else None


def _is_enough(notional: Decimal, least: Decimal) -> bool:
    """Whether something is bought at all, and as much as the broker takes."""
    return notional > 0 and notional >= least


def _never(name: str, is_so: Callable[[Case], int]) -> Gate:
    """A gate that counts what must not be."""
    return Gate(name, lambda case: Decimal(is_so(case)), _none)


def _none(_gates: Gates, _asset: Asset) -> Decimal:
    return _ZERO


GATES: tuple[Gate, ...] = (
    _never("SHADOW_STRATEGY", lambda c: c.candidate.strategy_status is not StrategyStatus.ACTIVE),
    _never("INVALID_LEVELS", _is_unsound),
    _never("DUPLICATE_SYMBOL", lambda c: c.candidate.symbol in c.capacity.held),
    Gate("COOLDOWN", _cooldown, _none),
    Gate(
        "MAX_POSITIONS",
        lambda c: Decimal(len(c.capacity.held)),
        lambda g, _: Decimal(g.max_positions),
        operator.lt,
    ),
    Gate("MAX_ORDER_NOTIONAL", lambda c: c.notional, lambda g, _: g.max_order_notional),
    Gate(
        "MAX_POSITION_FRACTION",
        lambda c: _of_equity(c, c.notional),
        lambda g, _: g.max_position_fraction,
    ),
    Gate("MAX_ASSET_CLASS_EXPOSURE", _class_exposure, _class_limit),
    Gate("MAX_GROSS_EXPOSURE", _gross_exposure, lambda g, _: g.max_gross_exposure),
    Gate(
        "MAX_ORDERS_PER_RUN",
        lambda c: Decimal(c.capacity.orders + len(c.requests)),
        lambda g, _: Decimal(g.max_orders_per_run),
    ),
    Gate("PRICE_COLLAR", _from_close, lambda g, _: g.price_collar),
    Gate("CORRELATION_TOO_HIGH", _correlation, lambda g, _: g.correlation_max),
    Gate(
        "DAILY_DRAWDOWN",
        lambda c: _drawdown(c, c.capacity.previous_equity),
        lambda g, _: g.daily_drawdown,
        operator.lt,
    ),
    Gate(
        "MAX_DRAWDOWN",
        lambda c: _drawdown(c, c.capacity.peak_equity),
        lambda g, _: g.max_drawdown,
        operator.lt,
    ),
    Gate("INSUFFICIENT_BUYING_POWER", lambda c: c.cost, None),
    Gate("BELOW_MINIMUM_ORDER", lambda c: c.notional, lambda _, a: a.min_notional, _is_enough),
    _never("BROKER_RULE", _refused),
    Gate("STALE_DATA", _sessions_missed, lambda g, _: Decimal(g.stale_sessions), operator.lt),
    _never("SYMBOL_FROZEN", lambda c: c.candidate.symbol in c.capacity.frozen),
    _never("STRATEGY_PAUSED", lambda c: c.candidate.strategy_id in c.capacity.paused),
    _never("KILL_SWITCH", lambda c: c.capacity.halted),
)
"""Every gate in declared order: the first that fails gives the rejection reason."""

_BY_NAME = {gate.name: gate for gate in GATES}
