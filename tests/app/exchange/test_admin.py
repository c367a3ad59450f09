"""The admin port: it moves the clock, and only forward."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from app.exchange.sdk import QUIET_BARS, Clients
from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    from goldenthread.app.exchange.server import ExchangeServer

from alpaca.trading.requests import MarketOrderRequest

pytestmark = pytest.mark.alpaca_exchange(bars=QUIET_BARS, start="2024-01-02")


def test_an_advance_tells_what_happened_on_the_way(
    alpaca_exchange: ExchangeServer, alpaca: Clients
) -> None:
    order = MarketOrderRequest(
        symbol="AAPL", qty=1, side="buy", time_in_force="gtc", client_order_id="a"
    )
    alpaca.trading.submit_order(order)
    told = alpaca_exchange.advance(days=3)
    assert (told["met"], told["clock"]) == ("2024-01-05", "2024-01-06T00:05:00Z")
    (event,) = told["events"]
    assert (event["event"], event["client_order_id"], event["symbol"], event["at"]) == (
        "fill",
        "a",
        "AAPL",
        "2024-01-03T14:30:00Z",
    )


def test_an_earlier_date_changes_nothing(alpaca_exchange: ExchangeServer) -> None:
    alpaca_exchange.advance("2024-01-04")
    told = alpaca_exchange.advance("2024-01-03")
    assert (told["met"], told["events"]) == ("2024-01-04", [])


@pytest.mark.parametrize("body", [{}, {"ds": "soon"}, {"days": 0}, {"days": 1, "ds": "2024-01-03"}])
def test_an_advance_without_a_date_is_refused_with_an_example(
    alpaca_exchange: ExchangeServer, body: dict[str, object]
) -> None:
    with pytest.raises(UsageError, match=r'it takes {"ds": "2024-01-31"} or {"days": 1}'):
        alpaca_exchange.admin("POST", "/advance", body)


def test_nothing_is_met_beyond_the_calendar(alpaca_exchange: ExchangeServer) -> None:
    with pytest.raises(UsageError, match="the trading calendar ends on 2060-12-30"):
        alpaca_exchange.advance("2061-01-01")


def test_the_state_shows_clock_account_faults_and_market(alpaca_exchange: ExchangeServer) -> None:
    alpaca_exchange.fault("html", times=2, path="/v2/orders")
    state = alpaca_exchange.state()
    assert (state["met"], state["account"]["cash"]) == ("2024-01-02", "100000")
    assert (state["symbols"], state["last_bar"]) == (["AAPL", "BTC/USD"], "2024-01-05")
    assert [(f["kind"], f["times"], f["status"]) for f in state["faults"]] == [("html", 2, 502)]
    assert (state["open_orders"], state["streams"], state["requests"]) == (0, 0, 0)


def test_requests_are_remembered_until_forgotten(
    alpaca_exchange: ExchangeServer, alpaca: Clients
) -> None:
    alpaca.trading.get_clock()
    (row,) = alpaca_exchange.admin("GET", "/requests")
    assert (row["method"], row["path"], row["query"]) == ("GET", "/v2/clock", "")
    alpaca_exchange.admin("DELETE", "/requests")
    assert alpaca_exchange.admin("GET", "/requests") == []


def test_the_two_ports_share_nothing(alpaca_exchange: ExchangeServer) -> None:
    assert requests.get(f"{alpaca_exchange.url}/state", timeout=10).status_code == 401
    assert requests.get(f"{alpaca_exchange.admin_url}/v2/account", timeout=10).status_code == 404
