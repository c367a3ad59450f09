"""Days done, days gone by, days missed: what a run makes of a date that is not the next one."""

from __future__ import annotations

import datetime as dt
import signal
import sqlite3
from typing import TYPE_CHECKING

import pytest

from faults.busy_day import RUN, chances, copies, told, until_done, without_fault
from faults.project import BOOK, BUSY_DAY, EVE, FIRST, Unlike, build, compare, copy, figure, seen
from faults.wires import Tripwire
from goldenthread.app.api.project import Project
from goldenthread.app.api.records import facts

if TYPE_CHECKING:
    from pathlib import Path

    from faults.busy_day import Calm
    from faults.launcher import Launcher

pytestmark = pytest.mark.slow

USAGE = 2
LATE = BUSY_DAY + dt.timedelta(days=4)  # a Monday; Friday to Sunday were missed
MISSED = [BUSY_DAY + dt.timedelta(days=n) for n in (1, 2, 3)]
CATCH_UP = ("run", "--ds", str(LATE), "--json")
SEED, KILLS = 20120820, 4


@pytest.fixture(scope="module")
def late(gt: Launcher, eve: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The busy day run in time, nothing since; tests change copies of it only."""
    folder = copy(eve, tmp_path_factory.mktemp("late") / "project")
    until_done(gt, folder)
    return folder


@pytest.mark.fault("F3", "a finished day run three times more")
def test_a_finished_day_run_again_changes_nothing_and_says_so(
    gt: Launcher, late: Path, tmp_path: Path
) -> None:
    folder = copy(late, tmp_path / "project")
    before = seen(folder)
    for _ in range(3):
        again = gt.run(folder, *RUN)
        assert (again.code, again.result["changed"], again.result["sent"]) == (0, False, 0)
        assert seen(folder) == before


def test_a_day_gone_by_is_refused_and_nothing_is_sent(
    gt: Launcher, late: Path, tmp_path: Path
) -> None:
    folder = copy(late, tmp_path / "project")
    before = seen(folder)
    for ds in (EVE, FIRST, FIRST - dt.timedelta(days=30)):
        log = folder / "calls"
        refused = gt.run(folder, "run", "--ds", str(ds), wire=Tripwire(log=str(log)))
        assert refused.code == USAGE
        assert f"{ds} is before {BUSY_DAY}" in refused.err
        assert "replay" in refused.err
        assert not log.exists(), "not one call was made"
    assert seen(folder) == before


def test_missed_days_are_caught_up_oldest_first(gt: Launcher, late: Path, tmp_path: Path) -> None:
    folder = copy(late, tmp_path / "project")
    done = gt.run(folder, *CATCH_UP)
    assert (done.code, done.result["ds"]) == (0, str(LATE)), done.err
    store = sqlite3.connect(folder / "state" / "hot.sqlite")
    runs = store.execute(
        "SELECT id FROM document WHERE id GLOB 'run-*' AND id > ? ORDER BY rowid",
        (f"run-{BUSY_DAY}",),
    ).fetchall()
    store.close()
    assert [name for (name,) in runs] == [f"run-{ds}" for ds in (*MISSED, LATE)]


def test_what_a_missed_day_would_have_entered_is_expired_and_priced_and_never_sent(
    gt: Launcher, late: Path, tmp_path: Path
) -> None:
    folder = copy(late, tmp_path / "project")
    before = seen(folder)
    until_done(gt, folder, *CATCH_UP)
    project, span = Project.open(folder), (MISSED[0], LATE)
    expired = facts(
        project,
        BOOK,
        "SELECT signal_id, signal_ds, end_reason, priced_as, outcome_status"
        " FROM fact_signals_expired WHERE book = @book AND ds BETWEEN @first AND @last"
        " AND signal_ds BETWEEN @first AND DATE_SUB(@last, INTERVAL 1 DAY)",
        span,
    ).to_dicts()
    assert {row["signal_ds"] for row in expired} == set(MISSED)
    assert {row["end_reason"] for row in expired} == {"SUBMIT_WINDOW_MISSED"}
    assert {row["outcome_status"] for row in expired} <= {"OPEN", "RESOLVED"}
    after = seen(folder)
    ours = {row["signal_id"] for row in expired}
    told_broker = [key for key in after if key.startswith("order/")]
    assert not [key for key in told_broker if key.removeprefix("order/")[:41] in ours]
    new = [after[key] for key in after.keys() - before.keys() if key.startswith("live_signals")]
    on_time = [s for s in new if s["ds"] == str(LATE)]
    assert on_time, "the day itself is run in time and enters"
    assert {s["status"] for s in on_time} == {"WAITING"}


def test_a_missed_day_has_no_snapshot(gt: Launcher, late: Path, tmp_path: Path) -> None:
    folder = copy(late, tmp_path / "project")
    until_done(gt, folder, *CATCH_UP)
    days = facts(
        Project.open(folder),
        BOOK,
        "SELECT ds FROM snapshot_accounts WHERE book = @book AND ds BETWEEN @first AND @last"
        " ORDER BY ds",
        (BUSY_DAY, LATE),
    )["ds"].to_list()
    assert days == [BUSY_DAY, LATE]
    proof = gt.run(folder, "check", "thread", "--json")
    assert proof.code == 0, proof.out
    assert proof.result["lost"] == proof.result["duplicated"] == 0
    assert proof.result["unmatched_fills"] == 0


def test_what_is_held_goes_through_missed_days_as_if_they_had_been_run(
    gt: Launcher, late: Path, tmp_path: Path
) -> None:
    missed, in_time = copy(late, tmp_path / "missed"), copy(late, tmp_path / "in_time")
    held = [
        key
        for key, body in seen(late).items()
        if key.startswith("live_positions") and body["status"] in {"OPEN", "CLOSING"}
    ]
    until_done(gt, missed, *CATCH_UP)
    for ds in (*MISSED, LATE):
        until_done(gt, in_time, "run", "--ds", str(ds))
    one, other = seen(missed), seen(in_time)
    assert len(held) >= 3
    assert {key: one[key] for key in held} == {key: other[key] for key in held}
    assert any(one[key]["status"] == "CLOSED" for key in held)
    assert any(one[key]["stop"] != one[key]["initial_stop"] for key in held)


@pytest.mark.fault("F1", "a kill while missed days are caught up, at four points")
def test_a_kill_while_catching_up_changes_nothing(
    gt: Launcher, late: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    calm: Calm = without_fault(gt, copy(late, tmp_path / "calm"), *CATCH_UP)
    points = sorted(chances(SEED).sample(range(len(calm.calls) + 1), KILLS))
    found: dict[str, Unlike] = {}
    for at, folder in zip(points, copies(late, tmp_path), strict=False):
        killed = gt.run(folder, *CATCH_UP, wire=Tripwire(at, "kill"))
        assert killed.signal == signal.SIGKILL
        until_done(gt, folder, *CATCH_UP)
        found[f"killed at {at}"] = calm.unlike(folder)
    figure(
        request,
        f"crash while catching up: {KILLS} of {len(calm.calls) + 1} points, seed {SEED}:"
        f" {told(found)}",
    )


@pytest.mark.fault("F16", "archived each day, once, in two parts")
def test_a_book_run_day_by_day_equals_one_simulated_at_once_or_in_parts(
    gt: Launcher, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    new, days = build(tmp_path / "new"), 6
    dates = [str(FIRST + dt.timedelta(days=n)) for n in range(days)]
    daily, at_once, in_parts = (copy(new, tmp_path / name) for name in ("daily", "once", "parts"))
    for ds in dates:
        until_done(gt, daily, "run", "--ds", ds)
    simulate = ("simulate", "--name", "main", "--archive-every", "1", "--from", dates[0], "--to")
    until_done(gt, at_once, *simulate, dates[-1])
    for last in (dates[3], dates[-1]):
        until_done(gt, in_parts, *simulate, last)
    expected = seen(at_once)
    assert not any(compare(seen(daily), expected))
    assert not any(compare(seen(in_parts), expected))
    figure(request, f"run, simulate, simulate in parts: {days} days, 0 differences")
