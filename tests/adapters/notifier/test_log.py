"""Notices reach the file, or nobody is disturbed."""

from __future__ import annotations

import json
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


def test_a_notice_that_cannot_be_written_disturbs_nobody(tmp_path: Path) -> None:
    in_the_way = tmp_path / "logs"
    in_the_way.write_text("a file")
    LogNotifier(in_the_way / "notices.jsonl", SystemClock()).notify("error", "t", "x")
    LogNotifier(tmp_path, SystemClock()).notify("error", "t", "x")
    assert in_the_way.read_text() == "a file"
