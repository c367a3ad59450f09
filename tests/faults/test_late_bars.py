"""Bars out of order, late, revised or not complete: what was decided stays as it was decided."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
import pytest

from faults.chaos import seeds
from faults.project import BUSY_DAY, EVE, FIRST, STRATEGIES, bars, build, digests
from goldenthread.app.api.bars import import_bars
from goldenthread.app.api.days import simulate
from goldenthread.app.api.evaluation.replay import replay
from goldenthread.app.api.project import Project, init_project

if TYPE_CHECKING:
    from faults.chaos import Tally

pytestmark = pytest.mark.slow

FILES = 20
BOOK = "sim:main"
LATER = dt.datetime(2012, 8, 16, 12, tzinfo=dt.UTC)
"""After EVE was run, before BUSY_DAY is."""


class Run(NamedTuple):
    """A project that has run from FIRST to EVE, and its archive then."""

    folder: Path
    archive: dict[str, str]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = build(tmp_path_factory.mktemp("ran") / "project")
    simulate(Project.open(folder), "main", (FIRST, EVE))
    return Run(folder, digests(folder))


def stored(folder: Path) -> pl.DataFrame:
    """Every version of every bar."""
    return pl.read_parquet(folder / "data" / "bars.parquet").drop("state")


def bring(folder: Path, frame: pl.DataFrame) -> tuple[int, int, int]:
    """How many bars of a file were new, revised and refused."""
    frame.write_parquet(folder / "brought.parquet")
    report = import_bars(Project.open(folder), folder / "brought.parquet", {})
    return report.new, report.revised, report.refused


def decided_otherwise(folder: Path) -> int:
    """How many decisions are not the same when they are made again."""
    simulate(Project.open(folder), "main", (FIRST, BUSY_DAY))
    found = replay(Project.open(folder), BOOK)
    assert found.equal > 100
    return found.differing


@pytest.mark.fault("F10")
@pytest.mark.parametrize("seed", seeds(1))
def test_bars_that_arrive_in_any_order_make_the_same_records(
    ran: Run, tmp_path: Path, seed: int, tally: Tally
) -> None:
    folder = tmp_path / "project"
    init_project(folder)
    shutil.rmtree(folder / "strategies")
    shutil.copytree(STRATEGIES, folder / "strategies")
    mixed = bars().sample(fraction=1, shuffle=True, seed=seed)
    size = len(mixed) // FILES + 1
    for number in range(FILES):
        part = mixed.slice(number * size, size)
        assert bring(folder, part) == (len(part), 0, 0)
    simulate(Project.open(folder), "main", (FIRST, EVE))
    assert digests(folder) == ran.archive
    tally("bars that arrive in any order, in twenty files", len(mixed))


@pytest.mark.fault("F10")
@pytest.mark.parametrize("seed", seeds(1))
def test_bars_revised_after_their_use_are_versions_more_and_change_no_decision(
    ran: Run, tmp_path: Path, seed: int, tally: Tally
) -> None:
    folder = shutil.copytree(ran.folder, tmp_path / "project")
    before = stored(folder)
    used = bars().filter(pl.col("ds") <= EVE).sample(fraction=0.05, seed=seed)
    revised = used.with_columns(close=pl.col("low"), known_at=pl.lit(LATER))
    revised = revised.filter(pl.col("close") != used["close"])
    assert bring(folder, revised) == (0, len(revised), 0)
    after = stored(folder)
    assert len(after) == len(before) + len(revised)
    assert len(after.join(before, on=before.columns, how="semi")) == len(before)
    assert digests(folder) == ran.archive
    assert decided_otherwise(folder) == 0
    assert replay(Project.open(folder), BOOK, as_known_now=True).differing > 0
    tally("bars revised after their use: as many versions, no decision changed", len(revised))


@pytest.mark.fault("F10")
@pytest.mark.parametrize("seed", seeds(1))
def test_bars_that_come_after_their_day_was_run_change_no_decision_of_it(
    tmp_path: Path, seed: int, tally: Tally
) -> None:
    folder = tmp_path / "project"
    init_project(folder)
    shutil.rmtree(folder / "strategies")
    shutil.copytree(STRATEGIES, folder / "strategies")
    span = bars().filter(pl.col("ds").is_between(FIRST, EVE))
    late = span.sample(fraction=0.1, seed=seed)
    assert bring(folder, bars().join(late, on=["symbol", "ds"], how="anti"))[1:] == (0, 0)
    simulate(Project.open(folder), "main", (FIRST, EVE))
    archive = digests(folder)
    assert bring(folder, late.with_columns(known_at=pl.lit(LATER))) == (len(late), 0, 0)
    assert digests(folder) == archive
    assert decided_otherwise(folder) == 0
    tally("bars that come after their day was run", len(late))


@pytest.mark.fault("F10", "the bar of the day that still forms")
def test_the_bar_of_a_day_that_still_forms_is_refused(ran: Run, tmp_path: Path) -> None:
    folder = shutil.copytree(ran.folder, tmp_path / "project")
    before = stored(folder)
    today = dt.datetime.now(dt.UTC).date()
    forming = bars().filter(symbol="DAWN/USD").tail(1).with_columns(ds=pl.lit(today))
    assert bring(folder, forming) == (0, 0, 1)
    assert stored(folder).equals(before)
