from __future__ import annotations

import datetime as dt
import json
from typing import Any

import polars as pl

from goldenthread.reports.explain.lineage import rows, version

DAY = dt.date(2024, 1, 2)
AT = dt.datetime(2024, 1, 3, 0, 5, tzinfo=dt.UTC)
SIGNAL: dict[str, Any] = {
    "strategy_id": "breakout",
    "signal_id": "20240102-ab",
    "ds": DAY,
    "version_key": "b" * 64,
    "policy_key": "p" * 64,
    "engine_digest": "e1",
    "bars_digest": "b1",
}


def row(key: str, at: dt.datetime, config: dict[str, Any]) -> dict[str, Any]:
    return {
        "version_key": key * 64,
        "valid_from": at,
        "valid_to": None,
        "git_hash": "",
        "config": json.dumps(config),
    }


BEFORE = row("a", AT - dt.timedelta(days=9), {"entry": {"valid_bars": 5}, "reject_unless": []})
NOW = row("b", AT, {"entry": {"valid_bars": 3}, "reject_unless": [["CALM", "rsi < 70"]]})


def test_a_version_shows_what_it_changed_against_the_one_before() -> None:
    lines = dict(version(SIGNAL, NOW, BEFORE).lines)
    assert lines["strategy"] == f"breakout {'b' * 12}"
    assert lines["before it"] == f"{'a' * 12}, valid from 2023-12-25 00:05:00 UTC"
    assert lines["  entry.valid_bars"] == "5 -> 3"
    assert lines["  reject_unless.CALM"] == "not set -> rsi < 70"


def test_the_rows_of_a_signal_are_named_by_table_date_and_key() -> None:
    days = pl.DataFrame({"ds": [DAY, dt.date(2024, 1, 9)]})
    found = rows(
        {**SIGNAL, "rejection_reason": "CALM"},
        NOW,
        {"fact_orders": ("signal_id", days), "fact_fills": ("position_id", pl.DataFrame())},
    )
    assert found.lines == (
        ("fact_rejected_signals", "1 row, ds = 2024-01-02, signal_id = 20240102-ab"),
        ("fact_orders", "2 rows, ds 2024-01-02 to 2024-01-09, signal_id = 20240102-ab"),
        (
            "dim_strategies",
            "1 row, strategy_id = breakout, valid_from = 2024-01-03 00:05:00 UTC",
        ),
    )


def test_a_signal_that_lives_has_no_fact_yet() -> None:
    assert rows({**SIGNAL, "rejection_reason": None}, None, {}).lines == ()
    trade = {**SIGNAL, "trade_id": SIGNAL["signal_id"], "rejection_reason": None}
    assert rows(trade, None, {}).lines[0][0] == "fact_trades"
    ended = {**SIGNAL, "end_reason": "CANCEL_IF", "rejection_reason": None}
    assert rows(ended, None, {}).lines[0][0] == "fact_signals_expired"
