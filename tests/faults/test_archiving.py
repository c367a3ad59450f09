"""The archive fails, and what it let go is gone at once: nothing misses in the warehouse."""

from __future__ import annotations

import datetime as dt
import sqlite3
from typing import TYPE_CHECKING

import pytest

from faults.busy_day import ENGINE_FAILED, NEXT, Calm, copies, counted, told, until_done
from faults.project import BUSY_DAY, FIRST, Unlike, compare, copy, digests, seen
from faults.wires import Tripwire
from goldenthread.adapters.warehouse.lock import WriterLock

if TYPE_CHECKING:
    from pathlib import Path

    from faults.chaos import Tally
    from faults.launcher import Launcher

pytestmark = pytest.mark.slow

LATE = ("run", "--ds", str(BUSY_DAY + dt.timedelta(days=4)), "--json")
ON = ("simulate", "--name", "main", "--from", str(FIRST), "--to", "2012-09-14", "--json")
"""Long enough that what was open when it might have gone is known to the end."""
_MAY_GO = "FROM document WHERE delete_at IS NOT NULL"


@pytest.mark.fault("F15")
def test_an_archive_that_fails_for_three_days_loses_nothing(
    gt: Launcher, eve: Path, tmp_path: Path, tally: Tally
) -> None:
    failing, sound = copy(eve, tmp_path / "failing"), copy(eve, tmp_path / "sound")
    before = _count(failing, _MAY_GO)
    lock = WriterLock(failing / "warehouse" / "wh.duckdb.lock", 1)
    lock.acquire()
    for days in range(3):
        ds = BUSY_DAY + dt.timedelta(days=days)
        failed = gt.run(failing, "run", "--ds", str(ds))
        assert failed.code == ENGINE_FAILED, failed
        assert "has been writing" in failed.err
        assert _count(failing, _MAY_GO) == before  # nothing may go that is not archived
    lock.release()
    until_done(gt, failing, *LATE)
    for days in range(3):
        until_done(gt, sound, "run", "--ds", str(BUSY_DAY + dt.timedelta(days=days)))
    until_done(gt, sound, *LATE)
    found = {"archive failing": compare(seen(failing), seen(sound))}
    assert told(found)
    tally("the archive fails for three days", 3, counted(found))


@pytest.mark.fault("F15")
def test_what_may_go_can_go_at_once(gt: Launcher, eve: Path, tmp_path: Path, tally: Tally) -> None:
    hasty, patient = copy(eve, tmp_path / "hasty"), copy(eve, tmp_path / "patient")
    gone = 0
    for argv in ((), NEXT, LATE, ON):
        until_done(gt, hasty, *argv)
        until_done(gt, patient, *argv)
        gone += _count(hasty, _MAY_GO)
        with sqlite3.connect(hasty / "state" / "hot.sqlite") as store:
            store.execute(f"DELETE {_MAY_GO}")
        store.close()
    assert gone > 50
    one, other = digests(hasty), digests(patient)
    found = {"gone at once": Unlike([], [], [name for name in other if one[name] != other[name]])}
    assert told(found)
    tally("documents deleted as soon as they may go", gone, counted(found))


@pytest.mark.fault("F16")
def test_a_kill_inside_the_archive_changes_nothing(
    gt: Launcher, eve: Path, calm: Calm, tmp_path: Path, tally: Tally
) -> None:
    sound = copy(eve, tmp_path / "sound")
    for argv in ((), NEXT):
        until_done(gt, sound, *argv)
    expected = seen(sound)
    merges = [n for n, call in enumerate(calm.calls, 1) if call.startswith("warehouse.")]
    found: dict[str, Unlike] = {}
    for at, folder in zip(merges[::2], copies(eve, tmp_path), strict=False):
        gt.run(folder, "run", "--ds", str(BUSY_DAY), wire=Tripwire(at, "kill"))
        until_done(gt, folder)
        until_done(gt, folder, *NEXT)
        found[f"killed after {calm.calls[at - 1]}"] = compare(seen(folder), expected)
    assert told(found)
    tally("killed inside the archive, the next day run too", len(found), counted(found))


def _count(folder: Path, what: str) -> int:
    store = sqlite3.connect(folder / "state" / "hot.sqlite")
    (found,) = store.execute(f"SELECT count(*) {what}").fetchone()
    store.close()
    return int(found)
