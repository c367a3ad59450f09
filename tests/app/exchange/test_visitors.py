"""Programs of this machine are answered; what a web page has a browser send is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from app.exchange.sdk import QUIET_BARS

if TYPE_CHECKING:
    from goldenthread.app.exchange.server import ExchangeServer

pytestmark = pytest.mark.alpaca_exchange(bars=QUIET_BARS, start="2024-01-02")

STRANGERS = (
    {"Host": "attacker.example"},  # a name that was pointed to 127.0.0.1 after the page was loaded
    {"Host": "127.0.0.1.attacker.example:80"},
    {"Host": "[::1"},
    {"Host": ""},
    {"Origin": "https://attacker.example"},  # a form or script of another site
    {"Origin": "http://localhost.attacker.example"},
    {"Origin": "null"},
    {"Origin": ""},
)
FRIENDS: tuple[dict[str, str], ...] = (
    {},
    {"Host": "localhost:1"},
    {"Host": "LOCALHOST"},
    {"Origin": "http://127.0.0.1:3000"},
)


def asked(exchange: ExchangeServer, headers: dict[str, str]) -> tuple[int, int]:
    """The status of a request to the trading port and of one to the admin port."""
    keys = {"APCA-API-KEY-ID": exchange.key_id, "APCA-API-SECRET-KEY": exchange.secret_key}
    clock = requests.get(f"{exchange.url}/v2/clock", headers=keys | headers, timeout=10)
    moved = requests.post(
        f"{exchange.admin_url}/advance", '{"days": 1}', headers=headers, timeout=9
    )
    return clock.status_code, moved.status_code


def test_what_a_page_has_a_browser_send_is_refused_on_both_ports(
    alpaca_exchange: ExchangeServer,
) -> None:
    for headers in STRANGERS:
        assert asked(alpaca_exchange, headers) == (403, 403), headers
    assert alpaca_exchange.state()["met"] == "2024-01-02"  # no clock was moved


def test_programs_of_this_machine_are_answered(alpaca_exchange: ExchangeServer) -> None:
    for headers in FRIENDS:
        assert asked(alpaca_exchange, headers) == (200, 200), headers


def test_the_stream_is_no_way_in_for_a_page(alpaca_exchange: ExchangeServer) -> None:
    with (
        pytest.raises(InvalidStatus, match="403"),
        connect(alpaca_exchange.stream_url, origin=Origin("https://attacker.example")),
    ):
        pass
    with connect(alpaca_exchange.stream_url):
        assert alpaca_exchange.state()["streams"] == 0  # connected, not logged in yet
