"""A replay of the quarantine that an operator asked for, done by the next archive."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from app.command import command
from goldenthread.adapters.hot_store.sqlite import SqliteHotStore
from goldenthread.app.api.desks import open_desk
from goldenthread.app.api.project import Project
from goldenthread.app.api.safety import replay_later
from goldenthread.app.clock import SystemClock
from goldenthread.app.operators.acts import load_acts
from goldenthread.warehouse import quarantine
from goldenthread.warehouse.guardian import Refused
from goldenthread.warehouse.loops import RunStamp

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.xdist_group("summer")

NOW = dt.datetime(2012, 8, 31, 12, tzinfo=dt.UTC)
STAMP = RunStamp("run-1", "sim:main", dt.date(2012, 8, 31), NOW)
ROW = {
    "id": "by hand",
    "book": "sim:main",
    "ds": dt.date(2012, 8, 31),
    "acted_at": NOW,
    "actor": "a test",
    "action": "NOTE",
    "subject": "sim:main",
    "detail": "{}",
}
_LOG = "SELECT id, action, detail FROM audit_log WHERE ds BETWEEN @from AND @to"


@pytest.fixture
def desk(summer: Path, tmp_path: Path) -> Path:
    """A copy of the project that ran a summer, for one test to act on."""
    return shutil.copytree(summer, tmp_path / "project")


def set_aside(folder: Path, *rows: dict[str, Any]) -> None:
    """Put rows of the audit log into quarantine."""
    store = SqliteHotStore(folder / "state" / "hot.sqlite", "sim:main", SystemClock())
    refused = [Refused("audit_log", "actor", None, "a test", "1", row) for row in rows]
    assert quarantine.put(store, refused, STAMP) == len(rows)
    store.close()


def done(folder: Path, ds: str) -> tuple[set[str], list[str]]:
    """After a run of the date: the ids in the audit log, and what became of each replay."""
    where = ("--project", str(folder), "--json")
    assert command("run", "--ds", ds, *where).code == 0
    span = ("--from", "2000-01-01", "--to", "9999-12-31")
    rows = command("warehouse", "query", _LOG, *span, *where).document
    replays = [json.loads(r["detail"]) for r in rows if r["action"] == "REPLAY_QUARANTINE"]
    return {row["id"] for row in rows}, [replay["outcome"] for replay in replays]


def test_rows_that_are_right_now_are_loaded_and_the_others_wait_on(desk: Path) -> None:
    set_aside(desk, ROW, {**ROW, "id": "wrong", "actor": None})
    assert "by hand" not in done(desk, "2012-09-01")[0]  # nobody asked yet
    replay_later(Project.open(desk), "sim:main", "a test")
    found, outcomes = done(desk, "2012-09-02")
    assert ("by hand" in found, "wrong" in found) == (True, False)
    assert outcomes == ["1 loaded, 1 refused again"]
    waiting = command("quarantine", "ls", "--json", "--project", str(desk)).document
    assert [row["field"] for row in waiting] == ["actor"]
    assert done(desk, "2012-09-03")[1] == outcomes  # asked once, done once


def test_a_replay_asked_for_while_an_archive_is_at_work_is_logged_by_the_next_with_its_outcome(
    desk: Path,
) -> None:
    replay_later(Project.open(desk), "sim:main", "a test")  # after this archive looked for it
    with closing(open_desk(Project.open(desk), "sim:main", (NOW.date(), NOW.date()))) as working:
        assert load_acts(working, STAMP) == []
    for ds in ("2012-09-01", "2012-09-02"):
        assert done(desk, ds)[1] == ["0 loaded, 0 refused again"]


def test_a_row_that_contradicts_one_that_is_loaded_holds_up_no_archive(desk: Path) -> None:
    set_aside(desk, ROW)
    replay_later(Project.open(desk), "sim:main")
    assert done(desk, "2012-09-01")[1] == ["1 loaded, 0 refused again"]
    set_aside(desk, {**ROW, "actor": "somebody else"})
    replay_later(Project.open(desk), "sim:main")
    _, outcomes = done(desk, "2012-09-02")
    assert len(outcomes) == 2
    assert any("audit_log" in outcome for outcome in outcomes)
    status = command("status", "--json", "--project", str(desk)).document
    assert status["archived"] == "2012-09-02"
