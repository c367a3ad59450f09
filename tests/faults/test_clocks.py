"""Clocks that are wrong and other zones: the same records, to the digit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from faults.busy_day import RUN, Calm, counted, told
from faults.clocks import WrongClock
from faults.project import copy

if TYPE_CHECKING:
    from pathlib import Path

    from faults.chaos import Tally
    from faults.launcher import Launcher

pytestmark = pytest.mark.slow

HOUR, DAY = 3600, 86_400
ZONES = ("UTC", "Pacific/Kiritimati", "America/New_York")
SKEWS = {
    "right": (0, 0),
    "an hour behind": (-HOUR, -HOUR),
    "an hour ahead": (HOUR, HOUR),
    "set back ten minutes in the run": (0, -600),
    "set ahead an hour in the run": (0, HOUR),
    "a day ahead and back again": (DAY, 0),
}
_MIDDLE = 19
"""Answers of the clock before it is set: in the middle of what the busy day asks."""


@pytest.mark.fault("F9")
def test_a_day_run_by_a_wrong_clock_in_any_zone_leaves_the_same_records(
    gt: Launcher, eve: Path, calm: Calm, tmp_path: Path, tally: Tally
) -> None:
    found = {}
    for zone in ZONES:
        for name, (before, after) in SKEWS.items():
            folder = copy(eve, tmp_path / "project")
            clock = WrongClock(zone, before, after, _MIDDLE)
            done = gt.run(folder, *RUN, clock=clock, RUN__LEASE_TTL_S="60")
            assert done.code == 0, done.err
            found[f"{zone}, {name}"] = calm.unlike(folder)
    told(found)
    tally("a day run in three zones by clocks wrong in six ways", len(found), counted(found))
