"""Which order a bar executes, when, and at what price."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.broker.market import D, bracket, coins, day, exchange, order, settings, stocks
from goldenthread.domain.order import (
    Fill,
    OrderClass,
    OrderSide,
    OrderStatus,
    OrderType,
    TimeInForce,
)

if TYPE_CHECKING:
    from goldenthread.adapters.broker.simulated import SimulatedBroker

S = OrderStatus


def executions(broker: SimulatedBroker) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """Side, quantity, price and flags of every execution."""
    return [
        (f.side.value, str(f.quantity), format(f.price.normalize(), "f"), f.flags)
        for f in broker.fills(day(1))
    ]


def statuses(broker: SimulatedBroker, key: str) -> list[OrderStatus]:
    return [report.status for report in broker.find_order(key)]


def test_a_market_order_fills_at_the_next_open_slipped() -> None:
    broker = exchange(stocks("99 101 98 100", "100 105 95 102"), slippage_bps=D(10))
    broker.submit(order("a", "10"))
    assert executions(broker) == []
    broker.meet(day(3))
    # 100 x (1 + 0.001) = 100.1
    assert executions(broker) == [("buy", "10", "100.1", ("AT_OPEN",))]
    assert broker.fills(day(1))[0].filled_at.isoformat() == "2024-01-03T14:30:00+00:00"


def test_a_session_without_a_bar_fills_nothing() -> None:
    broker = exchange(stocks("99 101 98 100", "", "100 105 95 102"))
    broker.submit(order("a", "10"))
    broker.meet(day(3))
    assert statuses(broker, "a") == [S.NEW]
    broker.meet(day(4))
    assert statuses(broker, "a") == [S.FILLED]


def test_an_entry_at_the_open_wakes_its_legs_for_the_whole_bar() -> None:
    broker = exchange(stocks("99 101 98 100", "100 110 95 102"))
    reports = broker.submit(bracket("a", "10", take_profit=109, stop_loss=90))
    assert [r.status for r in reports] == [S.NEW, S.HELD, S.HELD]
    assert [r.leg for r in reports] == ["", "take_profit", "stop_loss"]
    broker.meet(day(3))
    assert executions(broker) == [("buy", "10", "100", ("AT_OPEN",)), ("sell", "10", "109", ())]
    assert statuses(broker, "a") == [S.FILLED, S.FILLED, S.CANCELED]


def test_legs_wait_as_new_after_a_quiet_bar() -> None:
    broker = exchange(stocks("99 101 98 100", "100 105 95 102"))
    broker.submit(bracket("a", "10", take_profit=109, stop_loss=90))
    broker.meet(day(3))
    assert statuses(broker, "a") == [S.FILLED, S.NEW, S.NEW]


def test_of_stop_and_target_in_one_bar_the_stop_is_taken_and_flagged() -> None:
    broker = exchange(stocks("99 101 98 100", "100 110 89 102"))
    broker.submit(bracket("a", "10", take_profit=109, stop_loss=90))
    broker.meet(day(3))
    assert executions(broker)[1] == ("sell", "10", "90", ("AMBIGUOUS_BAR",))


def test_a_target_met_at_the_open_comes_before_a_stop_inside_the_bar() -> None:
    broker = exchange(stocks("99 101 98 100", "100 105 95 102", "112 115 85 90"))
    broker.submit(bracket("a", "10", take_profit=109, stop_loss=90))
    broker.meet(day(4))
    assert executions(broker)[1] == ("sell", "10", "112", ("AT_OPEN",))


def test_an_open_past_a_raised_stop_and_the_target_alike_is_stopped() -> None:
    broker = exchange(stocks("99 101 98 100", "100 105 95 102", "110 112 108 110"))
    _, _, loss = broker.submit(bracket("a", "10", take_profit=109, stop_loss=90))
    broker.meet(day(3))
    broker.replace(loss.broker_order_id, "a2", D(111))
    broker.meet(day(4))
    assert executions(broker)[1] == ("sell", "10", "110", ("AT_OPEN", "GAPPED"))
    assert statuses(broker, "a")[1] is S.CANCELED


def test_a_gapped_stop_fills_at_the_open() -> None:
    broker = exchange(stocks("99 101 98 100", "100 105 95 102", "80 110 79 90"))
    broker.submit(bracket("a", "10", take_profit=109, stop_loss=90))
    broker.meet(day(4))
    assert executions(broker)[1] == ("sell", "10", "80", ("AT_OPEN", "GAPPED"))


def test_an_entry_opening_beyond_its_stop_is_filled_then_stopped_at_the_open() -> None:
    broker = exchange(stocks("99 101 98 100", "85 110 84 102"))
    broker.submit(bracket("a", "10", take_profit=109, stop_loss=90))
    broker.meet(day(3))
    assert executions(broker) == [
        ("buy", "10", "85", ("AT_OPEN",)),
        ("sell", "10", "85", ("AT_OPEN", "GAPPED")),
    ]


def test_an_entry_opening_beyond_its_target_sells_at_the_open() -> None:
    broker = exchange(stocks("99 101 98 100", "112 113 84 102"))
    broker.submit(bracket("a", "10", take_profit=109, stop_loss=90))
    broker.meet(day(3))
    assert executions(broker)[1] == ("sell", "10", "112", ("AT_OPEN",))


def test_a_limit_entry_inside_the_bar_may_be_stopped_but_takes_no_target_on_it() -> None:
    limit = {"type": OrderType.LIMIT, "limit_price": 97, "take_profit": 101, "stop_loss": 94}
    broker = exchange(stocks("99 101 98 100", "100 105 96 102", "100 102 99 100"))
    broker.submit(bracket("a", "10", **limit))
    broker.meet(day(3))
    assert executions(broker) == [("buy", "10", "97", ())]
    broker.meet(day(4))
    assert executions(broker)[1] == ("sell", "10", "101", ())

    broker = exchange(stocks("99 101 98 100", "100 105 93 102"))
    broker.submit(bracket("a", "10", **limit))
    broker.meet(day(3))
    assert executions(broker)[1] == ("sell", "10", "94", ("AMBIGUOUS_BAR",))


def test_a_stop_entry_inside_the_bar_is_not_stopped_at_the_open_it_never_saw() -> None:
    broker = exchange(stocks("99 101 98 100", "100 110 99 108"))
    entry = {"type": OrderType.STOP, "stop_price": 105, "take_profit": 120, "stop_loss": 102}
    broker.submit(bracket("a", "10", **entry))
    broker.meet(day(3))
    assert executions(broker) == [("buy", "10", "105", ()), ("sell", "10", "102", ())]


def test_a_short_bracket_is_mirrored() -> None:
    broker = exchange(stocks("99 101 98 100", "100 104 88 95"))
    broker.submit(bracket("a", "10", side=OrderSide.SELL, take_profit=90, stop_loss=105))
    broker.meet(day(3))
    assert executions(broker) == [("sell", "10", "100", ("AT_OPEN",)), ("buy", "10", "90", ())]
    assert broker.account().cash == D(100_100)


def test_an_oco_works_at_once_and_one_side_ends_the_other() -> None:
    broker = exchange(stocks("99 101 98 100", "100 105 95 102", "100 101 89 95"))
    broker.submit(order("a", "10"))
    broker.meet(day(3))
    pair = order(
        "b",
        "10",
        side=OrderSide.SELL,
        type=OrderType.LIMIT,
        order_class=OrderClass.OCO,
        limit_price=109,
        stop_loss=90,
    )
    assert [r.leg for r in broker.submit(pair)] == ["", "stop_loss"]
    broker.meet(day(4))
    assert executions(broker)[1] == ("sell", "10", "90", ())
    assert statuses(broker, "b") == [S.CANCELED, S.FILLED]


def test_canceling_any_order_of_a_bracket_cancels_the_rest() -> None:
    broker = exchange(stocks("99 101 98 100", "100 105 95 102"))
    reports = broker.submit(bracket("a", "10", take_profit=109, stop_loss=90))
    assert broker.cancel(reports[1].broker_order_id).status is S.CANCELED
    assert statuses(broker, "a") == [S.CANCELED] * 3

    reports = broker.submit(bracket("b", "10", take_profit=109, stop_loss=90))
    broker.meet(day(3))
    broker.cancel(reports[2].broker_order_id)
    assert statuses(broker, "b") == [S.FILLED, S.CANCELED, S.CANCELED]
    assert broker.cancel(reports[0].broker_order_id).status is S.FILLED


def test_day_orders_expire_at_the_close_with_their_legs() -> None:
    broker = exchange(stocks("99 101 98 100", "100 105 95 102"))
    entry = {"type": OrderType.LIMIT, "limit_price": 90, "time_in_force": TimeInForce.DAY}
    broker.submit(bracket("a", "10", take_profit=109, stop_loss=80, **entry))
    broker.meet(day(3))
    assert statuses(broker, "a") == [S.EXPIRED] * 3


def test_a_crypto_market_order_takes_the_known_open_at_once_but_counts_from_its_date() -> None:
    broker = exchange(coins("100 110 90 100", "100 120 95 110"))
    broker.submit(order("a", "2", symbol="BTC/USD"))
    assert statuses(broker, "a") == [S.FILLED]
    fill = broker.fills(day(3))[0]
    assert (fill.ds, fill.filled_at.isoformat()) == (day(3), "2024-01-03T00:00:00+00:00")
    before = broker.account()
    assert (before.cash, before.holdings) == (D(100_000), ())
    # what is left to spend counts the purchase of 2 x 100
    assert before.crypto_buying_power == D(99_800)
    broker.meet(day(3))
    after = broker.account()
    assert after.cash == D(99_800)
    assert after.holdings[0].quantity == D("1.995")
    assert after.equity == D(99_800) + D("1.995") * 110


def test_a_crypto_market_order_waits_when_the_next_day_has_no_bar() -> None:
    broker = exchange(coins("100 110 90 100", "", "100 120 95 110"))
    broker.submit(order("a", "2", symbol="BTC/USD"))
    assert statuses(broker, "a") == [S.NEW]
    broker.meet(day(3))
    assert statuses(broker, "a") == [S.NEW]
    broker.meet(day(4))
    assert statuses(broker, "a") == [S.FILLED]


def crypto_long(broker: SimulatedBroker) -> Fill:
    """2 BTC bought at the open of 3 January, 1.995 held after the fee."""
    broker.submit(order("a", "2", symbol="BTC/USD"))
    return broker.fills(day(1))[0]


STOP = {
    "symbol": "BTC/USD",
    "side": OrderSide.SELL,
    "type": OrderType.STOP_LIMIT,
    "stop_price": 90,
    "limit_price": 85,
}


def test_a_stop_placed_with_the_entry_protects_on_the_entry_bar() -> None:
    broker = exchange(coins("100 110 90 100", "100 120 89 110"))
    crypto_long(broker)
    broker.submit(order("s", "1.995", **STOP))
    broker.meet(day(3))
    assert executions(broker)[1] == ("sell", "1.995", "90", ())


def test_a_stop_limit_gapped_through_is_triggered_and_rests_at_its_limit() -> None:
    market = coins("100 110 90 100", "100 120 95 110", "80 84 75 80", "80 88 79 86")
    broker = exchange(market)
    crypto_long(broker)
    broker.submit(order("s", "1.995", **STOP))
    broker.meet(day(4))
    (stop,) = broker.find_order("s")
    assert (stop.status, stop.triggered) == (S.NEW, True)
    broker.meet(day(5))
    assert executions(broker)[1] == ("sell", "1.995", "85", ("GAPPED",))


def test_an_ioc_order_that_the_open_does_not_fill_is_canceled() -> None:
    broker = exchange(coins("100 110 90 100", "100 120 80 110"))
    limit = {"type": OrderType.LIMIT, "limit_price": 95, "time_in_force": TimeInForce.IOC}
    broker.submit(order("a", "2", symbol="BTC/USD", **limit))
    broker.meet(day(3))
    assert statuses(broker, "a") == [S.CANCELED]


def test_spending_more_than_there_is_fills_and_is_flagged() -> None:
    broker = exchange(stocks("99 101 98 100", "150 155 149 150"), multiplier=D(1))
    broker.submit(order("a", "1000"))
    broker.meet(day(3))
    assert executions(broker)[0][3] == ("AT_OPEN", "NEGATIVE_CASH")
    assert broker.account().cash == D(-50_000)


def test_partial_fills_come_from_the_seed_and_always_sum_to_the_order() -> None:
    prices = ["100 101 99 100"] * 4
    market = stocks(*prices)
    for number in (8, 9, 10, 11, 12):
        market.add(*stocks(*[""] * (number - 2), "100 101 99 100").bars.values())
    runs = []
    for seed in (1, 1, 2):
        broker = exchange(market, seed=seed, partial_probability=0.9)
        broker.submit(order("a", "1000"))
        broker.meet(day(12))
        runs.append([(f.ds, f.quantity, f.fill_no) for f in broker.fills(day(1))])
    assert runs[0] == runs[1] != runs[2]
    assert len(runs[0]) > 1
    assert [number for _, _, number in runs[0]] == list(range(1, len(runs[0]) + 1))
    (report,) = broker.find_order("a")
    assert report.filled_quantity == sum(f.quantity for f in broker.fills(day(1)))


def test_legs_are_held_until_their_parent_is_complete() -> None:
    market = stocks(*["100 101 99 100"] * 4)
    broker = exchange(market, seed=1, partial_probability=1.0)
    broker.submit(bracket("a", "1000", take_profit=120, stop_loss=80))
    broker.meet(day(3))
    parent, gain, loss = broker.find_order("a")
    assert parent.status is S.PARTIALLY_FILLED
    assert (gain.status, loss.status) == (S.HELD, S.HELD)
    broker.cancel(parent.broker_order_id)
    assert statuses(broker, "a") == [S.CANCELED] * 3
    assert broker.account().holdings[0].quantity == parent.filled_quantity


def test_a_target_waits_on_the_bar_that_executed_a_part_of_its_stop() -> None:
    market = stocks("99 101 98 100", "100 101 99 100", "100 112 79 100")
    broker = exchange(market)
    broker.submit(bracket("a", "1000", take_profit=110, stop_loss=80))
    broker.meet(day(3))
    broker._desk.settings = settings(seed=1, partial_probability=1.0)
    broker.meet(day(4))
    _, gain, loss = broker.find_order("a")
    assert (gain.filled_quantity, loss.status) == (D(0), S.PARTIALLY_FILLED)
    assert loss.triggered


def test_a_part_of_less_than_a_step_is_all_of_it() -> None:
    broker = exchange(stocks("99 101 98 100", "100 101 99 100"), partial_probability=1.0)
    broker.submit(order("a", "0.5", time_in_force=TimeInForce.DAY))
    broker.meet(day(3))
    assert executions(broker)[0][1] == "0.5"


def test_a_target_filled_in_part_shrinks_the_stop() -> None:
    market = stocks("99 101 98 100", "100 101 99 100", "100 112 99 100")
    broker = exchange(market)
    broker.submit(bracket("a", "1000", take_profit=110, stop_loss=80))
    broker.meet(day(3))
    broker._desk.settings = settings(seed=1, partial_probability=1.0)
    broker.meet(day(4))
    _, gain, loss = broker.find_order("a")
    assert gain.status is S.PARTIALLY_FILLED
    assert loss.quantity == D(1000) - gain.filled_quantity
