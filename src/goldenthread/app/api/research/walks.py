"""Walk-forward of a strategy's parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from goldenthread.app.api.research.sweeps import FOLDER, Helpers, SweepOrder, requested
from goldenthread.domain.errors import UsageError
from goldenthread.domain.ids import digest
from goldenthread.research.fitting.walking import Walked, walk_sweep
from goldenthread.research.sweep.grid import axis_of, grid_of
from goldenthread.research.walk_forward import parse_walk

if TYPE_CHECKING:
    from pathlib import Path

    from goldenthread.app.api.research.worlds import World

_WALKS = "walks"


@dataclass(frozen=True)
class KeptWalk:
    """A walk-forward, and the folder with its steps, joined equity and trades as Parquet."""

    walked: Walked
    folder: Path


def walk(world: World, order: SweepOrder, lengths: str, helpers: Helpers) -> KeptWalk:
    """The best of each training by the objective, judged on the stretch after it, all joined.

    Args:
        world: Whose bars.
        order: What is tried in each training; ``first`` and ``last`` are those of the whole.
        lengths: How long the stretches are, like ``train=3y,test=6m``.
        helpers: Who does it.

    Raises:
        UsageError: The order or the lengths are not right, or bars are missing.
        EngineError: Workers kept dying.
    """
    steps = parse_walk(lengths)
    if order.search:
        msg = "--walk-forward tries a grid in each training: give --sample in place of --search"
        raise UsageError(msg)
    grid = grid_of([axis_of(text) for text in order.vary], order.sample, order.seed)
    request, bars = requested(world, order, grid)
    folder = world.root / FOLDER
    walked = walk_sweep(steps, request, bars, lambda r, b: helpers.run(folder, r, b))
    name = digest([lengths, [choice.sweep for choice in walked.record.chosen]])[:16]
    return KeptWalk(walked, _kept(walked, folder / _WALKS / name))


def _kept(walked: Walked, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(walked.steps()).write_parquet(folder / "steps.parquet")
    walked.record.equity.write_parquet(folder / "equity.parquet")
    walked.record.trades.write_parquet(folder / "trades.parquet")
    return folder
