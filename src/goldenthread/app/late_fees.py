"""Fees a broker posts after the fact, brought to the trades they belong to."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from goldenthread.app.book import book_with_fees
from goldenthread.domain.position import Position, PositionStatus
from goldenthread.domain.signal import Signal
from goldenthread.ports.hot_store import Replace
from goldenthread.trades.booking import book
from goldenthread.warehouse.patches import patch_fees, patch_fill_fees

if TYPE_CHECKING:
    from collections.abc import Sequence

    from goldenthread.app.book import BookState, FrozenRun
    from goldenthread.app.desk import Desk
    from goldenthread.ports.hot_store import Document
    from goldenthread.positions.blotter import Blotter

_Late = tuple["Document", Position, Position]
"""A closed position's document, the position as it was, and with the fees posted since."""

_FEE_DAYS = dt.timedelta(days=6)
"""How long after its exit a trade is looked at for fees posted late."""


def settle_fees(desk: Desk, blotter: Blotter, state: BookState, run: FrozenRun) -> BookState:
    """The state after the fees posted since the last archive reached the trades they belong to.

    A broker posts fees hours after its executions. A trade is patched on the run after the one
    that archived it, and is final then; one whose fees change within days after is patched
    again. Coin fees are not asked for: they were adopted with the holdings. The simulated
    exchange charges at once, and its trades are final when they are booked.
    """
    if desk.book.startswith("sim:"):
        return state
    store, archived = desk.engines.hot_store, state.archived_ds
    late = [] if archived is None else _charged(desk, archived)
    if archived is None or not late:
        return state
    # the archive first: what the hot store says already, the next attempt would not find again
    _patch(desk, late, run)
    more = sum((after.fees - before.fees for _, before, after in late), Decimal(0))
    writes = [
        Replace(d, after.model_dump(mode="json"), delete_at=d.delete_at)
        for d, before, after in late
        if after != before
    ]
    if writes:
        blotter.write([*writes, book_with_fees(store, more)])
    return state.model_copy(update={"closed_fees": state.closed_fees + more})


def _patch(desk: Desk, late: Sequence[_Late], run: FrozenRun) -> None:
    """Bring the fees to the archived trades and executions; again, it changes nothing."""
    trades = []
    for document, _, after in late:
        origin = desk.engines.hot_store.get("live_signals", document.id)
        if origin is not None:
            signal = origin.record(Signal)
            trades.append((book(after, signal).model_copy(update={"is_final": True}), signal))
    warehouse, stamp = desk.engines.warehouse, desk.stamp(run)
    patch_fees(warehouse, trades, stamp)
    known = {fill for _, before, _ in late for fill in before.fills}
    changed = [(f, after) for _, _, after in late for f in after.fills if f not in known]
    patch_fill_fees(warehouse, changed, stamp)
    warehouse.publish()


def _charged(desk: Desk, archived: dt.date) -> list[_Late]:
    """The closed positions whose fees are to be patched."""
    closed = desk.engines.hot_store.query("live_positions", equal={"status": PositionStatus.CLOSED})
    recent = [
        (document, position)
        for document in closed
        if (position := document.record(Position)).exit_ds is not None
        and archived - _FEE_DAYS < position.exit_ds <= archived
    ]
    if not recent:
        return []
    first = min(fill.ds for _, position in recent for fill in position.fills)
    fees = {f.execution_id: f.fee for f in desk.engines.broker.fills(first)}
    found = [
        (
            document,
            position,
            position.model_copy(
                update={
                    "fills": tuple(
                        f.model_copy(update={"fee": fees.get(f.execution_id, f.fee)})
                        for f in position.fills
                    )
                }
            ),
        )
        for document, position in recent
    ]
    return [row for row in found if row[1] != row[2] or row[1].exit_ds == archived]
