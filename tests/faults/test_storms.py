"""An exchange that turns requests away, or does not answer for ten minutes: no order suffers."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from emulators.exchange import over_http
from faults.busy_day import chances, counted, told
from faults.chaos import seeds
from faults.project import BOOK, FIRST, build, compare, copy, digests
from faults.weather import Weather
from goldenthread.app.api.checks import check_thread
from goldenthread.app.api.days import run
from goldenthread.app.engines.alpaca import open_alpaca
from goldenthread.domain.errors import EngineBusyError

if TYPE_CHECKING:
    from pathlib import Path

    from faults.chaos import Tally
    from goldenthread.app.api.project import Project

pytestmark = [pytest.mark.slow, pytest.mark.fault("F7")]

DAYS = [FIRST + dt.timedelta(days=n) for n in range(6)]
ALLOWED, OURS = 200, 150
"""Requests a minute: as many as Alpaca takes, and as many as we allow ourselves."""
AGAIN_S = 120
HTTP = "Alpaca engine and exchange over HTTP"


class Lived(NamedTuple):
    """What the days left by name, and how many runs gave up on the way."""

    state: dict[str, Any]
    gave_up: int


def live(folder: Path, weather: Weather) -> Lived:
    """The days in this weather, each run every two minutes until there is nothing left to do."""
    gave_up, terms = 0, {"alpaca.requests_per_minute": OURS}
    with over_http(folder, "SIM-main", FIRST, terms, ALLOWED) as (project, exchange):
        with weather.over(exchange.url):
            for ds in DAYS:
                while True:
                    try:
                        done = run(project, BOOK, ds)
                        if not done.changed and not done.sent:
                            break
                    except EngineBusyError:  # said by exit code 3, and nothing is lost
                        gave_up += 1
                    weather.pass_s(AGAIN_S)
        assert check_thread(project, BOOK)["ok"]
        return Lived(left(project), gave_up)


def left(project: Project) -> dict[str, Any]:
    """The archive by table, and every order and execution the exchange knows."""
    with closing(open_alpaca(project.settings, BOOK, advances=False)) as broker:
        orders, fills = broker.orders(FIRST), broker.fills(FIRST)
    shown = {"submitted_at"}  # which of two orders came first depends on which had to wait
    return {
        **digests(project.root),
        **{
            f"order/{o.client_order_id or o.broker_order_id}": o.model_dump(exclude=shown)
            for o in orders
        },
        **{f"fill/{fill.execution_id}": fill.model_dump() for fill in fills},
        "executed": (len(orders), len(fills)),
    }


@pytest.fixture(scope="module", name="new")
def _new(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project before its first day; tests change copies of it only."""
    return build(tmp_path_factory.mktemp("new") / "project")


@pytest.fixture(scope="module", name="calm")
def _calm(new: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the days leave when nothing fails."""
    weather = Weather(chances(0))
    lived = live(copy(new, tmp_path_factory.mktemp("calm") / "project"), weather)
    assert (lived.gave_up, weather.struck, weather.wrong) == (0, 0, [])
    assert lived.state["executed"][0] > 20
    return lived.state


@pytest.mark.parametrize("seed", seeds(2))
def test_every_third_answer_a_429_costs_time_and_no_order(
    new: Path, calm: dict[str, Any], tmp_path: Path, *, seed: int, tally: Tally
) -> None:
    weather = Weather(chances(seed), share=0.3)
    found = survived(live(copy(new, tmp_path / "project"), weather), calm, weather)
    tally("30 % of the answers 429, requests of six days", weather.sent, found, engines=HTTP)


@pytest.mark.parametrize("seed", seeds(3))
def test_ten_minutes_of_503_end_with_every_order_sent_once(
    new: Path, calm: dict[str, Any], tmp_path: Path, *, seed: int, tally: Tally
) -> None:
    chance = chances(seed)
    weather = Weather(chance, storm_at=chance.randint(1, 30))
    lived = live(copy(new, tmp_path / "project"), weather)
    assert lived.gave_up > 0
    found = survived(lived, calm, weather)
    tally("503 for ten minutes, requests of six days", weather.sent, found, engines=HTTP)


def survived(lived: Lived, calm: dict[str, Any], weather: Weather) -> dict[str, int]:
    """The counts of a row, all of them 0; fails naming what is wrong."""
    assert weather.struck > 10
    assert weather.wrong == []
    assert [key for key, times in weather.taken.items() if times > 1] == []
    assert max(weather.minutes.values()) <= ALLOWED
    found = {"bad weather": compare(lived.state, calm)}
    assert told(found)
    return counted(found)
