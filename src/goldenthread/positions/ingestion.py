"""What the world did to our records: splits, executions, and the states that follow from them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from goldenthread.domain.asset import ExitMode
from goldenthread.domain.ids import split_order_key
from goldenthread.domain.order import IntentStatus, OrderIntent, OrderStatus
from goldenthread.domain.position import ExitReason, Position, PositionStatus
from goldenthread.domain.signal import SignalStatus
from goldenthread.rules.calendar import count_sessions
from goldenthread.rules.rounding import round_stop, round_target, tranche_quantities
from goldenthread.rules.splits import ratio_between, split_price, split_quantity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from goldenthread.domain.asset import Asset
    from goldenthread.domain.order import Fill
    from goldenthread.domain.position import Tranche
    from goldenthread.domain.signal import Signal
    from goldenthread.positions.blotter import Blotter
    from goldenthread.positions.session import Session

_ZERO = Decimal(0)
_NEARLY = Decimal("1e-6")
_FLAGGED = {
    "SPLIT_CASH": ExitReason.SPLIT_CASH,
    "DELISTED": ExitReason.DELISTED,
    "EXTERNAL": ExitReason.EXTERNAL,
}
_ENDS = {
    "BROKER_REFUSED": SignalStatus.REJECTED,
    "CANCEL_IF": SignalStatus.INVALIDATED,
    "SYMBOL_FROZEN": SignalStatus.INVALIDATED,
    "STRATEGY_PAUSED": SignalStatus.INVALIDATED,
    "KILL_SWITCH": SignalStatus.INVALIDATED,
}
"""How a signal without a fill ends, by its reason; any other reason is EXPIRED."""


def leg_of(key: str) -> str:
    """The leg inside an order key (``entry1``, ``stop2`` …); empty for an empty key."""
    return split_order_key(key)[1] if key else ""


def unseen(position: Position, intent: OrderIntent) -> Decimal:
    """What the broker executed of an order that the position's fills do not show yet.

    A split scales what an open order reports, and leaves a final one alone.
    """
    report = intent.report
    if report is None or not report.filled_quantity:
        return _ZERO
    ours = [f for f in position.fills if f.order_key == intent.order_key]
    taken = max(sum((f.quantity for f in ours), _ZERO), sum((f.shares for f in ours), _ZERO))
    left = report.filled_quantity - taken
    return left if left > _NEARLY * report.filled_quantity else _ZERO


def scale_splits(session: Session, blotter: Blotter) -> None:
    """Bring every live record into the split units of ``ds``; a second call changes nothing."""
    if not session.splits:
        return
    for signal in list(blotter.signals.values()):
        total = ratio_between(session.splits.get(signal.symbol, ()), signal.ds, session.ds)
        if total != signal.split_factor:
            blotter.stage(signal.model_copy(update={"split_factor": total}))
    for position in list(blotter.positions.values()):
        total = ratio_between(session.splits.get(position.symbol, ()), position.ds, session.ds)
        if total != position.split_factor:
            blotter.stage(scaled(session, position, total))
            _drop_unsent_moves(blotter, position)


def ingest(session: Session, blotter: Blotter, fills: Iterable[Fill]) -> list[Fill]:
    """The executions up to ``ds`` that no order of ours explains; all others are taken, once.

    An execution we did not order that closes part of a position is taken as EXTERNAL.
    """
    new = _unknown(session, blotter, fills)
    if not new:
        return []
    owners = {i.report.broker_order_id: i for i in blotter.intents.values() if i.report}
    unmatched = []
    for fill in new:
        intent = owners.get(fill.broker_order_id)
        named = fill if intent is None else _named(fill, intent)
        position = blotter.positions.get(intent.signal_id) if intent else None
        if position is None and _is_booked(blotter, fill):
            continue
        if position is None:
            position, named = _by_symbol(blotter, fill)
        if position is None:
            unmatched.append(fill)
            continue
        splits = session.splits.get(fill.symbol, ())
        named = named.model_copy(update={"split": ratio_between(splits, fill.ds, session.ds)})
        blotter.stage(position.model_copy(update={"fills": (*position.fills, named)}))
    return unmatched


def settle(session: Session, blotter: Blotter, signal_id: str) -> None:
    """Bring orders, position and signal into the states their fills and reports demand."""
    signal, position = blotter.signals.get(signal_id), blotter.positions.get(signal_id)
    if signal is None or position is None:
        return
    finished = [i for i in blotter.of_signal(signal_id) if _finish(blotter, position, i)]
    entering = any(leg_of(i.order_key).startswith("entry") for i in blotter.of_signal(signal_id))
    if not position.entries:
        if not entering:
            _fail(session, blotter, signal, position)
        return
    if any(leg_of(i.order_key).startswith("entry") for i in finished) and not entering:
        position = _fitted(session, position, signal)
    if signal.status is SignalStatus.WAITING:
        signal = signal.model_copy(update={"status": SignalStatus.ACTIVE, "end_reason": ""})
    if position.status is PositionStatus.PENDING:
        position = position.model_copy(update={"status": PositionStatus.OPEN})
    step = session.asset(position.symbol).quantity_step
    if position.exits and not entering and abs(position.open_quantity) < step:
        _close(session, blotter, signal, position)
    else:
        blotter.stage(signal, _without_done_exit(position))


def scaled(session: Session, position: Position, total: Decimal) -> Position:
    """The position in the units of ``ds``: quantities down to the step, levels on their ticks."""
    ratio = total / position.split_factor
    asset, side = session.asset(position.symbol), position.side
    splits = session.splits[position.symbol]
    due = position.due
    if due is not None:
        kept = split_quantity(due.quantity, ratio, asset.quantity_step)[0]
        due = due.model_copy(update={"quantity": kept})

    def level(price: Decimal | None) -> Decimal | None:
        return None if price is None else split_price(price, ratio)

    return position.model_copy(
        update={
            "split_factor": total,
            "quantity": split_quantity(position.quantity, ratio, asset.quantity_step)[0],
            "tranches": tuple(
                _scaled_tranche(t, ratio, asset, position) for t in position.tranches
            ),
            "initial_stop": round_stop(split_price(position.initial_stop, ratio), asset, side),
            "stop": round_stop(split_price(position.stop, ratio), asset, side),
            "trail": level(position.trail),
            "best": level(position.best),
            "worst": level(position.worst),
            "due": due,
            "fills": tuple(
                f.model_copy(update={"split": ratio_between(splits, f.ds, session.ds)})
                for f in position.fills
            ),
        }
    )


def _scaled_tranche(tranche: Tranche, ratio: Decimal, asset: Asset, position: Position) -> Tranche:
    target = tranche.target
    if target is not None:
        target = round_target(split_price(target, ratio), asset, position.side)
    kept = split_quantity(tranche.quantity, ratio, asset.quantity_step)[0]
    return tranche.model_copy(update={"quantity": kept, "target": target})


def _drop_unsent_moves(blotter: Blotter, position: Position) -> None:
    """A stop that was to move to a price in old units is moved anew after the next close."""
    for intent in blotter.of_signal(position.position_id):
        if intent.kind == "replace" and intent.status is IntentStatus.PENDING:
            blotter.stage(intent.model_copy(update={"status": IntentStatus.DROPPED}))


def _unknown(session: Session, blotter: Blotter, fills: Iterable[Fill]) -> list[Fill]:
    due = [f for f in fills if f.ds <= session.ds]
    if not due:
        return []
    closed = [r for r in blotter.ended if isinstance(r, Position)]
    positions = [*blotter.positions.values(), *closed]
    known = {f.execution_id for p in positions for f in p.fills}
    return [f for f in due if f.execution_id not in known]


def _named(fill: Fill, intent: OrderIntent) -> Fill:
    return fill.model_copy(update={"order_key": intent.order_key})


def _by_symbol(blotter: Blotter, fill: Fill) -> tuple[Position | None, Fill]:
    """The open position an execution without a live order of ours belongs to, if it closes it."""
    for position in blotter.positions.values():
        closes = position.symbol == fill.symbol and position.exit_side is fill.side
        if not closes or fill.ds < (position.entry_ds or dt.date.max):
            continue
        if fill.quantity > position.open_quantity + _NEARLY:
            continue
        if late := _late_owner(blotter, position, fill):
            return position, _named(fill, late)
        if not _FLAGGED.keys() & set(fill.flags):
            fill = fill.model_copy(update={"flags": (*fill.flags, "EXTERNAL")})
        return position, fill
    return None, fill


def _late_owner(blotter: Blotter, position: Position, fill: Fill) -> OrderIntent | None:
    """The order, final for us already, whose execution became visible only now."""
    if not fill.broker_order_id:
        return None
    done = blotter.store.query(
        "order_intents", equal={"status": IntentStatus.DONE}, ds_from=position.ds
    )
    for document in done:
        report = document.body["report"]
        if report is not None and report["broker_order_id"] == fill.broker_order_id:
            return document.record(OrderIntent)
    return None


def _is_booked(blotter: Blotter, fill: Fill) -> bool:
    """Whether a position that ended in an earlier run or attempt holds this execution."""
    documents = blotter.store.query("live_positions", equal={"symbol": fill.symbol})
    return any(
        booked["execution_id"] == fill.execution_id
        for document in documents
        for booked in document.body["fills"]
    )


def _finish(blotter: Blotter, position: Position, intent: OrderIntent) -> bool:
    """Whether the order is final at the broker and all its executions are taken."""
    report = intent.report
    if intent.status is not IntentStatus.WORKING or report is None or report.status.is_open:
        return False
    if unseen(position, intent):
        return False
    refused = report.status is OrderStatus.REJECTED and report.filled_quantity == 0
    status = IntentStatus.REFUSED if refused else IntentStatus.DONE
    blotter.stage(intent.model_copy(update={"status": status}))
    return True


def _fitted(session: Session, position: Position, signal: Signal) -> Position:
    """The position with the quantities that were really entered, when they are not as planned."""
    bought = position.bought
    if bought == position.quantity:
        return position
    asset = session.asset(position.symbol)
    if asset.exit_mode is ExitMode.MANAGED and signal.plan is not None:
        sells = [target.sell for target in signal.plan.targets]
        parts: Sequence[Decimal] = tranche_quantities(bought, sells, asset.quantity_step)
        by_number = dict(enumerate(parts, 1))
    else:
        by_number = {}
        for fill in position.entries:
            number = int(leg_of(fill.order_key).removeprefix("entry"))
            by_number[number] = by_number.get(number, _ZERO) + fill.shares
    tranches = tuple(
        t.model_copy(update={"quantity": by_number.get(t.number, _ZERO)}) for t in position.tranches
    )
    return position.model_copy(update={"quantity": bought, "tranches": tranches})


def _fail(session: Session, blotter: Blotter, signal: Signal, position: Position) -> None:
    """End a signal whose entry orders are all final without a fill."""
    reason = signal.end_reason or "BROKER_CANCELED"
    update: dict[str, object] = {
        "status": _ENDS.get(reason, SignalStatus.EXPIRED),
        "ended_ds": session.ds,
        "end_reason": reason,
    }
    if reason == "BROKER_REFUSED":
        update |= {"rejection_reason": reason, "rejection_reasons": (reason,)}
    failed = {"status": PositionStatus.FAILED, "met_ds": session.ds}
    blotter.stage(signal.model_copy(update=update), position.model_copy(update=failed))
    _release_orders(blotter, position)


def _close(session: Session, blotter: Blotter, signal: Signal, position: Position) -> None:
    """Book the end of a position; its trade is made from these two records."""
    last = position.exits[-1]
    reason = _reason(position, last)
    entry_ds = position.entry_ds or last.ds
    held = count_sessions(position.asset_class, entry_ds, last.ds) + 1
    closed = position.model_copy(
        update={
            "status": PositionStatus.CLOSED,
            "exit_reason": reason,
            "bars_held": held,
            "met_ds": session.ds,
            "due": None,
        }
    )
    ended = {"status": SignalStatus.CLOSED, "ended_ds": last.ds, "end_reason": reason.value}
    blotter.stage(closed, signal.model_copy(update=ended))
    _release_orders(blotter, position)


def _reason(position: Position, fill: Fill) -> ExitReason:
    for flag, reason in _FLAGGED.items():
        if flag in fill.flags:
            return reason
    leg = leg_of(fill.order_key)
    if leg.startswith("tp"):
        return ExitReason.TARGET
    if leg.startswith("stop"):
        return ExitReason.TRAIL if position.stop_source == "TRAIL" else ExitReason.STOP
    return position.due.reason if position.due else ExitReason.EXTERNAL


def _release_orders(blotter: Blotter, position: Position) -> None:
    """Drop what was not sent; ask for the cancellation of what still rests."""
    for intent in blotter.of_signal(position.position_id):
        if intent.status is IntentStatus.WORKING:
            blotter.stage(intent.model_copy(update={"cancel_requested": True}))
        else:
            blotter.stage(intent.model_copy(update={"status": IntentStatus.DROPPED}))


def _without_done_exit(position: Position) -> Position:
    """The position after a partial exit was executed: nothing due, its tranches sold."""
    due = position.due
    if due is None or not due.tranches:
        return position
    sold = sum((f.shares for f in position.exits if _is_of(f, due.ds)), _ZERO)
    if sold < due.quantity:
        return position
    tranches = tuple(
        t.model_copy(update={"quantity": _ZERO}) if t.number in due.tranches else t
        for t in position.tranches
    )
    return position.model_copy(
        update={"due": None, "tranches": tranches, "status": PositionStatus.OPEN}
    )


def _is_of(fill: Fill, due_ds: dt.date) -> bool:
    return leg_of(fill.order_key).startswith("exit") and fill.ds > due_ds
