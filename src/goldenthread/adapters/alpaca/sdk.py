"""The vendor's client library, brought in quietly; without the extra, one clear message."""

from __future__ import annotations

import warnings

from goldenthread.domain.errors import UsageError

try:
    with warnings.catch_warnings():
        # alpaca-py imports a part of websockets that is to go away; nothing a trader can change.
        warnings.simplefilter("ignore", DeprecationWarning)
        from alpaca.common.exceptions import APIError
        from alpaca.common.rest import RESTClient
        from alpaca.data.historical.corporate_actions import CorporateActionsClient
        from alpaca.data.historical.crypto import CryptoHistoricalDataClient
        from alpaca.data.historical.stock import StockHistoricalDataClient
        from alpaca.trading.client import TradingClient
except ImportError as error:
    message = (
        f"the Alpaca engine needs the package alpaca-py, which is missing ({error.name});"
        " install it with: pip install 'goldenthread[alpaca]'"
    )
    raise UsageError(message) from error

__all__ = [
    "APIError",
    "CorporateActionsClient",
    "CryptoHistoricalDataClient",
    "RESTClient",
    "StockHistoricalDataClient",
    "TradingClient",
]
