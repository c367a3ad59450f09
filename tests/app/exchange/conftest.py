"""The plugin's fixture where the package is not installed, and the clients that use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.exchange.sdk import Clients, clients
from goldenthread.app.pytest_plugin import alpaca_exchange, pytest_configure

if TYPE_CHECKING:
    from goldenthread.app.exchange.server import ExchangeServer

__all__ = ["alpaca_exchange", "pytest_configure"]


@pytest.fixture
def alpaca(alpaca_exchange: ExchangeServer) -> Clients:  # the fixture of that name
    """alpaca-py's clients, pointed at the exchange."""
    return clients(alpaca_exchange)
