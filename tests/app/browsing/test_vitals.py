"""Vital signs: each number is that of the stores, and what is not known is not a number."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

from app.command import SUMMER
from goldenthread.adapters.hot_store.sqlite import SqliteHotStore
from goldenthread.app.api.browsing.vitals import vitals
from goldenthread.app.api.days import run
from goldenthread.app.api.project import Project
from goldenthread.app.api.safety import halt
from goldenthread.app.clock import SystemClock
from goldenthread.app.desk import LEASE

if TYPE_CHECKING:
    from pathlib import Path

NOON = dt.datetime(2024, 1, 2, 12, tzinfo=dt.UTC)


def test_before_the_first_run_its_figures_are_unknown(imported: Path) -> None:
    found = vitals(Project.open(imported), "", NOON)
    assert (found.last_run, found.last_success_at, found.lag_sessions) == (None, None, None)
    assert (found.ok, found.alarms) == (False, ("runs",))


def test_lag_is_in_sessions_of_the_calendar_that_has_the_most(summer: Path) -> None:
    found = vitals(Project.open(summer), "", NOON)
    # 31 August 2012 to the last bar, 1 March 2013: 30+31+30+31+31+28+1 days of crypto
    assert (found.last_run, found.lag_sessions) == (SUMMER[1], 182)
    assert (found.ok, found.alarms) == (False, ("runs",))


def test_the_run_at_work_is_told_for_as_long_as_it_holds_the_book(fresh: Path) -> None:
    project = Project.open(fresh)
    found = vitals(project, "", NOON)
    assert (found.lease_owner, found.lease_until) == (None, None)
    store = SqliteHotStore(fresh / "state" / "hot.sqlite", "sim:main", SystemClock())
    lease = store.acquire(LEASE, "desk:42:0a1b2c3d", 60)
    found = vitals(project, "", NOON)
    assert (found.lease_owner, found.lease_until) == ("desk:42:0a1b2c3d", lease.expires_at)
    store.release(lease)
    store.close()
    assert vitals(project, "", NOON).lease_owner is None


def test_a_run_a_halt_and_a_day_of_queries_are_told(fresh: Path) -> None:
    project = Project.open(fresh)
    begun = SystemClock().now()
    run(project, "sim:main")
    ledger = fresh / "logs" / "query_bytes.jsonl"
    ledger.parent.mkdir(exist_ok=True)
    rows = (
        ("2024-01-01T23:59:59+00:00", 1, True),
        ("2024-01-02T00:00:00+00:00", 20, True),
        ("2024-01-02T08:00:00+00:00", 300, True),
        ("2024-01-02T09:00:00+00:00", 4000, False),  # refused: nothing was read
    )
    ledger.write_text(
        "".join(json.dumps({"at": at, "bytes": n, "allowed": a}) + "\n" for at, n, a in rows)
    )
    well = vitals(project, "", NOON)
    assert (well.ok, well.alarms, well.lag_sessions, well.bytes_today) == (True, (), 0, 320)
    assert well.last_success_at is not None
    assert begun <= well.last_success_at <= SystemClock().now()
    halt(project, "sim:main", "rain")
    assert vitals(project, "", NOON).alarms == ("halt",)
