"""Dates that read one set of columns, so that a series serves all of them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from goldenthread.domain.bar import BarWindow
from goldenthread.signals.evaluation import Calculator

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator

    from goldenthread.domain.bar import DateArray
    from goldenthread.signals.batch.peers import Peers
    from goldenthread.signals.calls import Universe


class Stretch(NamedTuple):
    """Consecutive dates of one window: their rows, their places in it, and what computes there."""

    rows: slice
    places: NDArray[np.intp]
    window: BarWindow
    calculator: Calculator


class Stretches:
    """The dates of one symbol parted by the windows they read; arguments as for ``Batch``."""

    def __init__(
        self,
        windows: Callable[[str, dt.date, dt.datetime | None], BarWindow | None],
        symbol: str,
        dates: DateArray,
        peers: Peers,
    ) -> None:
        self._windows = windows
        self._symbol = symbol
        self._dates = dates
        self._peers = peers
        self._known: dict[tuple[str, ...], list[Stretch]] = {}

    def of(self, refs: tuple[str, ...], universe: Universe | None = None) -> list[Stretch]:
        """The stretches of an expression that reads these other symbols, oldest first.

        Args:
            refs: Symbols read through ``ref``.
            universe: The members it compares, if any.
        """
        key = (*refs, universe.key if universe else "")
        found = self._known.get(key)
        if found is None:
            rows = self._own_rows()
            if refs or universe:
                rows = [part for run in rows for part in self._parted(run, refs, universe)]
            found = self._known[key] = [self._stretch(run) for run in rows]
        return found

    def _own_rows(self) -> list[slice]:
        """Runs of dates that read the same columns: a year, parted where its window changes."""
        years = self._dates.astype("datetime64[Y]").astype(np.int64)
        edges = [0, *(np.flatnonzero(np.diff(years)) + 1).tolist(), len(years)]
        return [run for first, end in pairwise(edges) for run in self._same_window(first, end)]

    def _same_window(self, first: int, end: int) -> Iterator[slice]:
        while first < end:
            key = self._key(self._symbol, first)
            low, high = first, end - 1
            if self._key(self._symbol, high) == key:
                low = high
            while low < high:  # windows follow one another, so the last is found by halves
                middle = (low + high + 1) // 2
                low, high = (
                    (middle, high) if self._key(self._symbol, middle) == key else (low, middle - 1)
                )
            yield slice(first, low + 1)
            first = low + 1

    def _parted(
        self, rows: slice, refs: tuple[str, ...], universe: Universe | None
    ) -> Iterator[slice]:
        """The run cut where other windows or members change or a last bar is not believed."""
        first, before = rows.start, None
        for row in range(rows.start, rows.stop):
            state = self._state(row, refs, universe)
            if row > first and (state != before or state is None):
                yield slice(first, row)
                first = row
            before = state
        if rows.stop > first:
            yield slice(first, rows.stop)

    def _state(
        self, row: int, refs: tuple[str, ...], universe: Universe | None
    ) -> tuple[str, ...] | None:
        """The windows others are read through; None where one holds a bar not readable yet."""
        keys = [self._peers.columns(universe, self._dates[row].item())] if universe else []
        for symbol in refs:
            window = self._window(symbol, row)
            if window is not None:
                after = window.upto + 1
                if after < len(window.ds) and window.ds[after] <= self._dates[row]:
                    return None
            keys.append(window.key if window is not None else "")
        return tuple(keys)

    def _stretch(self, rows: slice) -> Stretch:
        last = rows.stop - 1
        window = self._window(self._symbol, last)
        if window is None:  # a date without a bar was given: nothing can be read there
            msg = f"{self._symbol} has no bar to read on {self._dates[last]}"
            raise ValueError(msg)
        places = np.searchsorted(window.ds, self._dates[rows])
        moment = self._peers.moment(self._dates[last].item())
        return Stretch(rows, places, window, moment.calculator)

    def _window(self, symbol: str, row: int) -> BarWindow | None:
        ds: dt.date = self._dates[row].item()
        return self._windows(symbol, ds, None)

    def _key(self, symbol: str, row: int) -> str:
        window = self._window(symbol, row)
        return "" if window is None else window.key
