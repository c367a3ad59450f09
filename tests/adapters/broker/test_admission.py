"""What the exchange refuses, with Alpaca's codes and words."""

from __future__ import annotations

import pytest

from adapters.broker.market import D, bracket, coins, day, exchange, order, stocks
from goldenthread.domain.errors import EngineRefusedError
from goldenthread.domain.order import OrderClass, OrderRequest, OrderSide, OrderType

QUIET = "100 101 99 100"
SELL = OrderSide.SELL


def refusal(request: OrderRequest, *before: OrderRequest, **terms: object) -> tuple[str, str]:
    """Code and message of the refusal, after other orders were executed."""
    market = stocks(QUIET, QUIET)
    market.add(
        *coins(QUIET, QUIET).bars.values(), *stocks(QUIET, QUIET, symbol="IBM").bars.values()
    )
    broker = exchange(market, **terms)
    for earlier in before:
        broker.submit(earlier)
    broker.meet(day(3))
    with pytest.raises(EngineRefusedError) as refused:
        broker.submit(request)
    return refused.value.code, str(refused.value)


def test_equities_may_cost_twice_the_equity_and_no_more() -> None:
    # 100,000 x 2 buys 2,000 shares at 100
    broker = exchange(stocks(QUIET, QUIET))
    broker.submit(order("a", "2000"))
    broker.meet(day(3))
    account = broker.account()
    assert (account.cash, account.equity, account.buying_power) == (D(-100_000), D(100_000), D(0))
    assert account.initial_margin == D(100_000)  # half of 200,000
    assert account.maintenance_margin == D(50_000)  # a quarter
    code, message = refusal(order("a", "2001"))
    assert (code, message.split(" (")[0]) == ("40310000", "insufficient buying power")


def test_open_orders_reserve_buying_power() -> None:
    broker = exchange(stocks(QUIET))
    (limit,) = broker.submit(order("a", "1000", type=OrderType.LIMIT, limit_price=90))
    # 2 x (100,000 - 90,000 / 2)
    assert broker.account().buying_power == D(110_000)
    broker.cancel(limit.broker_order_id)
    assert broker.account().buying_power == D(200_000)


def test_open_orders_reserve_cash_for_crypto() -> None:
    broker = exchange(stocks(QUIET).add(*coins(QUIET).bars.values()))
    broker.submit(order("a", "1000", type=OrderType.LIMIT, limit_price=90))
    # the stocks may be bought on margin, but their 90,000 would leave 10,000 in cash
    assert broker.account().crypto_buying_power == D(10_000)
    with pytest.raises(EngineRefusedError, match="insufficient balance for USD"):
        broker.submit(order("b", "101", symbol="BTC/USD"))


def test_shorts_reserve_103_percent() -> None:
    # 1,942 x 100 x 1.03 = 200,026 is too much, 1,941 is 199,923
    assert refusal(order("a", "1942", side=SELL))[0] == "40310000"
    broker = exchange(stocks(QUIET))
    broker.submit(order("a", "1941", side=SELL))
    assert broker.account().buying_power == D(77)


def test_crypto_is_paid_in_cash_only() -> None:
    code, message = refusal(order("b", "1001", symbol="BTC/USD"))
    assert code == "40310000"
    assert message == "insufficient balance for USD (requested: 100100, available: 100000)"


def test_crypto_is_never_sold_short() -> None:
    message = refusal(order("a", "1", symbol="BTC/USD", side=SELL))[1]
    assert message == "insufficient balance for BTC (requested: 1, available: 0)"


def test_a_stock_that_cannot_be_borrowed_is_not_sold_short() -> None:
    assert refusal(order("a", "1", symbol="IBM", side=SELL))[1] == (
        'asset "IBM" cannot be sold short'
    )


def test_one_resting_exit_reserves_the_whole_quantity() -> None:
    broker = exchange(coins(QUIET, QUIET))
    broker.submit(order("a", "2", symbol="BTC/USD"))
    broker.meet(day(3))
    stop = {"type": OrderType.STOP_LIMIT, "stop_price": 90, "limit_price": 85}
    broker.submit(order("s", "1.995", symbol="BTC/USD", side=SELL, **stop))
    with pytest.raises(EngineRefusedError) as refused:
        broker.submit(order("x", "1", symbol="BTC/USD", side=SELL))
    assert str(refused.value) == (
        "insufficient qty available for order (requested: 1, available: 0)"
    )


def test_a_pair_of_exits_promises_its_shares_once() -> None:
    broker = exchange(stocks(QUIET, QUIET))
    broker.submit(bracket("a", "10", take_profit=110, stop_loss=90))
    broker.submit(order("b", "5"))
    broker.meet(day(3))
    broker.submit(order("c", "5", side=SELL))  # 15 held, 10 promised to the bracket
    with pytest.raises(EngineRefusedError, match="requested: 1, available: 0"):
        broker.submit(order("d", "1", side=SELL))


def test_selling_what_is_held_needs_no_buying_power() -> None:
    broker = exchange(stocks(QUIET, QUIET))
    broker.submit(order("a", "2000"))
    broker.meet(day(3))
    assert broker.account().buying_power == 0
    assert broker.submit(order("b", "2000", side=SELL))


def test_an_order_against_a_resting_one_of_ours_is_a_wash_trade() -> None:
    broker = exchange(stocks(QUIET, QUIET))
    broker.submit(order("a", "10"))
    broker.meet(day(3))
    broker.submit(order("s", "10", side=SELL, type=OrderType.STOP, stop_price=90))
    with pytest.raises(EngineRefusedError, match="potential wash trade"):
        broker.submit(order("b", "10"))
    # legs are exempt, and so is a bracket of its own
    assert broker.submit(bracket("c", "10", take_profit=110, stop_loss=90))


def test_limits_that_cannot_meet_are_no_wash_trade() -> None:
    broker = exchange(stocks(QUIET, QUIET))
    broker.submit(order("a", "10"))
    broker.meet(day(3))
    broker.submit(order("s", "10", side=SELL, type=OrderType.LIMIT, limit_price=110))
    assert broker.submit(order("b", "10", type=OrderType.LIMIT, limit_price=95))
    with pytest.raises(EngineRefusedError, match="potential wash trade"):
        broker.submit(order("c", "10", type=OrderType.LIMIT, limit_price=110))


def test_an_oco_without_shares_is_refused() -> None:
    pair = {"type": OrderType.LIMIT, "order_class": OrderClass.OCO, "limit_price": 110}
    message = refusal(order("a", "10", side=SELL, stop_loss=90, **pair))[1]
    assert message == "insufficient qty available for order (requested: 10, available: 0)"


def test_an_unknown_symbol_is_not_found() -> None:
    request = order("a", "1").model_copy(update={"symbol": "NONE"})
    assert refusal(request) == ("40410000", "asset not found for NONE")


def test_what_the_rules_forbid_is_refused_with_their_code() -> None:
    code, message = refusal(order("a", "1", type=OrderType.LIMIT, limit_price="99.999"))
    assert code == "42210000"
    assert "sub-penny" in message


def test_a_market_order_without_any_price_is_refused() -> None:
    broker = exchange(stocks())
    with pytest.raises(EngineRefusedError, match="no price is known for AAPL"):
        broker.submit(order("a", "1"))


def test_a_refused_order_leaves_no_trace() -> None:
    broker = exchange(stocks(QUIET))
    before = broker.account()
    with pytest.raises(EngineRefusedError):
        broker.submit(order("a", "100000"))
    assert (broker.account(), broker.orders(day(1))) == (before, [])


def test_only_a_resting_stop_is_replaced() -> None:
    broker = exchange(stocks(QUIET, QUIET))
    (limit,) = broker.submit(order("a", "1", type=OrderType.LIMIT, limit_price=90))
    with pytest.raises(EngineRefusedError, match="cannot replace limit order in new state"):
        broker.replace(limit.broker_order_id, "b", D(80))
    with pytest.raises(EngineRefusedError, match="order not found"):
        broker.replace("none", "b", D(80))
