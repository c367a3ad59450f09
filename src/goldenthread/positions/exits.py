"""The orders that end a position: stops that follow it, exits that are due, and protection."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from goldenthread.domain.asset import AssetClass, ExitMode
from goldenthread.domain.order import IntentStatus, OrderIntent
from goldenthread.domain.position import PositionStatus
from goldenthread.positions.ingestion import leg_of, unseen
from goldenthread.positions.orders import exit_request, pair_request, stop_request
from goldenthread.positions.sending import cancel, is_resting
from goldenthread.rules.rounding import round_quantity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from goldenthread.domain.order import OrderRequest
    from goldenthread.domain.position import Position, Tranche
    from goldenthread.ports.broker import Broker
    from goldenthread.positions.blotter import Blotter
    from goldenthread.positions.session import Session

_ZERO = Decimal(0)
_SMALLEST = Decimal("1e-9")
_FEE_TIER = Decimal("0.0025")
"""The highest fee in coin, as a fraction of what was bought."""
_UNSENT = frozenset({IntentStatus.PENDING, IntentStatus.UNKNOWN})


def order_exit(session: Session, blotter: Blotter, position: Position) -> None:
    """Stage the market order of the exit that is due, unless it is under way already."""
    due, orders = position.due, blotter.of_signal(position.position_id)
    if due is None or any(_is(i, "exit") and not i.cancel_requested for i in orders):
        return
    earlier = {f.order_key for f in position.exits if f.ds <= due.ds}
    number = 1 + len({leg_of(k) for k in earlier if leg_of(k).startswith("exit")})
    key = blotter.next_key(position.position_id, f"exit{number}")
    quantity = _exit_quantity(session, blotter, position)
    if quantity > 0:
        blotter.stage(_intent(session, position, exit_request(position, key, quantity)))


def move_stops(session: Session, blotter: Blotter, position: Position) -> None:
    """Stage the replacement of every resting stop that is looser than the position's."""
    orders = blotter.of_signal(position.position_id)
    moves = {i.replaces: i for i in orders if i.kind == "replace" and i.status in _UNSENT}
    for resting in orders:
        if not (_is(resting, "stop") and is_resting(resting)) or resting.cancel_requested:
            continue
        at = resting.report.stop_price if resting.report else None
        if at is None or (position.stop - at) * position.side.sign <= 0:
            continue
        _stage_move(session, blotter, position, resting, moves.get(resting.order_key))


def clear_the_way(session: Session, blotter: Blotter, broker: Broker, exit_: OrderIntent) -> bool:
    """Whether the exit may be sent: everything else that could sell the same is cancelled.

    The exit is staged with the quantity that is left, or DROPPED when nothing is. False while
    the broker still works on a cancellation; the exit then stays PENDING.
    """
    position = blotter.positions.get(exit_.signal_id)
    if position is None:
        blotter.stage(exit_.model_copy(update={"status": IntentStatus.DROPPED}))
        return False
    orders = blotter.of_signal(exit_.signal_id)
    for order in orders:
        if order.status is IntentStatus.PENDING and not _is(order, "exit"):
            blotter.stage(order.model_copy(update={"status": IntentStatus.DROPPED}))
    cancel(blotter, broker, orders)
    if any(is_resting(order) for order in blotter.of_signal(exit_.signal_id)):
        return False
    quantity = _exit_quantity(session, blotter, position)
    if quantity <= 0:
        blotter.stage(exit_.model_copy(update={"status": IntentStatus.DROPPED}))
        return False
    request = exit_.request.model_copy(update={"quantity": quantity})
    blotter.stage(exit_.model_copy(update={"request": request}))
    return True


def protect(session: Session, blotter: Blotter, ahead: Mapping[str, Decimal]) -> None:
    """Stage a stop for everything held without one.

    ``ahead`` is what executions after ``ds`` changed in what is held, by position id. A part
    of an equity position with a target of its own gets both, as OCO. An equity that is frozen
    waits: a stop for shares that are not there would sell short. Coins cannot be sold short.
    """
    for position in list(blotter.positions.values()):
        asset = session.asset(position.symbol)
        doubtful = position.symbol in blotter.frozen and asset.exit_mode is ExitMode.RESTING
        if doubtful or _is_leaving(blotter, position):
            continue
        bare = _unprotected(blotter, position, ahead.get(position.position_id, _ZERO))
        bare = round_quantity(bare, asset)
        if bare <= 0:
            continue
        for request in _protection(session, blotter, position, bare):
            blotter.stage(_intent(session, position, request))


def ahead_of(session: Session, blotter: Blotter, broker: Broker) -> dict[str, Decimal]:
    """What executions after ``ds`` already changed in what is held, by position id.

    A coin fee that the broker has taken and not posted yet is seen in its holdings.
    """
    owners = {i.report.broker_order_id: i for i in blotter.intents.values() if i.report}
    changes: dict[str, Decimal] = {}
    without_fee: list[Position] = []
    for fill in broker.fills(session.ds + dt.timedelta(days=1)):
        intent = owners.get(fill.broker_order_id)
        position = blotter.positions.get(intent.signal_id) if intent else None
        if position is None or fill.ds <= session.ds:
            continue
        entry = fill.side is position.entry_side
        change = fill.quantity - fill.fee_quantity if entry else -fill.quantity
        changes[position.position_id] = changes.get(position.position_id, _ZERO) + change
        if entry and position.asset_class is AssetClass.CRYPTO and not fill.fee_quantity:
            without_fee.append(position)
    if without_fee:
        held = {h.symbol: h.quantity for h in broker.account().holdings}
        for position in without_fee:
            name, found = position.position_id, held.get(position.symbol, _ZERO)
            expected = position.open_quantity + changes[name]
            changes[name] -= coin_fee(expected, expected, found)
    return changes


def coin_fee(bought: Decimal, expected: Decimal, held: Decimal) -> Decimal:
    """The coins a broker kept of those ``bought``; 0 when what is missing is no such fee."""
    missing = expected - held
    is_fee = held > 0 and 0 < missing <= _FEE_TIER * bought + _SMALLEST
    return missing if is_fee else _ZERO


def _is(intent: OrderIntent, prefix: str) -> bool:
    return leg_of(intent.order_key).startswith(prefix)


def _exit_quantity(session: Session, blotter: Blotter, position: Position) -> Decimal:
    """What the due exit has left to sell, after executions our fills do not show yet."""
    due = position.due
    if due is None:
        return _ZERO
    orders = blotter.of_signal(position.position_id)
    gone = sum((unseen(position, i) for i in orders if not _is(i, "entry")), _ZERO)
    left = position.open_quantity - gone
    if due.tranches:
        done = [f for f in position.exits if f.ds > due.ds and leg_of(f.order_key)[:4] == "exit"]
        left = min(left, due.quantity - sum((f.shares for f in done), _ZERO))
    return round_quantity(left, session.asset(position.symbol))


def _stage_move(
    session: Session,
    blotter: Blotter,
    position: Position,
    resting: OrderIntent,
    unsent: OrderIntent | None,
) -> None:
    asset = session.asset(position.symbol)
    if unsent is not None:
        if unsent.status is IntentStatus.PENDING:
            request = unsent.request.model_copy(update={"stop_price": position.stop})
            blotter.stage(unsent.model_copy(update={"request": request}))
        return
    key = blotter.next_key(position.position_id, leg_of(resting.order_key))
    request = stop_request(position, key, _remaining(resting), asset)
    move = _intent(session, position, request)
    blotter.stage(move.model_copy(update={"kind": "replace", "replaces": resting.order_key}))


def _is_leaving(blotter: Blotter, position: Position) -> bool:
    """Whether an exit of all of it is due or an exit of a part is not sent yet.

    Also while an entry order may still be executed: what it enters is protected afterwards.
    """
    if position.due is not None and not position.due.tranches:
        return True
    for intent in blotter.of_signal(position.position_id):
        if _is(intent, "exit") and intent.status in _UNSENT:
            return True
        if _is(intent, "entry") and (intent.status in _UNSENT or is_resting(intent)):
            return True
    return False


def _unprotected(blotter: Blotter, position: Position, ahead: Decimal) -> Decimal:
    if position.status is PositionStatus.PENDING and not ahead:
        return _ZERO
    covered = _ZERO
    for intent in blotter.of_signal(position.position_id):
        if _is(intent, "stop") or _is(intent, "exit"):
            unsent_new = intent.status in _UNSENT and intent.kind == "new"
            covered += _remaining(intent) if is_resting(intent) or unsent_new else _ZERO
    return position.open_quantity + ahead - covered


def _remaining(intent: OrderIntent) -> Decimal:
    report = intent.report
    return intent.request.quantity if report is None else report.quantity - report.filled_quantity


def _protection(
    session: Session, blotter: Blotter, position: Position, bare: Decimal
) -> Iterable[OrderRequest]:
    asset, name = session.asset(position.symbol), position.position_id
    if asset.exit_mode is ExitMode.MANAGED:
        if not _has_stop(blotter, position, "stop1"):  # only one exit may rest there
            yield stop_request(position, blotter.next_key(name, "stop1"), bare, asset)
        return
    wanted: list[tuple[int, Decimal, Decimal | None]] = []
    for tranche in position.tranches:
        part = round_quantity(min(bare, _open_part(position, tranche)), asset)
        if part > 0 and not _has_stop(blotter, position, f"stop{tranche.number}"):
            wanted.append((tranche.number, part, tranche.target))
            bare -= part
    if bare > 0:  # whole shares that only the parts together make after a split: the last one's
        last = [t for t in position.tranches if t.quantity > 0][-1:] or position.tranches[-1:]
        wanted.append((len(position.tranches) + 1, bare, last[0].target if last else None))
    for number, part, target in wanted:
        if target is None:
            yield stop_request(position, blotter.next_key(name, f"stop{number}"), part, asset)
        else:
            yield pair_request(position, blotter.next_key(name, f"tp{number}"), part, target)


def _has_stop(blotter: Blotter, position: Position, leg: str) -> bool:
    return any(
        leg_of(i.order_key) == leg and (is_resting(i) or i.status in _UNSENT)
        for i in blotter.of_signal(position.position_id)
    )


def _open_part(position: Position, tranche: Tranche) -> Decimal:
    """What is still held of a tranche by the executions of its own orders."""
    number = str(tranche.number)
    entered = sum((f.shares for f in position.entries if _number(f.order_key) == number), _ZERO)
    left = sum((f.shares for f in position.exits if _number(f.order_key) == number), _ZERO)
    return min(entered - left, tranche.quantity)


def _number(order_key: str) -> str:
    leg = leg_of(order_key)
    return "" if leg.startswith("exit") else leg.lstrip("abcdefghijklmnopqrstuvwxyz")


def _intent(session: Session, position: Position, request: OrderRequest) -> OrderIntent:
    return OrderIntent(
        book=position.book,
        order_key=request.client_order_id,
        signal_id=position.position_id,
        ds=session.ds,
        request=request,
        status=IntentStatus.PENDING,
        decided_at=session.now,
    )
