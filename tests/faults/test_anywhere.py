"""The same bars and strategies give the same digest: again, elsewhere, however often archived."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from faults.launcher import SOURCE
from faults.project import FIRST, STRATEGIES, bars, digests, figure
from goldenthread.app.api.project import Project, init_project
from goldenthread.app.api.store import digest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

UNTIL = "2012-07-17"
PLACES = {
    "UTC": {"TZ": "UTC", "LC_ALL": "C.UTF-8"},
    "UTC, once more from scratch": {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"},
    "Kiritimati, plain C": {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONUTF8": "0"},
    "New York": {"TZ": "America/New_York", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"},
}
_PROGRAM = "from goldenthread.app.cli.main import main; main()"


def simulated(folder: Path, place: dict[str, str], *, archive_every: int) -> dict[str, str]:
    """The digests after a project was made, bars imported and days simulated in that place."""
    init_project(folder)
    shutil.rmtree(folder / "strategies")
    shutil.copytree(STRATEGIES, folder / "strategies")
    bars().write_csv(folder / "bars.csv")
    span = ("--name", "main", "--from", str(FIRST), "--to", UNTIL)
    for argv in (
        ("data", "import", "bars.csv"),
        ("simulate", *span, "--archive-every", str(archive_every), "--json"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM, *argv],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(SOURCE), **place},
            capture_output=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr.decode()
    return {**digests(folder), **digest(Project.open(folder), "sim:main")}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    found = simulated(tmp_path_factory.mktemp("here"), PLACES["UTC"], archive_every=30)
    assert (
        len({found[f"table/{name}"] for name in ("fact_trades", "fact_fills", "fact_orders")}) == 3
    )
    return found


@pytest.mark.fault("F9", "16 days in other zones, locales and orders of hashing")
@pytest.mark.parametrize("place", [name for name in PLACES if name != "UTC"])
def test_the_digest_is_the_same_in_every_place(
    here: dict[str, str], tmp_path: Path, place: str, request: pytest.FixtureRequest
) -> None:
    assert simulated(tmp_path, PLACES[place], archive_every=30) == here
    figure(request, f"same digest: {place}: 0 differences")


@pytest.mark.parametrize("archive_every", [1])
def test_the_digest_is_the_same_however_often_it_was_archived(
    here: dict[str, str], tmp_path: Path, archive_every: int, request: pytest.FixtureRequest
) -> None:
    assert simulated(tmp_path, PLACES["UTC"], archive_every=archive_every) == here
    figure(request, f"same digest: archived every {archive_every} days or once: 0 differences")
