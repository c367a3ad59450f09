"""Our records meet the broker's: what it executed is the truth, what we cannot explain stops."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from goldenthread.domain.asset import AssetClass
from goldenthread.domain.order import IntentStatus
from goldenthread.domain.position import PositionStatus
from goldenthread.ports.hot_store import Create, Replace
from goldenthread.ports.notifier import Notice
from goldenthread.positions.execution import send_protection
from goldenthread.positions.exits import ahead_of, coin_fee, protect
from goldenthread.positions.ingestion import ingest, leg_of, scale_splits, settle, unseen
from goldenthread.positions.sending import ask, cancel, is_resting

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from goldenthread.domain.account import AccountState
    from goldenthread.domain.order import Fill, OrderReport
    from goldenthread.domain.position import Position
    from goldenthread.ports.broker import Broker
    from goldenthread.ports.hot_store import Operation
    from goldenthread.positions.blotter import Blotter
    from goldenthread.positions.session import Session

_ZERO = Decimal(0)
_NEARLY = Decimal("1e-6")


@dataclass(frozen=True)
class Reconciled:
    """The account as met, the symbols in which trading stopped and why, and what was noticed.

    The account's payments are in the positions they were for, and not in it any more.
    """

    account: AccountState
    frozen: Mapping[str, str]
    notes: tuple[Notice, ...] = ()


def reconcile(session: Session, blotter: Blotter, broker: Broker) -> Reconciled:
    """Our records after they met the broker's; a second call changes nothing.

    In this order: splits scale our records, orders of unknown fate are asked for, open orders
    are read again, executions and payments up to ``ds`` are taken once, states follow, entries
    that were filled in part are cut, and whatever is held without a stop gets one. What then
    differs from the broker's holdings freezes the symbol.
    """
    broker.meet(session.ds)
    account = broker.account()
    scale_splits(session, blotter)
    for intent in list(blotter.intents.values()):
        if intent.status in {IntentStatus.PENDING, IntentStatus.UNKNOWN}:
            ask(blotter, broker, intent)
    doubts = _refresh(session, blotter, broker)
    beyond = _beyond(blotter)
    for fill in _take_fills(session, blotter, broker):
        doubts[fill.symbol] = f"execution {fill.execution_id} belongs to no position of ours"
    _take_payments(session, blotter, account)
    _settle_all(session, blotter)
    if _cut(blotter, broker):
        _settle_all(session, blotter)
    ahead = ahead_of(session, blotter, broker)
    for symbol, doubt in _compare(session, blotter, account, ahead).items():
        doubts.setdefault(symbol, doubt)
    _freeze(session, blotter, doubts)
    protect(session, blotter, ahead)
    blotter.commit()
    send_protection(session, blotter, broker)
    held = {p.symbol: p.position_id for p in blotter.positions.values()}
    notes = tuple(
        Notice(f"{symbol}: {doubt}", symbol, held.get(symbol))
        for symbol, doubt in sorted([*beyond, *doubts.items()])
    )
    taken = account.model_copy(update={"payments": ()})
    return Reconciled(taken, dict(blotter.frozen), notes)


def _settle_all(session: Session, blotter: Blotter) -> None:
    for name in list(blotter.positions):
        settle(session, blotter, name)
    blotter.commit()


def _refresh(session: Session, blotter: Blotter, broker: Broker) -> dict[str, str]:
    """Take the broker's present word on every order of ours; the doubts it leaves, by symbol."""
    reports = {r.broker_order_id: r for r in broker.orders(session.last_ds or session.ds)}
    doubts: dict[str, str] = {}
    ours = set()
    for intent in list(blotter.intents.values()):
        if intent.report is None:
            continue
        ours.add(intent.report.broker_order_id)
        report = reports.get(intent.report.broker_order_id)
        if report is None and intent.report.status.is_open:
            report = _found(broker, intent.report)
            if report is None:
                doubts[intent.request.symbol] = f"the broker does not know {intent.order_key}"
        if report is not None and report != intent.report:
            blotter.stage(intent.model_copy(update={"report": report}))
    strange = [r for r in reports.values() if r.status.is_open and r.broker_order_id not in ours]
    finished = _finished(blotter) if strange else set()
    for report in strange:
        if report.broker_order_id not in finished:
            doubts[report.symbol] = f"open order {report.client_order_id} is not ours"
    return doubts


def _finished(blotter: Blotter) -> set[str]:
    """The broker's names of our orders that it called final, though a list of its may lag."""
    done = blotter.store.query("order_intents", equal={"status": IntentStatus.DONE})
    return {d.body["report"]["broker_order_id"] for d in done if d.body["report"] is not None}


def _beyond(blotter: Blotter) -> list[tuple[str, str]]:
    """Symbol and sentence of each live order of which more was executed than was ordered."""
    reports = [(i.order_key, i.report) for i in blotter.intents.values() if i.report]
    return [
        (r.symbol, f"{r.filled_quantity} of order {key} were executed, {r.quantity} were ordered")
        for key, r in reports
        if r.filled_quantity > r.quantity
    ]


def _found(broker: Broker, known: OrderReport) -> OrderReport | None:
    answers = broker.find_order(known.client_order_id)
    return next((r for r in answers if r.broker_order_id == known.broker_order_id), None)


def _take_fills(session: Session, blotter: Blotter, broker: Broker) -> list[Fill]:
    """Take the executions since the last run, further back when an order shows more of them."""
    unmatched = ingest(session, blotter, broker.fills(session.since))
    missing = _oldest_unseen(blotter)
    if missing is not None and missing < session.since:
        unmatched += ingest(session, blotter, broker.fills(missing))
    return unmatched


def _take_payments(session: Session, blotter: Blotter, account: AccountState) -> None:
    """Take the payments up to ``ds`` that each position has not taken, from its entry on."""
    if not account.payments:
        return
    for position in list(blotter.positions.values()):
        entered, known = position.entry_ds, position.paid_ds
        due = [
            paid
            for paid in account.payments
            if paid.symbol == position.symbol and entered is not None
            if entered <= paid.ds <= session.ds and (known is None or known < paid.ds)
        ]
        if due:
            blotter.stage(position.paid(due))


def _oldest_unseen(blotter: Blotter) -> dt.date | None:
    decided = [
        intent.ds
        for intent in blotter.intents.values()
        if (position := blotter.positions.get(intent.signal_id)) and unseen(position, intent)
    ]
    return min(decided, default=None)


def _cut(blotter: Blotter, broker: Broker) -> bool:
    """Whether the rest of an entry that was filled in part was cancelled."""
    cut = [
        intent
        for position in blotter.positions.values()
        if position.entries
        for intent in blotter.of_signal(position.position_id)
        if leg_of(intent.order_key).startswith("entry")
        if is_resting(intent) or intent.status is IntentStatus.PENDING
    ]
    for intent in cut:
        if intent.status is IntentStatus.PENDING:
            blotter.stage(intent.model_copy(update={"status": IntentStatus.DROPPED}))
    keys = {i.order_key for i in cut}
    legs = [i for i in blotter.intents.values() if i.parent_key in keys] if keys else []
    cancel(blotter, broker, [*cut, *legs])
    return bool(cut)


def _compare(
    session: Session, blotter: Blotter, account: AccountState, ahead: Mapping[str, Decimal]
) -> dict[str, str]:
    """Where the broker's holdings are not what our executions say, by symbol."""
    held = {h.symbol: h.quantity for h in account.holdings}
    doubts: dict[str, str] = {}
    for position in list(blotter.positions.values()):
        found = held.pop(position.symbol, _ZERO)
        doubt = _difference(blotter, position, found, ahead.get(position.position_id, _ZERO))
        if doubt:
            doubts[position.symbol] = doubt
    for symbol, quantity in held.items():
        step = session.assets[symbol].quantity_step if symbol in session.assets else _ZERO
        if abs(quantity) >= step:
            doubts[symbol] = f"the broker holds {quantity} that no position of ours explains"
    return doubts


def _difference(blotter: Blotter, position: Position, found: Decimal, ahead: Decimal) -> str:
    """In words, what the broker holds more or less than we; a coin fee is adopted instead.

    An account may or may not show executions after ``ds`` already: both are in order.
    """
    sign = position.side.sign
    expected = position.open_quantity
    if any(abs(found - sign * e) <= _NEARLY * abs(e) for e in (expected, expected + ahead)):
        return ""
    gap = coin_fee(position.bought, expected, found)
    if position.asset_class is AssetClass.CRYPTO and gap:
        last = position.entries[-1]
        paid = last.model_copy(update={"fee_quantity": last.fee_quantity + gap})
        fills = tuple(paid if f is last else f for f in position.fills)
        blotter.stage(position.model_copy(update={"fills": fills}))
        return ""
    if position.status is PositionStatus.PENDING and not found:
        return ""
    return f"our executions make {sign * expected}, the broker holds {found}"


def _freeze(session: Session, blotter: Blotter, doubts: Mapping[str, str]) -> None:
    """Stop trading in doubtful symbols with the reason kept, and let go of the settled ones."""
    if not doubts and not blotter.frozen:
        return
    documents = blotter.store.query("system_checks", equal={"status": "FROZEN"})
    known = {d.body["symbol"]: d for d in documents}
    operations: list[Operation] = []
    for symbol, reason in doubts.items():
        if symbol not in known:
            operations.append(_frozen(session, blotter, symbol, reason))
    for symbol, document in known.items():
        if symbol not in doubts:
            body = {**document.body, "status": "CLEARED", "ds": session.ds.isoformat()}
            operations.append(Replace(document, body))
    if operations:
        blotter.commit(*operations)
    blotter.frozen = dict(doubts)


def _frozen(session: Session, blotter: Blotter, symbol: str, reason: str) -> Operation:
    name = f"frozen-{symbol.replace('/', '-')}"
    body = {"status": "FROZEN", "symbol": symbol, "ds": session.ds.isoformat(), "reason": reason}
    earlier = blotter.store.get("system_checks", name)
    return Create("system_checks", name, body) if earlier is None else Replace(earlier, body)
