"""Bars and windows for the tests of signals: small ones by hand, long ones from a seed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from goldenthread.domain.asset import Asset, AssetClass
from goldenthread.domain.bar import BarWindow, DateArray, FloatArray
from goldenthread.domain.strategy import Entry, Exit, Strategy

if TYPE_CHECKING:
    from collections.abc import Sequence

COLUMNS = ("open", "high", "low", "close", "volume")
NEW_YEAR = dt.date(2024, 1, 1)


def asset(symbol: str = "AAPL") -> Asset:
    crypto = "/" in symbol
    return Asset(
        symbol=symbol,
        asset_class=AssetClass.CRYPTO if crypto else AssetClass.EQUITY,
        price_tick=Decimal("0.01"),
        quantity_step=Decimal(1),
        min_notional=Decimal(1),
    )


def strategy(**parts: object) -> Strategy:
    """A strategy that always enters with a stop 10 below; ``when`` and ``stop`` are shortcuts."""
    given: dict[str, object] = {"strategy_id": "test", "assets": ("AAPL",)}
    given["entry"] = Entry(when=str(parts.pop("when", "close > 0")))
    given["exit"] = Exit(stop=str(parts.pop("stop", "entry - 10")), max_bars=10)
    return Strategy.model_validate({**given, **parts})


def days(first: dt.date, count: int, *, weekends: bool = False) -> DateArray:
    """``count`` dates from ``first`` on, Saturdays and Sundays left out unless wanted."""
    every = np.arange(np.datetime64(first, "D"), np.datetime64(first, "D") + 2 * count + 7)
    kept = every if weekends else every[np.is_busday(every)]
    return kept[:count]


@dataclass(frozen=True)
class Market:
    """Bars of several symbols, and the windows decisions read from them.

    ``lag`` holds (symbol, date) pairs whose bar is not readable on its own date.
    """

    bars: dict[str, tuple[DateArray, dict[str, FloatArray]]]
    lag: frozenset[tuple[str, dt.date]] = frozenset()

    def window(self, symbol: str, ds: dt.date, now: dt.datetime | None = None) -> BarWindow | None:
        """As batch reads it: the columns of the whole calendar year, and 600 bars before."""
        del now
        if symbol not in self.bars:
            return None
        dates, columns = self.bars[symbol]
        year_start = int(np.searchsorted(dates, np.datetime64(dt.date(ds.year, 1, 1))))
        year_end = int(np.searchsorted(dates, np.datetime64(dt.date(ds.year + 1, 1, 1))))
        first = max(0, year_start - 600)
        upto = int(np.searchsorted(dates, np.datetime64(ds), side="right")) - 1
        if (symbol, ds) in self.lag:
            upto -= 1
        if upto < first:
            return None
        return BarWindow(
            symbol=symbol,
            asset_class=asset(symbol).asset_class,
            key=f"{symbol}-{ds.year}",
            ds=dates[first:year_end],
            **{name: column[first:year_end] for name, column in columns.items()},
            year_start=year_start - first,
            upto=upto - first,
        )

    def nightly(self, symbol: str, ds: dt.date, now: dt.datetime | None = None) -> BarWindow | None:
        """As the run of ``ds`` reads it: nothing after ``upto`` exists."""
        window = self.window(symbol, ds, now)
        if window is None:
            return None
        end = window.upto + 1
        columns = {name: getattr(window, name)[:end].copy() for name in COLUMNS}
        start = min(window.year_start, end)
        key = f"{symbol}-{ds}"
        return replace(window, ds=window.ds[:end].copy(), **columns, year_start=start, key=key)


def closes(prices: Sequence[float], symbol: str = "AAPL", first: dt.date = NEW_YEAR) -> Market:
    """Bars by hand: open, high, low and close are the price, the volume 1,000."""
    column = np.asarray(prices, dtype=np.float64)
    values = {name: column.copy() for name in COLUMNS}
    values["volume"] = np.full(len(column), 1_000.0)
    return Market({symbol: (days(first, len(column)), values)})


def random_bars(count: int, seed: int) -> dict[str, FloatArray]:
    """A random walk of daily bars with a few quiet days (open = high = low = close)."""
    random = np.random.default_rng(seed)
    close = 80 * np.exp(np.cumsum(random.normal(0, 0.015, count)))
    opened = close * np.exp(random.normal(0, 0.006, count))
    spread = np.abs(random.normal(0, 0.006, (2, count)))
    high = np.maximum(opened, close) * np.exp(spread[0])
    low = np.minimum(opened, close) * np.exp(-spread[1])
    for at in random.integers(0, count, count // 100):
        opened[at] = high[at] = low[at] = close[at]
    prices = {"open": opened, "high": high, "low": low, "close": close}
    bars: dict[str, FloatArray] = {}
    for name, column in prices.items():
        bars[name] = np.asarray(np.round(column, 2), dtype=np.float64)
    bars["volume"] = np.asarray(np.round(np.exp(random.normal(13, 0.5, count))), dtype=np.float64)
    return bars


def random_market(seed: int = 1) -> Market:
    """Three stocks and a crypto pair, 2021 to 2024, each with gaps; CCC starts late in 2023."""
    random = np.random.default_rng(seed)
    found = {}
    plan = [("AAPL", 1_040, dt.date(2021, 1, 1)), ("IBM", 1_040, dt.date(2021, 1, 1))]
    plan += [("CCC", 300, dt.date(2023, 10, 2)), ("BTC/USD", 1_460, dt.date(2021, 1, 1))]
    for at, (symbol, count, first) in enumerate(plan):
        dates = days(first, count, weekends="/" in symbol)
        kept = random.random(count) > 0.01
        bars = random_bars(count, seed * 10 + at)
        found[symbol] = (dates[kept], {name: column[kept] for name, column in bars.items()})
    return Market(found, frozenset({("IBM", dt.date(2024, 3, 12)), ("AAPL", dt.date(2024, 5, 8))}))
