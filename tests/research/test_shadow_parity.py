"""The shadow of a signal equals what the exchange makes of the same signal (promise P2)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from adapters.broker.market import D
from goldenthread.domain.account import money
from goldenthread.domain.asset import ActionKind
from goldenthread.domain.order import Fill, OrderSide
from goldenthread.domain.strategy import Side
from goldenthread.domain.trade import Outcome, OutcomeStatus
from goldenthread.research.shadow import NOT_TRIGGERED, PriceQuery, price
from research.driver import Driver, Traded
from research.histories import History, random_history

if TYPE_CHECKING:
    from decimal import Decimal

    from faults.chaos import Tally

SEEDS = 600


def shadow_of(history: History, priced_as: str) -> Outcome:
    query = PriceQuery(
        history.asset,
        history.actions,
        history.policy,
        history.upto,
        history.rule_exits,
        priced_as,
    )
    return price(history.signal, history.bars, query)


def compare(history: History, outcome: Outcome, traded: Traded) -> str:
    """What happened; fails where the two differ."""
    if not traded.fills:
        assert outcome.note == NOT_TRIGGERED or outcome.status is not OutcomeStatus.RESOLVED
        assert outcome.entry_ds is None
        return "not triggered"
    buy = OrderSide.BUY if history.signal.side is Side.LONG else OrderSide.SELL
    entries = [f for f in traded.fills if f.side is buy]
    assert outcome.entry_ds == entries[0].ds
    if not traded.reason:
        assert outcome.status is OutcomeStatus.OPEN
        return "open"
    assert outcome.status is OutcomeStatus.RESOLVED
    assert outcome.exit_ds == traded.fills[-1].ds
    assert outcome.exit_reason == traded.reason
    assert outcome.net_pnl is not None
    assert traded.net_pnl is not None
    if not any(action.kind is ActionKind.SPLIT for action in history.actions):
        exits = [f for f in traded.fills if f.side is not buy]
        assert (outcome.entry_price, outcome.exit_price) == (average(entries), average(exits))
    # a coin fee is valued at nine decimals by the shadow and not at all by the cash
    assert abs(outcome.net_pnl - traded.net_pnl) <= D("0.00000001")
    if outcome.dividends:
        return f"dividend of a {history.signal.side}"
    return str(outcome.exit_reason)


def average(fills: list[Fill]) -> Decimal:
    notional = sum((fill.notional for fill in fills), D(0))
    return money(notional / sum((fill.quantity for fill in fills), D(0)))


def surrounds_the_close(history: History) -> bool:
    plan, sign = history.signal.plan, history.signal.side.sign
    assert plan is not None
    gains = [target.price for target in plan.targets]
    return (100 - plan.stop) * sign > D("0.01") and all((g - 100) * sign > D("0.01") for g in gains)


@pytest.mark.fault("F22")
@pytest.mark.parametrize("priced_as", ["PLANNED", "MARKET_NEXT_OPEN"])
def test_shadow_and_exchange_agree_on_random_histories(priced_as: str, tally: Tally) -> None:
    seen: Counter[str] = Counter()
    for seed in range(SEEDS):
        history = random_history(seed)
        if priced_as != "PLANNED" and not surrounds_the_close(history):
            continue  # a broker refuses such a bracket around a market order
        outcome = shadow_of(history, priced_as)
        traded = Driver(history, at_market=priced_as != "PLANNED").run()
        try:
            seen[compare(history, outcome, traded)] += 1
        except AssertionError as error:
            msg = f"seed {seed}: {history.signal.plan} {outcome} {traded}"
            raise AssertionError(msg) from error
    expected = {"open", "STOP", "STOP_GAPPED", "TARGET", "TRAIL", "TIME", "RULE"}
    expected |= {"dividend of a long", "dividend of a short"}
    assert expected <= seen.keys(), seen
    tally("signals priced as a shadow and traded on the exchange", seen.total())
