"""Walk-forward of a sweep: what is chosen, what it may read, and how it did later."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest

from goldenthread.app.clock import SystemClock
from goldenthread.reports.performance import metrics
from goldenthread.research.fitting.walking import Walked, walk_sweep
from goldenthread.research.sweep.grid import axis_of, grid_of
from goldenthread.research.sweep.layout import Workers
from goldenthread.research.sweep.plan import plan_of
from goldenthread.research.sweep.running import Crew
from goldenthread.research.sweep.single import run_single
from goldenthread.research.sweep.sweeping import Request, Sweep, run_sweep
from goldenthread.research.walk_forward import parse_walk
from research.sweep.markets import STAKES, STRATEGY, bars_of

if TYPE_CHECKING:
    from pathlib import Path

    from goldenthread.research.sweep.work import Bars

GRID = grid_of([axis_of("rsi_max=30,45,60"), axis_of("stop_atr=1,2,3")])
REQUEST = Request(STRATEGY, GRID, STAKES, objective="sharpe", top=1)
WALK = parse_walk("train=6m,test=3m")


def walked(folder: Path, bars: Bars, request: Request = REQUEST) -> tuple[Walked, list[Sweep]]:
    sweeps: list[Sweep] = []

    def run(asked: Request, known: Bars) -> Sweep:
        def crew(store: object) -> Crew:
            return Crew(Workers(threads=2), store, SystemClock())  # type: ignore[arg-type]  # a store

        sweeps.append(run_sweep(asked, known, crew, folder, lambda _words: None))
        return sweeps[-1]

    return walk_sweep(WALK, request, bars, run), sweeps


def test_each_training_chooses_its_best_which_is_judged_on_the_dates_after(tmp_path: Path) -> None:
    bars = bars_of(3)
    found, sweeps = walked(tmp_path, bars)
    assert len(found.record.windows) == len(sweeps) == len(found.tested) == 4
    for step, (window, choice) in enumerate(
        zip(found.record.windows, found.record.chosen, strict=True), start=1
    ):
        best = sweeps[step - 1].figures.row(0, named=True)
        assert choice.figures == best
        assert {name: float(value) for name, value in choice.values.items()} == {
            name: best[name] for name in GRID.axes
        }
        row = GRID.rows.index(tuple(choice.values.values()))
        stakes = STAKES._replace(first=window.test.first, last=window.test.last)
        alone = run_single(plan_of(STRATEGY, GRID), row, bars, stakes)
        own = found.record.trades.filter(pl.col("step") == step).drop("step")
        assert own.equals(alone.trades)
        assert found.tested[step - 1] == metrics(alone.equity, alone.trades)
    growth = 1.0
    for figures in found.tested:
        growth *= 1 + (figures.curve.total_return or 0)
    assert found.joined.curve.total_return == pytest.approx(growth - 1)
    assert found.joined.trades.trades == sum(f.trades.trades for f in found.tested) > 30
    assert found.record.equity["ds"].is_sorted()


def test_no_bar_of_a_judged_stretch_is_read_in_choosing(tmp_path: Path) -> None:
    bars = bars_of(3)
    found, sweeps = walked(tmp_path / "a", bars)
    first = found.record.windows[0].test.first
    rising = pl.when(pl.col("ds") >= first).then(2.0).otherwise(1.0)
    changed = bars.bars.with_columns(
        pl.col(name) * rising for name in ("open", "high", "low", "close")
    )
    other, others = walked(tmp_path / "b", replace(bars, bars=changed))
    assert others[0].sweep_id == sweeps[0].sweep_id
    assert others[0].result_digest == sweeps[0].result_digest
    assert other.record.chosen[0] == found.record.chosen[0]
    assert other.record.trades.rows() != found.record.trades.rows()
    last = found.record.windows[0].train.last
    known = bars.within(STAKES.first, last)
    assert known.bars["ds"].max() == last
    assert all(action.ex_ds <= last for action in known.actions)


def test_an_asset_without_a_bar_in_the_training_is_neither_tried_nor_judged(tmp_path: Path) -> None:
    bars = bars_of(3)
    late = bars.bars.filter((pl.col("symbol") != "S2") | (pl.col("ds") >= dt.date(2022, 6, 15)))
    found, _ = walked(tmp_path, replace(bars, bars=late))
    assert [row["symbols"] for row in found.steps()] == [2, 2, 3, 3]
    symbols = found.record.trades.group_by("step", maintain_order=True).agg("symbol")
    there = ["S2" in names for names in symbols["symbol"].to_list()]
    assert there[:2] == [False, False]
    assert any(there)


def test_nothing_is_traded_where_no_permutation_has_the_objective(tmp_path: Path) -> None:
    never = grid_of([axis_of("rsi_max=-2,-1")])
    found, _ = walked(tmp_path, bars_of(2), replace(REQUEST, grid=never))
    assert {row["chosen"] for row in found.steps()} == {"nothing"}
    assert found.record.equity["equity"].unique().to_list() == [100_000.0]
    assert (found.joined.trades.trades, found.joined.curve.sharpe) == (0, None)
