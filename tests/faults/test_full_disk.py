"""A full disk: nothing in half, no entry without its record, and no repair when there is room."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from faults.busy_day import ENGINE_FAILED, NEXT, RUN, Calm, copies, counted, told, until_done
from faults.project import BUSY_DAY, Unlike, compare, copy, seen

if TYPE_CHECKING:
    from pathlib import Path

    from faults.chaos import Tally
    from faults.launcher import Launcher

pytestmark = [pytest.mark.slow, pytest.mark.fault("F14")]

SIZES = (*range(4_096, 1_404_096, 50_000), 3_000_000)
"""What no file may grow beyond: each part of what a day writes first, and all but the archive."""


def at_rest(eve: Path, folder: Path) -> Path:
    """A copy whose journals are empty, so that a day fills them from their first byte."""
    copied = copy(eve, folder)
    for file in (copied / "state").glob("*.sqlite"):
        connection = sqlite3.connect(file)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
    return copied


def rows(folder: Path, file: str, sql: str) -> list[Any]:
    connection = sqlite3.connect(folder / "state" / file)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return [row[0] for row in connection.execute(sql)]
    finally:
        connection.close()


def in_half(folder: Path) -> list[str]:
    """Entries that were sent without a record of ours, and signals that wait without an order."""
    bodies = "SELECT body FROM document WHERE collection = '{}'"
    intents = [json.loads(b) for b in rows(folder, "hot.sqlite", bodies.format("order_intents"))]
    signals = [json.loads(b) for b in rows(folder, "hot.sqlite", bodies.format("live_signals"))]
    tickets = rows(folder, "exchange-main.sqlite", "SELECT body FROM tickets")
    sent = {json.loads(body)["report"]["client_order_id"] for body in tickets}
    recorded = {intent["order_key"] for intent in intents}
    planned = {intent["signal_id"] for intent in intents}
    today = f"{BUSY_DAY:%Y%m%d}-"
    return sorted(
        {key for key in sent - recorded if key.startswith(today) and "-entry" in key}
        | {s["signal_id"] for s in signals if s["status"] == "WAITING"} - planned
    )


def test_a_disk_full_at_any_moment_leaves_nothing_in_half_and_needs_no_repair(
    gt: Launcher, eve: Path, calm: Calm, tmp_path: Path, tally: Tally
) -> None:
    rested, found = at_rest(eve, tmp_path / "rested"), dict[str, Unlike]()
    for size, folder in zip(SIZES, copies(rested, tmp_path), strict=False):
        full = gt.run(folder, *RUN, largest_file=size)
        assert full.code == ENGINE_FAILED, (size, full)
        assert "Traceback" not in full.err
        halves = in_half(folder)
        until_done(gt, folder)
        unlike = calm.unlike(folder)
        found[f"full at {size}"] = Unlike(unlike.lost, unlike.duplicated, [*unlike.differ, *halves])
    assert told(found)
    tally("a disk full at some moment of a day, then room again", len(found), counted(found))


def test_orders_and_exits_go_out_while_the_archive_has_no_room(
    gt: Launcher, eve: Path, tmp_path: Path, tally: Tally
) -> None:
    full, sound = copy(eve, tmp_path / "full"), copy(eve, tmp_path / "sound")
    room = 3_000_000  # for the hot store and the exchange, not for the warehouse
    for argv in (RUN, NEXT):
        failed = gt.run(full, *argv, largest_file=room)
        assert failed.code == ENGINE_FAILED, failed
        until_done(gt, sound, *argv)
        sent = "SELECT body FROM fills ORDER BY number"
        assert rows(full, "exchange-main.sqlite", sent) == rows(sound, "exchange-main.sqlite", sent)
    until_done(gt, full, *NEXT)
    found = {"the archive without room": compare(seen(full), seen(sound))}
    assert told(found)
    tally("an archive without room for two days, exits sent", 2, counted(found))


def test_flatten_closes_everything_while_the_archive_has_no_room(
    gt: Launcher, eve: Path, tmp_path: Path, tally: Tally
) -> None:
    folder = copy(eve, tmp_path / "project")
    assert gt.run(folder, "flatten", "--confirm", "sim:main").code == 0
    assert rows(folder, "exchange-main.sqlite", "SELECT symbol FROM stakes")
    for argv in (RUN, NEXT):
        assert gt.run(folder, *argv, largest_file=3_000_000).code == ENGINE_FAILED
    assert rows(folder, "exchange-main.sqlite", "SELECT symbol FROM stakes") == []
    until_done(gt, folder, *NEXT)
    checked = gt.run(folder, "check", "thread", "--json")
    assert checked.result["ok"] is True, checked
    tally("flatten asked for while the archive has no room", 1)
