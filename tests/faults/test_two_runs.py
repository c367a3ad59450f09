"""Two runs of one book at a time: the lease decides, and a stale holder writes nothing."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from faults.busy_day import (
    ENGINE_FAILED,
    NEXT,
    OTHER_RUN,
    RUN,
    Calm,
    copies,
    counted,
    told,
    until_done,
)
from faults.project import Unlike, compare, copy, seen
from faults.wires import Tripwire

if TYPE_CHECKING:
    from pathlib import Path

    from faults.chaos import Tally
    from faults.launcher import Launcher

pytestmark = pytest.mark.slow

STALLS = 9


@pytest.mark.fault("F4", "a run started while another works")
def test_while_one_run_works_another_exits_naming_it(
    gt: Launcher, eve: Path, calm: Calm, tmp_path: Path
) -> None:
    folder = copy(eve, tmp_path / "project")
    middle = calm.calls.index("broker.submit#1") + 1
    first = gt.start(folder, *RUN, wire=Tripwire(middle, "stop"), RUN__LEASE_TTL_S="60")
    assert first.wait().stopped
    before = seen(folder)
    second = gt.run(folder, *RUN)
    assert second.code == OTHER_RUN
    assert f"in the hands of {socket.gethostname()}:{first.pid}" in second.err
    assert "wait" in second.err
    assert seen(folder) == before
    first.go_on()
    assert first.wait().code == 0
    assert not any(calm.unlike(folder))


@pytest.mark.fault("F4", "two runs started together, three times")
def test_of_two_runs_started_together_one_works_and_the_day_is_run_once(
    gt: Launcher, eve: Path, calm: Calm, tmp_path: Path
) -> None:
    for folder in (copy(eve, tmp_path / str(n)) for n in range(3)):
        both = [gt.start(folder, *RUN, RUN__LEASE_TTL_S="60") for _ in range(2)]
        ended = [run.wait() for run in both]
        changed = [end.result["changed"] for end in ended if end.code == 0]
        assert changed.count(True) == 1, ended
        assert {end.code for end in ended} <= {0, OTHER_RUN}, ended
        assert not any(calm.unlike(folder))


@pytest.mark.fault("F5")
def test_a_run_that_slept_past_its_lease_writes_nothing_more(
    gt: Launcher, eve: Path, calm: Calm, tmp_path: Path, tally: Tally
) -> None:
    last = calm.calls.index("leases.release#1") - 1  # after it the run has only to say goodbye
    points = [1 + round(n * (last - 1) / (STALLS - 1)) for n in range(STALLS)]
    found: dict[str, Unlike] = {}
    for at, folder in zip(points, copies(eve, tmp_path), strict=False):
        name = f"stalled after {calm.calls[at - 1]}"
        sleeper = gt.start(folder, *RUN, wire=Tripwire(at, "stop"))
        assert sleeper.wait().stopped
        other = gt.run(folder, *RUN)
        if other.code == ENGINE_FAILED:  # the sleeper holds the warehouse's lock, as a process does
            assert f"process {sleeper.pid} has been writing" in other.err, (name, other.err)
        else:
            assert other.code == 0, (name, other.err)
            assert not any(compare(seen(folder), calm.state)), name
        sleeper.go_on()
        late = sleeper.wait()
        if at == 1:  # it had not read the book yet, and finds the day done
            assert late.result["changed"] is False, (name, late)
        else:
            assert late.code == OTHER_RUN, (name, late)
            assert "another run took over, nothing was written" in late.err, (name, late.err)
        if other.code == ENGINE_FAILED:
            until_done(gt, folder)
        found[name] = calm.unlike(folder)
    assert told(found)
    tally("a run asleep past its lease, another in its place", STALLS, counted(found))


@pytest.mark.parametrize("call", ["broker.submit#8", "broker.cancel#1", "broker.replace#1"])
@pytest.mark.fault("F5", "a run asleep through the next day, too")
def test_a_run_that_slept_through_the_next_day_too_sends_nothing_more(
    gt: Launcher, eve: Path, calm: Calm, tmp_path: Path, call: str
) -> None:
    folder, other = copy(eve, tmp_path / "project"), copy(eve, tmp_path / "other")
    sleeper = gt.start(folder, *RUN, wire=Tripwire(calm.calls.index(call), "stop"))
    assert sleeper.wait().stopped
    for project in (folder, other):
        until_done(gt, project)
        until_done(gt, project, *NEXT)
    sleeper.go_on()
    late = sleeper.wait()
    assert late.code == OTHER_RUN, late
    assert not any(compare(seen(folder), seen(other)))
