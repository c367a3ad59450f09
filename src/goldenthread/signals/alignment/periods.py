"""Weeks and months made of daily bars, complete ones only."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from goldenthread.rules.calendar import next_session, previous_session

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from goldenthread.domain.asset import AssetClass
    from goldenthread.domain.bar import BarWindow, DateArray, FloatArray

    IndexArray = NDArray[np.intp]

PERIODS = {"1W": 7, "1M": 31}
"""The periods ``on`` knows, and the most daily bars one holds."""

_WEEK = 7
_THURSDAY = 3
"""The weekday of 1 January 1970, where days are counted from; 0 is a Monday."""
_ONE_DAY = dt.timedelta(days=1)


def period_window(window: BarWindow, period: str) -> BarWindow:
    """The weeks (Monday to Sunday) or months of a window as bars; ``ds`` is their last session.

    A period is complete when the last session its asset's calendar has in it is over, whether
    or not there is a bar of it. Open is the first bar's, high and low the extremes, close the
    last bar's, volume the sum. A first period whose beginning lies before the columns is left
    out. The last one may not be complete: nobody reads it before its ``ds``.
    """
    firsts = _first_days(window.ds, period)
    begin = np.flatnonzero(np.diff(firsts, prepend=np.datetime64("0001-01-01")))
    starts = [day.item() for day in firsts[begin]]
    if starts and window.ds[0].item() > next_session(window.asset_class, starts[0] - _ONE_DAY):
        begin, starts = begin[1:], starts[1:]
    last = [_last_session(window.asset_class, day, period) for day in starts]
    ends = np.append(begin, len(window.ds))[1:] - 1
    return replace(
        window,
        symbol=f"{window.symbol} {period}",
        key=f"{window.key} {period}",
        ds=np.array(last, dtype="datetime64[D]"),
        open=window.open[begin],
        high=_over(np.maximum, window.high, begin),
        low=_over(np.minimum, window.low, begin),
        close=window.close[ends],
        volume=_over(np.add, window.volume, begin),
        year_start=0,
        upto=len(begin) - 1,
    )


def _first_days(days: DateArray, period: str) -> DateArray:
    """The first calendar day of the period each day lies in."""
    if period == "1M":
        return days.astype("datetime64[M]").astype("datetime64[D]")
    weekday = (days.astype(np.int64) + _THURSDAY) % _WEEK
    mondays: DateArray = (days.astype(np.int64) - weekday).astype("datetime64[D]")
    return mondays


def _over(combine: np.ufunc, column: FloatArray, begin: IndexArray) -> FloatArray:
    """``combine`` over each period's bars."""
    result: FloatArray = combine.reduceat(column, begin) if len(begin) else column[:0]
    return result


def _last_session(asset_class: AssetClass, first: dt.date, period: str) -> dt.date:
    if period == "1W":
        return previous_session(asset_class, first + dt.timedelta(days=7))
    return previous_session(asset_class, (first + dt.timedelta(days=32)).replace(day=1))
