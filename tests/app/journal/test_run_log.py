"""The log of whole days: every line names its run, and its signal where there is one."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from app.command import contents
from goldenthread.app.api import days
from goldenthread.app.api.days import plan, run, simulate
from goldenthread.app.api.project import Project
from goldenthread.app.api.records import facts, signals
from goldenthread.app.engines.wiring import open_hot_store

if TYPE_CHECKING:
    from pathlib import Path

BEGUN, NEXT, LAST = dt.date(2012, 7, 2), dt.date(2012, 7, 3), dt.date(2012, 7, 20)
OF_THE_RUN = ("run_started", "run_ended", "run_failed")
_EXECUTIONS = """
SELECT execution_id, position_id FROM fact_fills
WHERE book = @book AND ds BETWEEN @first AND @last
"""


def log_of(project: Project) -> list[dict[str, Any]]:
    file = project.root / "logs" / "notices.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.fixture(scope="module")
def simulated(imported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose book was simulated over some weeks; tests take copies of it."""
    folder = tmp_path_factory.mktemp("simulated") / "project"
    shutil.copytree(imported, folder)
    simulate(Project.open(folder), "main", (BEGUN - dt.timedelta(days=30), BEGUN))
    return folder


@pytest.fixture
def begun(simulated: Path, tmp_path: Path) -> Project:
    """A copy of it, for one test to run on."""
    return Project.open(shutil.copytree(simulated, tmp_path / "project"))


@pytest.fixture(scope="module")
def nights(simulated: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Another copy, run to LAST night by night: entries are sent in time."""
    folder = tmp_path_factory.mktemp("nights") / "project"
    project = Project.open(shutil.copytree(simulated, folder))
    for day in range(NEXT.day, LAST.day + 1):
        run(project, "sim:main", dt.date(2012, 7, day))
    return project


def test_of_a_simulation_only_what_is_out_of_order_is_logged(begun: Project) -> None:
    assert log_of(begun) == []


def test_every_line_of_a_night_names_its_run_and_every_line_about_a_signal_its_signal(
    nights: Project,
) -> None:
    log = log_of(nights)
    whose = {
        s["signal_id"]: (s["strategy_id"], s["symbol"])
        for s in signals(nights, "sim:main", (dt.date(2012, 1, 1), LAST))
    }
    assert {line["run_id"] for line in log} == {
        f"sim:main/2012-07-{day:02}" for day in range(NEXT.day, LAST.day + 1)
    }
    for line in log:
        assert line["run_id"] == f"{line['book']}/{line['ds']}"
        assert dt.datetime.fromisoformat(line["at"]).tzinfo is not None
        if line["event"] not in OF_THE_RUN:
            assert (line["strategy_id"], line["symbol"]) == whose[line["signal_id"]], line
    events = {line["event"] for line in log}
    assert events >= {
        *("run_started", "run_ended", "signal_waiting", "signal_rejected", "signal_closed"),
        *("order_pending", "order_working", "order_done", "execution", "stop_moved"),
        *("position_pending", "position_open", "position_closed"),
    }


def test_what_the_log_says_was_decided_and_executed_is_what_the_warehouse_has(
    nights: Project,
) -> None:
    log = log_of(nights)
    rejected = [n["signal_id"] for n in log if n["event"] == "signal_rejected"]
    stored = signals(nights, "sim:main", (NEXT, LAST), "rejected")
    assert sorted(rejected) == sorted(row["signal_id"] for row in stored) != []
    executed = {(n["execution_id"], n["signal_id"]) for n in log if n["event"] == "execution"}
    fills = facts(nights, "sim:main", _EXECUTIONS, (NEXT, LAST)).to_dicts()
    assert {(f["execution_id"], f["position_id"]) for f in fills} <= executed
    ends = [line for line in log if line["event"] == "run_ended"]
    assert sum(end["decided"] for end in ends) == len(signals(nights, "sim:main", (NEXT, LAST)))


def test_a_run_that_fails_has_a_last_line_that_says_why(
    begun: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("goldenthread.app.day.archive", _full_disk)
    with pytest.raises(OSError, match="No space left"):
        run(begun, "sim:main", NEXT)
    last = log_of(begun)[-1]
    assert (last["level"], last["event"], last["run_id"]) == (
        "error",
        "run_failed",
        "sim:main/2012-07-03",
    )
    assert (last["error"], last["text"]) == ("OSError", "[Errno 28] No space left on device")


def _full_disk(*_given: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_notice_about_a_signal_names_it(begun: Project) -> None:
    store = open_hot_store(begun.settings, begun.root, "sim:main")
    held = store.query("live_positions", equal={"status": "OPEN"})[0]
    first, *others = held.body["fills"]
    fewer = {**first, "quantity": str(Decimal(first["quantity"]) - 1)}  # the broker holds one more
    store.compare_and_set(held, {**held.body, "fills": [fewer, *others]})
    report = run(begun, "sim:main", NEXT)
    assert held.body["symbol"] in report.frozen
    (frozen,) = (line for line in log_of(begun) if line["event"] == "symbol_frozen")
    told = [line for line in log_of(begun) if line["event"] == "notice"]
    assert (frozen["level"], frozen["symbol"]) == ("warning", held.body["symbol"])
    assert (held.id, held.body["symbol"], held.body["strategy_id"]) in {
        (line["signal_id"], line["symbol"], line["strategy_id"]) for line in told
    }
    for line in told:
        assert line["run_id"] == "sim:main/2012-07-03"
        assert line["text"] in report.notes


def test_a_plan_writes_no_line(begun: Project) -> None:
    before = contents(begun.root)
    plan(begun, "sim:main", NEXT)
    assert contents(begun.root) == before
    assert days.status(begun, "sim:main")["last_run"] == BEGUN
