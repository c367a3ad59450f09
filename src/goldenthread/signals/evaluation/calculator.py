"""Bound expressions computed over a window fixed by the calendar, each part once.

Every series is computed over the columns from its look-back before 1 January of the decision's
year (the window's ``year_start``) to the end of the window, whatever it stands beside; signs
combine the values from 1 January on, and the decision's bar is read. As nothing looks ahead, a
window that ends at the decision (nightly) and one that runs on (batch) give the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from goldenthread.domain.bar import BarWindow, Steps
from goldenthread.domain.errors import UsageError
from goldenthread.signals.alignment.periods import period_window
from goldenthread.signals.alignment.sections import Panel, Section, cut, is_behind
from goldenthread.signals.arithmetic import Value, as_series, combine
from goldenthread.signals.calls import Universe
from goldenthread.signals.functions import LANGUAGE
from goldenthread.signals.indicators import compute

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from goldenthread.domain.bar import DateArray, FloatArray
    from goldenthread.signals.calls import Expr

REF_MAX_DAYS = 7
"""A bar of another symbol older than this (calendar days) says nothing: ``ref`` is null."""

_WINDOWS_KEPT = 2
_AT_HAND = frozenset({"number", "column"})

Key = tuple[int, str, str]
"""Where a series starts, what it computes, the columns of other symbols it reads."""


class Memo:
    """Series computed once and kept while their window is asked for; may outlive a day.

    Keeps the series of the last two windows of each symbol (the days around a new year or a
    split read both); older ones are dropped.

    Args:
        most: How many symbols it remembers, those asked for last; None: all. A single night over
            thousands reads each once, and memory used again costs far less than ever new one.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._series: dict[str, dict[str, dict[Key, Value]]] = {}

    def of(self, window: BarWindow | Section) -> dict[Key, Value]:
        """What was computed so far of the window's, or the section's, columns."""
        windows = self._series.pop(window.symbol, None)
        if windows is None:
            windows = {}
            if len(self._series) == self._most:
                del self._series[next(iter(self._series))]
        self._series[window.symbol] = windows
        known = windows.get(window.key)
        if known is None:
            if len(windows) == _WINDOWS_KEPT:
                del windows[next(iter(windows))]
            known = windows[window.key] = {}
        return known

    def panel(self, section: Section, key: Key, make: Callable[[], Panel]) -> Panel:
        """The cross-section of that key, made unless it is kept."""
        found: Panel | None = self.of(section).get(key)
        if found is None:
            found = make()
            self.of(section)[key] = found  # many members may have pushed it out meanwhile
        return found

    def __len__(self) -> int:
        return sum(len(s) for windows in self._series.values() for s in windows.values())


class Panels(Protocol):
    """Where cross-sections are kept."""

    def panel(self, section: Section, key: Key, make: Callable[[], Panel]) -> Panel:
        """See ``Memo``."""


class Reading(NamedTuple):
    """One window, where its expression starts, where series are kept, the other windows.

    ``start`` lies ``lookback`` bars (those of the whole series) before 1 January. ``known`` holds
    what was computed so far of the window.
    """

    window: BarWindow
    start: int
    lookback: int
    known: dict[Key, Value]
    memo: Memo
    panels: Panels
    other: Callable[[str], BarWindow | None]
    section: Callable[[Universe], Section]
    inputs: Callable[[str, str], Steps]

    def beside(self, window: BarWindow, start: int) -> Reading:
        """The same of another window."""
        return self._replace(window=window, start=start, known=self.memo.of(window))


def _no_section(_: Universe) -> Section:
    msg = "rank, pct_rank and zscore compare members, and nobody said who they are"
    raise UsageError(msg)


def no_inputs(table: str, _: str) -> Steps:
    """Refuses: who reads a table must say where its values are."""
    msg = f"table {table!r} is read, and nobody gave its values"
    raise UsageError(msg)


class Calculator:
    """Values of expressions at the last readable bar of a window.

    Args:
        other: The window of another symbol at the same decision date, for ``ref``.
        memo: Where series are kept.
        section: The members' windows at the same decision date, for ``rank`` and its like.
        inputs: The values of a table for a symbol.
        panels: Where cross-sections are kept; with the series if it is left out.
    """

    def __init__(
        self,
        other: Callable[[str], BarWindow | None],
        memo: Memo,
        section: Callable[[Universe], Section] = _no_section,
        inputs: Callable[[str, str], Steps] = no_inputs,
        panels: Panels | None = None,
    ) -> None:
        self._other = other
        self._memo = memo
        self._panels = memo if panels is None else panels
        self._section = section
        self._inputs = inputs
        self._cuts = Memo()

    def at(self, expr: Expr, window: BarWindow) -> float:
        """The value at the last readable bar; NaN where there is none."""
        return self._at(expr, self._reading(expr, window))

    def parts_at(self, expr: Expr, parts: tuple[Expr, ...], window: BarWindow) -> list[float]:
        """The values of parts of ``expr``, read from the window the whole reads."""
        reading = self._reading(expr, window)
        return [self._at(part, reading) for part in parts]

    def at_places(self, series: Expr, window: BarWindow, places: NDArray[np.intp]) -> FloatArray:
        """A series at several bars of a window, none after its last readable one."""
        reading = self._reading(series, window)
        return _from_new_year(series, reading)[places - reading.start]

    def level(self, expr: Expr, window: BarWindow, entry: float) -> float:
        """The value of an expression that may name the planned price ``entry``."""
        return float(self._level(expr, self._reading(expr, window), entry))

    def _level(self, expr: Expr, reading: Reading, entry: float) -> Value:
        if not expr.uses_entry:
            return self._at(expr, reading)
        if expr.op == "entry":
            return entry
        parts = [self._level(part, reading, entry) for part in expr.parts]
        if expr.bound is not None:
            return compute(expr.bound, [np.array([part]) for part in parts])[0]
        return combine(expr.op, parts)

    def _reading(self, expr: Expr, window: BarWindow) -> Reading:
        """From 1 January on, as far as the symbols that ``expr`` reads are believed."""
        memo, panels = self._memo, self._panels
        other, section = self._other, self._section
        if any(self._is_behind(symbol, window) for symbol in expr.refs):
            window, memo, panels = cut(window), self._cuts, self._cuts
            other, section = self._cut_other, self._cut_section
        known, start = memo.of(window), window.year_start
        return Reading(window, start, 0, known, memo, panels, other, section, self._inputs)

    def _is_behind(self, symbol: str, window: BarWindow) -> bool:
        other = self._other(symbol)
        return other is not None and is_behind(other, window.ds[window.upto])

    def _cut_other(self, symbol: str) -> BarWindow | None:
        other = self._other(symbol)
        return None if other is None else cut(other)

    def _cut_section(self, universe: Universe) -> Section:
        return self._section(universe).alone

    def _at(self, expr: Expr, reading: Reading) -> float:
        index = reading.window.upto - reading.start
        if index < 0:
            return float("nan")
        value = _points(expr, reading)
        return float(value[index]) if value.ndim else float(value)


def _points(expr: Expr, reading: Reading) -> Value:
    """The value of every bar from 1 January on, where ``reading`` starts."""
    if expr.op in _AT_HAND:
        return _computed(expr, reading)
    if expr.is_series:
        return _from_new_year(expr, reading)
    key = (reading.start, expr.text, _others(expr, reading))
    value = reading.known.get(key)
    if value is None:
        value = combine(expr.op, [_points(part, reading) for part in expr.parts])
        reading.known[key] = value
    return value


def _from_new_year(series: Expr, reading: Reading) -> FloatArray:
    """A series computed from its look-back before 1 January on, read from 1 January on."""
    start = max(0, reading.start - series.lookback)
    own = reading._replace(start=start, lookback=series.lookback)
    values = as_series(_series(series, own), len(reading.window.ds) - start)
    return values[reading.start - start :]


def _series(expr: Expr, reading: Reading) -> Value:
    """The value of every bar from ``reading.start`` on; constants stay single numbers."""
    if expr.op in _AT_HAND:
        return _computed(expr, reading)
    key = (reading.start, expr.text, _others(expr, reading))
    value = reading.known.get(key)
    if value is None:
        value = reading.known[key] = _computed(expr, reading)
    return value


def _others(expr: Expr, reading: Reading) -> str:
    """The columns besides the window's own that it reads; they may change while those stay."""
    if not expr.refs and expr.universe is None:
        return ""
    members = f"{reading.section(expr.universe).key} {reading.lookback}" if expr.universe else ""
    others = [reading.other(symbol) for symbol in expr.refs]
    return "|".join([members, *(other.key if other else "" for other in others)])


def _computed(expr: Expr, reading: Reading) -> Value:
    if expr.op == "number":
        return np.float64(expr.value)
    if expr.op == "column":
        column: FloatArray = getattr(reading.window, expr.text)[reading.start :]
        return column
    if expr.op == "input":
        return _stepped(expr, reading)
    if expr.op in LANGUAGE:
        return _beside(expr, reading)
    parts = [_series(part, reading) for part in expr.parts]
    if expr.bound is None:
        return combine(expr.op, parts)
    count = len(reading.window.ds) - reading.start
    return compute(expr.bound, [as_series(part, count) for part in parts])


def _beside(expr: Expr, reading: Reading) -> FloatArray:
    """On our bars, what is read from other bars than those."""
    if expr.universe is not None:
        panel = _panel(expr, reading, reading.section(expr.universe))
        return panel.column(reading.window.symbol, reading.window.ds[reading.start :])
    return _aligned(expr, reading) if expr.op == "ref" else _in_periods(expr, reading)


def _aligned(expr: Expr, reading: Reading) -> FloatArray:
    """A ``ref`` on our bars: its value at the other's last bar up to each of our dates."""
    ours = reading.window.ds[reading.start :]
    inner, other = expr.parts[0], reading.other(expr.symbol)
    if other is None or not len(other.ds) or not len(ours):
        return np.full(len(ours), np.nan)
    last = np.searchsorted(other.ds, ours, side="right") - 1
    first = min(int(last[0]), other.year_start - 1)
    start = max(0, first - inner.lookback)
    values = as_series(_series(inner, reading.beside(other, start)), len(other.ds) - start)
    result = np.where(last >= start, values[np.maximum(last - start, 0)], np.nan)
    age = ours - other.ds[np.maximum(last, 0)]
    return np.where(age <= np.timedelta64(REF_MAX_DAYS, "D"), result, np.nan)


def _stepped(expr: Expr, reading: Reading) -> FloatArray:
    """A table's value on each of our bars: the latest known by then, unless it is too old."""
    ours = reading.window.ds[reading.start :]
    steps = reading.inputs(expr.symbol, reading.window.symbol)
    if not len(steps.since):
        return np.full(len(ours), np.nan)
    last = np.searchsorted(steps.since, ours, side="right") - 1
    at = np.maximum(last, 0)
    young = (last >= 0) & (ours - steps.ds[at] <= np.timedelta64(int(expr.value), "D"))
    return np.where(young, steps.value[at], np.nan)


def _in_periods(expr: Expr, reading: Reading) -> FloatArray:
    """An ``on`` on our bars: its value at the last week or month complete on each date."""
    ours = reading.window.ds[reading.start :]
    inner, periods = expr.parts[0], period_window(reading.window, expr.symbol)
    if not len(periods.ds) or not len(ours):
        return np.full(len(ours), np.nan)
    last = np.searchsorted(periods.ds, ours, side="right") - 1
    start = max(0, int(last[0]) - inner.lookback)
    values = as_series(_series(inner, reading.beside(periods, start)), len(periods.ds) - start)
    return np.where(last >= start, values[np.maximum(last - start, 0)], np.nan)


def _panel(expr: Expr, reading: Reading, section: Section) -> Panel:
    """The cross-section of every day, computed once for all members.

    Each member's series starts its look-back before the same day, so that the days before
    1 January that an average of ranks needs are compared among as many members as later ones.
    """
    inner, back = expr.parts[0], reading.lookback - expr.lookback

    def make() -> Panel:
        first = section.first_day(back)
        series = [_from_day(inner, reading, w, first) for w in section.windows]
        return Panel.of(expr.op, [w.symbol for w in section.windows], series)

    return reading.panels.panel(section, (back, expr.text, _others(inner, reading)), make)


def _from_day(
    inner: Expr, reading: Reading, window: BarWindow, first: np.datetime64
) -> tuple[DateArray, FloatArray]:
    """The days of a member's window from ``first`` on, and the value of each."""
    begin = int(np.searchsorted(window.ds, first))
    start = max(0, begin - inner.lookback)
    values = as_series(_series(inner, reading.beside(window, start)), len(window.ds) - start)
    return window.ds[begin:], values[begin - start :]
