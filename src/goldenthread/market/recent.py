"""What a gate asks of a symbol's recent past: sessions missed, and returns that pair by date."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np

from goldenthread.domain.asset import AssetClass
from goldenthread.rules.calendar import count_sessions, sessions

if TYPE_CHECKING:
    from goldenthread.domain.bar import FloatArray
    from goldenthread.market.bars import BarBook

_YEAR = dt.timedelta(days=366)
"""Calendar days that hold the sessions the longest look-back of returns needs."""


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
    known = sessions(AssetClass.EQUITY, ds - _YEAR, ds)[-count - 1 :]
    grid = np.array(known, "datetime64[D]")
    places = np.searchsorted(window.ds[: window.upto + 1], grid, side="right") - 1
    closes = window.close[places[places >= 0]]
    return closes[1:] / closes[:-1] - 1.0
