"""A cross-section: the bars of all members of a universe on one decision date."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from goldenthread.domain.bar import BarWindow, DateArray, FloatArray

AT_REST = np.timedelta64(7, "D")
"""Without a bar in the week before a new year or month a symbol counts as not traded."""


@dataclass(frozen=True, eq=False)
class Section:
    """The windows of the members that have bars; none holds a bar its decision may not read.

    ``symbol`` names the universe and ``key`` the columns of all windows, as of one window, so
    that what is computed of a section can be kept beside what is computed of a symbol.
    """

    symbol: str
    windows: tuple[BarWindow, ...]
    new_year: np.datetime64

    @classmethod
    def of(cls, name: str, windows: Iterable[BarWindow], day: np.datetime64) -> Section:
        """The section of a decision on ``day``; bars up to it not believed yet are cut off."""
        read = tuple(cut(w) if is_behind(w, day) else w for w in windows)
        return cls(name, read, day.astype("datetime64[Y]").astype("datetime64[D]"))

    @cached_property
    def key(self) -> str:
        """Equal for sections that hold the same columns."""
        told = "|".join(f"{w.key} {w.year_start}" for w in self.windows)
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    @cached_property
    def alone(self) -> Section:
        """The same without any bar after the decision."""
        return replace(self, windows=tuple(cut(w) for w in self.windows))

    def first_day(self, back: int) -> np.datetime64:
        """The earliest day on which a member had its bar number ``back`` before 1 January."""
        days = [self.new_year]
        for window in self.windows:
            last = window.year_start - 1
            if last >= 0 and window.ds[last] >= self.new_year - AT_REST:
                days.append(window.ds[max(0, last - back)])
        return min(days)


@dataclass(frozen=True, eq=False)
class Panel:
    """One value a day and member; null where a member has no bar or no value."""

    dates: DateArray
    columns: Mapping[str, FloatArray]

    @classmethod
    def of(
        cls, name: str, symbols: Sequence[str], series: Sequence[tuple[DateArray, FloatArray]]
    ) -> Panel:
        """What ``rank``, ``pct_rank`` or ``zscore`` (``name``) makes of the members' series."""
        none = np.empty(0, "datetime64[D]")
        dates = np.unique(np.concatenate([none, *(days for days, _ in series)]))
        values = np.full((len(dates), len(series)), np.nan)
        for at, (days, column) in enumerate(series):
            values[np.searchsorted(dates, days), at] = column
        compared = _scores(values) if name == "zscore" else _places(name, values)
        return cls(dates, dict(zip(symbols, compared.T.copy(), strict=True)))

    @property
    def size(self) -> int:
        """The bytes its numbers take."""
        return self.dates.nbytes + sum(column.nbytes for column in self.columns.values())

    def column(self, symbol: str, days: DateArray) -> FloatArray:
        """The values of a member on ``days``; null on others, and for who is no member."""
        found = self.columns.get(symbol)
        if found is None or not len(self.dates):
            return np.full(len(days), np.nan)
        at = np.minimum(np.searchsorted(self.dates, days), len(self.dates) - 1)
        return np.where(self.dates[at] == days, found[at], np.nan)


def cut(window: BarWindow) -> BarWindow:
    """The window without the bars after its last readable one."""
    end = window.upto + 1
    columns = {
        name: getattr(window, name)[:end]
        for name in ("ds", "open", "high", "low", "close", "volume")
    }
    key = f"{window.key} to {columns['ds'][-1] if end else 'nothing'}"
    return replace(window, **columns, key=key, year_start=min(window.year_start, end))


def is_behind(window: BarWindow, day: np.datetime64) -> bool:
    """Whether the columns hold a bar up to ``day`` that may not be read yet."""
    later = window.upto + 1
    return later < len(window.ds) and bool(window.ds[later] <= day)


def _places(name: str, values: FloatArray) -> FloatArray:
    """The rank, or its share, of each value among those of its row; null where it is null."""
    order = np.argsort(values, axis=1)
    ordered = np.take_along_axis(values, order, axis=1)
    place = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    differs = ordered[:, 1:] != ordered[:, :-1]
    edge = np.ones((len(values), 1), np.bool_)
    starts = np.where(np.hstack([edge, differs]), place, 0)
    ends = np.where(np.hstack([differs, edge]), place + 1, values.shape[1])
    below, upto = np.empty(values.shape), np.empty(values.shape)
    np.put_along_axis(below, order, np.maximum.accumulate(starts, axis=1), axis=1)
    last = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    np.put_along_axis(upto, order, last, axis=1)
    count = np.count_nonzero(~np.isnan(values), axis=1)[:, None]
    if name == "rank":
        return np.where(np.isnan(values), np.nan, count - upto + 1)
    share = (below + (upto - below - 1) / 2) / np.maximum(count - 1, 1)
    return np.where(np.isnan(values) | (count == 1), np.nan, share)


def _scores(values: FloatArray) -> FloatArray:
    """Each value's distance from the mean of its row, in sample deviations.

    Null where fewer than two have a value, or all the same one.
    """
    there = ~np.isnan(values)
    count = there.sum(axis=1)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.where(there, values - _sums(np.where(there, values, 0.0)) / count, 0.0)
        variance = _sums(apart * apart) / (count - 1)
        return np.where(there & (variance > 0), apart / np.sqrt(variance), np.nan)


def _sums(values: FloatArray) -> FloatArray:
    """The exact sum of each row: neither order nor zeros, nor other rows, change a bit of it."""
    return np.array([math.fsum(row) for row in values.tolist()])[:, None]
