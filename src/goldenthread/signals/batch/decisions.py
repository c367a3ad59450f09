"""Many dates at once: what strategies decide for one symbol, as columns.

Every value is computed over the windows a single date would use (``evaluation``), so it has the
same bits; what works value by value (signs, comparisons, levels) is computed once for all dates.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from goldenthread.domain.bar import BarWindow, FloatArray
from goldenthread.rules.levels import nine_decimals, round_entries, round_stops, round_targets
from goldenthread.signals.arithmetic import as_series, combine
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
        value = self.values(expr)
        true: NDArray[np.bool_] = ~np.isnan(value) & (value != 0)
        return true

    def values(self, expr: Expr) -> FloatArray:
        """The value of an expression on every date, NaN where it is null."""
        return as_series(self._value(expr), len(self._dates))

    def levels(self, compiled: CompiledStrategy, asset: Asset) -> Levels:
        """The rounded levels of the strategy's plan on every date."""
        strategy = compiled.strategy
        side, order = strategy.side, strategy.entry.order
        price = self._column("close") if compiled.price is None else self._price(compiled.price)
        entry = round_entries(price, asset, side, order)
        base = (str(side), order, compiled.price.text if compiled.price else "")
        stop = self._kept(
            (*base, "stop", compiled.stop.text),
            lambda: round_stops(self._level(compiled.stop, entry), asset, side),
        )
        targets = np.full((len(entry), len(compiled.targets)), np.nan)
        for at, (expr, _) in enumerate(compiled.targets):
            rounded = partial(self._target, expr, entry, asset, side)
            targets[:, at] = self._kept((*base, "target", expr.text), rounded)
        trail = np.full(len(entry), np.nan)
        if compiled.trail is not None:
            trail = nine_decimals(self._level(compiled.trail, entry))
        has_trail = compiled.trail is not None
        sound = _sound(Levels(entry, stop, trail, targets, np.empty(0, np.bool_)), side)
        return Levels(entry, stop, trail, targets, sound & (trail > 0 if has_trail else True))

    def _target(self, expr: Expr, entry: FloatArray, asset: Asset, side: Side) -> FloatArray:
        return round_targets(self._level(expr, entry), asset, side)

    def _kept(self, key: tuple[str, ...], make: Callable[[], FloatArray]) -> FloatArray:
        """A rounded level, made once for all strategies that write it."""
        found = self._rounded.get(key)
        if found is None:
            found = self._rounded[key] = make()
        return found

    def _price(self, expr: Expr) -> FloatArray:
        return _as_prices(self.values(expr))

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
        if expr.op == "number":
            return np.float64(expr.value)
        key = (expr.text, expr.universe.key if expr.universe else "")
        value = self._values.get(key)
        if value is None:
            if expr.is_series:
                value = self._series(expr)
            elif expr.op == "column":
                value = self._column(expr.text)
            else:
                value = combine(expr.op, [self._value(part) for part in expr.parts])
            self._values[key] = value
        return value

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
