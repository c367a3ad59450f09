"""A launcher of command lines, and a project on the eve of its busy day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from faults.busy_day import RUN, Calm, chances, without_fault
from faults.http_days import live
from faults.launcher import Launcher
from faults.project import EVE, FIRST, build, copy
from faults.weather import Weather

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from faults.http_days import Lived


@pytest.fixture(scope="session")
def gt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    """Starts ``goldenthread`` command lines."""
    launcher = Launcher(tmp_path_factory.mktemp("answers"))
    yield launcher
    launcher.close()


@pytest.fixture(scope="session")
def eve(gt: Launcher, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose book has run up to the eve of BUSY_DAY; tests change copies of it only."""
    folder = build(tmp_path_factory.mktemp("eve") / "project")
    span = ("--from", str(FIRST), "--to", str(EVE))
    done = gt.run(folder, "simulate", "--name", "main", *span, "--archive-every", "99")
    assert done.code == 0, done.err
    return folder


@pytest.fixture(scope="session")
def calm(gt: Launcher, eve: Path, tmp_path_factory: pytest.TempPathFactory) -> Calm:
    """The busy day without a fault."""
    return without_fault(gt, copy(eve, tmp_path_factory.mktemp("calm") / "project"), *RUN)


@pytest.fixture(scope="session")
def new(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project before its first day; tests change copies of it only."""
    return build(tmp_path_factory.mktemp("new") / "project")


@pytest.fixture(scope="session")
def quiet(new: Path, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """What the days over HTTP leave when nothing fails."""
    weather = Weather(chances(0))
    lived = live(copy(new, tmp_path_factory.mktemp("quiet") / "project"), weather)
    assert (lived.gave_up, weather.struck, weather.wrong) == (0, 0, [])
    assert lived.state["executed"][0] > 20
    return lived
