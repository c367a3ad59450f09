"""What every market data engine must do; adding an engine is one entry in ENGINES."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
import pytest

from goldenthread.adapters.market_data.parquet import ParquetMarketData
from goldenthread.domain.asset import Asset, CorporateAction
from goldenthread.domain.bar import BAR_SCHEMA
from goldenthread.market.imports import asset_record
from goldenthread.ports.market_data import MarketData
from market.market_bars import MONDAY, daily, split

NOW = dt.datetime(2021, 6, 1, tzinfo=dt.UTC)
TUESDAY = MONDAY + dt.timedelta(days=1)
FRIDAY = MONDAY + dt.timedelta(days=4)


def _parquet(
    folder: Path, bars: pl.DataFrame, actions: Sequence[CorporateAction], assets: Sequence[Asset]
) -> MarketData:
    store = ParquetMarketData(folder)
    store.save(bars, actions, assets, NOW)
    return store


Engine = Callable[[Path, pl.DataFrame, Sequence[CorporateAction], Sequence[Asset]], MarketData]
ENGINES: dict[str, Engine] = {"parquet": _parquet}


@pytest.fixture(params=sorted(ENGINES))
def market(request: pytest.FixtureRequest, tmp_path: Path) -> MarketData:
    """Three symbols from Monday to Friday; Tuesday's Apple bar was revised in June."""
    bars = pl.concat([daily(symbol, [100.0] * 5) for symbol in ("MSFT", "AAPL", "BTC/USD")])
    revised = daily("AAPL", [99.0], first=TUESDAY).with_columns(known_at=pl.lit(NOW))
    actions = [split("AAPL", FRIDAY, "2"), split("AAPL", TUESDAY, "3"), split("MSFT", FRIDAY, "2")]
    assets = [asset_record(symbol, "test") for symbol in ("MSFT", "AAPL", "BTC/USD")]
    return ENGINES[request.param](tmp_path, pl.concat([revised, bars]), actions, assets)


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
