"""Decisions become orders: committed first, sent afterwards, and never sent twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldenthread.domain.order import IntentStatus, OrderIntent, OrderSide
from goldenthread.domain.position import Position, PositionStatus
from goldenthread.domain.signal import SignalStatus
from goldenthread.domain.strategy import Side
from goldenthread.ports.hot_store import Create
from goldenthread.ports.notifier import Notice
from goldenthread.positions.exits import ahead_of, clear_the_way, protect
from goldenthread.positions.ingestion import leg_of, settle
from goldenthread.positions.orders import EntryTicket
from goldenthread.positions.sending import ask, cancel, is_resting, send
from goldenthread.rules.calendar import entry_deadline

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from goldenthread.domain.signal import Plan, Signal
    from goldenthread.ports.broker import Broker
    from goldenthread.positions.blotter import Blotter
    from goldenthread.positions.session import Session


_UNSENT = frozenset({IntentStatus.PENDING, IntentStatus.UNKNOWN})


def decided(session: Session, blotter: Blotter) -> bool:
    """Whether the decisions of ``ds`` are committed: a restart need not evaluate again."""
    return blotter.store.get("job_metadata", _marker(session)) is not None


def intend(session: Session, blotter: Blotter, signals: Sequence[Signal]) -> None:
    """Commit the decisions of ``ds`` with their orders, once; a second call changes nothing.

    Refused signals are written first, all accepted ones with their positions and orders in one
    commit together with the proof that ``ds`` is decided.
    """
    if decided(session, blotter):
        return
    accepted = [s for s in signals if s.status is SignalStatus.WAITING]
    blotter.stage(*(s for s in signals if s.status is not SignalStatus.WAITING))
    blotter.commit()
    for signal in accepted:
        if signal.plan is not None:
            blotter.stage(signal, *opening(session, signal, signal.plan))
    body = {"ds": session.ds.isoformat(), "signals": [s.signal_id for s in signals]}
    blotter.commit(Create("job_metadata", _marker(session), body))


def dispatch(session: Session, blotter: Blotter, broker: Broker) -> int:
    """How many orders, replacements and cancels were sent: protection and exits before entries.

    Each answer is committed before the next order is sent. An order whose fate is unknown is
    asked for, and sent only when the broker never saw it.
    """
    if not any(_needs_broker(i) for i in blotter.intents.values()):
        return 0
    asked = _ask_unknown(session, blotter, broker)
    sent = _send_cancels(blotter, broker)
    sent += send_protection(session, blotter, broker)
    sent += _send_exits(session, blotter, broker)
    if sent or asked:
        sent += _protect(session, blotter, broker)
    entered = _send_entries(session, blotter, broker)
    if entered:
        sent += _protect(session, blotter, broker)
    return sent + entered


def unanswered(blotter: Blotter) -> tuple[Notice, ...]:
    """A notice each about orders that were sent and of which nobody knows what became."""
    unknown = [i for i in blotter.intents.values() if i.status is IntentStatus.UNKNOWN]
    return tuple(
        Notice(
            f"{i.request.symbol}: no answer to order {i.order_key}; run the date again"
            f"{_in_time(i)}: it is asked for, and sent if the broker never saw it",
            i.request.symbol,
            i.signal_id,
        )
        for i in unknown
    )


def send_protection(session: Session, blotter: Blotter, broker: Broker) -> int:
    """How many stops, targets and stop moves waiting to be sent were sent."""
    waiting = _pending(blotter, ("stop", "tp"))
    for intent in waiting:
        send(blotter, broker, intent)
        settle(session, blotter, intent.signal_id)
        blotter.commit()
    return len(waiting)


def _in_time(intent: OrderIntent) -> str:
    return f" before {intent.not_after:%Y-%m-%d %H:%M} UTC" if intent.not_after else ""


def _protect(session: Session, blotter: Blotter, broker: Broker) -> int:
    """Place the stops that what was just sent calls for, in the same run."""
    protect(session, blotter, ahead_of(session, blotter, broker))
    blotter.commit()
    return send_protection(session, blotter, broker)


def _marker(session: Session) -> str:
    return f"decided-{session.ds.isoformat()}"


def opening(
    session: Session, signal: Signal, plan: Plan
) -> tuple[Position, *tuple[OrderIntent, ...]]:
    """The position that waits for its entry, and the entry's orders, not sent yet."""
    side = OrderSide.BUY if signal.side is Side.LONG else OrderSide.SELL
    asset = session.asset(signal.symbol)
    ticket = EntryTicket(plan, signal.side, side, signal.quantity, asset)
    position = Position(
        book=signal.book,
        position_id=signal.signal_id,
        ds=signal.ds,
        strategy_id=signal.strategy_id,
        version_key=signal.version_key,
        policy_key=signal.policy_key,
        symbol=signal.symbol,
        asset_class=signal.asset_class,
        side=signal.side,
        status=PositionStatus.PENDING,
        decided_at=signal.decided_at,
        quantity=signal.quantity,
        tranches=ticket.tranches,
        initial_stop=plan.stop,
        stop=plan.stop,
        trail=plan.trail,
        breakeven_after=plan.breakeven_after,
        max_bars=plan.max_bars,
    )
    deadline = entry_deadline(signal.asset_class, signal.ds)
    intents = (
        OrderIntent(
            book=signal.book,
            order_key=request.client_order_id,
            signal_id=signal.signal_id,
            ds=signal.ds,
            request=request,
            status=IntentStatus.PENDING,
            decided_at=signal.decided_at,
            not_after=deadline,
        )
        for request in ticket.requests(signal.signal_id)
    )
    return (position, *intents)


def _needs_broker(intent: OrderIntent) -> bool:
    return intent.status in _UNSENT or intent.cancel_requested


def _pending(blotter: Blotter, legs: tuple[str, ...]) -> list[OrderIntent]:
    return [
        i
        for i in blotter.intents.values()
        if i.status is IntentStatus.PENDING and leg_of(i.order_key).startswith(legs)
    ]


def _ask_unknown(session: Session, blotter: Blotter, broker: Broker) -> bool:
    """Whether there was an order to ask for: what it did may call for a stop."""
    unknown = [i for i in blotter.intents.values() if i.status is IntentStatus.UNKNOWN]
    for intent in unknown:
        ask(blotter, broker, intent)
        settle(session, blotter, intent.signal_id)
    blotter.commit()
    return bool(unknown)


def _send_cancels(blotter: Blotter, broker: Broker) -> int:
    """Cancel what still rests of positions that ended."""
    wanted = [
        i
        for i in blotter.intents.values()
        if i.cancel_requested and i.status is IntentStatus.WORKING
        if i.signal_id not in blotter.positions
    ]
    cancel(blotter, broker, wanted)
    for intent in wanted:
        after = blotter.intents[intent.order_key]
        if not is_resting(after):
            blotter.stage(after.model_copy(update={"status": IntentStatus.DONE}))
    blotter.commit()
    return len(wanted)


def _send_exits(session: Session, blotter: Blotter, broker: Broker) -> int:
    sent = 0
    for intent in _pending(blotter, ("exit",)):
        if intent.request.symbol in blotter.frozen:
            continue
        clear = clear_the_way(session, blotter, broker, intent)
        settle(session, blotter, intent.signal_id)
        blotter.commit()
        ready = blotter.intents.get(intent.order_key)
        if clear and ready is not None and ready.status is IntentStatus.PENDING:
            send(blotter, broker, ready)
            settle(session, blotter, intent.signal_id)
            blotter.commit()
            sent += 1
    return sent


def _send_entries(session: Session, blotter: Blotter, broker: Broker) -> int:
    waiting = sorted(_pending(blotter, ("entry",)), key=lambda i: _rank(blotter, i))
    if not waiting:
        return 0
    clock, sent = broker.account().as_of, 0
    for intent in waiting:
        if reason := _hindrance(blotter, intent, clock):
            _give_up(blotter, intent, reason)
        else:
            after = send(blotter, broker, intent)
            sent += 1
            if after.status is IntentStatus.REFUSED:
                _give_up(blotter, after, "BROKER_REFUSED")
        settle(session, blotter, intent.signal_id)
        blotter.commit()
    return sent


def _rank(blotter: Blotter, intent: OrderIntent) -> tuple[object, ...]:
    """The order of decision, also after a restart: priority, strategy, symbol, tranche."""
    signal = blotter.signals[intent.signal_id]
    priority = signal.priority
    return (
        priority is None,
        -(priority or 0),
        signal.strategy_id,
        signal.symbol,
        int(leg_of(intent.order_key).removeprefix("entry")),
    )


def _hindrance(blotter: Blotter, intent: OrderIntent, clock: dt.datetime) -> str:
    """Why an entry must not be sent now; empty when it may."""
    if intent.not_after is not None and clock > intent.not_after:
        return "SUBMIT_WINDOW_MISSED"
    strategy_id = blotter.signals[intent.signal_id].strategy_id
    return blotter.stops().of(strategy_id, intent.request.symbol)


def _give_up(blotter: Blotter, intent: OrderIntent, reason: str) -> None:
    """End an entry order that never became one; its signal remembers why."""
    if not intent.status.is_final:
        blotter.stage(intent.model_copy(update={"status": IntentStatus.DROPPED}))
    signal = blotter.signals.get(intent.signal_id)
    if signal is not None and signal.status is SignalStatus.WAITING:
        update = {"end_reason": reason, "broker_code": intent.refusal_code}
        blotter.stage(signal.model_copy(update=update))
