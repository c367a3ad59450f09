"""A day delivered again and again, at once and in any order: it is run once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from faults.busy_day import OTHER_RUN, RUN, Calm, chances, copies, counted, told, until_done
from faults.chaos import seeds
from faults.project import EVE, Unlike

if TYPE_CHECKING:
    from pathlib import Path

    from faults.chaos import Tally
    from faults.launcher import Launcher

pytestmark = [pytest.mark.slow, pytest.mark.fault("F3")]

USAGE, DAYS = 2, 3
GONE_BY = ("run", "--ds", str(EVE), "--json")


@pytest.mark.parametrize("seed", seeds(2))
def test_however_often_a_day_is_delivered_it_is_run_once(
    gt: Launcher, eve: Path, calm: Calm, tmp_path: Path, *, seed: int, tally: Tally
) -> None:
    chance, delivered = chances(seed), 0
    found: dict[str, Unlike] = {}
    for number, folder in zip(range(DAYS), copies(eve, tmp_path), strict=False):
        jobs = [RUN] * chance.randint(1, 5) + [GONE_BY] * chance.randint(0, 2)
        chance.shuffle(jobs)
        half = len(jobs) // 2
        together = [gt.start(folder, *job, RUN__LEASE_TTL_S="60") for job in jobs[:half]]
        ended = [run.wait() for run in together]
        ended += [gt.run(folder, *job, RUN__LEASE_TTL_S="60") for job in jobs[half:]]
        assert {end.code for end in ended} <= {0, USAGE, OTHER_RUN}, ended
        until_done(gt, folder)
        worked = [end.result for end in ended if end.code == 0 and end.result["changed"]]
        assert len(worked) <= 1, worked
        delivered += len(jobs)
        found[f"project {number}: {jobs}"] = calm.unlike(folder)
    assert told(found)
    tally("a day delivered 1 to 5 times, half of it at once", delivered, counted(found))
