"""An exchange that turns requests away, or does not answer for ten minutes: no order suffers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from faults.busy_day import chances, counted, told
from faults.chaos import seeds
from faults.http_days import ALLOWED, HTTP, Lived, live
from faults.project import compare, copy
from faults.weather import Weather

if TYPE_CHECKING:
    from pathlib import Path

    from faults.chaos import Tally

pytestmark = [pytest.mark.slow, pytest.mark.fault("F7")]


@pytest.mark.parametrize("seed", seeds(2))
def test_every_third_answer_a_429_costs_time_and_no_order(
    new: Path, quiet: Lived, tmp_path: Path, *, seed: int, tally: Tally
) -> None:
    weather = Weather(chances(seed), share=0.3)
    found = survived(live(copy(new, tmp_path / "project"), weather), quiet, weather)
    tally("30 % of the answers 429, requests of six days", weather.sent, found, engines=HTTP)


@pytest.mark.parametrize("seed", seeds(3))
def test_ten_minutes_of_503_end_with_every_order_sent_once(
    new: Path, quiet: Lived, tmp_path: Path, *, seed: int, tally: Tally
) -> None:
    chance = chances(seed)
    weather = Weather(chance, storm_at=chance.randint(1, 30))
    lived = live(copy(new, tmp_path / "project"), weather)
    assert lived.gave_up > 0
    found = survived(lived, quiet, weather)
    tally("503 for ten minutes, requests of six days", weather.sent, found, engines=HTTP)


def survived(lived: Lived, quiet: Lived, weather: Weather) -> dict[str, int]:
    """The counts of a row, all of them 0; fails naming what is wrong."""
    assert weather.struck > 10
    assert weather.wrong == []
    assert [key for key, times in weather.taken.items() if times > 1] == []
    assert max(weather.minutes.values()) <= ALLOWED
    found = {"bad weather": compare(lived.state, quiet.state)}
    assert told(found)
    return counted(found)
