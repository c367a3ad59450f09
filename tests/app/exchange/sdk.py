"""Unmodified alpaca-py clients pointed at an exchange, and markets of hand-written bars."""

from __future__ import annotations

import datetime as dt
import threading
import time
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl
import requests

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # websockets.legacy, which alpaca-py uses
    from alpaca.common.exceptions import APIError
    from alpaca.data.historical import CryptoHistoricalDataClient, StockHistoricalDataClient
    from alpaca.data.historical.corporate_actions import CorporateActionsClient
    from alpaca.trading.client import TradingClient
    from alpaca.trading.stream import TradingStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from goldenthread.app.exchange.server import ExchangeServer

__all__ = ["APIError"]

SLOW_S = 10.0


class Clients(NamedTuple):
    """alpaca-py's clients for one exchange; their answers are unions mypy cannot follow."""

    trading: Any
    stocks: Any
    crypto: Any
    actions: Any


class Raw(NamedTuple):
    """An answer without a client in between."""

    status: int
    body: Any
    headers: Any


def clients(url: str, key_id: str, secret_key: str) -> Clients:
    """The clients of an exchange, in this process or another."""
    keys = (key_id, secret_key)
    return Clients(
        TradingClient(*keys, paper=True, url_override=url),
        StockHistoricalDataClient(*keys, url_override=url),
        CryptoHistoricalDataClient(url_override=url),
        CorporateActionsClient(*keys, url_override=url),
    )


def ask(exchange: ExchangeServer, method: str, path: str, **options: Any) -> Raw:  # noqa: ANN401  # of requests
    """The raw answer to a request with the right keys, unless the options bring others."""
    keys = {"APCA-API-KEY-ID": exchange.key_id, "APCA-API-SECRET-KEY": exchange.secret_key}
    options.setdefault("headers", keys)
    answer = requests.request(method, exchange.url + path, timeout=SLOW_S, **options)
    is_json = answer.headers.get("content-type") == "application/json"
    return Raw(answer.status_code, answer.json() if is_json else answer.text, answer.headers)


def refusal(call: Callable[[], object]) -> tuple[int, int, str]:
    """Status, code and message with which the exchange refuses what ``call`` asks."""
    try:
        call()
    except APIError as error:
        return error.status_code, error.code, error.message
    message = "nothing was refused"
    raise AssertionError(message)


@contextmanager
def listening(exchange: ExchangeServer) -> Iterator[list[Any]]:
    """What an unmodified TradingStream hears while the block runs."""
    heard: list[Any] = []

    async def hear(update: Any) -> None:  # noqa: ANN401  # a TradeUpdate
        heard.append(update)

    stream = TradingStream(exchange.key_id, exchange.secret_key, url_override=exchange.stream_url)
    stream.subscribe_trade_updates(hear)
    thread = threading.Thread(target=stream.run, daemon=True)
    thread.start()
    wait_until(lambda: exchange.state()["streams"])
    try:
        yield heard
    finally:
        stream.stop()
        thread.join(10)


def wait_until(happened: Callable[[], object]) -> None:
    """Return when it has happened; fail when it takes too long."""
    for _ in range(int(SLOW_S / 0.01)):
        if happened():
            return
        time.sleep(0.01)
    message = "it did not happen"
    raise AssertionError(message)


def hand_bars(**days: str) -> pl.DataFrame:
    """Bars from 2 January 2024 on: symbol to ``open high low close; open high ...``."""
    rows = []
    for symbol, text in days.items():
        for number, prices in enumerate(text.split(";")):
            opened, high, low, close = (float(price) for price in prices.split())
            rows.append(
                {
                    "symbol": symbol.replace("_", "/"),
                    "ds": dt.date(2024, 1, 2) + dt.timedelta(days=number),
                    "open": opened,
                    "high": high,
                    "low": low,
                    "close": close,
                    "volume": 1000.0,
                }
            )
    return pl.DataFrame(rows)


QUIET = "99 101 98 100; 100 105 95 102; 102 107 97 104; 104 109 99 106"
"""Four days of AAPL and BTC/USD: closes 100, 102, 104, 106."""

QUIET_BARS = hand_bars(AAPL=QUIET, BTC_USD=QUIET)
