"""What an operator wants no new entry of: a strategy, a symbol; what is held goes its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from goldenthread.domain.asset import AssetClass
from goldenthread.domain.order import OrderRequest, OrderSide, OrderType
from goldenthread.domain.signal import SignalStatus
from goldenthread.positions.session import STANDING, Stops
from positions.faulty import die_before_sending
from positions.rig import CALM, D, Market, Rig, candidate, day, plan

if TYPE_CHECKING:
    from pathlib import Path

PAUSED = {"status": STANDING, "ds": "2024-01-02", "strategy_id": "s", "reason": "a test"}
FROZEN = {"status": STANDING, "ds": "2024-01-02", "symbol": "AAPL", "reason": "a test"}


def ask(rig: Rig, name: str, body: dict[str, str]) -> None:
    rig.store.put_if_absent("operator_requests", name, body)


def withdraw(rig: Rig, name: str) -> None:
    standing = rig.store.get("operator_requests", name)
    assert standing is not None
    rig.store.compare_and_set(standing, {**standing.body, "status": "SUPERSEDED"})


def reasons(rig: Rig, number: int, symbol: str, **more: object) -> tuple[str, ...]:
    """Why a candidate of that day was refused."""
    (signal,) = rig.run(number, candidate(symbol, number, plan(), **more))
    return signal.rejection_reasons


def test_a_paused_strategy_enters_nothing_and_leaves_what_it_holds(tmp_path: Path) -> None:
    rig = Rig(tmp_path, Market().add("AAPL", 2, *[CALM] * 4).add("IBM", 2, *[CALM] * 4))
    rig.run(2, candidate("AAPL", 2, plan(max_bars=1)))
    ask(rig, "pause-s", PAUSED)
    own, other = rig.run(
        3, candidate("IBM", 3, plan()), candidate("IBM", 3, plan(), strategy_id="t")
    )
    assert own.rejection_reasons == ("STRATEGY_PAUSED",)
    assert other.status is SignalStatus.WAITING  # nobody paused it
    assert rig.orders()["exit1-1"] == "WORKING"  # bar 1 was the last it may hold AAPL
    withdraw(rig, "pause-s")
    assert reasons(rig, 4, "AAPL") == ()


def test_a_frozen_symbol_is_entered_by_nobody_and_left_by_who_holds_it(tmp_path: Path) -> None:
    rig = Rig(tmp_path, Market().add("AAPL", 2, *[CALM] * 4).add("IBM", 2, *[CALM] * 4))
    rig.run(2, candidate("AAPL", 2, plan(max_bars=1)))
    ask(rig, "freeze-AAPL", FROZEN)
    free, frozen = rig.run(
        3, candidate("AAPL", 3, plan(), strategy_id="t"), candidate("IBM", 3, plan())
    )
    assert frozen.rejection_reasons == ("DUPLICATE_SYMBOL", "SYMBOL_FROZEN")
    assert free.status is SignalStatus.WAITING
    assert rig.orders()["exit1-1"] == "WORKING"
    rig.run(4)  # sold at the open
    assert reasons(rig, 5, "AAPL") == ("SYMBOL_FROZEN",)


def test_neither_an_operator_nor_a_run_lifts_what_the_other_froze(tmp_path: Path) -> None:
    rig = Rig(tmp_path, Market().add("AAPL", 2, *[CALM] * 8).add("IBM", 2, *[CALM] * 8))
    rig.run(2)
    rig.exchange.submit(stranger(OrderSide.BUY))  # 7 shares that no order of ours bought
    ask(rig, "freeze-AAPL", FROZEN)
    assert reasons(rig, 3, "AAPL") == ("SYMBOL_FROZEN",)
    assert rig.reconciled is not None
    assert set(rig.reconciled.frozen) == {"AAPL"}
    withdraw(rig, "freeze-AAPL")
    assert reasons(rig, 4, "AAPL") == ("SYMBOL_FROZEN",)  # the 7 shares are there still
    standing = rig.store.get("operator_requests", "freeze-AAPL")
    assert standing is not None
    rig.store.compare_and_set(standing, FROZEN)
    rig.exchange.submit(stranger(OrderSide.SELL))
    rig.run(5)
    assert reasons(rig, 8, "AAPL") == ("SYMBOL_FROZEN",)
    assert rig.reconciled.frozen == {}  # the broker holds nothing any more: the run thawed
    withdraw(rig, "freeze-AAPL")
    assert reasons(rig, 9, "AAPL") == ()


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [("pause-s", PAUSED, "STRATEGY_PAUSED"), ("freeze-AAPL", FROZEN, "SYMBOL_FROZEN")],
)
def test_a_committed_entry_is_dropped_when_it_is_stopped_before_it_is_sent(
    tmp_path: Path, name: str, body: dict[str, str], reason: str
) -> None:
    rig = Rig(tmp_path, Market().add("AAPL", 2, CALM, CALM))
    die_before_sending(rig, 2, candidate("AAPL", 2, plan()))
    ask(rig, name, body)
    rig.run(2)
    assert rig.signal().status is SignalStatus.INVALIDATED
    assert rig.signal().end_reason == reason
    assert rig.exchange.orders(day(1)) == []


def test_an_entry_is_kept_back_by_the_first_of_its_gates() -> None:
    both = Stops(halted=True, paused={"s": "why"}, frozen={"AAPL": "why"})
    assert both.of("s", "AAPL") == "SYMBOL_FROZEN"
    assert both.of("s", "IBM") == "STRATEGY_PAUSED"
    assert both.of("t", "IBM") == "KILL_SWITCH"
    assert Stops().of("s", "AAPL") == ""


def stranger(side: OrderSide) -> OrderRequest:
    """Somebody else's order in AAPL."""
    return OrderRequest(
        client_order_id=f"by-hand-{side}",
        symbol="AAPL",
        asset_class=AssetClass.EQUITY,
        side=side,
        type=OrderType.MARKET,
        quantity=D(7),
    )
