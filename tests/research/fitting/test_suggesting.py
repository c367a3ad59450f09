"""Suggestions that learn: what is tried, how often, and that the same seed tries the same."""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from goldenthread.domain.errors import UsageError
from goldenthread.research.fitting.suggesting import BATCH, Search, suggested
from goldenthread.research.sweep.grid import Grid, axis_of, grid_of

if TYPE_CHECKING:
    from goldenthread.research.sweep.grid import Values

AXES = [axis_of("x=0:99:1"), axis_of("y=0:9.9:0.1"), axis_of("z=5")]


class Hill:
    """One highest place, at x 70 and y 3; nothing is known where x is below 5."""

    def __init__(self) -> None:
        self.asked: list[Grid] = []

    def __call__(self, grid: Grid) -> dict[Values, float | None]:
        self.asked.append(grid)
        return {row: self.height(row) for row in grid.rows}

    def height(self, row: Values) -> float | None:
        x, y = float(row[0]), float(row[1])
        return None if x < 5 else -((x - 70) ** 2) / 100 - (y - 3) ** 2


def test_suggestions_come_in_batches_and_near_what_was_good() -> None:
    hill = Hill()
    tried = suggested(AXES, Search(trials=220, seed=1, less=False), hill)
    assert len(hill.asked) == 5
    assert all(len(grid.rows) <= BATCH for grid in hill.asked)
    assert tried.axes == ("x", "y", "z")
    assert len(set(tried.rows)) == len(tried.rows) <= 220
    assert {row[2] for row in tried.rows} == {Decimal(5)}
    means = [
        sum(hill.height(row) or 0 for row in grid.rows) / len(grid.rows) for grid in hill.asked
    ]
    assert means[-1] > means[0] / 3  # less than a third as far from the top
    best = max(hill.height(row) or -100 for row in tried.rows)
    drawn = grid_of(AXES, sample=220, seed=1)
    assert best >= max(hill.height(row) or -100 for row in drawn.rows)


def test_the_same_seed_suggests_the_same_and_another_one_does_not() -> None:
    one, same, other = (
        suggested(AXES, Search(trials=120, seed=seed, less=False), Hill()) for seed in (1, 1, 2)
    )
    assert one == same != other


def test_the_smallest_is_looked_for_where_less_is_better() -> None:
    hill = Hill()

    def depth(grid: Grid) -> dict[Values, float | None]:
        return {row: None if h is None else -h for row, h in hill(grid).items()}

    tried = suggested(AXES, Search(trials=120, seed=1, less=True), depth)
    assert tried == suggested(AXES, Search(trials=120, seed=1, less=False), Hill())


def test_it_ends_when_everything_was_tried() -> None:
    axes = [axis_of("x=60,70"), axis_of("y=1,2,3")]
    hill = Hill()
    tried = suggested(axes, Search(trials=1000, seed=0, less=False), hill)
    assert set(tried.rows) == set(grid_of(axes).rows)
    assert sum(len(grid.rows) for grid in hill.asked) == 6


def test_without_optuna_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UsageError, match=r"--search tpe needs optuna: pip install 'goldenthread\["):
        suggested(AXES, Search(trials=5, seed=0, less=False), Hill())
    with pytest.raises(UsageError, match="--trials got 0"):
        suggested(AXES, Search(trials=0, seed=0, less=False), Hill())
