"""Whatever comes in is answered with a refusal, never with a failure of the exchange."""

from __future__ import annotations

import json
from itertools import product
from typing import TYPE_CHECKING

import pytest
from websockets.sync.client import connect

from app.exchange.sdk import QUIET_BARS, ask

if TYPE_CHECKING:
    from goldenthread.app.exchange.server import ExchangeServer

pytestmark = pytest.mark.alpaca_exchange(bars=QUIET_BARS, start="2024-01-02")

RIGHT = {"symbol": "AAPL", "qty": "1", "side": "buy", "type": "market", "time_in_force": "day"}
NONSENSE: tuple[object, ...] = (
    None,
    "",
    "x",
    -1,
    1e400,
    True,
    [],
    [1],
    {},
    {"limit_price": "x"},
    "9" * 200,
)
FIELDS = (*RIGHT, "order_class", "limit_price", "stop_price", "take_profit", "stop_loss")
QUERIES = (
    *("/v2/orders?limit=x", "/v2/orders?status=?", "/v2/orders?after=x", "/v2/orders/x"),
    *("/v2/orders:by_client_order_id", "/v2/assets/", "/v2/assets/%00", "/v2/positions/x"),
    *("/v2/calendar?start=x", "/v2/account/activities?page_size=1e3", "/v2/stocks/bars?symbols=,"),
    *("/v2/stocks/bars?symbols=A&page_token=YQ==", "/v1/corporate-actions?page_token=YQ=="),
    *("/v2/calendar?start=0001-01-01&end=0002-01-01", "/v1beta3/crypto/us/bars"),
)


def test_no_field_of_an_order_breaks_the_exchange(alpaca_exchange: ExchangeServer) -> None:
    resting = {**RIGHT, "type": "limit", "limit_price": "50", "time_in_force": "gtc"}
    order = ask(alpaca_exchange, "POST", "/v2/orders", json=resting).body["id"]
    for field, value in product(FIELDS, NONSENSE):
        body = json.dumps({**RIGHT, field: value})
        posted = ask(alpaca_exchange, "POST", "/v2/orders", data=body)
        assert posted.status in {200, 403, 404, 422}, (body, posted.body)
        patched = ask(
            alpaca_exchange, "PATCH", f"/v2/orders/{order}", data=json.dumps({field: value})
        )
        assert patched.status in {200, 403, 422}, (field, value, patched.body)
    for body in ("", "x", "[]", "null", "NaN"):
        posted = ask(alpaca_exchange, "POST", "/v2/orders", data=body)
        assert (posted.status, posted.body["code"]) == (422, 40010001), body


@pytest.mark.parametrize("query", QUERIES)
def test_no_query_breaks_the_exchange(alpaca_exchange: ExchangeServer, query: str) -> None:
    answer = ask(alpaca_exchange, "GET", query)
    assert answer.status in {200, 400, 404, 422}, answer.body
    assert {"message", "bars"} & set(answer.body) or answer.body == []


def test_no_message_breaks_the_stream(alpaca_exchange: ExchangeServer) -> None:
    keys = {"key_id": alpaca_exchange.key_id, "secret_key": alpaca_exchange.secret_key}
    with connect(alpaca_exchange.stream_url) as socket:
        socket.send(json.dumps({"action": "authenticate", "data": keys}))
        assert "authorized" in str(socket.recv(timeout=10))
        for odd in ("[]", "1", '{"action": "listen"}', '{"action": "listen", "data": []}'):
            socket.send(odd)
        socket.send(json.dumps({"action": "listen", "data": {"streams": ["trade_updates"]}}))
        answers = [json.loads(socket.recv(timeout=10))["data"]["streams"] for _ in range(3)]
    assert answers == [[], [], ["trade_updates"]]
