"""A backup taken while a run is at work, or after one died: what is restored completes the day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from faults.busy_day import OTHER_RUN, RUN, Calm, copies, counted, told, until_done
from faults.project import compare, copy, seen
from faults.wires import Tripwire

if TYPE_CHECKING:
    from pathlib import Path

    from faults.chaos import Tally
    from faults.launcher import Launcher
    from faults.project import Unlike

pytestmark = pytest.mark.slow


@pytest.mark.fault("F1")
def test_what_a_killed_run_left_is_backed_up_restored_and_completed_elsewhere(
    gt: Launcher, eve: Path, calm: Calm, tmp_path: Path, tally: Tally
) -> None:
    calls = ("hot_store.commit#1", "broker.submit#3", "warehouse.merge#2", "warehouse.checkpoint#1")
    found: dict[str, Unlike] = {}
    for call, folder in zip(calls, copies(eve, tmp_path), strict=False):
        gt.run(folder, *RUN, wire=Tripwire(calm.calls.index(call) + 1, "kill"))
        file, other = folder.with_suffix(".zip"), folder.with_suffix(".restored")
        kept = gt.run(folder, "backup", str(file), WAREHOUSE__LOCK_TIMEOUT_S="5")
        assert kept.code == 0, kept
        back = gt.run(folder, "restore", str(file), "--project", str(other))
        assert back.code == 0, back
        until_done(gt, other)
        found[f"killed after {call}"] = calm.unlike(other)
    assert told(found)
    tally("killed, backed up, restored elsewhere and completed", len(calls), counted(found))


@pytest.mark.fault("F4", "a backup started while a run works")
def test_a_backup_waits_for_the_run_at_work_and_holds_the_day_it_did(
    gt: Launcher, eve: Path, calm: Calm, tmp_path: Path
) -> None:
    folder, file = copy(eve, tmp_path / "project"), tmp_path / "kept.zip"
    middle = calm.calls.index("broker.submit#1") + 1
    run = gt.start(folder, *RUN, wire=Tripwire(middle, "stop"), RUN__LEASE_TTL_S="60")
    assert run.wait().stopped
    refused = gt.run(folder, "backup", str(file))  # it waits for 0.2 s here
    assert refused.code == OTHER_RUN, refused
    assert f":{run.pid}:" in refused.err
    waiting = gt.start(folder, "backup", str(file), WAREHOUSE__LOCK_TIMEOUT_S="30")
    run.go_on()
    assert run.wait().code == 0
    assert waiting.wait().code == 0
    back = gt.run(folder, "restore", str(file), "--project", str(tmp_path / "other"))
    assert back.code == 0, back
    assert not any(compare(seen(tmp_path / "other"), calm.state))
