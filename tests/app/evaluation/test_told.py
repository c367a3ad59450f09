"""The money line: what a filter refused, and the threshold that would have made more."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

import goldenthread as gt
from app.command import SUMMER, command
from goldenthread.app.api.evaluation.told import told_line, told_line_of
from goldenthread.app.api.research.backtests import Asked, backtest
from goldenthread.app.api.research.worlds import World

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.xdist_group("summer")
def test_a_book_and_a_backtest_of_its_dates_tell_the_same(summer: Path) -> None:
    project = gt.open(summer)
    world = World.of_project(project)
    found = backtest(world, Asked(files=project.strategy_files(), span=SUMMER))
    told = told_line(project, "")
    assert told == told_line_of(world, found)
    assert " alone refused " in told


@pytest.mark.xdist_group("summer")
def test_a_backtest_ends_with_it(summer: Path) -> None:
    asked = ("backtest", "dip_in_uptrend", "--from", "2012-06-01", "--to", "2012-07-31")
    told = command(*asked, "--project", str(summer), "--json").document["told"]
    assert told.startswith(("No filter or gate", "TREND_TOO_WEAK", "TOO_QUIET", "PANIC"))
    assert command(*asked, "--project", str(summer)).out.splitlines()[-1] == f"{told}."


def test_a_run_ends_with_it_for_people(summer: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(summer, folder)
    said = command("run", "--ds", "2012-09-01", "--project", str(folder))
    assert said.code == 0, said.err
    assert said.out.splitlines()[-1] == f"{told_line(gt.open(folder), '')}."
