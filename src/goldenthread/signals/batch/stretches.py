"""Dates that read one set of columns, so that a series serves all of them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from goldenthread.domain.bar import BarWindow
from goldenthread.signals.evaluation import Calculator, Memo

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator

    from goldenthread.domain.bar import DateArray


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
    ) -> None:
        self._windows = windows
        self._symbol = symbol
        self._dates = dates
        self._known: dict[tuple[str, ...], list[Stretch]] = {}

    def of(self, refs: tuple[str, ...]) -> list[Stretch]:
        """The stretches of an expression that reads these other symbols, oldest first."""
        found = self._known.get(refs)
        if found is None:
            own = self._own_rows()
            rows = own if not refs else [part for r in own for part in self._parted(r, refs)]
            found = [self._stretch(r) for r in rows]
            self._known[refs] = found
        return found

    def _own_rows(self) -> list[slice]:
        """Runs of dates that read the same columns: a year, parted where its window changes."""
        years = self._dates.astype("datetime64[Y]").astype(np.int64)
        edges = [0, *(np.flatnonzero(np.diff(years)) + 1).tolist(), len(years)]
        return [run for first, end in pairwise(edges) for run in self._same_window(first, end)]

    def _same_window(self, first: int, end: int) -> Iterator[slice]:
        while first < end:
            key = self._key(self._symbol, first)
            low, high = first, end - 1  # windows follow one another, so the last is found by halves
            while low < high:
                middle = (low + high + 1) // 2
                low, high = (
                    (middle, high) if self._key(self._symbol, middle) == key else (low, middle - 1)
                )
            yield slice(first, low + 1)
            first = low + 1

    def _parted(self, rows: slice, refs: tuple[str, ...]) -> Iterator[slice]:
        """The run cut where another symbol's window changes or its last bar is not believed."""
        first, before = rows.start, None
        for row in range(rows.start, rows.stop):
            state = self._state(row, refs)
            if row > first and (state != before or state is None):
                yield slice(first, row)
                first = row
            before = state
        if rows.stop > first:
            yield slice(first, rows.stop)

    def _state(self, row: int, refs: tuple[str, ...]) -> tuple[str, ...] | None:
        """The windows others are read through; None where one holds a bar not readable yet."""
        keys = []
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
        calculator = Calculator(lambda symbol: self._window(symbol, last), Memo())
        places = np.searchsorted(window.ds, self._dates[rows])
        return Stretch(rows, places, window, calculator)

    def _window(self, symbol: str, row: int) -> BarWindow | None:
        ds: dt.date = self._dates[row].item()
        return self._windows(symbol, ds, None)

    def _key(self, symbol: str, row: int) -> str:
        window = self._window(symbol, row)
        return "" if window is None else window.key
