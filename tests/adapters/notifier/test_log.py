"""Notices reach the file, or nobody is disturbed."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING

from goldenthread.adapters.notifier.log import LogNotifier
from goldenthread.app.clock import SystemClock

if TYPE_CHECKING:
    from pathlib import Path

    from goldenthread.ports.notifier import Notifier


def test_each_notice_is_one_line_of_json(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "notices.jsonl"
    notifier: Notifier = LogNotifier(path, SystemClock())
    notifier.notify("info", "run done", "2 signals\n1 trade")
    notifier.notify("error", "symbol frozen", "BTC/USD: Größe \ud800")
    first, second = (json.loads(line) for line in path.read_text().splitlines())
    assert (first["level"], first["title"]) == ("info", "run done")
    assert first["text"] == "2 signals\n1 trade"
    assert first["at"].endswith("+00:00")
    assert second["text"] == "BTC/USD: Größe \ud800"


def test_a_line_says_when_how_serious_and_what_and_then_what_it_is_about(tmp_path: Path) -> None:
    path = tmp_path / "notices.jsonl"
    notifier = LogNotifier(path, SystemClock())
    about = {"ds": dt.date(2026, 1, 2), "quantity": Decimal("0.5")}
    notifier.log("info", "order_working", about)
    notifier.notify("warning", "sim:main", "frozen", {"symbol": "AAPL"})
    line, notice = (json.loads(text) for text in path.read_text().splitlines())
    assert list(line) == ["at", "level", "event", "ds", "quantity"]
    assert (line["event"], line["ds"], line["quantity"]) == ("order_working", "2026-01-02", "0.5")
    assert list(notice) == ["at", "level", "event", "symbol", "title", "text"]
    assert (notice["event"], notice["symbol"]) == ("notice", "AAPL")


def test_lines_less_serious_than_the_least_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "notices.jsonl"
    notifier = LogNotifier(path, SystemClock(), least="warning")
    notifier.log("info", "run_started", {})
    notifier.notify("info", "t", "x")
    assert not path.exists()
    notifier.log("warning", "order_refused", {})
    notifier.log("error", "run_failed", {})
    assert [json.loads(line)["level"] for line in path.read_text().splitlines()] == [
        "warning",
        "error",
    ]


def test_a_notice_that_cannot_be_written_disturbs_nobody(tmp_path: Path) -> None:
    in_the_way = tmp_path / "logs"
    in_the_way.write_text("a file")
    LogNotifier(in_the_way / "notices.jsonl", SystemClock()).notify("error", "t", "x")
    LogNotifier(tmp_path, SystemClock()).notify("error", "t", "x")
    assert in_the_way.read_text() == "a file"
