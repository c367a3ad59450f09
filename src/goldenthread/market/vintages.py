"""What was known when: the bars of one symbol in force at each instant.

Nearly all rows arrive once, in order: a later instant only adds newer days. The exceptions
(a revision, a bar or a split that arrived late) start a new *vintage*: from that instant on
the symbol's past looks different, and is judged anew.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from goldenthread.domain.asset import ActionKind
from goldenthread.domain.bar import FloatArray
from goldenthread.market.jumps import IntArray, Series, Split, StateArray, judge_series

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from goldenthread.domain.asset import CorporateAction

BoolArray = NDArray[np.bool_]
Places = IntArray | slice

_EPOCH = dt.date(1970, 1, 1).toordinal()
_DAY_US = 86_400_000_000
_ALWAYS, _NEVER = np.iinfo(np.int64).min, np.iinfo(np.int64).max


def day_number(ds: dt.date) -> int:
    """Days from 1 January 1970 to ``ds``."""
    return ds.toordinal() - _EPOCH


def instant_us(now: dt.datetime) -> int:
    """Microseconds from 1 January 1970 to ``now``, exactly."""
    return round(now.timestamp() * 1_000_000)


class Rows(NamedTuple):
    """Stored rows as columns: every one of a symbol, sorted by day, then by ``known``."""

    day: IntArray
    known: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray

    @classmethod
    def by_symbol(cls, bars: pl.DataFrame) -> Iterator[tuple[str, slice, Rows]]:
        """Each symbol of bars in BAR_SCHEMA, its place in them and its rows.

        ``bars`` are sorted by symbol, ds, known_at. The columns are views, so that thousands of
        symbols cost little.
        """
        whole = {
            "day": bars["ds"].to_physical().cast(pl.Int64),
            "known": bars["known_at"].to_physical(),
        }
        prices = [bars[name].to_numpy() for name in ("open", "high", "low", "close", "volume")]
        columns = cls(*(column.to_numpy() for column in whole.values()), *prices)
        runs = bars["symbol"].rle().struct
        ends = np.cumsum(runs.field("len").to_numpy()).tolist()
        for symbol, start, end in zip(runs.field("value"), [0, *ends], ends, strict=False):
            place = slice(start, end)
            yield symbol, place, columns.at(place)

    def at(self, places: Places) -> Rows:
        """The rows at those places."""
        return Rows._make(column[places] for column in self)


class Vintage(NamedTuple):
    """The bars in force from one instant on: positions in ``Rows``, states, splits.

    ``known`` never falls: a bar is readable from ``known`` on, given the vintage.
    """

    number: int
    rows: Places
    known: IntArray
    states: StateArray
    splits: tuple[Split, ...]


class History:
    """The rows and splits of one symbol, and the vintages they make."""

    def __init__(self, rows: Rows, actions: Sequence[CorporateAction]) -> None:
        self.rows = rows
        self._regular = _regular(rows)
        self._is_plain = bool(self._regular.all())
        self._splits = sorted(
            (Split(day_number(a.ex_ds), a.ratio), instant_us(a.known_at))
            for a in actions
            if a.kind is ActionKind.SPLIT
        )
        late = {known for split, known in self._splits if _is_late(split, known)}
        self.events = sorted({*rows.known[~self._regular].tolist(), *late})

    def number_at(self, now_us: int) -> int:
        """The number of the vintage in force at ``now_us``; 0 is the first."""
        return bisect_right(self.events, now_us) if self.events else 0

    def vintage(self, number: int, states: StateArray | None = None) -> Vintage:
        """The vintage of that number; ``states`` when the rows in force were judged before."""
        upto = self.events[number - 1] if number else -1
        chosen = self._chosen(upto)
        splits = tuple(s for s, known in self._splits if not _is_late(s, known) or known <= upto)
        if states is None:
            rows = self.rows.at(chosen)
            judged = judge_series(Series(rows.day, rows.open, rows.close), splits)
        else:
            judged = states[chosen]
        known = np.where(self._regular, self.rows.known, _ALWAYS)[chosen]
        return Vintage(number, chosen, np.maximum.accumulate(known), judged, splits)

    def _chosen(self, upto: int) -> Places:
        """Where the rows in force are: of those of a day that are there, the last."""
        if self._is_plain:
            return slice(None)
        there = np.flatnonzero(self._regular | (self.rows.known <= upto))
        day = self.rows.day[there]
        chosen: IntArray = there[np.append(day[1:] != day[:-1], True)]
        return chosen


def row_states(history: History) -> StateArray:
    """The state of every row in the last vintage that holds it."""
    states = np.zeros(len(history.rows.day), np.int8)
    for number in range(len(history.events) + 1):
        vintage = history.vintage(number)
        states[vintage.rows] = vintage.states
    return states


def _is_late(split: Split, known: int) -> bool:
    return known > (split.day + 1) * _DAY_US


def _regular(rows: Rows) -> BoolArray:
    """The first row of each day that was known no later than the first rows of later days."""
    first = np.ones(len(rows.day), np.bool_)
    first[1:] = rows.day[1:] != rows.day[:-1]
    if first.all() and (rows.known[1:] >= rows.known[:-1]).all():  # nearly always
        return first
    firsts = np.where(first, rows.known, _NEVER)
    later = np.append(np.minimum.accumulate(firsts[::-1])[::-1][1:], _NEVER)
    regular: BoolArray = first & (rows.known <= later)
    return regular
