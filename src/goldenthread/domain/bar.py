"""Daily bars: stored frames, one bar as exact money, and the window a decision reads."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

if TYPE_CHECKING:
    from goldenthread.domain.asset import AssetClass

FloatArray = NDArray[np.float64]
DateArray = NDArray[np.datetime64]


class BarState(StrEnum):
    """What the quality gate says of a bar.

    GOOD is usable from its own close. SUSPECT jumped without a known reason: a session without
    a bar until the next one decides. CONFIRMED was SUSPECT and is in windows from the next bar
    on, never tradable itself. QUARANTINED is never used. FORMING bars are refused on import.
    """

    GOOD = "GOOD"
    SUSPECT = "SUSPECT"
    CONFIRMED = "CONFIRMED"
    QUARANTINED = "QUARANTINED"


BAR_SCHEMA: dict[str, pl.DataType] = {
    "symbol": pl.String(),
    "ds": pl.Date(),
    "open": pl.Float64(),
    "high": pl.Float64(),
    "low": pl.Float64(),
    "close": pl.Float64(),
    "volume": pl.Float64(),
    "source": pl.String(),
    "known_at": pl.Datetime("us", "UTC"),
    "state": pl.String(),
}
"""Columns of a frame of bars: raw prices, sorted by symbol, ds, known_at; no nulls."""


INPUT_SCHEMA: dict[str, pl.DataType] = {
    "table": pl.String(),
    "symbol": pl.String(),
    "ds": pl.Date(),
    "known_at": pl.Datetime("us", "UTC"),
    "value": pl.Float64(),
}
"""Columns of a frame of point-in-time values, sorted by table, symbol, ds, known_at; no nulls."""


class Steps(NamedTuple):
    """Values of one symbol by decision date: from ``since`` on the value of day ``ds`` holds.

    Equally long, sorted by ``since``; of equal ones the last holds.
    """

    since: DateArray
    ds: DateArray
    value: FloatArray


class Bar(NamedTuple):
    """One raw daily bar in exact money, as the fill rules read it."""

    symbol: str
    ds: dt.date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


@dataclass(frozen=True, eq=False)
class BarWindow:
    """The usable bars of one symbol in the units of one decision date, oldest first.

    All columns have equal length. Prices and volumes are adjusted by the splits with
    ``ex_ds`` up to the decision. ``year_start`` is the index of the first bar on or after
    1 January of the decision's year (``len`` when there is none yet); expressions start their
    look-back there. ``upto`` is the index of the last bar the decision may read (-1: none);
    later bars, present when many days share one window, are out of its reach. ``key`` is equal
    for windows that hold the same columns, so that series may be computed once.
    """

    symbol: str
    asset_class: AssetClass
    key: str
    ds: DateArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    year_start: int
    upto: int

    def has_bar(self, ds: dt.date) -> bool:
        """Whether the last readable bar is the bar of ``ds``."""
        return self.upto >= 0 and bool(self.ds[self.upto] == np.datetime64(ds))

    def begin(self, lookback: int, first: np.datetime64 | None = None) -> int:
        """The index of the bar so many before 1 January, or before the last one before a day."""
        year = self.year_start if first is None else int(np.searchsorted(self.ds, first)) - 1
        return max(year - lookback, 0)

    def digest(self, lookback: int, first: np.datetime64 | None = None) -> str:
        """16 hex digits of the readable bars from ``begin`` on, which a decision rests on."""
        span = slice(self.begin(lookback, first), self.upto + 1)
        sha = hashlib.sha256(self.symbol.encode())
        for column in (self.ds, self.open, self.high, self.low, self.close, self.volume):
            sha.update(np.ascontiguousarray(column[span]).tobytes())
        return sha.hexdigest()[:16]
