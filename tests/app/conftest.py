"""Projects for the tests of the application: one with bars, one that has run a summer."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from app.command import SUMMER
from goldenthread.app.api.bars import import_bars
from goldenthread.app.api.days import simulate
from goldenthread.app.api.project import Project, init_project
from goldenthread.app.demo import demo_bars

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the demo's bars that never ran; tests change copies of it only."""
    folder = tmp_path_factory.mktemp("imported")
    init_project(folder)
    demo_bars().write_parquet(folder / "bars.parquet")
    report = import_bars(Project.open(folder), folder / "bars.parquet", {})
    assert (report.new, report.refused) == (12_632, 0)
    return folder


@pytest.fixture(scope="session")
def summer(imported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same project with its book ``sim:main`` simulated over SUMMER; tests only read it."""
    folder = tmp_path_factory.mktemp("summer") / "project"
    shutil.copytree(imported, folder)
    simulate(Project.open(folder), "main", SUMMER)
    return folder


@pytest.fixture
def fresh(imported: Path, tmp_path: Path) -> Path:
    """A copy of the project with bars, for one test to spoil."""
    folder = tmp_path / "project"
    shutil.copytree(imported, folder)
    return folder
