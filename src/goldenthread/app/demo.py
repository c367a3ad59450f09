"""The demo's bars: five real stocks out of a package, two crypto pairs out of a generator."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    from numpy.random import Generator

FIRST, LAST = dt.date(2011, 3, 1), dt.date(2013, 2, 28)
"""The dates the demo simulates: no split of the five stocks lies between 2006 and its end."""

STOCKS = ("AAPL", "FB", "GOOG", "IBM", "MSFT")
_HISTORY = dt.date(2006, 1, 3)
_SEED = 20110301
_PAIRS = {"DAWN/USD": (40.0, 0.75, 0.35), "DUSK/USD": (0.9, 0.95, 0.10)}
"""Synthetic pairs: first price, annual volatility, annual drift of the log price."""


def demo_bars() -> pl.DataFrame:
    """Daily bars (symbol, ds, open, high, low, close, volume, source), sorted by symbol and ds.

    Raises:
        UsageError: The package with the real bars is not installed.
    """
    generator = np.random.default_rng(_SEED)
    pairs = [_synthetic(symbol, generator) for symbol in _PAIRS]
    return pl.concat([*(_real(symbol) for symbol in STOCKS), *pairs]).sort("symbol", "ds")


def _real(symbol: str) -> pl.DataFrame:
    """One stock's raw bars as Quandl's public WIKI data set had them."""
    try:
        from bokeh_sampledata import stocks  # noqa: PLC0415  # an extra; only the demo needs it
    except ImportError as error:
        msg = (
            "the demo needs the package bokeh-sampledata, which is not installed;"
            " install goldenthread[demo] or run `make demo`"
        )
        raise UsageError(msg) from error
    table = getattr(stocks, symbol)
    columns = {name: table[name] for name in ("date", "open", "high", "low", "close", "volume")}
    frame = pl.DataFrame(columns).rename({"date": "ds"}).with_columns(pl.col("ds").str.to_date())
    return frame.filter(pl.col("ds") >= _HISTORY).select(
        pl.lit(symbol).alias("symbol"),
        "ds",
        *(pl.col(name).cast(pl.Float64) for name in ("open", "high", "low", "close", "volume")),
        pl.lit("bokeh_sampledata").alias("source"),
    )


def _synthetic(symbol: str, generator: Generator) -> pl.DataFrame:
    """A seeded random walk with calm and wild spells, a bar for every UTC day."""
    first, volatility, drift = _PAIRS[symbol]
    days = pl.date_range(_HISTORY, LAST, "1d", eager=True)
    n = len(days)
    spells = np.repeat(generator.uniform(0.5, 1.5, n // 45 + 1), 45)[:n]
    sigma = volatility * spells / np.sqrt(365)
    steps = drift / 365 + sigma * generator.standard_normal(n)
    close = first * np.exp(np.cumsum(steps))
    opening = np.concatenate([[first], close[:-1]]) * np.exp(
        0.1 * sigma * generator.standard_normal(n)
    )
    above = np.exp(0.5 * sigma * np.abs(generator.standard_normal(n)))
    below = np.exp(-0.5 * sigma * np.abs(generator.standard_normal(n)))
    prices = {
        "open": opening,
        "high": np.maximum(opening, close) * above,
        "low": np.minimum(opening, close) * below,
        "close": close,
    }
    volume = generator.lognormal(12.0, 0.5, n) * spells
    return pl.DataFrame(
        {"symbol": [symbol] * n, "ds": days, **{k: np.round(v, 6) for k, v in prices.items()}}
    ).with_columns(
        pl.Series("volume", np.round(volume, 3)), pl.lit(f"SYNTHETIC:seed={_SEED}").alias("source")
    )
