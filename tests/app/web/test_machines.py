"""What machines watch: Prometheus' text, a status code, the token where there is one."""

from __future__ import annotations

import datetime as dt
import shutil
from typing import TYPE_CHECKING

import requests

from app.command import command
from app.web.serving import asked, serving
from goldenthread.adapters.hot_store.sqlite import SqliteHotStore
from goldenthread.app.api.days import run
from goldenthread.app.api.project import Project
from goldenthread.app.api.safety import halt
from goldenthread.app.api.store import cost
from goldenthread.app.clock import SystemClock
from goldenthread.app.desk import LEASE

if TYPE_CHECKING:
    from pathlib import Path

WORD = "a-token-of-24-characters"


def gauges(text: str) -> dict[str, float]:
    """The value of each metric by its name; each stands under its meaning and type."""
    lines = text.splitlines()
    found = {}
    for about, kind, sample in zip(lines[::3], lines[1::3], lines[2::3], strict=True):
        name, _, rest = sample.partition("{")
        assert about.startswith(f"# HELP {name} ")
        assert kind == f"# TYPE {name} gauge"
        labels, _, value = rest.partition("} ")
        assert labels.startswith('book="sim:main",version="')
        found[name.removeprefix("goldenthread_")] = float(value)
    return found


def test_prometheus_reads_the_same_numbers_as_the_pages_show(summer: Path, site: str) -> None:
    asking = (
        "warehouse",
        "query",
        "SELECT * FROM snapshot_accounts WHERE ds <= '2012-06-01'",
        "--project",
    )
    assert command(*asking, str(summer)).code == 0
    answer = requests.get(f"{site}/metrics", timeout=120)
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = gauges(answer.text)
    stands = asked(f"{site}/api/health")["stands"]
    assert found["last_success_timestamp_seconds"] > 1.7e9  # the wall's clock, not the book's
    del found["last_success_timestamp_seconds"]
    assert found["query_bytes_today"] > 0
    assert found == {
        "up": 1,
        "ok": 0,
        "lag_sessions": 182,
        "open_positions": stands["open_positions"],
        "waiting_signals": stands["waiting_signals"],
        "quarantine_rows": 0,
        "query_bytes_today": sum(row["bytes"] for row in cost(Project.open(summer))),
        "alarms": 1,
        "lease_held": 0,
    }


def test_a_run_at_work_is_shown_to_people_and_machines(fresh: Path) -> None:
    store = SqliteHotStore(fresh / "state" / "hot.sqlite", "sim:main", SystemClock())
    lease = store.acquire(LEASE, "desk:42:0a1b2c3d", 600)
    with serving(fresh) as url:
        found = gauges(requests.get(f"{url}/metrics", timeout=120).text)
        page = requests.get(f"{url}/health", timeout=120).text
        told = asked(f"{url}/api/health")["lease"]
    store.close()
    until = lease.expires_at
    assert (found["lease_held"], found["lease_expires_timestamp_seconds"]) == (1, until.timestamp())
    assert (told["owner"], dt.datetime.fromisoformat(told["until"])) == ("desk:42:0a1b2c3d", until)
    assert f"desk:42:0a1b2c3d, its lease until {until:%H:%M:%S} UTC" in page


def test_what_is_not_known_is_left_out(imported: Path) -> None:
    with serving(imported) as url:
        found = gauges(requests.get(f"{url}/metrics", timeout=120).text)
    assert found.keys().isdisjoint({"lag_sessions", "last_success_timestamp_seconds"})
    assert found["lease_held"] == 0
    assert (found["up"], found["ok"]) == (1, 0)


def test_a_book_that_is_well_is_200_and_one_that_is_not_503(fresh: Path) -> None:
    project = Project.open(fresh)
    run(project, "sim:main")
    with serving(fresh) as url:
        well = requests.get(f"{url}/healthz", timeout=120)
        assert (well.status_code, well.json()["ok"], well.json()["alarms"]) == (200, True, [])
        halt(project, "sim:main", "rain")
        ill = requests.get(f"{url}/healthz", timeout=120)
        assert (ill.status_code, ill.json()["ok"], ill.json()["alarms"]) == (503, False, ["halt"])


def test_a_book_that_cannot_be_read_is_503_in_json(summer: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(summer, folder)
    (folder / "warehouse" / "wh.read.duckdb").write_bytes(b"no database" * 1000)
    with serving(folder) as url:
        for path in ("/healthz", "/metrics"):
            answer = requests.get(f"{url}{path}", timeout=120)
            assert (answer.status_code, "wh.read.duckdb" in answer.json()["error"]) == (503, True)


def test_with_a_token_machines_show_it_too(summer: Path) -> None:
    with serving(summer, WORD) as url:
        for path in ("/healthz", "/metrics"):
            assert requests.get(f"{url}{path}", timeout=120).status_code == 401
            shown = {"authorization": f"Bearer {WORD}"}
            answer = requests.get(f"{url}{path}", headers=shown, timeout=120)
            assert (answer.status_code, "sim:main" in answer.text) == (
                503 if path == "/healthz" else 200,
                True,
            )
