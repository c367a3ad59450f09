"""The bars an exchange trades on: a folder of the Parquet engine, a file, or made up."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from goldenthread.adapters.market_data.parquet import ParquetMarketData
from goldenthread.domain.asset import ActionKind, AssetClass
from goldenthread.domain.bar import BAR_SCHEMA
from goldenthread.domain.errors import UsageError
from goldenthread.market.bars import BarBook, KnownBars
from goldenthread.market.imports import asset_record, read_bars
from goldenthread.market.quality import judge
from goldenthread.rules.calendar import session_close, sessions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.random import Generator

    from goldenthread.domain.asset import Asset, CorporateAction

SYNTHETIC = {
    "AAPL": (180.0, 0.28),
    "MSFT": (370.0, 0.25),
    "SPY": (470.0, 0.15),
    "BTC/USD": (42_000.0, 0.60),
    "ETH/USD": (2_300.0, 0.70),
}
"""The made-up bars, by symbol: first close and annual volatility. No market ever traded them."""

_FIRST, _LAST = dt.date(2023, 1, 3), dt.date(2024, 12, 31)
_START = dt.date(2024, 1, 2)
_SEED = 20240102
_EVER, _NEVER = dt.date(1900, 1, 1), dt.date(9999, 12, 31)


@dataclass(frozen=True, eq=False)
class ExchangeMarket:
    """Judged bars with their assets and corporate actions.

    ``frame`` holds every revision in BAR_SCHEMA. An exchange starts on ``first`` unless it is
    told another date.
    """

    frame: pl.DataFrame
    bars: BarBook
    source: KnownBars
    assets: dict[str, Asset]
    first: dt.date
    last: dt.date

    def actions(self) -> list[CorporateAction]:
        """Every corporate action, by symbol and date."""
        return [action for symbol in sorted(self.assets) for action in self.bars.actions(symbol)]

    def delistings(self) -> dict[str, dt.date]:
        """The dates symbols stop trading on."""
        return {a.symbol: a.ex_ds for a in self.actions() if a.kind is ActionKind.DELISTING}


def open_market(path: Path | None, now: dt.datetime) -> ExchangeMarket:
    """The market of a folder written by ``data import``, of a file of bars, or a made-up one.

    Args:
        path: A folder with ``bars.parquet``, or a .csv or .parquet file; None makes bars up.
        now: Bars of sessions not over by then are left out.

    Raises:
        UsageError: There are no bars at ``path``.
    """
    if path is None:
        return _market(_synthetic(), (), [asset_record(s, "SYNTHETIC") for s in SYNTHETIC], _START)
    if path.is_dir():
        store = ParquetMarketData(path)
        assets = store.assets()
        symbols = [asset.symbol for asset in assets]
        bars, actions = store.bars(symbols, _EVER, _NEVER), store.actions(symbols)
    else:
        imported = read_bars(path, {}, path.name, now)
        bars, actions, assets = imported.bars, [], imported.assets
    if bars.is_empty():
        msg = (
            f"no daily bars in {path}; name a folder that holds bars.parquet (a project's data"
            " folder), a .csv or .parquet file of bars, or leave --bars out for made-up ones"
        )
        raise UsageError(msg)
    return _market(judge(bars, actions, now).bars, actions, assets, None)


def _market(
    judged: pl.DataFrame,
    actions: Sequence[CorporateAction],
    assets: Sequence[Asset],
    first: dt.date | None,
) -> ExchangeMarket:
    book = BarBook(judged, actions, assets)
    known = {asset.symbol: asset for asset in assets}
    days = judged["ds"]
    lowest, highest = days.min(), days.max()
    if not isinstance(lowest, dt.date) or not isinstance(highest, dt.date):
        msg = "every bar was refused; `goldenthread data import` lists each row with its reason"
        raise UsageError(msg)
    source = KnownBars(book, known)
    return ExchangeMarket(judged, book, source, known, first or lowest, highest)


def _synthetic() -> pl.DataFrame:
    """Two years of seeded random walks, on the sessions of each symbol's calendar."""
    generator = np.random.default_rng(_SEED)
    frames = [_walk(symbol, generator) for symbol in sorted(SYNTHETIC)]
    return pl.concat(frames).select(list(BAR_SCHEMA)).cast(dict(BAR_SCHEMA))  # type: ignore[arg-type]  # polars types its keys invariantly


def _walk(symbol: str, generator: Generator) -> pl.DataFrame:
    crypto = "/" in symbol
    asset_class = AssetClass.CRYPTO if crypto else AssetClass.EQUITY
    days = sessions(asset_class, _FIRST, _LAST)
    price, volatility = SYNTHETIC[symbol]
    sigma = volatility / np.sqrt(365 if crypto else 252)
    n = len(days)
    close = price * np.exp(np.cumsum(sigma * generator.standard_normal(n)))
    gaps = np.exp(0.2 * sigma * generator.standard_normal(n))
    opened = np.concatenate([[price], close[:-1]]) * gaps
    above = np.exp(0.5 * sigma * np.abs(generator.standard_normal(n)))
    below = np.exp(-0.5 * sigma * np.abs(generator.standard_normal(n)))
    prices = {
        "open": opened,
        "high": np.maximum(opened, close) * above,
        "low": np.minimum(opened, close) * below,
        "close": close,
    }
    return pl.DataFrame(
        {
            "symbol": [symbol] * n,
            "ds": days,
            **{name: np.round(values, 2) for name, values in prices.items()},
            "volume": np.round(generator.lognormal(13.0, 0.4, n)),
            "source": [f"SYNTHETIC:seed={_SEED}"] * n,
            "known_at": [session_close(asset_class, ds) for ds in days],
            "state": ["GOOD"] * n,
        }
    )
