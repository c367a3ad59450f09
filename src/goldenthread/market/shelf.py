"""One vintage of one symbol laid out for reading: positions, windows, exact bars."""

from __future__ import annotations

import datetime as dt
import hashlib
from bisect import bisect_left, bisect_right
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from goldenthread.domain.bar import Bar, DateArray, FloatArray
from goldenthread.market.jumps import CONFIRMED, GOOD
from goldenthread.market.vintages import Rows, day_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from goldenthread.market.vintages import Places, Vintage

_DECIMALS = 9
_ENDLESS = day_number(dt.date.max)
_EPOCH = dt.date(1970, 1, 1).toordinal()


class Frame(NamedTuple):
    """Adjusted columns of the readable bars of one year within one stretch between splits.

    ``first`` is how many readable bars of the symbol lie before the columns begin.
    """

    key: str
    first: int
    year_start: int
    ds: DateArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray


class Shelf:
    """Readable are GOOD bars, and CONFIRMED ones once a later bar is known.

    Positions count the bars in force from 0, whatever their state.
    """

    def __init__(self, symbol: str, rows: Rows, vintage: Vintage, lookback: int) -> None:
        self.symbol = symbol
        self._lookback = lookback
        self.rows = rows.at(vintage.rows)
        self.days: list[int] = self.rows.day.tolist()
        self.states: list[int] = vintage.states.tolist()
        self._known = vintage.known
        self._splits = vintage.splits
        self._split_days = [split.day for split in vintage.splits]
        usable = (vintage.states == GOOD) | (vintage.states == CONFIRMED)
        self._usable = np.flatnonzero(usable)
        self._count = np.cumsum(usable)
        self._bars: dict[int, Bar] = {}
        self._frames: dict[tuple[int, int, int], Frame] = {}
        self._old_years: dict[int, int] = {}

    @cached_property
    def _digest(self) -> str:
        """What its columns are known by: other bars or splits, another digest."""
        sha = hashlib.sha256(repr((self._splits, self._lookback)).encode())
        for column in (*self.rows, self._usable):
            sha.update(column.data)
        return sha.hexdigest()[:16]

    def last(self, day: int, now_us: int | None) -> int:
        """The position of the last bar up to ``day`` known at ``now_us``; -1 when none."""
        at = bisect_right(self.days, day) - 1
        if at >= 0 and now_us is not None and self._known[at] > now_us:
            return bisect_right(self._known, now_us, 0, at) - 1
        return at

    def readable(self, at: int) -> int:
        """How many bars are readable when the bar at ``at`` is the last one known."""
        if at < 0:
            return 0
        return int(self._count[at]) - (self.states[at] == CONFIRMED)

    def last_readable(self, at: int) -> int | None:
        """The position of the last readable bar when the bar at ``at`` is the last known."""
        count = self.readable(at)
        return int(self._usable[count - 1]) if count else None

    def bar(self, at: int) -> Bar:
        """The bar at a position, raw, in exact money; made once."""
        found = self._bars.get(at)
        if found is None:
            ds = dt.date.fromordinal(self.days[at] + _EPOCH)
            rows = self.rows
            columns = (rows.open, rows.high, rows.low, rows.close, rows.volume)
            found = Bar(self.symbol, ds, *(_exact(float(column[at])) for column in columns))
            self._bars[at] = found
        return found

    def ratio(self, after: int, upto: int) -> Decimal:
        """New shares per old share over the splits with ``after < day <= upto``."""
        ratio = Decimal(1)
        for split in self._splits:
            if after < split.day <= upto:
                ratio *= split.ratio
        return ratio

    def frame(self, ds: dt.date, at: int) -> Frame:
        """The columns a decision on ``ds`` reads from, the bar at ``at`` being the last known.

        One frame serves every day of a year in one stretch between splits, but for days on
        which bars of the old year are still to come.
        """
        stretch = bisect_right(self._split_days, day_number(ds))
        before = min(self._bars_before(ds.year), at + 1)
        found = self._frames.get((ds.year, stretch, before))
        if found is None:
            found = self._make_frame(ds.year, stretch, before)
            self._frames[ds.year, stretch, before] = found
        return found

    def _bars_before(self, year: int) -> int:
        found = self._old_years.get(year)
        if found is None:
            found = bisect_left(self.days, day_number(dt.date(year, 1, 1)))
            self._old_years[year] = found
        return found

    def _make_frame(self, year: int, stretch: int, before: int) -> Frame:
        ends = self._split_days[stretch : stretch + 1] or [_ENDLESS]
        end = min(ends[0], day_number(dt.date(year, 12, 31)) + 1)
        # Counted over bars of every state, so that a later verdict never moves the start.
        first = int(np.searchsorted(self._usable, max(0, before - self._lookback)))
        last = int(np.searchsorted(self._usable, bisect_left(self.days, end)))
        chosen = self._usable[first:last]
        columns = self._adjusted(chosen, stretch)
        key = f"{self.symbol}|{year}|{stretch}|{before}|{self._digest}"
        return Frame(key, first, int(np.searchsorted(chosen, before)), *columns)

    def _adjusted(
        self, chosen: NDArray[np.intp], stretch: int
    ) -> tuple[DateArray, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
        """Day, prices and volume of the bars in the units of a stretch between splits."""
        rows = self.rows.at(_together(chosen))
        if stretch:
            ratio = np.ones(len(chosen))
            upto = self._split_days[stretch - 1]
            for split in reversed(self._split_days[:stretch]):
                ratio[rows.day < split] = float(self.ratio(split - 1, upto))
            prices = {
                name: getattr(rows, name) / ratio for name in ("open", "high", "low", "close")
            }
            rows = rows._replace(**prices, volume=rows.volume * ratio)
        days = rows.day.view("datetime64[D]")
        columns = (days, rows.open, rows.high, rows.low, rows.close, rows.volume)
        for column in columns:
            column.flags.writeable = False
        return columns


def _together(places: NDArray[np.intp]) -> Places:
    """The same places as a slice where none is left out, so that columns need no copy."""
    if len(places) and places[-1] - places[0] == len(places) - 1:
        return slice(int(places[0]), int(places[-1]) + 1)
    return places


def _exact(value: float) -> Decimal:
    """A stored price or volume as money: the shortest decimal, at most nine decimals."""
    return Decimal(repr(round(value, _DECIMALS)))
