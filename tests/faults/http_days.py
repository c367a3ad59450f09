"""A few busy days on the Alpaca engine, over HTTP to our own exchange, in any weather."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from pathlib import Path  # a named tuple reads its types
from typing import TYPE_CHECKING, Any, NamedTuple

from emulators.exchange import over_http
from faults.project import BOOK, FIRST, digests
from goldenthread.app.api.checks import check_thread
from goldenthread.app.api.days import run
from goldenthread.app.engines.alpaca import open_alpaca
from goldenthread.domain.errors import EngineBusyError

if TYPE_CHECKING:
    from faults.weather import Weather
    from goldenthread.app.api.project import Project

DAYS = [FIRST + dt.timedelta(days=n) for n in range(6)]
ALLOWED, OURS = 200, 150
"""Requests a minute: as many as Alpaca takes, and as many as we allow ourselves."""
AGAIN_S = 120
HTTP = "Alpaca engine and exchange over HTTP"


class Lived(NamedTuple):
    """The folder of the days, what they left by name, how many runs gave up on the way."""

    folder: Path
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
            proof = check_thread(project, BOOK)
        assert proof["ok"], proof
        return Lived(folder, left(project), gave_up)


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
