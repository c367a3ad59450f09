from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from goldenthread.research.replay.past import Timeline
from goldenthread.warehouse.scd2 import advance, in_force

if TYPE_CHECKING:
    from goldenthread.domain.strategy import Version

START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
_CONFIGS = st.dictionaries(st.sampled_from("xyz"), st.sampled_from("abc"), max_size=3)


@given(st.lists(_CONFIGS, min_size=1, max_size=6))
def test_the_version_in_force_is_the_one_the_dimension_says(days: list[dict[str, str]]) -> None:
    versions: list[Version] = []
    for number, day in enumerate(days):
        configs = {name: (key, "{}") for name, key in day.items()}
        versions = advance(versions, configs, START + dt.timedelta(days=number), "", "")
    timeline = Timeline(versions)
    for half_days in range(-1, 14):
        now = START + dt.timedelta(hours=12 * half_days)
        found = {name: version for name in "xyz" if (version := in_force(versions, name, now))}
        assert timeline.at(now) == found
