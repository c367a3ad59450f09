"""A plan reads the real broker and sends it nothing."""

from __future__ import annotations

import pytest

from adapters.broker.market import D, bracket, day, exchange, order, stocks
from goldenthread.adapters.broker.recording import RecordingBroker
from goldenthread.domain.errors import EngineRefusedError
from goldenthread.domain.order import OrderStatus, OrderType

S = OrderStatus
PRICES = ("99 101 98 100", "100 105 95 102", "102 107 97 104")


def test_what_is_submitted_is_accepted_and_not_sent() -> None:
    inner = exchange(stocks(*PRICES))
    plan = RecordingBroker(inner)
    request = bracket("a", "10", take_profit=120, stop_loss=80)
    reports = plan.submit(request)
    assert [r.status for r in reports] == [S.ACCEPTED, S.HELD, S.HELD]
    assert plan.submit(request) == plan.find_order("a") == reports
    assert [r.broker_order_id for r in plan.orders(day(1))] == sorted(
        r.broker_order_id for r in reports
    )
    assert plan.asked.submitted == [request]
    assert inner.orders(day(1)) == []
    assert plan.account() == inner.account()


def test_what_the_broker_holds_is_canceled_and_moved_in_the_plan_only() -> None:
    inner = exchange(stocks(*PRICES))
    head, gain, loss = inner.submit(bracket("a", "10", take_profit=120, stop_loss=80))
    plan = RecordingBroker(inner)
    plan.meet(day(3))
    assert len(plan.fills(day(3))) == 1
    before = inner.orders(day(1))

    moved = plan.replace(loss.broker_order_id, "a2", D(90))
    assert (moved.stop_price, moved.replaces) == (D(90), loss.broker_order_id)
    assert plan.replace(loss.broker_order_id, "a2", D(90)) == moved
    assert plan.find_order(loss.client_order_id)[0].status is S.REPLACED
    assert plan.cancel(gain.broker_order_id).status is S.CANCELED
    assert plan.find_order("a2")[0].status is S.CANCELED  # the rest of its bracket
    assert plan.cancel(head.broker_order_id).status is S.FILLED
    assert inner.orders(day(1)) == before
    assert (len(plan.asked.canceled), plan.asked.replaced) == (1, [moved])


def test_an_order_the_broker_knows_is_looked_up_not_planned_again() -> None:
    inner = exchange(stocks(*PRICES))
    known = inner.submit(order("a", "1", type=OrderType.LIMIT, limit_price=50))
    plan = RecordingBroker(inner)
    assert plan.submit(order("a", "1", type=OrderType.LIMIT, limit_price=50)) == known
    assert plan.asked.submitted == []


def test_an_unknown_order_is_refused() -> None:
    plan = RecordingBroker(exchange(stocks(*PRICES)))
    with pytest.raises(EngineRefusedError, match="order not found for none"):
        plan.cancel("none")
    assert plan.find_order("none") == ()
