"""How much to buy: sizing modes, caps and the step."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING, NamedTuple

from goldenthread.domain.account import MONEY_STEP
from goldenthread.rules.rounding import round_quantity

if TYPE_CHECKING:
    from goldenthread.domain.asset import Asset
    from goldenthread.domain.policy import Policy
    from goldenthread.domain.signal import Candidate, Plan

_ZERO = Decimal(0)


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
