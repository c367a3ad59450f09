"""Bars as the run of their date knows them, and what gates ask of a symbol's recent past."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from goldenthread.domain.asset import AssetClass
from goldenthread.rules.calendar import count_sessions, sessions
from goldenthread.rules.splits import ratio_between

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from goldenthread.domain.asset import Asset
    from goldenthread.domain.bar import Bar, DateArray, FloatArray
    from goldenthread.market.bars import BarBook

_DAY = dt.timedelta(days=1)
_RUN_AT = dt.time(0, 5, tzinfo=dt.UTC)
_WAIT = dt.timedelta(days=14)
"""How far ahead an exchange looks for the open a market order fills at."""
_YEAR = dt.timedelta(days=366)
"""Calendar days that hold the sessions the longest look-back of returns needs."""


@dataclass(frozen=True)
class KnownBars:
    """The bars that orders execute on, each as the run of its own date knows it.

    A revision that comes later changes no execution that has happened.
    """

    bars: BarBook
    assets: Mapping[str, Asset]

    def bar(self, symbol: str, ds: dt.date) -> Bar | None:
        """The tradable raw bar, or None for a session without one."""
        return self.bars.tradable(symbol, ds, run_at(ds))

    def next_open(self, symbol: str, ds: dt.date) -> tuple[dt.date, Decimal] | None:
        """Date and open of the first tradable bar after ``ds``, as far as there is one yet."""
        for after in self.bars.bars_since(symbol, ds, ds + _WAIT):
            first = self.bar(symbol, after.ds)
            if first is not None:
                return first.ds, first.open
        return None

    def ratio(self, symbol: str, ds: dt.date) -> Decimal:
        """Shares after the open of ``ds`` for one share before."""
        return ratio_between(self.bars.actions(symbol), ds - _DAY, ds)

    def asset(self, symbol: str) -> Asset:
        """The asset of that symbol."""
        return self.assets[symbol]

    def last_close(self, symbol: str, ds: dt.date) -> Decimal | None:
        """The last known raw close up to ``ds``."""
        return self.bars.last_close(symbol, ds, run_at(ds))


def run_at(ds: dt.date) -> dt.datetime:
    """The instant the run of ``ds`` starts: 00:05 UTC of the next day."""
    return dt.datetime.combine(ds + _DAY, _RUN_AT)


def sessions_missed(bars: BarBook, symbol: str, ds: dt.date) -> int:
    """How many sessions without a readable bar lie just before the bar of ``ds``."""
    window = bars.window(symbol, ds)
    if window is None or window.upto < 1:
        return 0
    before: dt.date = window.ds[window.upto - 1].item()
    return max(count_sessions(window.asset_class, before, ds) - 1, 0)


def paired_returns(bars: BarBook, symbol: str, ds: dt.date, count: int) -> FloatArray | None:
    """Returns between the last ``count`` + 1 New York sessions up to ``ds``, oldest first.

    The sessions are the same for all classes, so that returns pair by date. A session without
    a bar counts with the close before it; sessions before the first bar are left out. None
    without a readable bar.
    """
    window = bars.window(symbol, ds)
    if window is None:
        return None
    places = np.searchsorted(window.ds[: window.upto + 1], _grid(ds, count), side="right") - 1
    closes = window.close[places[places >= 0]]
    return closes[1:] / closes[:-1] - 1.0


@lru_cache(maxsize=4)
def _grid(ds: dt.date, count: int) -> DateArray:
    return np.array(sessions(AssetClass.EQUITY, ds - _YEAR, ds)[-count - 1 :], "datetime64[D]")
