"""The stream of trade updates: what TradingStream hears, and when it hears nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

from app.exchange.sdk import QUIET_BARS, Clients, listening, wait_until

if TYPE_CHECKING:
    from goldenthread.app.exchange.server import ExchangeServer

from alpaca.trading.requests import (
    LimitOrderRequest,
    MarketOrderRequest,
    ReplaceOrderRequest,
    StopLossRequest,
    TakeProfitRequest,
)

pytestmark = pytest.mark.alpaca_exchange(bars=QUIET_BARS, start="2024-01-02", slippage_bps=0)


def buy(qty: float, **fields: Any) -> MarketOrderRequest:  # noqa: ANN401
    return MarketOrderRequest(symbol="AAPL", qty=qty, side="buy", time_in_force="gtc", **fields)


def told(heard: list[Any]) -> list[tuple[str, str, str]]:
    return [(str(u.event), u.order.type.value, u.order.status.value) for u in heard]


def test_a_trading_stream_hears_every_step_of_its_orders(
    alpaca_exchange: ExchangeServer, alpaca: Clients
) -> None:
    with listening(alpaca_exchange) as heard:
        bracket = {"order_class": "bracket", "stop_loss": StopLossRequest(stop_price=90)}
        gain = TakeProfitRequest(limit_price=106.5)
        alpaca.trading.submit_order(buy(10, take_profit=gain, **bracket))
        rest = LimitOrderRequest(
            symbol="AAPL", qty=5, side="buy", time_in_force="gtc", limit_price=50
        )
        old = alpaca.trading.submit_order(rest)
        new = alpaca.trading.replace_order_by_id(old.id, ReplaceOrderRequest(limit_price=51))
        alpaca.trading.cancel_order_by_id(new.id)
        alpaca_exchange.advance("2024-01-04")
        wait_until(lambda: len(heard) == 10)
    assert told(heard) == [
        ("new", "market", "new"),
        ("new", "limit", "new"),
        ("replaced", "limit", "replaced"),
        ("new", "limit", "new"),
        ("canceled", "limit", "canceled"),
        ("fill", "market", "filled"),
        ("new", "limit", "new"),
        ("new", "stop", "new"),
        ("fill", "limit", "filled"),
        ("canceled", "stop", "canceled"),
    ]
    bought, sold = (u for u in heard if str(u.event) == "fill")
    assert (bought.price, bought.qty, bought.position_qty) == (100, 10, 10)
    assert (sold.price, sold.qty, sold.position_qty) == (106.5, 10, 0)
    assert bought.timestamp.isoformat() == "2024-01-03T14:30:00+00:00"
    assert len({u.execution_id for u in heard}) == 10


@pytest.mark.alpaca_exchange(
    bars=QUIET_BARS, start="2024-01-02", slippage_bps=0, partial_probability=1.0, seed=1
)
def test_an_order_executed_in_parts_says_so_until_it_is_complete(
    alpaca_exchange: ExchangeServer, alpaca: Clients
) -> None:
    with connect(alpaca_exchange.stream_url) as socket:
        _subscribe(socket, alpaca_exchange)
        alpaca.trading.submit_order(buy(10))
        alpaca_exchange.advance("2024-01-05")
        events = [_next(socket)["data"] for _ in range(3)]
    assert [e["event"] for e in events] == ["new", "partial_fill", "partial_fill"]
    first, second = events[1:]
    assert first["order"]["filled_qty"] == first["qty"]
    total = int(first["qty"]) + int(second["qty"])
    assert int(second["order"]["filled_qty"]) == int(second["position_qty"]) == total < 10


def test_a_stream_needs_the_right_keys_and_speaks_in_binary_frames(
    alpaca_exchange: ExchangeServer,
) -> None:
    with connect(alpaca_exchange.stream_url) as socket:
        keys = {"key_id": alpaca_exchange.key_id, "secret_key": "wrong"}
        socket.send(json.dumps({"action": "authenticate", "data": keys}))
        answer = socket.recv()
        assert isinstance(answer, bytes)
        assert json.loads(answer) == {
            "stream": "authorization",
            "data": {"status": "unauthorized", "action": "authenticate"},
        }
        with pytest.raises(ConnectionClosedError):
            socket.recv()
    with connect(alpaca_exchange.stream_url) as socket:
        assert _subscribe(socket, alpaca_exchange) == ["authorized", ["trade_updates"]]


def test_nothing_is_heard_before_listening_and_nothing_of_unknown_streams(
    alpaca_exchange: ExchangeServer, alpaca: Clients
) -> None:
    with connect(alpaca_exchange.stream_url) as socket:
        _login(socket, alpaca_exchange)
        alpaca.trading.submit_order(buy(1))
        socket.send("not json")
        socket.send(json.dumps({"action": "listen", "data": {"streams": ["account_updates"]}}))
        assert _next(socket) == {"stream": "listening", "data": {"streams": []}}
        assert alpaca_exchange.state()["streams"] == 0


def test_a_stream_dropped_at_a_fill_loses_the_event_but_not_the_fill(
    alpaca_exchange: ExchangeServer, alpaca: Clients
) -> None:
    alpaca_exchange.fault("drop_stream")
    with connect(alpaca_exchange.stream_url) as socket:
        _subscribe(socket, alpaca_exchange)
        order = alpaca.trading.submit_order(buy(10))
        assert _next(socket)["data"]["event"] == "new"
        alpaca_exchange.advance("2024-01-03")
        with pytest.raises(ConnectionClosedError):
            socket.recv()
    assert alpaca.trading.get_order_by_id(order.id).status.value == "filled"
    (row,) = alpaca.trading.get("/account/activities/FILL")
    assert row["order_id"] == str(order.id)
    with connect(alpaca_exchange.stream_url) as socket:  # the fault is spent
        _subscribe(socket, alpaca_exchange)
        alpaca.trading.submit_order(buy(1))
        assert _next(socket)["data"]["event"] == "new"


def _login(socket: Any, exchange: ExchangeServer) -> str:  # noqa: ANN401  # a connection
    keys = {"key_id": exchange.key_id, "secret_key": exchange.secret_key}
    socket.send(json.dumps({"action": "authenticate", "data": keys}))
    return str(_next(socket)["data"]["status"])


def _subscribe(socket: Any, exchange: ExchangeServer) -> list[Any]:  # noqa: ANN401  # the same
    status = _login(socket, exchange)
    socket.send(json.dumps({"action": "listen", "data": {"streams": ["trade_updates"]}}))
    return [status, _next(socket)["data"]["streams"]]


def _next(socket: Any) -> Any:  # noqa: ANN401  # JSON
    return json.loads(socket.recv(timeout=10))
