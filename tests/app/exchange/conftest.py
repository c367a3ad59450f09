"""The vendor's clients on the fixture that the installed package registers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.exchange.sdk import Clients, clients

if TYPE_CHECKING:
    from goldenthread.app.exchange.server import ExchangeServer


@pytest.fixture
def alpaca(alpaca_exchange: ExchangeServer) -> Clients:  # the fixture of that name
    """alpaca-py's clients, pointed at the exchange."""
    return clients(alpaca_exchange.url, alpaca_exchange.key_id, alpaca_exchange.secret_key)
