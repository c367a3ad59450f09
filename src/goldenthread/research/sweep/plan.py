"""What must be computed for a grid: entry sets and ride sets once, permutations as pairs of them.

Parameters read by ``entry.when`` and the filters make an *entry set* (the dates), those read by
levels and exit rules a *ride set* (what becomes of an order of that date). A permutation is an
entry set, a ride set and a cool-down; whatever permutations have in common is computed once:
a level (a *rung*) that several ride sets write, the exit rules they share.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from goldenthread.research.sweep.grid import (
    SETTINGS,
    Grid,
    check_axes,
    entry_names,
    ride_names,
    with_values,
)
from goldenthread.signals.compilation import CompiledStrategy, compile_strategy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from goldenthread.domain.strategy import Strategy

IntArray = NDArray[np.int64]

_COOLDOWN = "size.cooldown_bars"


ENTRY, STOP, TRAIL, TARGETS = range(4)
"""Places of a ride set's levels; the targets are the last."""


class Rungs(NamedTuple):
    """The distinct levels of R ride sets with T targets, those of entries first.

    ``writers`` are a ride set that writes each and the place it has there; ``of`` (R, 3 + T)
    says which of them stands at each place of a ride set, -1 where there is none. ``entries``
    counts those of entries.
    """

    writers: tuple[tuple[int, int], ...]
    of: IntArray
    entries: int


@dataclass(frozen=True)
class Plan:
    """P permutations as pairs: indices into ``entries`` and ``rides``, and their cool-downs."""

    entries: tuple[CompiledStrategy, ...]
    rides: tuple[CompiledStrategy, ...]
    entry: IntArray
    ride: IntArray
    cooldown: IntArray

    @property
    def size(self) -> int:
        """How many permutations there are."""
        return len(self.entry)

    @cached_property
    def rungs(self) -> Rungs:
        """The levels of the ride sets, each distinct one once."""
        texts = [_level_texts(compiled) for compiled in self.rides]
        numbers: dict[tuple[str, ...], int] = {}
        writers: list[tuple[int, int]] = []
        of = np.full((len(texts), len(texts[0])), -1, np.int64)
        for place in range(of.shape[1]):
            for ride, levels in enumerate(texts):
                if levels[place] is None:
                    continue
                key = (str(min(place, TARGETS)), str(levels[ENTRY]), str(levels[place]))
                of[ride, place] = numbers.setdefault(key, len(numbers))
                if of[ride, place] == len(writers):
                    writers.append((ride, place))
        return Rungs(tuple(writers), of, sum(place == ENTRY for _, place in writers))

    @cached_property
    def rules(self) -> tuple[tuple[int, ...], IntArray]:
        """The first ride set of each pair of exit and cancel rules, and which each ride set has."""
        texts = [
            tuple(expr.text if expr else "" for expr in (compiled.exit, compiled.cancel))
            for compiled in self.rides
        ]
        return _distinct(texts)

    @cached_property
    def terms(self) -> IntArray:
        """Breakeven (0 for none), valid_bars and max_bars of each ride set, (R, 3)."""
        rows = []
        for compiled in self.rides:
            entry, leave = compiled.strategy.entry, compiled.strategy.exit
            rows.append((leave.breakeven_after or 0, entry.valid_bars, leave.max_bars))
        return np.array(rows, np.int64)

    @cached_property
    def family(self) -> IntArray:
        """A number of each ride set, equal for those that differ in max_bars alone."""
        own = np.column_stack([self.rungs.of, self.rules[1], self.terms[:, :2]])
        return np.unique(own, axis=0, return_inverse=True)[1].astype(np.int64)

    def part(self, rows: IntArray) -> Plan:
        """The plan of some permutations only, with just what they need."""
        entries, entry = np.unique(self.entry[rows], return_inverse=True)
        rides, ride = np.unique(self.ride[rows], return_inverse=True)
        return Plan(
            tuple(self.entries[at] for at in entries),
            tuple(self.rides[at] for at in rides),
            entry.astype(np.int64),
            ride.astype(np.int64),
            self.cooldown[rows],
        )


def plan_of(strategy: Strategy, grid: Grid) -> Plan:
    """The plan of a grid, every expression compiled.

    Raises:
        UsageError: A name cannot be varied, or values do not fit an expression; nothing has run.
    """
    check_axes(strategy, grid.axes)
    settings = frozenset(SETTINGS) - {_COOLDOWN}
    entry_axes = entry_names(strategy)
    ride_axes = ride_names(strategy) | settings
    entries, entry = _sets(strategy, grid, entry_axes)
    rides, ride = _sets(strategy, grid, ride_axes)
    return Plan(entries, rides, entry, ride, _cooldowns(strategy, grid))


def _sets(
    strategy: Strategy, grid: Grid, names: Iterable[str]
) -> tuple[tuple[CompiledStrategy, ...], IntArray]:
    """The distinct values of some axes, each compiled, and which of them each row has."""
    wanted = frozenset(names)
    places = [at for at, name in enumerate(grid.axes) if name in wanted]
    numbers: dict[tuple[Decimal, ...], int] = {}
    index = np.empty(len(grid.rows), np.int64)
    for row, values in enumerate(grid.rows):
        key = tuple(values[at] for at in places)
        index[row] = numbers.setdefault(key, len(numbers))
    chosen = [grid.axes[at] for at in places]
    compiled = tuple(
        compile_strategy(with_values(strategy, dict(zip(chosen, key, strict=True))))
        for key in numbers
    )
    return compiled, index


def _level_texts(compiled: CompiledStrategy) -> list[str | None]:
    """What is written at each place: entry, stop, trail, targets."""
    price, trail = compiled.price, compiled.trail
    targets = [expr.text for expr, _ in compiled.targets]
    entry = price.text if price else ""
    return [entry, compiled.stop.text, trail.text if trail else None, *targets]


def _distinct(keys: Sequence[tuple[str, ...]]) -> tuple[tuple[int, ...], IntArray]:
    """The first place of each distinct key, and which of them stands at each place."""
    numbers: dict[tuple[str, ...], int] = {}
    of = np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int64)
    return tuple(int(np.argmax(of == number)) for number in range(len(numbers))), of


def _cooldowns(strategy: Strategy, grid: Grid) -> IntArray:
    if _COOLDOWN not in grid.axes:
        return np.full(len(grid.rows), strategy.size.cooldown_bars, np.int64)
    at = grid.axes.index(_COOLDOWN)
    values = {row[at] for row in grid.rows}
    for value in values:
        with_values(strategy, {_COOLDOWN: value})
    return np.array([int(row[at]) for row in grid.rows], np.int64)
