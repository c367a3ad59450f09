"""The mark of a book: another one after each change, the same while one only looks."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from app.command import SUMMER
from goldenthread.app.api.browsing.health import health
from goldenthread.app.api.browsing.standing import standing
from goldenthread.app.api.browsing.today import today
from goldenthread.app.api.days import run
from goldenthread.app.api.project import Project
from goldenthread.app.api.safety import halt

if TYPE_CHECKING:
    from pathlib import Path


def test_looking_does_not_change_the_mark(summer: Path) -> None:
    project = Project.open(summer)
    before = standing(project, "")
    today(project, "")
    health(project, "")
    assert standing(project, "") == before
    assert (before.last_run, before.archived) == (SUMMER[1], SUMMER[1])


def test_a_run_an_act_and_a_published_copy_each_change_it(fresh: Path) -> None:
    project = Project.open(fresh)
    seen = [standing(project, "")]
    assert (seen[0].last_run, seen[0].archived) == (None, None)
    report = run(project, "sim:main")
    seen.append(standing(project, ""))
    assert (seen[-1].last_run, seen[-1].archived) == (report.ds, report.ds)
    halt(project, "sim:main", "rain")
    seen.append(standing(project, ""))
    (fresh / project.settings.warehouse.read_path).touch()
    seen.append(standing(project, ""))
    assert len({each.mark for each in seen}) == 4


def test_a_store_that_cannot_be_read_has_a_mark_of_its_own(summer: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(summer, folder)
    project = Project.open(folder)
    whole = standing(project, "")
    for file in (folder / "state").glob("hot.sqlite*"):
        file.unlink()
    (folder / "state" / "hot.sqlite").write_bytes(b"no database" * 1000)
    broken = standing(project, "")
    assert (broken.mark != whole.mark, broken.last_run) == (True, None)
    assert standing(project, "") == broken
