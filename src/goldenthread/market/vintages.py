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
    from collections.abc import Sequence

    from goldenthread.domain.asset import CorporateAction

BoolArray = NDArray[np.bool_]

_EPOCH = dt.date(1970, 1, 1).toordinal()
_DAY_US = 86_400_000_000


def day_number(ds: dt.date) -> int:
    """Days from 1 January 1970 to ``ds``."""
    return ds.toordinal() - _EPOCH


def instant_us(now: dt.datetime) -> int:
    """Microseconds from 1 January 1970 to ``now``, exactly."""
    return round(now.timestamp() * 1_000_000)


class Rows(NamedTuple):
    """Every stored row of one symbol as columns, sorted by day, then by ``known``."""

    day: IntArray
    known: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray

    @classmethod
    def of(cls, bars: pl.DataFrame) -> Rows:
        """The columns of one symbol's bars in BAR_SCHEMA."""
        whole = {
            "day": bars["ds"].to_physical().cast(pl.Int64),
            "known": bars["known_at"].to_physical(),
        }
        prices = [bars[name].to_numpy() for name in ("open", "high", "low", "close", "volume")]
        return cls(*(column.to_numpy() for column in whole.values()), *prices)


class Vintage(NamedTuple):
    """The bars in force from one instant on: positions in ``Rows``, states, splits.

    ``known`` never falls: a bar is readable from ``known`` on, given the vintage.
    """

    number: int
    rows: IntArray
    known: IntArray
    states: StateArray
    splits: tuple[Split, ...]


class History:
    """The rows and splits of one symbol, and the vintages they make."""

    def __init__(self, rows: Rows, actions: Sequence[CorporateAction]) -> None:
        self.rows = rows
        self._regular = _regular(rows)
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
        present = self._regular | (self.rows.known <= upto)
        there = np.flatnonzero(present)
        day = self.rows.day[there]
        chosen = there[np.append(day[1:] != day[:-1], True)]
        splits = tuple(s for s, known in self._splits if not _is_late(s, known) or known <= upto)
        if states is None:
            columns = (self.rows.day, self.rows.open, self.rows.close)
            judged = judge_series(Series(*(column[chosen] for column in columns)), splits)
        else:
            judged = states[chosen]
        floor = np.iinfo(np.int64).min
        known = np.where(self._regular, self.rows.known, floor)[chosen]
        return Vintage(number, chosen, np.maximum.accumulate(known), judged, splits)


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
    first = np.diff(rows.day, prepend=-1) != 0
    latest = np.iinfo(np.int64).max
    firsts = np.where(first, rows.known, latest)
    later = np.append(np.minimum.accumulate(firsts[::-1])[::-1][1:], latest)
    regular: BoolArray = first & (rows.known <= later)
    return regular
