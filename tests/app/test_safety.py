"""What operators ask for: it stands at once, and every act reaches the audit log once."""

from __future__ import annotations

import datetime as dt
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from app.command import command
from goldenthread.adapters.hot_store.sqlite import SqliteHotStore
from goldenthread.app.api.days import simulate
from goldenthread.app.api.project import Project
from goldenthread.app.clock import SystemClock
from goldenthread.warehouse import loops

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


def test_a_pause_and_a_freeze_reach_the_audit_log_with_what_they_were_about(desk: Path) -> None:
    asked(desk, "pause", "trend_rider", "--reason", "a quiet week")
    asked(desk, "freeze", "DUSK/USD", "--reason", "a fork")
    asked(desk, "freeze", "AAPL", "--reason", "a rumour")
    asked(desk, "freeze", "AAPL", "--reason", "a takeover")
    asked(desk, "thaw", "AAPL")
    asked(desk, "run", "--ds", "2012-09-01")
    acts = [
        ("PAUSE", "trend_rider", '{"reason":"a quiet week"}'),
        ("FREEZE", "DUSK/USD", '{"reason":"a fork"}'),
        ("FREEZE", "AAPL", '{"reason":"a rumour"}'),
        ("FREEZE", "AAPL", '{"reason":"a takeover"}'),
        ("THAW", "AAPL", '{"reason":""}'),
    ]
    assert stops(desk) == acts
    asked(desk, "resume", "trend_rider")
    asked(desk, "freeze", "AAPL", "--reason", "again")
    asked(desk, "run", "--ds", "2012-09-02")
    asked(desk, "run", "--ds", "2012-09-03")
    last = [("RESUME", "trend_rider", '{"reason":""}'), ("FREEZE", "AAPL", '{"reason":"again"}')]
    assert stops(desk) == [*acts, *last]
    status = asked(desk, "status")
    assert (status["halted"], status["paused"]) == (False, {})
    assert status["frozen_by_operator"] == {"AAPL": "again", "DUSK/USD": "a fork"}
    assert status["frozen"] == {}


def stops(folder: Path) -> list[tuple[str, str, str]]:
    """The acts about strategies and symbols in the audit log, oldest first, each once."""
    query = _ACTS.replace("detail", "subject, detail")
    rows = asked(folder, "warehouse", "query", query, "--from", "2000-01-01", "--to", "9999-12-31")
    found = [r for r in rows if r["action"] in {"PAUSE", "FREEZE", "THAW", "RESUME"}]
    assert len({r["id"] for r in found}) == len(found)
    return [(r["action"], r["subject"], r["detail"]) for r in found]


def test_what_was_withdrawn_leaves_the_hot_store_and_what_stands_stays(desk: Path) -> None:
    asked(desk, "freeze", "AAPL")
    asked(desk, "freeze", "IBM")
    asked(desk, "thaw", "IBM")
    asked(desk, "run", "--ds", "2012-09-01")
    store = SqliteHotStore(desk / "state" / "hot.sqlite", "sim:main", SystemClock())
    found = {d.id: d for d in store.query("operator_requests")}
    store.close()
    assert (found["freeze-AAPL"].body["status"], found["freeze-AAPL"].delete_at) == (
        "STANDING",
        None,
    )
    gone = [d for name, d in found.items() if name != "freeze-AAPL"]
    assert sorted(d.body["action"] for d in gone) == ["FREEZE", "THAW"]
    assert all(d.body["status"] == "ARCHIVED" and d.delete_at is not None for d in gone)
    asked(desk, "freeze", "IBM")  # the document that was to go stands again
    store = SqliteHotStore(desk / "state" / "hot.sqlite", "sim:main", SystemClock())
    again = store.get("operator_requests", "freeze-IBM")
    store.close()
    assert again is not None
    assert (again.body["status"], again.delete_at) == ("STANDING", None)


def test_a_symbol_frozen_again_while_an_archive_runs_stays_frozen(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(desk, "freeze", "AAPL", "--reason", "first")
    asked(desk, "thaw", "AAPL")
    audit = loops.audit

    def interrupted(*args: Any) -> loops.LoopResult:  # noqa: ANN401  those of audit
        found = audit(*args)
        if asked(desk, "status")["frozen_by_operator"] == {}:
            asked(desk, "freeze", "AAPL", "--reason", "second")
        return found

    monkeypatch.setattr(loops, "audit", interrupted)
    asked(desk, "run", "--ds", "2012-09-01")
    assert asked(desk, "status")["frozen_by_operator"] == {"AAPL": "second"}
    monkeypatch.undo()
    asked(desk, "run", "--ds", "2012-09-02")
    assert [act for act, _, _ in stops(desk)] == ["FREEZE", "THAW", "FREEZE"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("pause", "no_such"), "no strategy 'no_such'; there are: channel_breakout, "),
        (("resume", "trend_rider"), "trend_rider is not paused; what is: nothing"),
        (("freeze", "NOPE"), "no symbol 'NOPE'; there are: AAPL, "),
        (("thaw", "AAPL"), "AAPL is not frozen by an operator (what a run froze, a run thaws)"),
    ],
)
def test_what_cannot_be_stopped_or_let_go_is_refused_with_what_can(
    desk: Path, words: tuple[str, ...], message: str
) -> None:
    answer = command(*words, "--project", str(desk))
    assert answer.code == 2
    assert message in answer.err


def test_a_strategy_is_paused_though_a_file_of_another_is_broken(desk: Path) -> None:
    (desk / "strategies" / "broken.toml").write_text("strategy_id = ")
    assert asked(desk, "pause", "trend_rider")["strategy_id"] == "trend_rider"


def test_a_simulation_and_runs_decide_the_same_under_a_pause_and_a_freeze(
    desk: Path, tmp_path: Path
) -> None:
    begun, last = dt.date(2012, 5, 15), dt.date(2012, 10, 11)
    simulate(Project.open(desk), "main", (begun, dt.date(2012, 10, 3)))
    asked(desk, "pause", "crypto_swing", "--reason", "a test")
    asked(desk, "freeze", "MSFT", "--reason", "a test")
    day_by_day = tmp_path / "runs"
    shutil.copytree(desk, day_by_day)
    simulate(Project.open(desk), "main", (begun, last))
    for number in range(8):
        asked(day_by_day, "run", "--ds", str(dt.date(2012, 10, 4) + number * dt.timedelta(days=1)))
    both = [asked(folder, "warehouse", "digest") for folder in (desk, day_by_day)]
    assert both[0] == both[1]
    found = asked(desk, "signals", "--from", "2012-10-04", "--outcome", "rejected")
    refused = {(r["signal_id"][:8], r["symbol"]): r["reason"] for r in found}
    assert refused["20121004", "MSFT"] == "SYMBOL_FROZEN"  # traded, had nobody asked
    assert refused["20121011", "DUSK/USD"] == "STRATEGY_PAUSED"  # so would this have been
    answer = command("replay", "--json", "--project", str(desk))
    assert (answer.code, answer.document["deviations"]) == (0, [])
