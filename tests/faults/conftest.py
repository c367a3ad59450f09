"""A launcher of command lines, and a project on the eve of its busy day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from faults.busy_day import RUN, Calm, without_fault
from faults.launcher import Launcher
from faults.project import EVE, FIRST, build, copy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


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
