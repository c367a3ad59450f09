"""Many dates at once: what strategies decide for one symbol, as columns.

Every value is computed over the windows a single date would use (``evaluation``), so it has the
same bits; what works value by value (signs, comparisons, levels) is computed once for all dates.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from goldenthread.domain.bar import BarWindow, FloatArray
from goldenthread.rules.levels import nine_decimals, round_entries, round_stops, round_targets
from goldenthread.signals.arithmetic import as_series, combine, evaluate, true_where
from goldenthread.signals.batch.peers import Peers
from goldenthread.signals.batch.stretches import Stretches
from goldenthread.signals.indicators import compute

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from goldenthread.domain.asset import Asset
    from goldenthread.domain.bar import DateArray
    from goldenthread.domain.strategy import Side
    from goldenthread.signals.arithmetic import Value
    from goldenthread.signals.calls import Expr
    from goldenthread.signals.compilation import CompiledStrategy

_NO_PRICE_ABOVE = 1e15


class Levels(NamedTuple):
    """The rounded levels of a plan on n dates, NaN where one cannot be computed.

    ``targets`` is (n, T). ``is_sound`` says where every level is there and on its own side of
    the entry, as ``Plan.is_sound``; elsewhere the day by day flow refuses ``INVALID_LEVELS``.
    """

    entry: FloatArray
    stop: FloatArray
    trail: FloatArray
    targets: FloatArray
    is_sound: NDArray[np.bool_]


class Decisions(NamedTuple):
    """What one strategy says on n dates.

    ``when`` is the entry condition of a member, ``filters`` (F, n) what each filter said,
    ``leave`` and ``cancel`` the rules ``exit.when`` and ``entry.cancel_if``; null counts as False.
    ``priority`` is NaN where it is unknown or not asked for.
    """

    when: NDArray[np.bool_]
    filters: NDArray[np.bool_]
    levels: Levels
    leave: NDArray[np.bool_]
    cancel: NDArray[np.bool_]
    priority: FloatArray

    @property
    def accepted(self) -> NDArray[np.bool_]:
        """Where the entry holds, every filter passed and the levels are sound."""
        found: NDArray[np.bool_] = self.when & self.filters.all(axis=0) & self.levels.is_sound
        return found


class Batch:
    """Computes expressions for one symbol on many dates; equal expressions only once.

    Args:
        windows: As for ``Evaluator``: the window of a symbol for a decision date.
        symbol: The symbol decided on.
        dates: Dates on whose close its bar could be read, ascending (tradable bars).
        peers: Members and values of tables, over the same windows; share one among the symbols.
    """

    def __init__(
        self,
        windows: Callable[[str, dt.date, dt.datetime | None], BarWindow | None],
        symbol: str,
        dates: DateArray,
        peers: Peers | None = None,
    ) -> None:
        self._symbol = symbol
        self._dates = dates
        self._peers = Peers(windows) if peers is None else peers
        self._stretches = Stretches(windows, symbol, dates, self._peers)
        self._rounded: dict[tuple[str, ...], FloatArray] = {}
        self._values: dict[tuple[str, str], Value] = {}
        self._truths: dict[tuple[str, str], NDArray[np.bool_]] = {}

    def decide(self, compiled: CompiledStrategy, asset: Asset) -> Decisions:
        """Everything the strategy says on every date; see ``Decisions``."""
        filters = [self.truth(filter_.expr) for filter_ in compiled.filters]
        empty = np.empty((0, len(self._dates)), np.bool_)
        priority = np.full(len(self._dates), np.nan)
        return Decisions(
            when=self.wanted(compiled),
            filters=np.array(filters) if filters else empty,
            levels=self.levels(compiled, asset),
            leave=self.truth(compiled.exit),
            cancel=self.truth(compiled.cancel),
            priority=self.values(compiled.priority) if compiled.priority else priority,
        )

    def wanted(self, compiled: CompiledStrategy) -> NDArray[np.bool_]:
        """Where the entry condition is true and the symbol is a member in that month."""
        found = self.truth(compiled.when)
        if compiled.universe.rules:
            found = found.copy()
            months = self._dates.astype("datetime64[M]")
            for first in np.unique(months, return_index=True)[1].tolist():
                ds: dt.date = self._dates[first].item()
                if not self._peers.is_member(compiled.universe, self._symbol, ds):
                    found[months == months[first]] = False
        return found

    def truth(self, expr: Expr | None) -> NDArray[np.bool_]:
        """Where a condition is true; null is not true, and a missing rule never is."""
        if expr is None:
            return np.zeros(len(self._dates), np.bool_)
        if expr.op == "and":  # a null beside a truth is no truth either
            one, *others = (self.truth(part) for part in expr.parts)
            return reduce(np.logical_and, others, one)
        true = self._truths.get(expr.key)
        if true is None:
            true = self._truths[expr.key] = true_where(self.values(expr))
            true.flags.writeable = False
        return true

    def values(self, expr: Expr) -> FloatArray:
        """The value of an expression on every date, NaN where it is null."""
        return as_series(self._value(expr), len(self._dates))

    def levels(self, compiled: CompiledStrategy, asset: Asset) -> Levels:
        """The rounded levels of the strategy's plan on every date."""
        entry, side = self.entry(compiled, asset), compiled.strategy.side
        targets = np.full((len(entry), len(compiled.targets)), np.nan)
        for at in range(len(compiled.targets)):
            targets[:, at] = self.target(compiled, at, asset)
        trail = self.trail(compiled, asset)
        levels = Levels(entry, self.stop(compiled, asset), trail, targets, np.empty(0, np.bool_))
        sound = _sound(levels, side)
        return levels._replace(is_sound=sound & (trail > 0) if compiled.trail else sound)

    def entry(self, compiled: CompiledStrategy, asset: Asset) -> FloatArray:
        """The planned entry on every date, rounded; NaN where there is none."""
        side, order = compiled.strategy.side, compiled.strategy.entry.order

        def make() -> FloatArray:
            price = self._column("close")
            if compiled.price is not None:
                price = _as_prices(self.values(compiled.price))
            return round_entries(price, asset, side, order)

        return self._kept((*_base(compiled), "entry"), make)

    def stop(self, compiled: CompiledStrategy, asset: Asset) -> FloatArray:
        """The stop on every date, rounded; NaN where there is none."""
        side, entry = compiled.strategy.side, self.entry(compiled, asset)
        return self._kept(
            (*_base(compiled), "stop", compiled.stop.text),
            lambda: round_stops(self._level(compiled.stop, entry), asset, side),
        )

    def target(self, compiled: CompiledStrategy, at: int, asset: Asset) -> FloatArray:
        """Target number ``at`` (from 0) on every date, rounded; NaN where there is none."""
        side, entry = compiled.strategy.side, self.entry(compiled, asset)
        expr = compiled.targets[at][0]
        return self._kept(
            (*_base(compiled), "target", expr.text),
            lambda: round_targets(self._level(expr, entry), asset, side),
        )

    def trail(self, compiled: CompiledStrategy, asset: Asset) -> FloatArray:
        """The trail's distance on every date, rounded; NaN where there is none."""
        expr, entry = compiled.trail, self.entry(compiled, asset)
        if expr is None:
            return np.full(len(entry), np.nan)
        return self._kept(
            (*_base(compiled), "trail", expr.text),
            lambda: nine_decimals(self._level(expr, entry)),
        )

    def _kept(self, key: tuple[str, ...], make: Callable[[], FloatArray]) -> FloatArray:
        """A rounded level, made once for all strategies that write it."""
        found = self._rounded.get(key)
        if found is None:
            found = self._rounded[key] = make()
        return found

    def _level(self, expr: Expr, entry: FloatArray) -> FloatArray:
        value = self._with_entry(expr, entry)
        return _as_prices(as_series(value, len(self._dates)))

    def _with_entry(self, expr: Expr, entry: FloatArray) -> Value:
        if not expr.uses_entry:
            return self._value(expr)
        if expr.op == "entry":
            return entry
        parts = [self._with_entry(part, entry) for part in expr.parts]
        if expr.bound is not None:
            return compute(expr.bound, [as_series(part, len(entry)) for part in parts])
        return combine(expr.op, parts)

    def _value(self, expr: Expr) -> Value:
        """A part of an expression on every date, computed once wherever it stands."""
        return evaluate(expr, self._values, self._read)

    def _read(self, expr: Expr) -> FloatArray:
        return self._series(expr) if expr.is_series else self._column(expr.text)

    def _series(self, expr: Expr) -> FloatArray:
        result = np.full(len(self._dates), np.nan)
        for stretch in self._stretches.of(expr.refs, expr.universe):
            values = stretch.calculator.at_places(expr, stretch.window, stretch.places)
            result[stretch.rows] = values
        return result

    def _column(self, name: str) -> FloatArray:
        result = np.full(len(self._dates), np.nan)
        for stretch in self._stretches.of(()):
            column: FloatArray = getattr(stretch.window, name)
            result[stretch.rows] = column[stretch.places]
        return result


def _base(compiled: CompiledStrategy) -> tuple[str, ...]:
    """What a level depends on besides its own expression."""
    strategy, price = compiled.strategy, compiled.price
    return str(strategy.side), strategy.entry.order, price.text if price else ""


def _as_prices(values: FloatArray) -> FloatArray:
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(values) < _NO_PRICE_ABOVE, values, np.nan)


def _sound(levels: Levels, side: Side) -> NDArray[np.bool_]:
    """Whether stop and targets are positive and on their sides of a positive entry."""
    sign = side.sign
    entry = levels.entry
    with np.errstate(invalid="ignore"):
        good = (entry > 0) & (levels.stop > 0) & ((entry - levels.stop) * sign > 0)
        beyond = (levels.targets - entry[:, None]) * sign > 0
    result: NDArray[np.bool_] = good & (beyond & (levels.targets > 0)).all(axis=1)
    return result
