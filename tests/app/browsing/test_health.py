"""Whether a book is well: each check fails for its own reason, and says what to do."""

from __future__ import annotations

import datetime as dt
import shutil
from typing import TYPE_CHECKING, Any

from app.command import SUMMER
from goldenthread.app.api.browsing.data import data_rows
from goldenthread.app.api.browsing.health import health
from goldenthread.app.api.browsing.today import today
from goldenthread.app.api.days import run
from goldenthread.app.api.project import Project
from goldenthread.app.api.safety import halt, resume
from goldenthread.app.engines.wiring import open_hot_store
from goldenthread.warehouse import quarantine as ward
from goldenthread.warehouse.guardian import Refused
from goldenthread.warehouse.loading import RunStamp

if TYPE_CHECKING:
    from pathlib import Path


def wrong(project: Project) -> dict[str, Any]:
    return {row["check"]: row["found"] for row in health(project, "")["checks"] if not row["ok"]}


def test_a_book_that_stands_at_the_last_bar_is_well(fresh: Path) -> None:
    project = Project.open(fresh)
    assert wrong(project).keys() == {"runs"}
    assert wrong(project)["runs"] == "has not run yet"
    run(project, "sim:main")
    found = health(project, "")
    assert (found["ok"], found["next"], wrong(project)) == (True, None, {})


def test_a_book_that_is_behind_says_by_how_much(summer: Path) -> None:
    told = wrong(Project.open(summer))["runs"]
    assert (
        told == "last 2012-08-31, 182 days before the last bar"
    )  # of 2013-03-01: 30+31+30+31+31+28+1


def test_a_halt_a_frozen_symbol_and_quarantine_are_alarms(summer: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(summer, folder)
    project = Project.open(folder)
    halt(project, "sim:main", "rain")
    store = open_hot_store(project.settings, project.root, "sim:main")
    frozen = {
        "status": "FROZEN",
        "symbol": "GOOG",
        "reason": "3 shares too many",
        "ds": "2012-08-31",
    }
    store.put_if_absent("system_checks", "GOOG", frozen)
    at = dt.datetime(2012, 9, 1, tzinfo=dt.UTC)
    bad = Refused("fact_trades", "fees", "a lot", "no number", "1", {"fees": "a <b>lot</b>"})
    ward.put(store, [bad], RunStamp("test", "sim:main", at.date(), at))
    found = {row["check"]: row["found"] for row in today(project, "")["alarms"]}
    assert found["halt"] == "halted: no new entries until `goldenthread resume`"
    assert found["symbols"] == "frozen: GOOG, 3 shares too many"
    assert found["quarantine"] == "1 refused rows wait: `goldenthread quarantine ls`"
    (row,) = data_rows(project, "")["quarantine"]
    assert (row["model"], row["field"], row["value"]) == ("fact_trades", "fees", "'a lot'")
    resume(project, "sim:main")
    assert "halt" not in wrong(project)


def test_today_is_the_last_day_that_ran(summer: Path) -> None:
    shown = today(Project.open(summer), "")
    assert (shown["ds"], shown["run"]["run_id"]) == (SUMMER[1], "sim:main/2012-08-31")
    assert {str(row["signal_ds"]) for row in shown["decided"]} == {"2012-08-31"}
    assert [row["exit_ds"] for row in shown["closed"]] == [SUMMER[1]]
    assert [row["outcome"] for row in shown["waiting"]] == ["waiting"]
