"""What every market data engine must do; adding an engine is one entry in ENGINES."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

import polars as pl
import pytest
from pydantic import SecretStr

from goldenthread.adapters.alpaca.connection import Access
from goldenthread.adapters.market_data.alpaca import AlpacaMarketData
from goldenthread.adapters.market_data.parquet import ParquetMarketData
from goldenthread.app.clock import SystemClock
from goldenthread.app.exchange.market import open_market
from goldenthread.app.exchange.server import ExchangeServer
from goldenthread.app.exchange.terms import ExchangeTerms
from goldenthread.domain.bar import BAR_SCHEMA
from goldenthread.market.imports import asset_record
from market.market_bars import MONDAY, daily, split

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from goldenthread.ports.market_data import MarketData

NOW = dt.datetime(2021, 6, 1, tzinfo=dt.UTC)
TUESDAY = MONDAY + dt.timedelta(days=1)
FRIDAY = MONDAY + dt.timedelta(days=4)


def _parquet(stored: Path) -> AbstractContextManager[MarketData]:
    return nullcontext(ParquetMarketData(stored))


@contextmanager
def _alpaca(stored: Path) -> Iterator[MarketData]:
    """The vendor's unmodified client, over HTTP, against the exchange that speaks Alpaca."""
    market = open_market(stored, NOW)
    with ExchangeServer(market, ExchangeTerms(start=FRIDAY)) as exchange:
        key = SecretStr(exchange.secret_key)
        access = Access(exchange.key_id, key, exchange.url, per_minute=100_000)
        yield AlpacaMarketData(access, access, SystemClock())


ENGINES: dict[str, Callable[[Path], AbstractContextManager[MarketData]]] = {
    "parquet": _parquet,
    "alpaca": _alpaca,
}


@pytest.fixture(params=ENGINES)
def market(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MarketData]:
    """Three symbols from Monday to Friday; Tuesday's Apple bar was revised in June."""
    bars = pl.concat([daily(symbol, [100.0] * 5) for symbol in ("MSFT", "AAPL", "BTC/USD")])
    revised = daily("AAPL", [99.0], first=TUESDAY).with_columns(known_at=pl.lit(NOW))
    actions = [split("AAPL", FRIDAY, "2"), split("AAPL", TUESDAY, "3"), split("MSFT", FRIDAY, "2")]
    assets = [asset_record(symbol, "test") for symbol in ("MSFT", "AAPL", "BTC/USD")]
    ParquetMarketData(tmp_path).save(pl.concat([revised, bars]), actions, assets, NOW)
    with ENGINES[request.param](tmp_path) as opened:
        yield opened


def test_assets_are_sorted_by_symbol(market: MarketData) -> None:
    assert [asset.symbol for asset in market.assets()] == ["AAPL", "BTC/USD", "MSFT"]


def test_bars_have_the_declared_schema_and_order(market: MarketData) -> None:
    bars = market.bars(["MSFT", "AAPL"], MONDAY, FRIDAY)
    assert bars.schema == pl.Schema(BAR_SCHEMA)
    assert bars.equals(bars.sort("symbol", "ds", "known_at"))
    assert bars["symbol"].unique(maintain_order=True).to_list() == ["AAPL", "MSFT"]
    assert sum(bars.null_count().row(0)) == 0


def test_both_ends_of_the_range_are_included(market: MarketData) -> None:
    days = market.bars(["MSFT"], TUESDAY, FRIDAY)["ds"].to_list()
    assert days == [MONDAY + dt.timedelta(days=n) for n in (1, 2, 3, 4)]


@pytest.mark.gap(
    "alpaca",
    "Alpaca shows a bar only as it is now. `goldenthread data pull` keeps what it brought, so that "
    "a run's past stays as that run saw it",
)
def test_every_revision_is_given(market: MarketData) -> None:
    closes = market.bars(["AAPL"], TUESDAY, TUESDAY)["close"].to_list()
    assert closes == [100.0, 99.0]


def test_symbols_without_bars_are_absent(market: MarketData) -> None:
    assert market.bars(["SPY"], MONDAY, FRIDAY).is_empty()
    assert market.bars([], MONDAY, FRIDAY).schema == pl.Schema(BAR_SCHEMA)
    assert market.actions(["SPY"]) == []


def test_a_range_that_ends_before_it_starts_is_empty(market: MarketData) -> None:
    assert market.bars(["AAPL"], FRIDAY, MONDAY).is_empty()


def test_actions_are_sorted_by_symbol_and_day(market: MarketData) -> None:
    actions = [(action.symbol, action.ex_ds) for action in market.actions(["MSFT", "AAPL"])]
    assert actions == [("AAPL", TUESDAY), ("AAPL", FRIDAY), ("MSFT", FRIDAY)]
