"""A what-if over a hot store: reads fall through, writes stay in memory."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from goldenthread.adapters.hot_store.bodies import (
    check_equal,
    check_operations,
    check_weight,
    checked_id,
    expiry,
    stored,
)
from goldenthread.domain.errors import ConflictError, LeaseHeldError, LeaseLostError
from goldenthread.ports.hot_store import (
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

    from goldenthread.domain.clock import Clock


@dataclass(frozen=True)
class _Written:
    """A document as the overlay keeps it: JSON text, so that no caller shares it."""

    text: str
    version: int
    delete_at: dt.datetime | None

    def document(self, collection: Collection, name: str) -> Document:
        body = json.loads(self.text)
        return Document(collection, name, body, self.version, self.version, self.delete_at)


_Changes = dict[tuple[Collection, str], _Written | None]


class OverlayHotStore(HotStore, Leases):
    """What the store would hold; the store below is read, never written.

    Leases are the overlay's own, so a plan never waits for a run and never holds one up.
    ``sweep`` removes only what the overlay wrote: the port cannot tell what the store below
    would let go.

    Args:
        inner: The store below.
        clock: Wall time for the end of leases.
    """

    def __init__(self, inner: HotStore, clock: Clock) -> None:
        self._inner = inner
        self._clock = clock
        self._changes: _Changes = {}
        self._leases: dict[str, tuple[Lease, float]] = {}
        self._tokens: dict[str, int] = {}

    @override
    def get(self, collection: Collection, name: str) -> Document | None:
        if (collection, name) not in self._changes:
            return self._inner.get(collection, name)
        written = self._changes[collection, name]
        return None if written is None else written.document(collection, name)

    @override
    def put_if_absent(
        self,
        collection: Collection,
        name: str,
        body: Mapping[str, Any],
        delete_at: dt.datetime | None = None,
    ) -> tuple[Document, bool]:
        written = _Written(stored(body)[1], 1, expiry(delete_at))
        if found := self.get(collection, checked_id(name)):
            return found, False
        self._changes[collection, name] = written
        return written.document(collection, name), True

    @override
    def compare_and_set(
        self, document: Document, body: Mapping[str, Any], delete_at: dt.datetime | None = None
    ) -> Document:
        written = _Written(stored(body)[1], document.version + 1, expiry(delete_at))
        self._check(document)
        self._changes[document.collection, document.id] = written
        return written.document(document.collection, document.id)

    @override
    def commit(self, operations: Sequence[Operation], fence: Lease) -> Lease:
        check_operations(operations)
        lease, ttl_s = self._own(fence)
        changes: _Changes = {}
        for operation in operations:
            self._stage(operation, changes)
        check_weight(written.text for written in changes.values() if written is not None)
        self._changes.update(changes)
        return self._prolong(lease, ttl_s)

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
        below = self._inner.query(
            collection, equal=equal, ds_from=ds_from, ds_to=ds_to, after=after
        )
        found = [d for d in below if (collection, d.id) not in self._changes]
        for document in self._written(collection):
            ds = document.body.get("ds")
            inside = (
                ds is not None
                and (ds_from is None or ds >= ds_from.isoformat())
                and (ds_to is None or ds <= ds_to.isoformat())
                and (after is None or (ds, document.id) > after)
            )
            if inside and _matches(document, equal):
                found.append(document)
        return sorted(found, key=lambda d: (d.body["ds"], d.id))[:limit]

    @override
    def count(self, collection: Collection, equal: Mapping[str, str] | None = None) -> int:
        check_equal(equal)
        hidden = (self._inner.get(c, name) for c, name in self._changes if c == collection)
        return (
            self._inner.count(collection, equal)
            - sum(document is not None and _matches(document, equal) for document in hidden)
            + sum(_matches(document, equal) for document in self._written(collection))
        )

    @override
    def sweep(self, collection: Collection, now: dt.datetime, limit: int = 400) -> int:
        due = [
            (document.delete_at, document.id)
            for document in self._written(collection)
            if document.delete_at is not None and document.delete_at <= now
        ]
        swept = sorted(due)[:limit]
        for _, name in swept:
            self._changes[collection, name] = None
        return len(swept)

    @override
    def acquire(self, name: str, owner: str, ttl_s: float) -> Lease:
        if held := self.holder(name):
            msg = f"lease {name!r} is in the hands of {held.owner} until {held.until}; wait"
            raise LeaseHeldError(msg)
        self._tokens[name] = self._tokens.get(name, 0) + 1
        return self._prolong(Lease(name, owner, self._tokens[name], self._clock.now()), ttl_s)

    @override
    def renew(self, lease: Lease, ttl_s: float) -> Lease:
        return self._prolong(self._own(lease)[0], ttl_s)

    @override
    def release(self, lease: Lease) -> None:
        if self._holds(lease):
            del self._leases[lease.name]

    @override
    def holder(self, name: str) -> Holder | None:
        lease, _ = self._leases.get(name, (None, 0.0))
        if lease is None or lease.expires_at <= self._clock.now():
            return None
        return Holder(lease.owner, lease.expires_at)

    def _written(self, collection: Collection) -> list[Document]:
        return [
            written.document(collection, name)
            for (place, name), written in self._changes.items()
            if place == collection and written is not None
        ]

    def _check(self, document: Document) -> None:
        found = self.get(document.collection, document.id)
        if found is None or found.version != document.version:
            msg = (
                f"{document.collection}/{document.id} was read at version {document.version} and"
                " changed since; nothing was written: read it again and decide anew"
            )
            raise ConflictError(msg)

    def _stage(self, operation: Operation, changes: _Changes) -> None:
        if isinstance(operation, Create):
            text = stored(operation.body)[1]
            found = self.get(operation.collection, checked_id(operation.id))
            if found is not None and stored(found.body)[1] != text:
                msg = f"{operation.collection}/{operation.id} exists with another body"
                raise ConflictError(msg)
            if found is None:
                written = _Written(text, 1, expiry(operation.delete_at))
                changes[operation.collection, operation.id] = written
            return
        document = operation.document
        self._check(document)
        changes[document.collection, document.id] = _outcome(operation)

    def _holds(self, lease: Lease) -> bool:
        held = self._leases.get(lease.name)
        return held is not None and held[0].token == lease.token

    def _own(self, lease: Lease) -> tuple[Lease, float]:
        if not self._holds(lease):
            msg = f"lease {lease.name!r} is no longer held by {lease.owner}; nothing was written"
            raise LeaseLostError(msg)
        return self._leases[lease.name]

    def _prolong(self, lease: Lease, ttl_s: float) -> Lease:
        prolonged = replace(lease, expires_at=self._clock.now() + dt.timedelta(seconds=ttl_s))
        self._leases[lease.name] = (prolonged, ttl_s)
        return prolonged


def _outcome(operation: Replace | Delete) -> _Written | None:
    if isinstance(operation, Delete):
        return None
    version = operation.document.version + 1
    return _Written(stored(operation.body)[1], version, expiry(operation.delete_at))


def _matches(document: Document, equal: Mapping[str, str] | None) -> bool:
    return all(document.body.get(field) == value for field, value in (equal or {}).items())
