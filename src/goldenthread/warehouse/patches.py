"""What may still change on a fact: prices of untraded signals, fees of trades; old images kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldenthread.domain.trade import OutcomeStatus
from goldenthread.warehouse.loading import LoopResult, RunStamp, load
from goldenthread.warehouse.loops import load_expired, load_rejected
from goldenthread.warehouse.rows.orders import fill_row
from goldenthread.warehouse.rows.signals import trade_row
from goldenthread.warehouse.views import statement

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from goldenthread.domain.order import Fill
    from goldenthread.domain.position import Position
    from goldenthread.domain.signal import Signal
    from goldenthread.domain.trade import Outcome, Trade
    from goldenthread.ports.warehouse import Warehouse

Priced = tuple["Signal", "Outcome"]
_Patch = tuple["dt.date", "dt.date", str]
"""Partition date, new revision and id of a row about to change."""


def patch_prices(
    warehouse: Warehouse, rejected: Sequence[Priced], expired: Sequence[Priced], stamp: RunStamp
) -> tuple[LoopResult, LoopResult]:
    """The signals re-priced, where the outcome's revision is higher than the stored one.

    The old image of each that is no longer OPEN goes to ``audit_log`` first.
    """
    _keep_images(warehouse, "audit_rejected", _patches(rejected), stamp)
    first = load_rejected(warehouse, rejected, stamp)
    _keep_images(warehouse, "audit_expired", _patches(expired), stamp)
    return first, load_expired(warehouse, expired, stamp)


def patch_fees(
    warehouse: Warehouse, trades: Sequence[tuple[Trade, Signal]], stamp: RunStamp
) -> LoopResult:
    """The trades with the fees known on ``stamp.ds``; the old images go to ``audit_log`` first."""
    patches = [(trade.ds, stamp.ds, trade.trade_id) for trade, _ in trades]
    _keep_images(warehouse, "audit_trades", patches, stamp)
    rows = [trade_row(trade, signal, stamp.ds) for trade, signal in trades]
    return load(warehouse, "fact_trades", rows, stamp)


def patch_fill_fees(
    warehouse: Warehouse, fills: Sequence[tuple[Fill, Position]], stamp: RunStamp
) -> LoopResult:
    """The executions with the fees known on ``stamp.ds``, each with the position it served."""
    rows = [{**fill_row(fill, position), "revision": stamp.ds} for fill, position in fills]
    return load(warehouse, "fact_fills", rows, stamp)


def _patches(priced: Iterable[Priced]) -> list[_Patch]:
    return [
        (signal.ended_ds or signal.ds, outcome.revision, signal.signal_id)
        for signal, outcome in priced
        if outcome.status is not OutcomeStatus.OPEN
    ]


def _keep_images(
    warehouse: Warehouse, name: str, patches: Sequence[_Patch], stamp: RunStamp
) -> None:
    if not patches:
        return
    warehouse.execute(
        statement(name),
        {
            "book": stamp.book,
            "ds": stamp.ds,
            "run_id": stamp.run_id,
            "loaded_at": stamp.loaded_at,
            "from": min(ds for ds, _, _ in patches),
            "to": max(ds for ds, _, _ in patches),
            "patches": [f"{revision.isoformat()}|{name}" for _, revision, name in patches],
        },
    )
