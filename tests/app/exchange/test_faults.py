"""Faults on the wire, as an unmodified client meets them; no order is ever doubled or lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from app.exchange.sdk import QUIET_BARS, APIError, Clients, ask
from goldenthread.app.exchange.faults import parse_fault
from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    from goldenthread.app.exchange.server import ExchangeServer

from alpaca.trading.requests import MarketOrderRequest

pytestmark = pytest.mark.alpaca_exchange(bars=QUIET_BARS, start="2024-01-02", slippage_bps=0)


@pytest.fixture(name="quick")
def _quick(alpaca: Clients) -> Clients:
    """Clients that retry as alpaca-py does, three times, but at once."""
    alpaca.trading._retry_wait = 0
    return alpaca


def buy(key: str, symbol: str = "AAPL") -> MarketOrderRequest:
    return MarketOrderRequest(
        symbol=symbol, qty=1, side="buy", time_in_force="gtc", client_order_id=key
    )


def sent(exchange: ExchangeServer) -> list[tuple[str, str]]:
    return [(r["method"], r["path"]) for r in exchange.admin("GET", "/requests")]


def test_a_short_storm_of_429_is_weathered_and_a_long_one_is_told(
    alpaca_exchange: ExchangeServer, quick: Clients
) -> None:
    alpaca_exchange.fault("refuse", status=429, times=2, path="/v2/account")
    assert quick.trading.get_account().cash == "100000"
    assert sent(alpaca_exchange) == [("GET", "/v2/account")] * 3
    alpaca_exchange.fault("refuse", status=429, times=100)
    with pytest.raises(APIError, match="too many requests") as refused:
        quick.trading.get_account()
    assert refused.value.status_code == 429
    alpaca_exchange.admin("DELETE", "/faults")
    assert quick.trading.get_account().cash == "100000"


def test_504_after_the_order_was_taken_makes_the_sdk_send_it_again_and_be_refused(
    alpaca_exchange: ExchangeServer, quick: Clients
) -> None:
    alpaca_exchange.fault("accept_then", status=504, method="POST", path="/v2/orders")
    with pytest.raises(APIError) as refused:
        quick.trading.submit_order(buy("a"))
    assert (refused.value.status_code, refused.value.code) == (422, 40010001)
    assert sent(alpaca_exchange) == [("POST", "/v2/orders")] * 2
    (order,) = quick.trading.get_orders()
    assert order.client_order_id == "a"


def test_an_order_taken_without_an_answer_is_found_by_its_client_order_id(
    alpaca_exchange: ExchangeServer, quick: Clients
) -> None:
    alpaca_exchange.fault("hang", seconds=5, method="post", path="/v2/orders")
    body = {"symbol": "AAPL", "qty": "1", "side": "buy", "type": "market", "time_in_force": "gtc"}
    keys = {
        "APCA-API-KEY-ID": alpaca_exchange.key_id,
        "APCA-API-SECRET-KEY": alpaca_exchange.secret_key,
    }
    with pytest.raises(requests.ReadTimeout):
        requests.post(
            f"{alpaca_exchange.url}/v2/orders",
            json={**body, "client_order_id": "a"},
            headers=keys,
            timeout=0.2,
        )
    assert quick.trading.get_order_by_client_id("a").status.value == "new"


def test_a_refused_request_did_nothing(alpaca_exchange: ExchangeServer, quick: Clients) -> None:
    alpaca_exchange.fault("refuse", status=500, method="POST")
    with pytest.raises(APIError, match="internal server error") as refused:
        quick.trading.submit_order(buy("a"))
    assert refused.value.status_code == 500
    assert quick.trading.get_orders() == []


def test_a_502_of_a_proxy_is_a_page_and_no_json(
    alpaca_exchange: ExchangeServer, quick: Clients
) -> None:
    alpaca_exchange.fault("html")
    with pytest.raises(APIError, match=r"<html>.*502 Bad Gateway") as refused:
        quick.trading.get_account()
    assert refused.value.status_code == 502


def test_late_fees_are_posted_dates_after_the_coins_are_gone(
    alpaca_exchange: ExchangeServer, quick: Clients
) -> None:
    alpaca_exchange.fault("late_fees", days=2)
    quick.trading.submit_order(buy("a", "BTC/USD"))
    assert quick.trading.get_open_position("BTCUSD").qty == "0.9975"
    alpaca_exchange.advance("2024-01-04")
    assert quick.trading.get("/account/activities/CFEE") == []
    alpaca_exchange.advance("2024-01-05")
    (fee,) = quick.trading.get("/account/activities/CFEE")
    assert (fee["qty"], fee["date"]) == ("-0.0025", "2024-01-03")
    assert fee["created_at"] == "2024-01-06T00:05:00Z"


def test_fees_held_back_can_be_posted_at_once(
    alpaca_exchange: ExchangeServer, quick: Clients
) -> None:
    alpaca_exchange.fault("late_fees", days=30)
    quick.trading.submit_order(buy("a", "BTC/USD"))
    assert alpaca_exchange.admin("POST", "/fees") == {"released": 1}
    (fee,) = quick.trading.get("/account/activities/CFEE")
    assert fee["created_at"] == "2024-01-03T00:05:00Z"


@pytest.mark.alpaca_exchange(bars=QUIET_BARS, requests_per_minute=3)
def test_the_rate_limit_counts_down_and_says_when_it_ends(alpaca_exchange: ExchangeServer) -> None:
    answers = [ask(alpaca_exchange, "GET", "/v2/clock") for _ in range(8)]
    first, last = answers[0], answers[-1]
    assert (first.headers["X-Ratelimit-Limit"], first.headers["X-Ratelimit-Remaining"]) == (
        "3",
        "2",
    )
    assert int(last.headers["X-Ratelimit-Reset"]) % 60 == 0
    statuses = [answer.status for answer in answers]
    assert statuses.count(200) in {3, 6}  # 6 when a minute ended in between
    assert 429 in statuses
    refused = answers[statuses.index(429)]
    assert refused.headers["X-Ratelimit-Remaining"] == "0"
    assert refused.body["message"] == "too many requests."


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"kind": "earthquake"}, "kind got 'earthquake'; allowed: refuse, html, accept_then"),
        ({"kind": "refuse", "status": 200}, "status got 200; a number from 400 to 599"),
        ({"kind": "refuse", "times": True}, "times got True; a number from 1 to 10000"),
        ({"kind": "hang", "second": 3}, "a fault has no second; it has kind, method, path"),
    ],
)
def test_a_fault_that_is_none_is_refused_with_what_is_allowed(
    body: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message.replace("(", r"\(")):
        parse_fault(body)
