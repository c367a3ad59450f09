"""The versions of a strategy: what each changed, and how the file differs from the last."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from app.command import SUMMER
from goldenthread.app.api.browsing.strategies import names, strategy_rows, strategy_story
from goldenthread.app.api.days import simulate
from goldenthread.app.api.project import Project
from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

NAME = "channel_breakout"


def test_a_changed_file_is_shown_before_a_run_takes_it_up_and_as_a_version_after(
    summer: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "project"
    shutil.copytree(summer, folder)
    file = folder / "strategies" / f"{NAME}.toml"
    text = file.read_text()
    assert "volume_ratio >= 0.9" in text
    file.write_text(text.replace("volume_ratio >= 0.9", "volume_ratio >= 1.5"))
    setting = "reject_unless.VOLUME_TOO_LOW"
    before = strategy_story(Project.open(folder), "", NAME)
    assert before["file"] == [
        {"setting": setting, "in_force": "volume_ratio >= 0.9", "file": "volume_ratio >= 1.5"}
    ]
    day = SUMMER[1].replace(month=9, day=1)
    simulate(Project.open(folder), "main", (SUMMER[0], day))
    after = strategy_story(Project.open(folder), "", NAME)
    assert (after["file"], after["unread"]) == ([], "")
    newest, oldest = after["versions"]
    assert newest["changed"] == [
        {"setting": setting, "before": "volume_ratio >= 0.9", "after": "volume_ratio >= 1.5"}
    ]
    assert (oldest["changed"], newest["valid_to"]) == ([], None)
    assert oldest["valid_to"] == newest["valid_from"]
    assert (newest["trades"], oldest["trades"] > 0) == (0, True)


def test_a_deleted_strategy_is_gone_but_not_forgotten(summer: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(summer, folder)
    (folder / "strategies" / f"{NAME}.toml").unlink()
    simulate(Project.open(folder), "main", (SUMMER[0], SUMMER[1].replace(month=9, day=1)))
    project = Project.open(folder)
    rows = {row["strategy_id"]: row["status"] for row in strategy_rows(project, "")["strategies"]}
    assert (rows[NAME], rows["hammer_watch"], rows["golden_cross"]) == ("gone", "shadow", "active")
    assert names(project, "sim:main") == sorted(rows)
    assert strategy_story(project, "", NAME)["status"] == "gone"


def test_a_strategy_the_book_never_had_is_named_with_those_it_had(summer: Path) -> None:
    with pytest.raises(UsageError, match=r"no strategy 'mine' in sim:main; it has had: channel_"):
        strategy_story(Project.open(summer), "", "mine")
