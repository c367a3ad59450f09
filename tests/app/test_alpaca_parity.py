"""The same month on the engine of this process and on alpaca-py over HTTP: equal to the digit."""

from __future__ import annotations

import datetime as dt
import shutil
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from app.exchange.sdk import listening
from emulators.exchange import over_http
from goldenthread.app.api.checks import check_thread
from goldenthread.app.api.days import simulate
from goldenthread.app.api.project import Project
from goldenthread.app.api.records import facts
from goldenthread.app.api.store import digest
from goldenthread.app.clock import SystemClock
from goldenthread.app.engines.alpaca import open_alpaca

if TYPE_CHECKING:
    from pathlib import Path

SPAN = (dt.date(2012, 6, 1), dt.date(2012, 6, 30))
BOOK = "sim:june"
FILLS = """
SELECT execution_id FROM fact_fills WHERE book = @book AND ds BETWEEN @first AND @last
"""


@pytest.fixture(scope="module", name="here")
def _here(imported: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The digests of the month on the engine of this process."""
    folder = tmp_path_factory.mktemp("here") / "project"
    shutil.copytree(imported, folder)
    project = Project.open(folder)
    done = simulate(project, "june", SPAN)
    assert (done.trades, done.signals["generated"]) == (3, 40)
    return digest(project, BOOK)


def test_a_month_over_http_has_the_digests_of_the_month_in_process(
    imported: Path, tmp_path: Path, here: dict[str, str]
) -> None:
    folder = tmp_path / "project"
    shutil.copytree(imported, folder)
    with over_http(folder, "SIM-june", SPAN[0]) as (project, exchange):
        simulate(project, "june", SPAN)
        proof = check_thread(project, BOOK)
        requests = len(exchange.admin("GET", "/requests"))
    assert (proof["lost"], proof["duplicated"], proof["unmatched_fills"]) == (0, 0, 0)
    assert digest(project, BOOK) == here
    assert requests / 30 < 20  # a day; Alpaca takes 200 a minute


@pytest.mark.fault("F8", "a month with no word of any fill", engines="exchange over HTTP")
def test_streams_dropped_between_fill_and_word_of_it_lose_no_fill(
    imported: Path, tmp_path: Path, here: dict[str, str]
) -> None:
    folder = tmp_path / "project"
    shutil.copytree(imported, folder)
    with over_http(folder, "SIM-june", SPAN[0]) as (project, exchange):
        executed: list[str] = []
        with listening(exchange) as heard:
            exchange.fault("drop_stream", times=100)
            simulate(project, "june", SPAN)
            broker = open_alpaca(project.settings, BOOK, advances=False)
            with closing(broker):
                executed = [fill.execution_id for fill in broker.fills(SPAN[0])]
            exchange.admin("DELETE", "/faults")
            told = {str(u.event) for u in heard}
        proof = check_thread(project, BOOK)
    stored = facts(project, BOOK, FILLS, SPAN)["execution_id"].to_list()
    assert "new" in told  # it listened
    assert not told & {"fill", "partial_fill"}  # and heard of no execution
    assert len(executed) > 0
    assert sorted(stored) == sorted(executed)  # 0 lost, 0 doubled
    assert (proof["lost"], proof["duplicated"], proof["unmatched_fills"]) == (0, 0, 0)
    assert digest(project, BOOK) == here


FAULTS = {
    "answers lost after orders were taken": ("accept_then", "POST", "/v2/orders", 504, 9),
    "replacements and cancels without an answer": ("accept_then", "PATCH", "/v2/orders", 500, 9),
    "a page of a proxy instead of a list": ("html", "GET", "/v2/orders", 502, 3),
    "a storm of too many requests": ("refuse", "POST", "/v2/orders", 429, 3),
    "executions that cannot be read for a while": (
        "refuse",
        "GET",
        "/v2/account/activities",
        503,
        3,
    ),
}


MARKED = [
    pytest.param(
        name,
        marks=pytest.mark.fault(
            "F6" if fault[0] == "accept_then" else "F7",
            f"a month with {name}",
            engines="exchange over HTTP",
        ),
    )
    for name, fault in FAULTS.items()
]


@pytest.mark.slow
@pytest.mark.parametrize("name", MARKED)
def test_a_failing_wire_changes_no_digest(
    imported: Path,
    tmp_path: Path,
    here: dict[str, str],
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(SystemClock, "sleep", lambda _self, _seconds: None)
    kind, method, path, status, times = FAULTS[name]
    folder = tmp_path / "project"
    shutil.copytree(imported, folder)
    with over_http(folder, "SIM-june", SPAN[0]) as (project, exchange):
        exchange.fault(kind, method=method, path=path, status=status, times=times)
        simulate(project, "june", SPAN)
        proof = check_thread(project, BOOK)
        armed = exchange.state()["faults"]
    assert (proof["lost"], proof["duplicated"], proof["unmatched_fills"]) == (0, 0, 0)
    assert digest(project, BOOK) == here
    assert not armed or armed[0]["times"] < times
