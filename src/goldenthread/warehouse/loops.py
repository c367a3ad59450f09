"""The loops of the archive: domain records of any number of days into their tables.

S strategies, policies, assets · A trades · B refused signals · C expired signals · D account and
positions · M bars and actions · O orders and fills. Each may be repeated: what is there stays.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

import polars as pl

from goldenthread.warehouse.loading import LoopResult, RunStamp, load
from goldenthread.warehouse.rows.dimensions import date_row, strategy_row, version_row
from goldenthread.warehouse.rows.market import action_row, bar_rows
from goldenthread.warehouse.rows.orders import (
    Mark,
    account_row,
    fill_row,
    order_row,
    position_row,
)
from goldenthread.warehouse.rows.signals import expired_row, rejected_row, trade_row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from goldenthread.domain.account import AccountSnapshot
    from goldenthread.domain.asset import CorporateAction
    from goldenthread.domain.order import Fill, OrderIntent
    from goldenthread.domain.position import Position
    from goldenthread.domain.signal import Signal
    from goldenthread.domain.strategy import Version
    from goldenthread.domain.trade import Outcome, Trade
    from goldenthread.ports.warehouse import Warehouse
    from goldenthread.warehouse.rows.columns import Raw

__all__ = ["LoopResult", "Mark", "RunStamp"]

_BARS_AT_ONCE = 500_000


def load_dimensions(
    warehouse: Warehouse,
    versions: tuple[Sequence[Version], Sequence[Version], Sequence[Version]],
    code: Mapping[str, str],
    stamp: RunStamp,
) -> tuple[LoopResult, ...]:
    """Loop S: the versions of strategies, policies and assets; closing one updates its row.

    Give all versions, or at least those opened or closed since the last load, and the text of
    each file of Python factors by its sha256.
    """
    strategies, policies, assets = versions
    tables: dict[str, list[Raw]] = {
        "dim_strategies": [strategy_row(v, stamp.book, code) for v in strategies],
        "dim_policies": [version_row(v, stamp.book, "policy_id") for v in policies],
        "dim_assets": [version_row(v, stamp.book, "symbol") for v in assets],
    }
    return tuple(load(warehouse, table, rows, stamp) for table, rows in tables.items())


def load_dates(warehouse: Warehouse, start: dt.date, end: dt.date, stamp: RunStamp) -> LoopResult:
    """The whole calendar years that ``start`` to ``end`` touch, in ``dim_dates``."""
    first = dt.date(start.year, 1, 1)
    days = (dt.date(end.year, 12, 31) - first).days + 1
    rows = [date_row(first + dt.timedelta(days=n)) for n in range(days)]
    return load(warehouse, "dim_dates", rows, stamp)


def load_trades(
    warehouse: Warehouse, trades: Sequence[tuple[Trade, Signal]], stamp: RunStamp
) -> LoopResult:
    """Loop A: closed trades with the signals they came from."""
    rows = [trade_row(trade, signal) for trade, signal in trades]
    return load(warehouse, "fact_trades", rows, stamp)


def load_rejected(
    warehouse: Warehouse, refused: Sequence[tuple[Signal, Outcome]], stamp: RunStamp
) -> LoopResult:
    """Loop B: refused signals with what they would have made; a later revision updates."""
    rows = [rejected_row(signal, outcome) for signal, outcome in refused]
    return load(warehouse, "fact_rejected_signals", rows, stamp)


def load_expired(
    warehouse: Warehouse, expired: Sequence[tuple[Signal, Outcome]], stamp: RunStamp
) -> LoopResult:
    """Loop C: expired and invalidated signals; only their ``theoretical_*`` columns move."""
    rows = [expired_row(signal, outcome) for signal, outcome in expired]
    return load(warehouse, "fact_signals_expired", rows, stamp)


def load_snapshots(
    warehouse: Warehouse,
    accounts: Sequence[AccountSnapshot],
    marks: Sequence[Mark],
    stamp: RunStamp,
) -> tuple[LoopResult, ...]:
    """Loop D: the account after each day, and every position open then."""
    return (
        load(warehouse, "snapshot_accounts", [account_row(a) for a in accounts], stamp),
        load(warehouse, "snapshot_positions", [position_row(m) for m in marks], stamp),
    )


def load_bars(
    warehouse: Warehouse,
    bars: pl.DataFrame,
    actions: Sequence[CorporateAction],
    stamp: RunStamp,
) -> tuple[LoopResult, ...]:
    """Loop M: bar revisions (BAR_SCHEMA, judged) and corporate actions.

    A SUSPECT bar is updated when it comes again with its verdict, so let each load reach back to
    the last bars of the load before. Long histories are loaded some symbols at a time.
    """
    part = pl.col("part").first().over("symbol") // _BARS_AT_ONCE
    placed = bars.sort("symbol", maintain_order=True).with_row_index("part").with_columns(part)
    parts = placed.partition_by("part", include_key=False, maintain_order=True)
    return (
        *(load(warehouse, "fact_bars", bar_rows(some), stamp) for some in parts),
        load(warehouse, "fact_corporate_actions", [action_row(a) for a in actions], stamp),
    )


def load_orders(
    warehouse: Warehouse,
    orders: Sequence[tuple[OrderIntent, Position]],
    fills: Sequence[tuple[Fill, Position]],
    stamp: RunStamp,
) -> tuple[LoopResult, ...]:
    """Loop O: orders as they now stand, and executions, each with the position it served."""
    asked = [order_row(intent, position, stamp.ds) for intent, position in orders]
    executed = [fill_row(fill, position) for fill, position in fills]
    return (
        load(warehouse, "fact_orders", asked, stamp),
        load(warehouse, "fact_fills", executed, stamp),
    )


def load_run(
    warehouse: Warehouse, job: Mapping[str, object], results: Sequence[LoopResult], stamp: RunStamp
) -> LoopResult:
    """The ``job_runs`` row of this run, with the sums of what its loops did.

    ``job`` holds ``job status started_at finished_at duration_s git_hash engine_digest detail``;
    ``detail`` is any JSON object. The first row of a run stands.
    """
    row: Raw = {
        **job,
        "book": stamp.book,
        "ds": stamp.ds,
        "detail": _json(job.get("detail") or {}),
        "offered": sum(r.offered for r in results),
        "inserted": sum(r.inserted for r in results),
        "updated": sum(r.updated for r in results),
        "unchanged": sum(r.unchanged for r in results),
        "refused": sum(len(r.refused) for r in results),
    }
    return load(warehouse, "job_runs", [row], stamp)


def audit(
    warehouse: Warehouse, acts: Sequence[Mapping[str, object]], stamp: RunStamp
) -> LoopResult:
    """Acts of operators or of the configuration, into ``audit_log``.

    Each holds ``id acted_at actor action subject detail``; ``detail`` is any JSON object.
    """
    rows: list[Raw] = [
        {**act, "book": stamp.book, "ds": stamp.ds, "detail": _json(act.get("detail") or {})}
        for act in acts
    ]
    return load(warehouse, "audit_log", rows, stamp)


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
