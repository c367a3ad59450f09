"""The live records of one book in memory, changed only by fenced commits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from goldenthread.domain.errors import ConflictError
from goldenthread.domain.ids import order_key, split_order_key
from goldenthread.domain.order import IntentStatus, OrderIntent
from goldenthread.domain.position import Position, PositionStatus
from goldenthread.domain.signal import Signal, SignalStatus
from goldenthread.ports.hot_store import (
    MAX_COMMIT_BYTES,
    MAX_OPERATIONS,
    Create,
    Delete,
    Operation,
    Replace,
)
from goldenthread.positions.session import Stops

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from goldenthread.ports.hot_store import Body, Collection, Document, HotStore
    from goldenthread.ports.leases import Lease

Record = Signal | Position | OrderIntent
_Key = tuple["Collection", str]
_Part = TypeVar("_Part")


class Blotter:
    """The waiting and active signals, positions and orders of a book.

    ``signals``, ``positions`` and ``intents`` hold what is live, by id; a record that became
    final leaves them and is kept in ``ended``. ``frozen`` says why a symbol stands still.
    ``stage`` changes memory, ``commit`` makes it durable and then asks ``go_on``, which raises to
    end the run between two writes. ``wrote`` is told the operations of each write that took
    effect. A run has one blotter.

    Raises:
        ConflictError: Somebody else changed a document this blotter holds.
    """

    def __init__(
        self,
        store: HotStore,
        lease: Lease,
        go_on: Callable[[], None] = lambda: None,
        wrote: Callable[[Sequence[Operation]], None] = lambda _operations: None,
    ) -> None:
        self.store = store
        self._go_on = go_on
        self._wrote = wrote
        self.lease = lease
        self.signals: dict[str, Signal] = {}
        self.positions: dict[str, Position] = {}
        self.intents: dict[str, OrderIntent] = {}
        self.ended: list[Record] = []
        self.frozen: dict[str, str] = {}
        self._by_signal: dict[str, dict[str, OrderIntent]] = {}
        self._ended_keys: list[str] = []
        self._documents: dict[_Key, Document | None] = {}
        self._bodies: dict[_Key, Body] = {}
        self._staged: dict[_Key, Record] = {}
        self._load()

    def of_signal(self, signal_id: str) -> list[OrderIntent]:
        """The live orders of one signal, in order of their keys."""
        return list(self._by_signal.get(signal_id, {}).values())

    def next_key(self, signal_id: str, leg: str) -> str:
        """The order key of the leg's next attempt; no attempt is ever used twice."""
        attempt = 1
        for key in [*self._by_signal.get(signal_id, ()), *self._ended_keys]:
            signal, name, number = split_order_key(key)
            if (signal, name) == (signal_id, leg):
                attempt = max(attempt, number + 1)
        while self.store.get("order_intents", order_key(signal_id, leg, attempt)) is not None:
            attempt += 1
        return order_key(signal_id, leg, attempt)

    def stage(self, *records: Record) -> None:
        """Take the records as the new truth; nothing is durable before ``commit``."""
        for record in records:
            key = self._key(record)
            live, name = self._live(record), key[1]
            if live.get(name) == record:
                continue
            self._staged[key] = record
            if record.status.is_final:
                live.pop(name, None)
                self.ended.append(record)
            else:
                live[name] = record
            if isinstance(record, OrderIntent):
                self._index(record)

    def commit(self, *others: Operation) -> None:
        """Write everything staged, fenced; a signal, its position and orders never part.

        ``others`` take effect together with the last of it.

        Raises:
            LeaseLostError: Another run took over; nothing more was written.
            ConflictError: A document is not as it was read.
        """
        bodies = {key: record.model_dump(mode="json") for key, record in self._staged.items()}
        room = _Room(MAX_OPERATIONS - len(others), MAX_COMMIT_BYTES - sum(map(_weight, others)))
        weights = {key: _bytes(body) for key, body in bodies.items()}
        *full, last = _divided(self._groups(), weights, room)
        for keys in full:
            self._write({key: bodies[key] for key in keys})
        if last or others:
            self._write({key: bodies[key] for key in last}, others)
        self._staged = {}
        self._go_on()

    def write(self, operations: Sequence[Operation]) -> None:
        """Write other documents of the book under the same lease, together with all staged.

        Raises:
            LeaseLostError: Another run took over; nothing was written.
            ConflictError: A document is not as it was read.
        """
        self.commit(*operations)

    def write_each(self, operations: Sequence[Operation]) -> None:
        """Write documents that stand alone, in as few commits as will hold them.

        Raises:
            LeaseLostError: Another run took over; nothing more was written.
            ConflictError: A document is not as it was read.
        """
        self.commit()
        weights = {number: _weight(operation) for number, operation in enumerate(operations)}
        room = _Room(MAX_OPERATIONS, MAX_COMMIT_BYTES)
        for numbers in _divided([[number] for number in weights], weights, room):
            self.commit(*(operations[number] for number in numbers))

    def stops(self) -> Stops:
        """What an operator wants no new entry of, asked anew each time."""
        return Stops.in_force(self.store)

    def flattening(self) -> bool:
        """Whether an operator wants everything closed, now."""
        document = self.store.get("operator_requests", "flatten")
        return document is not None and document.body["active"] is True

    def closed_on(self, ds: dt.date, names: Iterable[str]) -> list[Position]:
        """Which of these positions the run of ``ds`` found closed, also an attempt that died."""
        gone = [name for name in names if name not in self.positions]
        found = (self.store.get("live_positions", name) for name in gone)
        closed = [d for d in found if d and d.body["status"] == PositionStatus.CLOSED]
        return [d.record(Position) for d in closed if d.body["met_ds"] == ds.isoformat()]

    def _load(self) -> None:
        for found in self._read("live_signals", SignalStatus):
            self.signals[found.id] = found.record(Signal)
        for found in self._read("live_positions", PositionStatus):
            self.positions[found.id] = found.record(Position)
        for found in self._read("order_intents", IntentStatus):
            self.intents[found.id] = found.record(OrderIntent)
            self._index(self.intents[found.id])
        frozen = self.store.query("system_checks", equal={"status": "FROZEN"})
        self.frozen = {d.body["symbol"]: d.body["reason"] for d in frozen}

    def _read(
        self,
        collection: Collection,
        statuses: type[SignalStatus | PositionStatus | IntentStatus],
    ) -> Iterable[Document]:
        for status in statuses:
            if status.is_final:
                continue
            for document in self.store.query(collection, equal={"status": status}):
                self._documents[collection, document.id] = document
                yield document

    def _index(self, intent: OrderIntent) -> None:
        if not intent.status.is_final:
            self._by_signal.setdefault(intent.signal_id, {})[intent.order_key] = intent
            return
        self._ended_keys.append(intent.order_key)
        orders = self._by_signal.get(intent.signal_id, {})
        orders.pop(intent.order_key, None)
        if not orders:
            self._by_signal.pop(intent.signal_id, None)

    def _live(self, record: Record) -> dict[str, Any]:
        if isinstance(record, Signal):
            return self.signals
        return self.positions if isinstance(record, Position) else self.intents

    def _groups(self) -> Iterable[list[_Key]]:
        groups: dict[str, list[_Key]] = {}
        for key, record in self._staged.items():
            name = record.position_id if isinstance(record, Position) else record.signal_id
            groups.setdefault(name, []).append(key)
        return groups.values()

    def _key(self, record: Record) -> _Key:
        if isinstance(record, Position):
            return "live_positions", record.position_id
        if isinstance(record, OrderIntent):
            return "order_intents", record.order_key
        live: _Key = ("live_signals", record.signal_id)
        born_refused = record.status is SignalStatus.REJECTED and live not in self._documents
        return ("rejected_signals", record.signal_id) if born_refused else live

    def _write(self, bodies: Mapping[_Key, Body], others: Sequence[Operation] = ()) -> None:
        operations = [*(self._operation(key, body) for key, body in bodies.items()), *others]
        self.lease = self.store.commit(operations, self.lease)
        self._wrote(operations)
        for key, body in bodies.items():
            if self._staged[key].status.is_final:
                self._documents.pop(key, None)
                self._bodies.pop(key, None)
            else:
                self._documents[key] = None
                self._bodies[key] = body

    def _operation(self, key: _Key, body: Body) -> Operation:
        if key not in self._documents:
            return Create(*key, body)
        document = self._documents[key]
        if document is None:  # ours since the last commit: read its new version
            document = self.store.get(*key)
            if document is None or document.body != self._bodies[key]:
                msg = (
                    f"{key[0]}/{key[1]} is not as this run wrote it: another process changed"
                    " it; end that process, then run the day again"
                )
                raise ConflictError(msg)
        return Replace(document, body)


def live_positions(store: HotStore) -> list[Position]:
    """Every position of a book that is held or waits for its entry, to be looked at."""
    return [
        document.record(Position)
        for status in PositionStatus
        if not status.is_final
        for document in store.query("live_positions", equal={"status": status})
    ]


class _Room(NamedTuple):
    """What one commit has room for."""

    operations: int
    bytes: int


def _divided(
    groups: Iterable[Sequence[_Part]], weights: Mapping[_Part, int], room: _Room
) -> Iterator[list[_Part]]:
    """The groups in their order, none parted, in as few batches as there is room in."""
    batch: list[_Part] = []
    left = room
    for group in groups:
        weight = sum(weights[part] for part in group)
        if batch and (len(group) > left.operations or weight > left.bytes):
            yield batch
            batch, left = [], room
        batch += group
        left = _Room(left.operations - len(group), left.bytes - weight)
    yield batch


def _weight(operation: Operation) -> int:
    return 0 if isinstance(operation, Delete) else _bytes(operation.body)


def _bytes(body: Mapping[str, Any]) -> int:
    """No less than the store will count: escapes and spaces only add."""
    return len(json.dumps(body, default=str))
