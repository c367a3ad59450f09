"""SIGTERM: what was begun is finished, the lease given back, and the next run goes on at once."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from faults.busy_day import RUN, Calm, copies, counted, told
from faults.wires import Tripwire

if TYPE_CHECKING:
    from pathlib import Path

    from faults.chaos import Tally
    from faults.launcher import Launcher
    from faults.project import Unlike

pytestmark = pytest.mark.slow

MOMENTS = 8
TOLD = 128 + signal.SIGTERM
LONG = "3600"
"""Seconds of a lease that nobody waits for the end of."""


@pytest.mark.fault("F1")
def test_a_run_told_to_end_leaves_a_day_that_goes_on_at_once(
    gt: Launcher, eve: Path, calm: Calm, tmp_path: Path, tally: Tally
) -> None:
    writes = [n for n, call in enumerate(calm.calls, 1) if call.startswith("hot_store.commit")]
    first, last = writes[0], writes[-2]
    moments = [first + round(n * (last - first) / (MOMENTS - 1)) for n in range(MOMENTS)]
    found: dict[str, Unlike] = {}
    for at, folder in zip(moments, copies(eve, tmp_path), strict=False):
        run = gt.start(folder, *RUN, wire=Tripwire(at, "stop"), RUN__LEASE_TTL_S=LONG)
        assert run.wait().stopped
        os.kill(run.pid, signal.SIGTERM)
        run.go_on()
        ended = run.wait()
        assert (ended.code, ended.signal) == (TOLD, None), ended
        assert "told to end (SIGTERM)" in ended.err
        assert "run the same command again" in ended.err
        again = gt.run(folder, *RUN, RUN__LEASE_TTL_S=LONG)
        assert again.code == 0, again
        assert again.result["changed"] is True  # the day was not done: there was something to do
        found[f"told after {calm.calls[at - 1]}"] = calm.unlike(folder)
    assert told(found)
    tally("told to end (SIGTERM), the lease given back", MOMENTS, counted(found))
