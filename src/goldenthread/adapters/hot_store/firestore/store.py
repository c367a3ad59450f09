"""Live state in Firestore: documents and leases of one book under ``books/<book>``."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from goldenthread.adapters.hot_store.bodies import (
    check_operations,
    check_weight,
    checked_id,
    expiry,
    ordered,
    stored,
)
from goldenthread.adapters.hot_store.firestore import queries
from goldenthread.adapters.hot_store.firestore.documents import (
    absent_in,
    document_of,
    fields_of,
    new_write_id,
    written_by,
)
from goldenthread.adapters.hot_store.firestore.failures import NotConfirmedError
from goldenthread.adapters.hot_store.firestore.leases import FirestoreLeases
from goldenthread.adapters.hot_store.firestore.wire import FirestoreWire, Write
from goldenthread.domain.errors import ConflictError, DataError
from goldenthread.ports.hot_store import (
    MAX_OPERATIONS,
    Collection,
    Create,
    Delete,
    Document,
    HotStore,
    Operation,
    Replace,
)
from goldenthread.ports.leases import Holder, Lease, Leases

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from goldenthread.adapters.hot_store.firestore.documents import Snapshot
    from goldenthread.adapters.hot_store.firestore.place import FirestorePlace
    from goldenthread.domain.clock import Clock

_PROBE = "doctor"


@dataclass(frozen=True)
class _Part:
    """One operation with the write that carries it out; ``text`` is its body as JSON."""

    operation: Operation
    write: Write
    text: str = ""


class FirestoreHotStore(HotStore, Leases):
    """The documents and leases of one book.

    No transactions: every change is one call with preconditions, and names itself in the
    documents it writes, so that after a lost answer the store can be asked whether it took
    effect. The proof of a document's version (``etag``) is Firestore's update time.

    Args:
        place: The database.
        book: The book, ``sim:main`` for example.
        clock: Wall time for the end of leases and the pauses between attempts.

    Raises:
        EngineError: The database cannot be used; every call may raise it, EngineBusyError,
            or UnknownOutcomeError where nobody can tell whether a write took effect.
    """

    def __init__(self, place: FirestorePlace, book: str, clock: Clock) -> None:
        self._wire = FirestoreWire(place, checked_id(book), clock)
        self._leases = FirestoreLeases(self._wire)

    @override
    def get(self, collection: Collection, name: str) -> Document | None:
        found = self._wire.read(self._wire.reference(collection, checked_id(name)))
        return None if found is None else document_of(found, collection)

    @override
    def put_if_absent(
        self,
        collection: Collection,
        name: str,
        body: Mapping[str, Any],
        delete_at: dt.datetime | None = None,
    ) -> tuple[Document, bool]:
        write_id = new_write_id()
        write = self._part(Create(collection, name, body, delete_at), write_id).write
        for _ in self._wire.attempts():
            try:
                (at,) = self._wire.write([write])
            except NotConfirmedError as error:
                failure = error.told
                (found,) = self._wire.read_back([write.reference])
                if found is not None:
                    return document_of(found, collection), written_by(found, write_id)
            else:
                return _written(write, collection, at), True
        raise failure

    @override
    def compare_and_set(
        self, document: Document, body: Mapping[str, Any], delete_at: dt.datetime | None = None
    ) -> Document:
        write_id = new_write_id()
        part = self._part(Replace(document, body, delete_at), write_id)
        for _ in self._wire.attempts():
            try:
                (at,) = self._wire.write([part.write])
            except NotConfirmedError as error:
                failure = error.told
                (found,) = self._wire.read_back([part.write.reference])
                if found is not None and written_by(found, write_id):
                    return document_of(found, document.collection)
                self._check_unchanged(document, found)
            else:
                return _written(part.write, document.collection, at)
        raise failure

    @override
    def commit(self, operations: Sequence[Operation], fence: Lease) -> Lease:
        check_operations(operations)
        write_id = new_write_id()
        parts = [self._part(operation, write_id) for operation in operations]
        check_weight(part.text for part in parts)
        for _ in self._wire.attempts():
            renewal = self._leases.prolonging(fence, write_id)
            try:
                at, *_ = self._wire.write([renewal, *(part.write for part in parts)])
            except NotConfirmedError as error:
                failure = error.told
                fence, done = self._leases.read_back(fence, write_id)
                if done:
                    return fence
                parts = self._still_to_do(parts)
            else:
                return self._leases.prolonged(fence, renewal, at)
        raise failure

    @override
    def query(
        self,
        collection: Collection,
        *,
        equal: Mapping[str, str] | None = None,
        ds_from: dt.date | None = None,
        ds_to: dt.date | None = None,
        limit: int | None = None,
        after: tuple[str, str] | None = None,
    ) -> list[Document]:
        matching = queries.matching(self._wire.collection(collection), equal)
        query = queries.dated(matching, ds_from, ds_to)
        found: list[Document] = []
        while limit is None or len(found) < limit:
            size = queries.PAGE if limit is None else min(queries.PAGE, limit - len(found))
            answer = self._wire.run(queries.page(query, after, size))
            found += [document_of(snapshot, collection) for snapshot in answer]
            if len(answer) < size:
                break
            after = (found[-1].body["ds"], found[-1].id)
        return found

    @override
    def count(self, collection: Collection, equal: Mapping[str, str] | None = None) -> int:
        return self._wire.count(queries.matching(self._wire.collection(collection), equal))

    @override
    def sweep(self, collection: Collection, now: dt.datetime, limit: int = 400) -> int:
        swept = 0
        while swept < limit:
            size = min(limit - swept, MAX_OPERATIONS)
            gone = self._sweep_once(collection, now, size)
            swept += gone
            if gone < size:
                break
        return swept

    @override
    def acquire(self, name: str, owner: str, ttl_s: float) -> Lease:
        return self._leases.acquire(name, owner, ttl_s)

    @override
    def renew(self, lease: Lease, ttl_s: float) -> Lease:
        return self._leases.renew(lease, ttl_s)

    @override
    def release(self, lease: Lease) -> None:
        self._leases.release(lease)

    @override
    def holder(self, name: str) -> Holder | None:
        return self._leases.holder(name)

    def clock_lead(self) -> dt.timedelta:
        """How far Firestore's clock is ahead of ours, found by writing one document."""
        document, _ = self.put_if_absent("system_checks", _PROBE, {})
        before = self._wire.clock.now()
        written = self.compare_and_set(document, {"checked_at": before})
        return _proof(written) - before - (self._wire.clock.now() - before) / 2

    def _sweep_once(self, collection: Collection, now: dt.datetime, size: int) -> int:
        for _ in self._wire.attempts():
            found = self._wire.run(queries.due(self._wire.collection(collection), now, size))
            if not found:
                return 0
            try:
                self._wire.write([Write(d.reference, None, d.update_time) for d in found])
            except NotConfirmedError as error:
                failure = error.told
                gone = self._wire.read_back([d.reference for d in found]).count(None)
                if gone:
                    return gone
            else:
                return len(found)
        raise failure

    def _part(self, operation: Operation, write_id: str) -> _Part:
        if isinstance(operation, Create):
            reference = self._wire.reference(operation.collection, checked_id(operation.id))
            plain, text = stored(operation.body)
            fields = fields_of(plain, 1, write_id, expiry(operation.delete_at))
            return _Part(operation, Write(reference, fields), text)
        document = operation.document
        reference = self._wire.reference(document.collection, checked_id(document.id))
        if isinstance(operation, Delete):
            return _Part(operation, Write(reference, None, _proof(document)))
        plain, text = stored(operation.body)
        fields = fields_of(plain, document.version + 1, write_id, expiry(operation.delete_at))
        write = Write(reference, fields, _proof(document), absent_in(fields))
        return _Part(operation, write, text)

    def _still_to_do(self, parts: Sequence[_Part]) -> list[_Part]:
        """What a batch that wrote nothing must be tried again with.

        Raises:
            ConflictError: A document is not as the batch needs it.
        """
        found = self._wire.read_back([part.write.reference for part in parts])
        return [
            part
            for part, snapshot in zip(parts, found, strict=True)
            if not self._is_there(part, snapshot)
        ]

    def _is_there(self, part: _Part, found: Snapshot | None) -> bool:
        operation = part.operation
        if not isinstance(operation, Create):
            self._check_unchanged(operation.document, found)
            return False
        if found is None:
            return False
        if stored(document_of(found, operation.collection).body)[1] != part.text:
            msg = (
                f"{operation.collection}/{operation.id} exists in {self._wire.book} with another"
                " body; the first one stands, nothing was written"
            )
            raise ConflictError(msg)
        return True

    def _check_unchanged(self, document: Document, found: Snapshot | None) -> None:
        if found is not None and found.update_time == document.etag:
            return
        version = 0 if found is None else document_of(found, document.collection).version
        now = f"it is at version {version}" if version else "it is gone"
        msg = (
            f"{document.collection}/{document.id} of {self._wire.book} was read at version"
            f" {document.version}, now {now}; nothing was written: read it again and decide anew"
        )
        raise ConflictError(msg)


def _proof(document: Document) -> dt.datetime:
    if not isinstance(document.etag, dt.datetime):
        msg = f"{document.collection}/{document.id} was not read from Firestore; get it first"
        raise DataError(msg)
    return document.etag


def _written(write: Write, collection: Collection, at: dt.datetime) -> Document:
    """The document as that write left it."""
    fields = write.fields or {}
    expires = fields.get("delete_at")
    return Document(
        collection, write.reference.id, ordered(fields["body"]), fields["version"], at, expires
    )
