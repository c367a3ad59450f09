"""Which version decided and what it changed, and where the rows of a signal stand, as sections."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl

from goldenthread.domain.ids import changed_settings
from goldenthread.reports.explain.passages import Line, Section
from goldenthread.reports.notation import exact

if TYPE_CHECKING:
    from collections.abc import Mapping


def version(
    signal: Mapping[str, Any],
    row: Mapping[str, Any] | None,
    previous: Mapping[str, Any] | None,
) -> Section:
    """Which version of strategy, policy, code and data decided, and what the strategy's changed.

    ``row`` and ``previous`` are rows of ``dim_strategies``: the one in force and the one before
    (None: it was the first).
    """
    lines = [("strategy", f"{signal['strategy_id']} {signal['version_key'][:12]}")]
    if row is not None:
        until = "now" if row["valid_to"] is None else exact(row["valid_to"])
        lines.append(("valid", f"{exact(row['valid_from'])} until {until}"))
        if row["git_hash"]:
            lines.append(("git", row["git_hash"]))
        lines += _changes(row, previous)
    lines += [
        ("policy", signal["policy_key"][:12]),
        ("code", signal["engine_digest"]),
        ("bars", signal["bars_digest"]),
    ]
    return Section("Versions", tuple(lines))


def rows(
    signal: Mapping[str, Any],
    version: Mapping[str, Any] | None,
    beside: Mapping[str, tuple[str, pl.DataFrame]],
) -> Section:
    """Where in the warehouse each figure stands: table, how many rows, and their condition.

    ``beside`` maps a table to its column that names the signal and the rows found there. A signal
    that still lives has no fact yet.
    """
    name = signal.get("signal_id") or signal["trade_id"]
    lines: list[Line] = []
    fact = _fact(signal)
    if fact:
        table, key = fact
        lines.append((table, f"1 row, ds = {signal['ds']}, {key} = {name}"))
    for table, (key, found) in beside.items():
        if not found.is_empty():
            days = found.select(first=pl.col("ds").min(), last=pl.col("ds").max()).row(0)
            span = f"ds = {days[0]}" if days[0] == days[1] else f"ds {days[0]} to {days[1]}"
            count = f"{found.height} row{'s' if found.height > 1 else ''}"
            lines.append((table, f"{count}, {span}, {key} = {name}"))
    if version is not None:
        valid = (
            f"strategy_id = {signal['strategy_id']}, valid_from = {exact(version['valid_from'])}"
        )
        lines.append(("dim_strategies", f"1 row, {valid}"))
    return Section("Rows in the warehouse", tuple(lines))


def _fact(signal: Mapping[str, Any]) -> tuple[str, str] | None:
    if "trade_id" in signal:
        return "fact_trades", "trade_id"
    if signal.get("end_reason"):
        return "fact_signals_expired", "signal_id"
    return ("fact_rejected_signals", "signal_id") if signal.get("rejection_reason") else None


def _changes(row: Mapping[str, Any], previous: Mapping[str, Any] | None) -> list[Line]:
    if previous is None:
        return [("before it", "none: it is the first version of this strategy in this book")]
    changed = changed_settings(json.loads(previous["config"]), json.loads(row["config"]))
    since = f"{previous['version_key'][:12]}, valid from {exact(previous['valid_from'])}"
    lines = [("before it", since)]
    lines += [
        (f"  {name}", f"{_setting(before)} -> {_setting(after)}")
        for name, (before, after) in changed.items()
    ]
    return lines


def _setting(value: object) -> str:
    if value is None:
        return "not set"
    return value if isinstance(value, str) else json.dumps(value)
