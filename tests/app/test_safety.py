"""What operators ask for: it stands at once, and every act reaches the audit log once."""

from __future__ import annotations

import datetime as dt
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from app.command import command
from goldenthread.adapters.hot_store.sqlite import SqliteHotStore
from goldenthread.app.clock import SystemClock

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.xdist_group("summer")

_ACTS = "SELECT id, action, detail FROM audit_log WHERE ds BETWEEN @from AND @to ORDER BY acted_at"


@pytest.fixture
def desk(summer: Path, tmp_path: Path) -> Path:
    """A copy of the project that ran a summer, for one test to act on."""
    folder = tmp_path / "project"
    shutil.copytree(summer, folder)
    return folder


def asked(folder: Path, *words: str) -> Any:  # noqa: ANN401  # any JSON value
    answer = command(*words, "--json", "--project", str(folder))
    assert (answer.code, answer.err) == (0, "")
    return answer.document


def logged(folder: Path) -> list[tuple[str, str]]:
    """The acts of operators in the audit log with their reasons, oldest first."""
    rows = asked(folder, "warehouse", "query", _ACTS, "--from", "2000-01-01", "--to", "9999-12-31")
    found = [r for r in rows if r["action"] in {"HALT", "RESUME", "FLATTEN"}]
    assert len({r["id"] for r in found}) == len(found)
    return [(r["action"], r["detail"]) for r in found]


def test_every_act_between_two_archives_reaches_the_audit_log_once(desk: Path) -> None:
    asked(desk, "halt", "--reason", "first")
    asked(desk, "halt", "--reason", "second")
    asked(desk, "resume")
    asked(desk, "flatten", "--confirm", "sim:main")
    asked(desk, "resume")
    asked(desk, "halt", "--reason", "last")
    assert logged(desk) == []
    asked(desk, "run", "--ds", "2012-09-01")
    acts = [
        ("HALT", '{"reason":"first"}'),
        ("HALT", '{"reason":"second"}'),
        ("RESUME", '{"reason":""}'),
        ("FLATTEN", '{"reason":"operator"}'),
        ("RESUME", '{"reason":""}'),
        ("HALT", '{"reason":"last"}'),
    ]
    assert logged(desk) == acts
    asked(desk, "run", "--ds", "2012-09-02")
    assert logged(desk) == acts
    asked(desk, "resume")
    asked(desk, "run", "--ds", "2012-09-03")
    assert logged(desk) == [*acts, ("RESUME", '{"reason":""}')]


def test_an_act_kept_by_a_command_that_died_is_logged_once_too(desk: Path) -> None:
    asked(desk, "halt", "--reason", "first")
    store = SqliteHotStore(desk / "state" / "hot.sqlite", "sim:main", SystemClock())
    standing = store.get("operator_requests", "halt")
    assert standing is not None
    day = dt.datetime.fromisoformat(standing.body["asked_at"]).date()
    kept = {**standing.body, "status": "SUPERSEDED", "ds": day.isoformat()}
    store.put_if_absent("operator_requests", f"halt-{standing.body['asked_at']}", kept)
    store.close()  # and the new request was never written
    asked(desk, "resume")
    asked(desk, "run", "--ds", "2012-09-01")
    assert [action for action, _ in logged(desk)] == ["HALT", "RESUME"]


def test_archived_acts_leave_the_hot_store_after_their_time(desk: Path) -> None:
    for reason in ("one", "two", "three"):
        asked(desk, "halt", "--reason", reason)
    asked(desk, "run", "--ds", "2012-09-01")
    store = SqliteHotStore(desk / "state" / "hot.sqlite", "sim:main", SystemClock())
    kept = store.query("operator_requests", equal={"status": "ARCHIVED"})
    assert [d.body["reason"] for d in kept] == ["one", "two"]
    assert all(d.delete_at is not None for d in kept)
    standing = store.get("operator_requests", "halt")
    assert standing is not None
    assert (standing.body["reason"], standing.delete_at) == ("three", None)
    store.close()
