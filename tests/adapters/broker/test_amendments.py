"""Changing a resting order: what takes its place, and what is refused."""

from __future__ import annotations

import pytest

from adapters.broker.market import D, bracket, coins, day, exchange, order, stocks
from goldenthread.adapters.broker.simulated.amendments import Amendment
from goldenthread.domain.errors import EngineRefusedError
from goldenthread.domain.order import OrderSide, OrderStatus, OrderType, TimeInForce

QUIET = "100 101 99 100"
LIMIT = {"type": OrderType.LIMIT, "limit_price": 95}


def test_a_changed_entry_rests_at_its_new_price_quantity_and_time_in_force() -> None:
    broker = exchange(stocks(QUIET, "100 101 95.5 100"))
    (old,) = broker.submit(order("a", "10", **LIMIT))
    change = Amendment(D(7), D(96), None, TimeInForce.DAY)
    moved = broker.amend(old.broker_order_id, "a2", change)
    assert (moved.quantity, moved.limit_price, moved.replaces) == (
        D(7),
        D(96),
        old.broker_order_id,
    )
    assert [(t.report.status, t.time_in_force, t.reserve) for t in broker.tickets(day(1))] == [
        (OrderStatus.REPLACED, TimeInForce.GTC, D(95)),
        (OrderStatus.NEW, TimeInForce.DAY, D(96)),
    ]
    broker.meet(day(3))
    assert [(f.quantity, f.price) for f in broker.fills(day(1))] == [(D(7), D(96))]


def test_a_changed_entry_may_cost_what_the_old_one_had_reserved() -> None:
    broker = exchange(stocks(QUIET))
    (old,) = broker.submit(order("a", "2000", **LIMIT))  # 190,000 of 200,000
    broker.amend(old.broker_order_id, "a2", Amendment(limit_price=D(100)))
    assert broker.account().buying_power == 0
    (new,) = broker.find_order("a2")
    with pytest.raises(EngineRefusedError, match="insufficient buying power") as refused:
        broker.amend(new.broker_order_id, "a3", Amendment(limit_price=D("100.01")))
    assert refused.value.code == "40310000"
    assert broker.find_order("a2")[0].status is OrderStatus.NEW


def test_an_exit_grows_only_by_what_no_other_exit_holds() -> None:
    broker = exchange(stocks(QUIET, QUIET))
    broker.submit(order("a", "10"))
    broker.meet(day(3))
    sell = {"side": OrderSide.SELL, "type": OrderType.LIMIT}
    (one,) = broker.submit(order("b", "6", limit_price=120, **sell))
    broker.submit(order("c", "3", limit_price=130, **sell))
    assert broker.promised("AAPL", OrderSide.SELL) == D(9)
    with pytest.raises(EngineRefusedError, match=r"requested: 2, available: 1"):
        broker.amend(one.broker_order_id, "b2", Amendment(D(8)))
    assert broker.amend(one.broker_order_id, "b2", Amendment(D(7))).quantity == D(7)
    assert broker.promised("AAPL", OrderSide.SELL) == D(10)


def test_a_final_order_and_the_size_of_a_leg_are_not_changed() -> None:
    broker = exchange(stocks(QUIET, QUIET))
    _, gain, _ = broker.submit(bracket("a", "10", take_profit=120, stop_loss=80))
    with pytest.raises(EngineRefusedError, match="qty and time_in_force of bracket orders"):
        broker.amend(gain.broker_order_id, "a2", Amendment(quantity=D(5)))
    broker.cancel(gain.broker_order_id)
    with pytest.raises(EngineRefusedError, match="cannot replace limit order in canceled state"):
        broker.amend(gain.broker_order_id, "a2", Amendment(limit_price=D(121)))


def test_the_owner_sees_an_execution_that_is_ahead_of_the_last_date_met() -> None:
    broker = exchange(coins(QUIET, QUIET))
    broker.submit(order("a", "1", symbol="BTC/USD"))
    assert broker.account().holdings == ()
    (held,) = broker.account_now().holdings
    assert held.quantity == D("0.9975")  # 0.25 % of the coin is the fee
    assert broker.account_now().cash == D(99_900)
    broker.meet(day(3))
    assert broker.account_now() == broker.account()
