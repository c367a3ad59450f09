"""Seven days of one made-up stock, and a strategy whose every figure can be worked out by hand."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from pathlib import Path

DAYS = [dt.date(2024, 1, day) for day in (2, 3, 4, 5, 8)]
SPAN = (DAYS[0], DAYS[-1])
_BARS = [
    (99.0, 100.0, 98.0, 99.0),
    (100.0, 106.0, 100.0, 105.0),  # decided: stop 95, target 115
    (106.0, 108.0, 104.0, 107.0),  # entered at the open; decided again, but it is held
    (108.0, 116.0, 107.0, 114.0),  # the target is met
    (114.0, 115.0, 113.0, 114.0),
]
TEXT = """
strategy_id = "gold"
assets      = ["GOLD"]
timeframe   = "1D"

[params]
above   = 100
loss    = 10
amount  = 1

[entry]
when = "close > above and close < 110"

[reject_unless]
NOT_RISING = "close > open - amount * 0"

[exit]
stop     = "entry - loss"
targets  = [{ at = "entry + 10", sell = 1 }]
max_bars = 5

[size]
mode = "cash"
cash = 1000
"""


def gold_bars() -> pl.DataFrame:
    """The bars as a user would have them."""
    columns = zip(*_BARS, strict=True)
    prices = dict(zip(("open", "high", "low", "close"), columns, strict=True))
    frame = pl.DataFrame({"symbol": ["GOLD"] * len(DAYS), "date": DAYS, **prices})
    return frame.with_columns(volume=pl.lit(1_000_000.0))


def gold_file(folder: Path, text: str = TEXT) -> Path:
    """The strategy's file, in a folder ``strategies``."""
    path = folder / "strategies" / "gold.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
