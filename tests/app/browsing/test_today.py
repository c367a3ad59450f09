"""The morning page: what ran, what moved since the run before, what waits, and what is wrong."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from app.command import SUMMER, command
from goldenthread.app.api.browsing.health import health
from goldenthread.app.api.browsing.today import today
from goldenthread.app.api.days import run, status
from goldenthread.app.api.project import Project, init_project
from goldenthread.app.api.records import facts, signals
from goldenthread.app.api.safety import flatten, freeze, halt, pause
from goldenthread.app.engines.wiring import open_hot_store

if TYPE_CHECKING:
    from pathlib import Path


pytestmark = pytest.mark.xdist_group("summer")

_EQUITY = (
    "SELECT ds, equity FROM snapshot_accounts WHERE book = @book AND ds BETWEEN @first AND @last"
)
_FILLS = """
SELECT position_id, ds, order_key FROM fact_fills
WHERE book = @book AND ds BETWEEN @first AND @last
"""


@pytest.fixture
def begun(summer: Path, tmp_path: Path) -> Project:
    """A copy of the project whose book ran a summer."""
    return Project.open(shutil.copytree(summer, tmp_path / "project"))


def store_of(project: Project) -> Any:  # noqa: ANN401  # documents and leases in one
    return open_hot_store(project.settings, project.root, "sim:main")


def wrong(project: Project) -> dict[str, str]:
    return {row["check"]: row["found"] for row in today(project, "")["alarms"]}


def test_what_moved_is_what_the_warehouse_has_since_the_run_before(begun: Project) -> None:
    run(begun, "sim:main", dt.date(2012, 9, 7))  # a week late, and then two dates in time
    run(begun, "sim:main", dt.date(2012, 9, 8))
    run(begun, "sim:main", dt.date(2012, 9, 10))
    shown = today(begun, "")
    since = dt.date(2012, 9, 9), dt.date(2012, 9, 10)
    assert (shown["ds"], shown["before"]) == (since[1], dt.date(2012, 9, 8))
    assert shown["missed"] == [dt.date(2012, 9, 9)]
    equity = {row["ds"]: row["equity"] for row in facts(begun, "", _EQUITY).to_dicts()}
    moved = equity[since[1]] - equity[dt.date(2012, 9, 8)]
    assert (shown["account"]["equity"], shown["account"]["day_pnl"]) == (equity[since[1]], moved)
    fills = facts(begun, "", _FILLS, since).to_dicts()
    entered = {f["position_id"] for f in fills if "-entry" in f["order_key"]}
    assert {row["signal_id"] for row in shown["opened"]} == entered != set()
    assert {row["trade_id"] for row in shown["closed"]} <= {f["position_id"] for f in fills}
    sessions = (dt.date(2013, 3, 1) - since[1]).days  # crypto has one each day
    assert shown["behind"] == sessions


def test_what_waits_is_every_order_every_due_exit_and_every_request(begun: Project) -> None:
    for act in (halt, flatten):
        act(begun, "sim:main", "sim:main" if act is flatten else "rain")
    pause(begun, "sim:main", "golden_cross", "earnings")
    freeze(begun, "sim:main", "AAPL", "rumours")
    run(begun, "sim:main", dt.date(2012, 9, 1))  # every exit becomes due; equities wait for Tuesday
    shown, store = today(begun, ""), store_of(begun)
    asked = {(row["action"], row["subject"], row["reason"]) for row in shown["requests"]}
    assert asked == {
        ("FLATTEN", "", "operator"),
        ("PAUSE", "golden_cross", "earnings"),
        ("FREEZE", "AAPL", "rumours"),
    }
    live = [
        document.body
        for state in ("PENDING", "UNKNOWN", "WORKING")
        for document in store.query("order_intents", equal={"status": state})
    ]
    assert sorted((o["symbol"], o["status"]) for o in shown["orders"]) == sorted(
        (body["request"]["symbol"], body["status"]) for body in live
    )
    held = store.query("live_positions", equal={"status": "CLOSING"})
    assert (
        {(row["signal_id"], row["reason"]) for row in shown["exits"]}
        == {(document.id, "EXTERNAL") for document in held}
        != set()
    )


def test_a_position_whose_exit_is_due_is_held_and_missed_bars_of_it_are_an_alarm(
    begun: Project,
) -> None:
    flatten(begun, "sim:main", "sim:main")
    run(begun, "sim:main", dt.date(2012, 9, 1))  # equities wait for Tuesday
    closing = store_of(begun).query("live_positions", equal={"status": "CLOSING"})
    account = today(begun, "")["account"]
    assert status(begun)["open_positions"] == account["open_positions"] >= len(closing) > 0
    missed = {**closing[0].body, "stale_sessions": 5}  # [gates] stale_sessions = 5
    store_of(begun).compare_and_set(closing[0], missed)
    assert wrong(begun)["stale"].endswith(f": {missed['symbol']}")


def test_open_outcomes_are_those_the_list_of_signals_calls_open(begun: Project) -> None:
    everything = signals(begun, "", (dt.date(2012, 1, 1), SUMMER[1]))
    still = [row for row in everything if row["outcome_status"] == "OPEN"]
    assert today(begun, "")["open_shadows"] == len(still) > 0


def test_a_run_that_was_begun_and_not_finished_is_an_alarm_until_it_is_at_work_or_done(
    begun: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "unfinished" not in wrong(begun)
    monkeypatch.setattr("goldenthread.app.day.archive", _full_disk)
    with pytest.raises(OSError, match="No space"):
        run(begun, "sim:main", dt.date(2012, 9, 1))
    monkeypatch.undo()
    said = "2012-09-01 was begun and is not done: `goldenthread run` completes it"
    assert wrong(begun)["unfinished"] == said
    store = store_of(begun)
    lease = store.acquire("run", "desk:7", 60)
    assert "unfinished" not in wrong(begun)
    assert today(begun, "")["lease"] == {"owner": "desk:7", "until": lease.expires_at}
    ends = f"{lease.expires_at:%H:%M:%S} UTC"
    told = command("status", "--project", str(begun.root)).out
    assert f"desk:7, its lease until {ends}" in told
    store.release(lease)
    run(begun, "sim:main", dt.date(2012, 9, 1))
    assert "unfinished" not in wrong(begun)
    assert today(begun, "")["lease"] is None


def _full_disk(*_given: object) -> None:
    raise OSError(28, "No space left on device")


def test_what_is_held_without_a_bar_for_sessions_is_an_alarm(begun: Project) -> None:
    store = store_of(begun)
    held = store.query("live_positions", equal={"status": "OPEN"})[0]
    for sessions in (4, 5):  # [gates] stale_sessions = 5
        assert "stale" not in wrong(begun)
        held = store.compare_and_set(held, {**held.body, "stale_sessions": sessions})
    assert wrong(begun)["stale"] == (f"held, and without a bar for sessions: {held.body['symbol']}")


def test_old_bars_are_an_alarm_for_a_real_account_only(fresh: Path) -> None:
    assert status(Project.open(fresh))["bars_lack"] is None
    real = Project.open(fresh, {"broker.engine": "alpaca"})
    checks = {row["check"]: row for row in health(real, "paper:PA1")["checks"]}
    complete = (dt.datetime.now(dt.UTC) - dt.timedelta(days=1, minutes=5)).date()
    lacking = (complete - dt.date(2013, 3, 1)).days  # crypto has a session each day
    assert checks["bars"] == {
        "check": "bars",
        "ok": False,
        "found": f"up to 2013-03-01, {lacking} sessions ago: `goldenthread data pull`",
    }


def test_the_command_shows_the_page_and_its_json_has_all_of_it(begun: Project) -> None:
    run(begun, "sim:main", dt.date(2012, 9, 7))
    here = ("--project", str(begun.root))
    answer = command("status", *here)
    assert (answer.code, answer.err) == (0, "")
    shown = today(begun, "")
    equity, moved = shown["account"]["equity"], shown["account"]["day_pnl"]
    for words in (
        "2012-09-07, done at ",
        "; 6 dates before it caught up late",  # 1 to 6 September
        "175 sessions not run, the last bar is of 2013-03-01",
        f"{equity:,.2f}, {moved:+,.2f} since 2012-08-31; drawdown ",
        f", {len(shown['orders'])} orders, ",
        f", {shown['open_shadows']} outcomes to be priced",
        *(str(row["signal_id"])[:17] for row in shown["waiting"]),
        *(f"{row['net_pnl']:,.2f}" for row in shown["closed"]),
    ):
        assert words in answer.out
    document = command("status", "--json", *here).document
    assert {"last_run", "halted", "frozen", "open_positions", "ds", "alarms"} <= document.keys()
    assert {k: document[k] for k in ("before", "behind", "open_shadows")} == {
        "before": "2012-08-31",
        "behind": 175,
        "open_shadows": shown["open_shadows"],
    }
    assert Decimal(document["account"]["day_pnl"]) == moved
    assert json.dumps(document)


def test_before_the_first_run_it_says_what_to_do(fresh: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    init_project(empty)
    told = command("status", "--project", str(empty))
    assert (told.code, told.err) == (0, "")
    assert "none yet" in told.out
    assert "bring bars first: `goldenthread data import FILE.csv|.parquet`" in told.out
    told = command("status", "--project", str(fresh))
    assert "`goldenthread run` one date" in told.out
    assert "has not run yet" in told.out


def test_where_the_warehouse_cannot_be_read_it_tells_what_the_live_state_says(
    begun: Project,
) -> None:
    halt(begun, "sim:main", "rain")
    (begun.root / begun.settings.warehouse.read_path).write_text("damaged")
    answer = command("status", "--project", str(begun.root))
    assert answer.code == 3
    assert value_of(answer.out, "halted") == "True"
    assert "wh.read.duckdb" in answer.err


def value_of(table: str, name: str) -> str:
    (line,) = (line for line in table.splitlines() if line.startswith(f"│ {name} "))
    return line.split("│")[2].strip()
