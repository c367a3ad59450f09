"""Orders placed, replaced, cancelled and executed through an unmodified TradingClient."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from app.exchange.sdk import QUIET_BARS, Clients, ask, refusal

if TYPE_CHECKING:
    from goldenthread.app.exchange.server import ExchangeServer

from alpaca.trading.requests import (
    GetOrderByIdRequest,
    GetOrdersRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    ReplaceOrderRequest,
    StopLossRequest,
    StopOrderRequest,
    TakeProfitRequest,
)

pytestmark = pytest.mark.alpaca_exchange(bars=QUIET_BARS, start="2024-01-02", slippage_bps=0)

FIELDS = [
    "id",
    "client_order_id",
    "created_at",
    "updated_at",
    "submitted_at",
    "filled_at",
    "expired_at",
    "expires_at",
    "canceled_at",
    "failed_at",
    "replaced_at",
    "replaced_by",
    "replaces",
    "asset_id",
    "symbol",
    "asset_class",
    "notional",
    "qty",
    "filled_qty",
    "filled_avg_price",
    "order_class",
    "order_type",
    "type",
    "side",
    "position_intent",
    "time_in_force",
    "limit_price",
    "stop_price",
    "status",
    "extended_hours",
    "legs",
    "trail_percent",
    "trail_price",
    "hwm",
    "ratio_qty",
    "subtag",
    "source",
]
SUB_PENNY = "sub-penny increment does not fulfill minimum pricing criteria"
TEXTS = ("qty", "filled_qty", "limit_price")


def buy(symbol: str = "AAPL", qty: float = 10, **fields: Any) -> MarketOrderRequest:  # noqa: ANN401
    given = {"side": "buy", "time_in_force": "gtc", **fields}
    return MarketOrderRequest(symbol=symbol, qty=qty, **given)


def limit(price: float, **fields: Any) -> LimitOrderRequest:  # noqa: ANN401
    given = {"symbol": "AAPL", "qty": 10, "side": "buy", "time_in_force": "gtc", **fields}
    return LimitOrderRequest(limit_price=price, **given)


def bracket(**fields: Any) -> MarketOrderRequest:  # noqa: ANN401
    return buy(
        order_class="bracket",
        take_profit=TakeProfitRequest(limit_price=106.5),
        stop_loss=StopLossRequest(stop_price=90),
        **fields,
    )


def test_a_market_order_is_new_and_fills_at_the_next_open(
    alpaca_exchange: ExchangeServer, alpaca: Clients
) -> None:
    order = alpaca.trading.submit_order(buy(client_order_id="a"))
    assert (order.status.value, order.qty, order.filled_qty) == ("new", "10", "0")
    alpaca_exchange.advance("2024-01-03")
    filled = alpaca.trading.get_order_by_client_id("a")
    assert (filled.id, filled.status.value, filled.filled_qty) == (order.id, "filled", "10")
    assert filled.filled_avg_price == "100"
    assert filled.filled_at == dt.datetime(2024, 1, 3, 14, 30, tzinfo=dt.UTC)
    assert filled.updated_at == filled.filled_at
    assert filled.submitted_at == order.submitted_at


def test_an_order_has_every_field_alpaca_documents(
    alpaca_exchange: ExchangeServer, alpaca: Clients
) -> None:
    alpaca.trading.submit_order(limit(90, client_order_id="a"))
    (row,) = ask(alpaca_exchange, "GET", "/v2/orders").body
    assert set(FIELDS) <= row.keys()
    assert {type(row[name]) for name in TEXTS} == {str}
    assert (row["position_intent"], row["extended_hours"]) == ("buy_to_open", False)
    assert {row[k] for k in row.keys() - set(FIELDS)} == {False}  # goldenthread_triggered


def test_quantities_arrive_exactly(alpaca: Clients) -> None:
    order = alpaca.trading.submit_order(buy("BTC/USD", 0.123456789))
    assert order.qty == "0.123456789"
    tiny = refusal(lambda: alpaca.trading.submit_order(buy("BTC/USD", 1e-8)))
    assert tiny == (403, 40310000, "cost basis must be >= minimal amount of order 10")


def test_a_crypto_market_order_fills_at_once_and_pays_its_fee_in_coin(alpaca: Clients) -> None:
    order = alpaca.trading.submit_order(buy("BTCUSD", 0.5))
    assert (order.symbol, order.status.value, order.filled_avg_price) == (
        "BTC/USD",
        "filled",
        "100",
    )
    (held,) = alpaca.trading.get_all_positions()
    assert (held.symbol, held.qty) == ("BTCUSD", "0.49875")  # 0.25 % of 0.5 is 0.00125
    assert alpaca.trading.get_account().cash == "99950"


def test_a_client_order_id_is_taken_once_even_after_a_cancel(alpaca: Clients) -> None:
    order = alpaca.trading.submit_order(limit(90, client_order_id="a"))
    alpaca.trading.cancel_order_by_id(order.id)
    again = refusal(lambda: alpaca.trading.submit_order(limit(90, client_order_id="a")))
    assert again == (422, 40010001, "client_order_id must be unique")


def test_a_replaced_order_points_to_its_replacement(alpaca: Clients) -> None:
    old = alpaca.trading.submit_order(limit(90))
    change = ReplaceOrderRequest(qty=4, limit_price=91.5, client_order_id="b")
    new = alpaca.trading.replace_order_by_id(old.id, change)
    assert (new.qty, new.limit_price, new.client_order_id, new.replaces) == (
        "4",
        "91.5",
        "b",
        old.id,
    )
    before = alpaca.trading.get_order_by_id(old.id)
    assert (before.status.value, before.replaced_by) == ("replaced", new.id)
    assert before.replaced_at is not None
    twice = refusal(lambda: alpaca.trading.replace_order_by_id(old.id, change))
    assert twice[:2] == (422, 40010001)  # its client order id is taken
    other = ReplaceOrderRequest(limit_price=92)
    final = refusal(lambda: alpaca.trading.replace_order_by_id(old.id, other))
    assert final == (422, 42210000, "cannot replace limit order in replaced state")


def test_a_cancelled_order_stays_so_and_cannot_be_cancelled_again(
    alpaca_exchange: ExchangeServer, alpaca: Clients
) -> None:
    order = alpaca.trading.submit_order(limit(96))
    assert ask(alpaca_exchange, "DELETE", f"/v2/orders/{order.id}").status == 204
    again = refusal(lambda: alpaca.trading.cancel_order_by_id(order.id))
    assert again == (422, 42210000, 'order is already in "canceled" state')
    alpaca_exchange.advance("2024-01-03")
    after = alpaca.trading.get_order_by_id(order.id)
    assert (after.status.value, after.filled_qty) == ("canceled", "0")
    assert after.canceled_at == dt.datetime(2024, 1, 3, 0, 5, tzinfo=dt.UTC)


def test_every_open_order_is_cancelled_in_one_call(alpaca: Clients) -> None:
    orders = [alpaca.trading.submit_order(limit(price)) for price in (90, 91)]
    done = alpaca.trading.cancel_orders()
    assert [(row.id, row.status) for row in done] == [(o.id, 200) for o in orders]
    assert alpaca.trading.get_orders() == []


def test_a_bracket_wakes_its_legs_and_one_ends_the_other(
    alpaca_exchange: ExchangeServer, alpaca: Clients
) -> None:
    head = alpaca.trading.submit_order(bracket())
    assert [(leg.type.value, leg.status.value) for leg in head.legs] == [
        ("limit", "held"),
        ("stop", "held"),
    ]
    alpaca_exchange.advance("2024-01-03")
    nested = GetOrderByIdRequest(nested=True)
    after = alpaca.trading.get_order_by_id(head.id, nested)
    assert [leg.status.value for leg in after.legs] == ["new", "new"]
    alpaca_exchange.advance("2024-01-04")  # its high is 107
    done = alpaca.trading.get_order_by_id(head.id, nested)
    assert [leg.status.value for leg in done.legs] == ["filled", "canceled"]
    assert done.legs[0].filled_avg_price == "106.5"
    assert Decimal(alpaca.trading.get_account().cash) == 100_000 + 10 * Decimal("6.5")


def test_an_oto_protects_with_one_leg(alpaca_exchange: ExchangeServer, alpaca: Clients) -> None:
    stop = StopLossRequest(stop_price=98)
    head = alpaca.trading.submit_order(buy(order_class="oto", stop_loss=stop))
    assert [leg.stop_price for leg in head.legs] == ["98"]
    alpaca_exchange.advance("2024-01-03")  # its low is 95
    leg = alpaca.trading.get_order_by_id(head.legs[0].id)
    assert (leg.status.value, leg.filled_avg_price) == ("filled", "98")


def test_an_oco_is_a_limit_with_a_stop_beside_it(
    alpaca_exchange: ExchangeServer, alpaca: Clients
) -> None:
    alpaca.trading.submit_order(buy())
    alpaca_exchange.advance("2024-01-03")
    pair = LimitOrderRequest(
        symbol="AAPL",
        qty=10,
        side="sell",
        time_in_force="gtc",
        order_class="oco",
        take_profit=TakeProfitRequest(limit_price=150),
        stop_loss=StopLossRequest(stop_price=98),
    )
    head = alpaca.trading.submit_order(pair)
    assert (head.type.value, head.limit_price) == ("limit", "150")
    assert [(leg.stop_price, leg.status.value) for leg in head.legs] == [("98", "new")]
    (position,) = alpaca.trading.get_all_positions()
    assert (position.qty, position.qty_available) == ("10", "0")
    alpaca_exchange.advance("2024-01-04")  # its low is 97
    assert alpaca.trading.get_order_by_id(head.id).status.value == "canceled"
    assert alpaca.trading.get_order_by_id(head.legs[0].id).status.value == "filled"


def test_a_moved_stop_leg_is_found_below_its_parent(
    alpaca_exchange: ExchangeServer, alpaca: Clients
) -> None:
    head = alpaca.trading.submit_order(bracket())
    alpaca_exchange.advance("2024-01-03")
    change = ReplaceOrderRequest(stop_price=95)
    moved = alpaca.trading.replace_order_by_id(head.legs[1].id, change)
    after = alpaca.trading.get_order_by_id(head.id, GetOrderByIdRequest(nested=True))
    assert [(leg.id, leg.status.value) for leg in after.legs] == [
        (head.legs[0].id, "new"),
        (head.legs[1].id, "replaced"),
        (moved.id, "new"),
    ]


def test_a_day_order_expires_at_the_close(alpaca_exchange: ExchangeServer, alpaca: Clients) -> None:
    order = alpaca.trading.submit_order(limit(50, time_in_force="day"))
    alpaca_exchange.advance("2024-01-03")
    after = alpaca.trading.get_order_by_id(order.id)
    assert after.status.value == "expired"
    assert after.expired_at == dt.datetime(2024, 1, 3, 21, 0, tzinfo=dt.UTC)


def test_a_list_is_chosen_by_status_symbol_side_and_time(
    alpaca_exchange: ExchangeServer, alpaca: Clients
) -> None:
    first = alpaca.trading.submit_order(limit(90))
    coin = alpaca.trading.submit_order(limit(90, symbol="BTC/USD", qty=1))
    filled = alpaca.trading.submit_order(buy())
    alpaca_exchange.advance("2024-01-03")

    def ids(**chosen: Any) -> list[Any]:  # noqa: ANN401
        return [o.id for o in alpaca.trading.get_orders(GetOrdersRequest(**chosen))]

    assert ids() == [coin.id, first.id]  # open, newest first
    assert ids(status="closed") == [filled.id]
    assert ids(status="all", direction="asc") == [first.id, coin.id, filled.id]
    assert ids(status="all", symbols=["BTC/USD"]) == [coin.id]
    assert ids(status="all", side="sell") == []
    assert ids(status="all", limit=1) == [filled.id]
    assert ids(status="all", until=filled.submitted_at) == [coin.id, first.id]
    assert ids(status="all", after=first.submitted_at, direction="asc") == [coin.id, filled.id]


def test_legs_are_orders_of_their_own_unless_nested(
    alpaca_exchange: ExchangeServer, alpaca: Clients
) -> None:
    head = alpaca.trading.submit_order(bracket())
    assert len(alpaca.trading.get_orders(GetOrdersRequest(nested=False))) == 3
    (nested,) = alpaca.trading.get_orders(GetOrdersRequest(nested=True))
    assert [leg.id for leg in nested.legs] == [leg.id for leg in head.legs]
    alpaca_exchange.advance("2024-01-03")  # the parent is filled, its legs are open
    (nested,) = alpaca.trading.get_orders(GetOrdersRequest(status="open", nested=True))
    assert (nested.id, len(nested.legs)) == (head.id, 2)


def test_what_is_not_there_or_not_an_id_is_said_as_alpaca_says_it(alpaca: Clients) -> None:
    nobody = "00000000-0000-0000-0000-000000000001"
    assert refusal(lambda: alpaca.trading.get_order_by_id(nobody)) == (
        404,
        40410000,
        f"order not found for {nobody}",
    )
    assert refusal(lambda: alpaca.trading.get_order_by_client_id("nope")) == (
        404,
        40410000,
        "order not found for nope",
    )


@pytest.mark.parametrize(
    ("body", "status", "code", "message"),
    [
        ({"qty": "1"}, 422, 42210000, "invalid time_in_force None"),
        ({"qty": "0", "time_in_force": "day"}, 422, 40010001, "qty must be > 0"),
        (
            {"qty": "1", "time_in_force": "day", "type": "limit", "limit_price": "100.123"},
            422,
            42210000,
            f"invalid limit_price 100.123. {SUB_PENNY}",
        ),
        (
            {"qty": "1", "symbol": "BTC/USD", "time_in_force": "day"},
            422,
            42210000,
            "invalid crypto time_in_force",
        ),
        (
            {"qty": "1", "time_in_force": "day", "extended_hours": True},
            422,
            42210000,
            "extended_hours is not simulated by this exchange",
        ),
        (
            {"notional": "50", "time_in_force": "day"},
            422,
            42210000,
            "notional is not simulated by this exchange",
        ),
        (
            {"qty": "1", "symbol": "NONE", "time_in_force": "day"},
            404,
            40410000,
            "asset not found for NONE",
        ),
        (
            {"qty": "1", "symbol": "BTC/USD", "side": "sell", "time_in_force": "gtc"},
            403,
            40310000,
            "insufficient balance for BTC (requested: 1, available: 0)",
        ),
    ],
)
def test_a_bad_order_is_refused_with_alpacas_code(
    alpaca_exchange: ExchangeServer,
    body: dict[str, object],
    status: int,
    code: int,
    message: str,
) -> None:
    sent = {"symbol": "AAPL", "side": "buy", "type": "market", **body}
    answer = ask(alpaca_exchange, "POST", "/v2/orders", json=sent)
    assert (answer.status, answer.body) == (status, {"code": code, "message": message})
    assert ask(alpaca_exchange, "GET", "/v2/orders?status=all").body == []


def test_refusals_for_want_of_money_or_shares_carry_the_figures(
    alpaca_exchange: ExchangeServer, alpaca: Clients
) -> None:
    sent = {"symbol": "AAPL", "side": "buy", "type": "market", "time_in_force": "day"}
    poor = ask(alpaca_exchange, "POST", "/v2/orders", json={**sent, "qty": "3000"})
    assert poor.status == 403
    assert poor.body == {
        "code": 40310000,
        "message": "insufficient buying power",
        "buying_power": "200000",
        "cost_basis": "300000",
    }
    alpaca.trading.submit_order(buy())
    alpaca_exchange.advance("2024-01-03")
    stop = StopOrderRequest(symbol="AAPL", qty=4, side="sell", time_in_force="gtc", stop_price=80)
    resting = alpaca.trading.submit_order(stop)
    held = ask(alpaca_exchange, "POST", "/v2/orders", json={**sent, "side": "sell", "qty": "7"})
    assert held.body == {
        "code": 40310000,
        "message": "insufficient qty available for order (requested: 7, available: 6)",
        "symbol": "AAPL",
        "existing_qty": "10",
        "held_for_orders": "4",
        "available": "6",
    }
    wash = ask(alpaca_exchange, "POST", "/v2/orders", json={**sent, "qty": "1"})
    assert wash.body == {
        "code": 40310000,
        "message": "potential wash trade detected. use complex orders",
        "existing_order_id": str(resting.id),
        "reject_reason": "opposite side market/stop order exists",
    }
