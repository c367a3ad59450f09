"""The workload that engines are compared on: a dip in an uptrend, on made-up stocks.

Prices are a seeded geometric walk of 2,520 sessions; nothing about them is real. A permutation
buys at the next open when RSI is below a limit and the close above a moving average, with a stop
and a target at multiples of ATR and a time exit.
"""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from goldenthread.domain.asset import Asset, AssetClass
from goldenthread.rules.calendar import sessions
from goldenthread.signals.strategy_file import parse_strategy

if TYPE_CHECKING:
    from goldenthread.domain.strategy import Strategy

BARS = 2_520
SEED = 20240601
_FIRST = dt.date(2010, 1, 4)
_KNOWN = dt.datetime(2021, 1, 1, tzinfo=dt.UTC)

AXES: dict[int, dict[str, tuple[float, ...]]] = {
    20: {"limit": (25, 30, 35, 40, 45), "risk": (1.5, 2), "reward": (2, 3)},
    100: {"rsi_bars": (7, 10, 14, 18, 21)},
    1_000: {"trend_bars": (50, 100, 150, 200, 250), "exit.max_bars": (10, 20)},
    10_000: {
        "risk": (1, 1.5, 2, 2.5, 3),
        "reward": (1.5, 2, 3, 4),
        "exit.max_bars": (5, 10, 20, 40),
    },
}
"""What is varied at each number of permutations; a later line takes the place of an earlier."""

_STRATEGY = """
strategy_id = "w2"
description = "Buy a dip in an uptrend"
assets = [{assets}]
timeframe = "1D"
side = "long"
status = "active"

[params]
limit = 30
risk = 2.0
reward = 3.0
rsi_bars = 14
trend_bars = 200

[entry]
when = "RSI(close, rsi_bars) < limit and close > SMA(close, trend_bars)"
order = "market"

[exit]
stop = "entry - risk * ATR(14)"
targets = [{{ at = "entry + reward * ATR(14)", sell = 1.0 }}]
max_bars = 20

[size]
mode = "fraction"
fraction = 0.1
"""


def names(assets: int) -> list[str]:
    """The symbols of the first so many assets."""
    return [f"W{number:04d}" for number in range(assets)]


def strategy(assets: int) -> Strategy:
    """The strategy over the first so many assets."""
    listed = ", ".join(f'"{name}"' for name in names(assets))
    return parse_strategy(_STRATEGY.format(assets=listed), "w2.toml")


def axes(permutations: int) -> list[str]:
    """What is varied for so many permutations, as ``--vary`` takes it."""
    found: dict[str, tuple[float, ...]] = {}
    for size, added in AXES.items():
        if size <= permutations:
            found |= added
    return [f"{name}={','.join(f'{v:g}' for v in values)}" for name, values in found.items()]


def permutations(count: int) -> list[dict[str, float]]:
    """The values of every permutation, in the order of the grid."""
    found = [text.split("=") for text in axes(count)]
    columns = [[float(v) for v in values.split(",")] for _, values in found]
    names_ = [name for name, _ in found]
    return [dict(zip(names_, row, strict=True)) for row in itertools.product(*columns)]


def prices(assets: int, bars: int = BARS) -> dict[str, Any]:
    """Open, high, low, close and volume, [asset, bar] each."""
    generator = np.random.default_rng(SEED)
    deviation = generator.uniform(0.15, 0.55, (assets, 1)) / np.sqrt(252.0)
    steps, gaps = (generator.standard_normal((assets, bars)) for _ in range(2))
    above, below = (np.abs(generator.standard_normal((assets, bars))) for _ in range(2))
    drift = 0.06 / 252 - deviation**2 / 2
    close = 100.0 * np.exp(np.cumsum(drift + deviation * steps, axis=1))
    before = np.concatenate([np.full((assets, 1), 100.0), close[:, :-1]], axis=1)
    opened = before * np.exp(0.3 * deviation * gaps)
    return {
        "open": opened,
        "high": np.maximum(opened, close) * np.exp(0.4 * deviation * above),
        "low": np.minimum(opened, close) * np.exp(-0.4 * deviation * below),
        "close": close,
        "volume": np.floor(np.exp(generator.normal(13, 1, (assets, bars)))),
    }


def dates(bars: int = BARS) -> list[dt.date]:
    """As many sessions of New York."""
    return sessions(AssetClass.EQUITY, _FIRST, _FIRST + dt.timedelta(days=2 * bars))[:bars]


def frame(assets: int, bars: int = BARS) -> pl.DataFrame:
    """The prices as judged bars, sorted by symbol and date."""
    count = assets * bars
    columns = {name: values.ravel().round(9) for name, values in prices(assets, bars).items()}
    return pl.DataFrame(
        {
            "symbol": np.repeat(names(assets), bars),
            "ds": dates(bars) * assets,
            **columns,
            "source": ["made up"] * count,
            "known_at": [_KNOWN] * count,
            "state": ["GOOD"] * count,
        }
    )


def assets_of(count: int) -> tuple[Asset, ...]:
    """The assets, stocks on cents and whole shares."""
    return tuple(
        Asset(
            symbol=name,
            asset_class=AssetClass.EQUITY,
            price_tick=Decimal("0.01"),
            quantity_step=Decimal(1),
            min_notional=Decimal(1),
        )
        for name in names(count)
    )
