"""Bound expressions computed over a window fixed by the calendar, each part once.

Every complete expression is computed over the columns from its look-back before 1 January of
the decision's year (the window's ``year_start``) to the end of the window, and read at the
decision's bar. As nothing in it looks ahead, a window that ends at the decision (nightly) and
one that runs on (batch) give the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from goldenthread.signals.arithmetic import as_series, combine
from goldenthread.signals.indicators import compute

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from goldenthread.domain.bar import BarWindow, FloatArray
    from goldenthread.signals.arithmetic import Value
    from goldenthread.signals.calls import Expr

REF_MAX_DAYS = 7
"""A bar of another symbol older than this (calendar days) says nothing: ``ref`` is null."""

_WINDOWS_KEPT = 2

Key = tuple[int, str, str]
"""Where a series starts, what it computes, the columns of the other symbols it reads."""


class Memo:
    """Series computed once and kept while their window is asked for; may outlive a day.

    Keeps the series of the last two windows of each symbol (the days around a new year or a
    split read both); older ones are dropped.
    """

    def __init__(self) -> None:
        self._keys: dict[str, list[str]] = {}
        self._series: dict[str, dict[Key, Value]] = {}

    def of(self, window: BarWindow) -> dict[Key, Value]:
        """The series computed so far for the window's columns."""
        known = self._series.get(window.key)
        if known is None:
            keys = self._keys.setdefault(window.symbol, [])
            if len(keys) == _WINDOWS_KEPT:
                del self._series[keys.pop(0)]
            keys.append(window.key)
            known = self._series[window.key] = {}
        return known

    def __len__(self) -> int:
        return sum(len(series) for series in self._series.values())


@dataclass(frozen=True, slots=True)
class Reading:
    """One window, where its expression starts, where series are kept, the other windows."""

    window: BarWindow
    start: int
    memo: Memo
    other: Callable[[str], BarWindow | None]


class Calculator:
    """Values of expressions at the last readable bar of a window.

    Args:
        other: The window of another symbol at the same decision date, for ``ref``.
        memo: Where series are kept.
    """

    def __init__(self, other: Callable[[str], BarWindow | None], memo: Memo) -> None:
        self._other = other
        self._memo = memo

    def at(self, expr: Expr, window: BarWindow) -> float:
        """The value at the last readable bar; NaN where there is none."""
        return self._at(expr, self._reading(expr, window))

    def parts_at(self, expr: Expr, parts: tuple[Expr, ...], window: BarWindow) -> list[float]:
        """The values of parts of ``expr``, computed over the window of the whole."""
        reading = self._reading(expr, window)
        return [self._at(part, reading) for part in parts]

    def at_places(
        self, part: Expr, whole: Expr, window: BarWindow, places: NDArray[np.intp]
    ) -> FloatArray:
        """A part of ``whole`` at several bars of a window, none after its last readable one."""
        reading = self._reading(whole, window)
        values = as_series(_series(part, reading), len(reading.window.ds) - reading.start)
        return values[places - reading.start]

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
        start = max(0, window.year_start - expr.lookback)
        if expr.refs and any(self._is_behind(symbol, window) for symbol in expr.refs):
            cut = _cut(window)
            return Reading(cut, start, Memo(), lambda symbol: _cut_or_none(self._other(symbol)))
        return Reading(window, start, self._memo, self._other)

    def _is_behind(self, symbol: str, window: BarWindow) -> bool:
        """Whether the other symbol's columns hold a bar up to this date it may not read yet."""
        other = self._other(symbol)
        if other is None:
            return False
        later = other.upto + 1
        return later < len(other.ds) and bool(other.ds[later] <= window.ds[window.upto])

    def _at(self, expr: Expr, reading: Reading) -> float:
        index = reading.window.upto - reading.start
        if index < 0:
            return float("nan")
        value = _series(expr, reading)
        return float(value[index]) if value.ndim else float(value)


def _cut(window: BarWindow) -> BarWindow:
    end = window.upto + 1
    columns = {
        name: getattr(window, name)[:end]
        for name in ("ds", "open", "high", "low", "close", "volume")
    }
    return replace(window, **columns, year_start=min(window.year_start, end))


def _cut_or_none(window: BarWindow | None) -> BarWindow | None:
    return None if window is None else _cut(window)


def _series(expr: Expr, reading: Reading) -> Value:
    """The value of every bar from ``reading.start`` on; constants stay single numbers."""
    known = reading.memo.of(reading.window)
    key = (reading.start, expr.text, _keys(expr, reading) if expr.refs else "")
    value = known.get(key)
    if value is None:
        value = known[key] = _computed(expr, reading)
    return value


def _keys(expr: Expr, reading: Reading) -> str:
    others = [reading.other(symbol) for symbol in expr.refs]
    return "|".join(other.key if other else "" for other in others)


def _computed(expr: Expr, reading: Reading) -> Value:
    if expr.op == "number":
        return np.float64(expr.value)
    if expr.op == "column":
        column: FloatArray = getattr(reading.window, expr.text)[reading.start :]
        return column
    if expr.op == "ref":
        return _aligned(expr, reading)
    parts = [_series(part, reading) for part in expr.parts]
    if expr.bound is None:
        return combine(expr.op, parts)
    count = len(reading.window.ds) - reading.start
    return compute(expr.bound, [as_series(part, count) for part in parts])


def _aligned(expr: Expr, reading: Reading) -> FloatArray:
    """A ``ref`` on our bars: its value at the other's last bar up to each of our dates."""
    ours = reading.window.ds[reading.start :]
    inner, other = expr.parts[0], reading.other(expr.symbol)
    if other is None or not len(other.ds) or not len(ours):
        return np.full(len(ours), np.nan)
    last = np.searchsorted(other.ds, ours, side="right") - 1
    first = min(int(last[0]), other.year_start - 1)
    start = max(0, first - inner.lookback)
    nested = Reading(other, start, reading.memo, reading.other)
    values = as_series(_series(inner, nested), len(other.ds) - start)
    result = np.where(last >= start, values[np.maximum(last - start, 0)], np.nan)
    age = ours - other.ds[np.maximum(last, 0)]
    return np.where(age <= np.timedelta64(REF_MAX_DAYS, "D"), result, np.nan)
