"""What a close does to the open positions, and what time does to the waiting signals."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from goldenthread.domain.asset import ExitMode
from goldenthread.domain.order import Fill, IntentStatus, OrderType
from goldenthread.domain.position import DueExit, ExitReason, Position, PositionStatus
from goldenthread.domain.signal import SignalStatus
from goldenthread.domain.strategy import Side
from goldenthread.positions.exits import move_stops, order_exit
from goldenthread.positions.ingestion import leg_of, settle
from goldenthread.positions.sending import ask, cancel, is_resting
from goldenthread.rules.calendar import count_sessions, session_close
from goldenthread.rules.fills import StopQuery, tightened_stop

if TYPE_CHECKING:
    from collections.abc import Mapping

    from goldenthread.domain.bar import Bar
    from goldenthread.domain.position import Tranche
    from goldenthread.domain.signal import Signal
    from goldenthread.ports.broker import Broker
    from goldenthread.positions.blotter import Blotter
    from goldenthread.positions.session import Session

_LEAVING_ALL = (ExitReason.EXTERNAL, ExitReason.STOP_GAPPED, ExitReason.TIME, ExitReason.RULE)
"""Exits of the whole position, the first that is due wins."""


def advance(session: Session, blotter: Blotter, rule_exits: Mapping[str, bool | None]) -> None:
    """Take the close of ``ds`` into every open position; ``rule_exits`` by position id.

    Moves best and worst, touched targets and the stop, and decides which exit is due. A session
    without a bar only counts. A second call on the same date changes nothing.
    """
    flatten = blotter.flattening()
    for position in list(blotter.positions.values()):
        if not position.entries:
            continue
        if _delisted(session, position):
            _close_delisted(session, blotter, position)
            continue
        rule = rule_exits.get(position.position_id)
        _advance(session, blotter, position, _asked(flatten, rule))
    blotter.commit()


def retire(
    session: Session, blotter: Blotter, broker: Broker, cancel_if: Mapping[str, bool | None]
) -> None:
    """End the waiting signals whose ``cancel_if`` is true or whose time is over.

    Their orders are cancelled first; a signal ends when the broker confirmed that, and lives on
    when a fill was faster. A cancellation the broker still works on is met by the next run.
    """
    for signal in list(blotter.signals.values()):
        if signal.status is not SignalStatus.WAITING or signal.ds >= session.ds:
            continue
        reason = _end_of(session, signal, cancel_if.get(signal.signal_id))
        if reason:
            blotter.stage(signal.model_copy(update={"end_reason": reason}))
            _withdraw(blotter, broker, signal.signal_id)
            settle(session, blotter, signal.signal_id)
            blotter.commit()


def _asked(flatten: bool, rule: bool | None) -> ExitReason | None:
    if flatten:
        return ExitReason.EXTERNAL
    return ExitReason.RULE if rule else None


def _advance(
    session: Session, blotter: Blotter, position: Position, asked: ExitReason | None
) -> None:
    bar = session.bars.get(position.symbol)
    after = position
    if session.meets(position.symbol) and position.met_ds != session.ds:
        after = _counted(session, position, bar)
        if bar is not None:
            after = _stopped_closer(session, met(after, bar))
    if after.met_ds == session.ds or asked is ExitReason.EXTERNAL:
        after = _with_due(session, blotter, after, None if bar is None else asked)
    blotter.stage(after)
    if after.due is not None:
        _give_way(blotter, position, after)
        order_exit(session, blotter, after)
    if after.due is None:
        move_stops(session, blotter, after)


def _counted(session: Session, position: Position, bar: Bar | None) -> Position:
    """One session more: bars held since the entry, and sessions in a row without a bar."""
    entry_ds = position.entry_ds or session.ds
    stale = 0 if bar is not None else position.stale_sessions + 1
    flags = position.flags
    if stale >= session.policy.gates.stale_sessions and "STALE" not in flags:
        flags = (*flags, "STALE")
    held = count_sessions(position.asset_class, entry_ds, session.ds) + 1
    update = {"bars_held": held, "stale_sessions": stale, "flags": flags, "met_ds": session.ds}
    return position.model_copy(update=update)


def met(position: Position, bar: Bar) -> Position:
    """The position after the bar: its best and worst price, and the targets it touched.

    The favourable side of the entry's own bar counts only when the entry filled at its open:
    otherwise nobody knows whether it came before the entry.
    """
    long = position.side is Side.LONG
    better, worse = (max, min) if long else (min, max)
    gain, loss = (bar.high, bar.low) if long else (bar.low, bar.high)
    worst = loss if position.worst is None else worse(position.worst, loss)
    if position.entry_ds == bar.ds and not position.entries[0].at_open:
        return position.model_copy(update={"worst": worst})
    best = gain if position.best is None else better(position.best, gain)
    tranches = tuple(
        t.model_copy(update={"target_touched": True}) if _touches(t, gain, position) else t
        for t in position.tranches
    )
    return position.model_copy(update={"best": best, "worst": worst, "tranches": tranches})


def _touches(tranche: Tranche, gain: Decimal, position: Position) -> bool:
    if tranche.target is None or tranche.target_touched:
        return False
    return (gain - tranche.target) * position.side.sign >= 0


def _stopped_closer(session: Session, position: Position) -> Position:
    touched = {t.number for t in position.tranches if t.target_touched}
    at_entry = position.average_entry if position.breakeven_after in touched else None
    if position.trail is None and at_entry is None:
        return position
    query = StopQuery(
        side=position.side,
        stop=position.stop,
        source=position.stop_source,
        best=position.best,
        trail=position.trail,
        breakeven=at_entry,
    )
    move = tightened_stop(query, session.asset(position.symbol))
    return position.model_copy(update={"stop": move.stop, "stop_source": move.source})


def _with_due(
    session: Session, blotter: Blotter, position: Position, asked: ExitReason | None
) -> Position:
    """The position with the exit that is due: one of all stands, one of a part may give way."""
    if position.due is not None and not position.due.tranches:
        return position
    due = {
        ExitReason.EXTERNAL: asked is ExitReason.EXTERNAL,
        ExitReason.STOP_GAPPED: _is_gapped(session, blotter, position),
        ExitReason.TIME: position.bars_held >= position.max_bars,
        ExitReason.RULE: asked is ExitReason.RULE,
    }
    reason = next((reason for reason in _LEAVING_ALL if due[reason]), None)
    parts: tuple[Tranche, ...] = ()
    if reason is None:
        if position.due is not None:
            return position
        parts = _touched_parts(session, position)
        if not parts:
            return position
        reason = ExitReason.TARGET
    return _due(session, position, reason, parts)


def _due(
    session: Session, position: Position, reason: ExitReason, parts: tuple[Tranche, ...]
) -> Position:
    rest = [t for t in position.tranches if t.quantity > 0 and t not in parts]
    if not parts or not rest:
        exit_ = DueExit(reason=reason, ds=session.ds, quantity=position.open_quantity)
        return position.model_copy(update={"due": exit_, "status": PositionStatus.CLOSING})
    quantity = sum((t.quantity for t in parts), Decimal(0))
    numbers = tuple(t.number for t in parts)
    exit_ = DueExit(reason=reason, ds=session.ds, quantity=quantity, tranches=numbers)
    return position.model_copy(update={"due": exit_})


def _touched_parts(session: Session, position: Position) -> tuple[Tranche, ...]:
    """The parts of a MANAGED position whose target was touched and that are not sold yet."""
    if session.asset(position.symbol).exit_mode is not ExitMode.MANAGED:
        return ()
    return tuple(t for t in position.tranches if t.target_touched and t.quantity > 0)


def _is_gapped(session: Session, blotter: Blotter, position: Position) -> bool:
    """Whether a MANAGED stop was crossed and its limit left behind."""
    if session.asset(position.symbol).exit_mode is not ExitMode.MANAGED:
        return False
    return any(
        i.report is not None and i.report.triggered and i.report.type is OrderType.STOP_LIMIT
        for i in blotter.of_signal(position.position_id)
        if leg_of(i.order_key).startswith("stop") and is_resting(i)
    )


def _give_way(blotter: Blotter, before: Position, after: Position) -> None:
    """Let the exit of a part that is not executed yet give way to the exit of all."""
    if before.due is None or before.due == after.due:
        return
    for intent in blotter.of_signal(before.position_id):
        if not leg_of(intent.order_key).startswith("exit"):
            continue
        if intent.status is IntentStatus.PENDING:
            blotter.stage(intent.model_copy(update={"status": IntentStatus.DROPPED}))
        else:
            blotter.stage(intent.model_copy(update={"cancel_requested": True}))


def _delisted(session: Session, position: Position) -> bool:
    """Whether the symbol trades no more and the broker did not pay the position out itself."""
    known = position.symbol in session.delistings and position.symbol in session.closes
    return known and position.symbol not in session.bars and session.meets(position.symbol)


def _close_delisted(session: Session, blotter: Blotter, position: Position) -> None:
    """Book the position out at the last close, by an execution of our own."""
    paid = Fill(
        execution_id=f"{position.position_id}-delisted",
        broker_order_id="",
        fill_no=1,
        symbol=position.symbol,
        side=position.exit_side,
        quantity=position.open_quantity,
        price=session.closes[position.symbol],
        ds=session.ds,
        filled_at=session_close(position.asset_class, session.ds),
        flags=("DELISTED",),
    )
    blotter.stage(position.model_copy(update={"fills": (*position.fills, paid)}))
    settle(session, blotter, position.position_id)


def _end_of(session: Session, signal: Signal, cancelled: bool | None) -> str:
    """Why the waiting signal ends on ``ds``; empty when it does not."""
    if signal.end_reason in _ENDING:
        return signal.end_reason
    if cancelled and signal.symbol in session.bars:
        return "CANCEL_IF"
    return "NOT_TRIGGERED" if signal.valid_until <= session.ds else ""


_ENDING = frozenset({"CANCEL_IF", "NOT_TRIGGERED"})


def _withdraw(blotter: Blotter, broker: Broker, signal_id: str) -> None:
    """Cancel what rests of an entry, find out what is unknown, drop what was never sent."""
    for intent in blotter.of_signal(signal_id):
        known = ask(blotter, broker, intent) if intent.status is IntentStatus.UNKNOWN else intent
        if known.status is IntentStatus.PENDING:
            blotter.stage(known.model_copy(update={"status": IntentStatus.DROPPED}))
    cancel(blotter, broker, blotter.of_signal(signal_id))
