"""Live state in one SQLite file; books lie apart in it, leases lie beside what they guard."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
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
from goldenthread.adapters.hot_store.sqlite_file import SqliteFile, Synchronous
from goldenthread.domain.errors import ConflictError, LeaseHeldError, LeaseLostError
from goldenthread.ports.hot_store import (
    INDEXED,
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
    from pathlib import Path

    from goldenthread.domain.clock import Clock

_KEY = "book = ? AND collection = ? AND id = ?"
_INSERT = "INSERT INTO document VALUES (?,?,?,1,?,?,?,?,?,?) ON CONFLICT DO NOTHING"
_UPDATE = (
    "UPDATE document SET version = version + 1, body = ?, delete_at = ?, status = ?, symbol = ?,"
    f" ds = ?, strategy_id = ? WHERE {_KEY} AND version = ?"
)
_BODY_AT = {_INSERT: 3, _UPDATE: 0}
"""Where the values of a statement have the body."""

_DELETE = f"DELETE FROM document WHERE {_KEY} AND version = ?"
_SWEEP = (
    "DELETE FROM document WHERE book = ? AND collection = ? AND id IN (SELECT id FROM document"
    " WHERE book = ? AND collection = ? AND delete_at <= ? ORDER BY delete_at, id LIMIT ?)"
)
_ACQUIRE = (
    "INSERT INTO lease VALUES (?,?,?,1,?,?) ON CONFLICT DO UPDATE SET owner = excluded.owner,"
    " token = token + 1, expires_at = excluded.expires_at, ttl = excluded.ttl"
    " WHERE owner IS NULL OR lease.expires_at <= ? RETURNING token"
)
_OWN = "book = ? AND name = ? AND owner = ? AND token = ?"
_PROLONG = (
    "UPDATE lease SET ttl = coalesce(?, ttl), expires_at = ? + coalesce(?, ttl)"
    f" WHERE {_OWN} RETURNING expires_at"
)
_RELEASE = f"UPDATE lease SET owner = NULL WHERE {_OWN}"
_HOLDER = (
    "SELECT owner, expires_at FROM lease"
    " WHERE book = ? AND name = ? AND owner IS NOT NULL AND expires_at > ?"
)
_Row = tuple[Any, ...]
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


class SqliteHotStore(HotStore, Leases):
    """The documents and leases of one book.

    The proof of a document's version (``etag``) is the version itself. One object serves one
    thread; several processes may share the file.

    Args:
        path: The file; created with its folder, readable by its owner only.
        book: The book, ``sim:main`` for example.
        clock: Wall time for the end of leases.
        synchronous: FULL, or NORMAL where the last commits may be lost in a power cut.

    Raises:
        EngineError: The file cannot be used; every call may raise it, or EngineBusyError.
    """

    def __init__(
        self, path: Path, book: str, clock: Clock, *, synchronous: Synchronous = "FULL"
    ) -> None:
        self._book = book
        self._clock = clock
        self._file = SqliteFile(path, synchronous, clock)

    def close(self) -> None:
        """Release the file; everything committed is already durable."""
        self._file.connection.close()

    def books(self) -> list[str]:
        """Every book of the file, sorted."""
        sql = "SELECT DISTINCT book FROM document ORDER BY book"
        with self._file.translated():
            return [name for (name,) in self._file.connection.execute(sql)]

    @override
    def get(self, collection: Collection, name: str) -> Document | None:
        rows = self._select(collection, "AND id = ?", (name,))
        return rows[0] if rows else None

    @override
    def put_if_absent(
        self,
        collection: Collection,
        name: str,
        body: Mapping[str, Any],
        delete_at: dt.datetime | None = None,
    ) -> tuple[Document, bool]:
        row = self._row(Create(collection, name, body, delete_at))
        while True:
            with self._file.translated():
                created = self._file.connection.execute(_INSERT, row).rowcount
            if created:
                return _document(collection, (name, 1, row[3], row[4])), True
            if found := self.get(collection, name):  # None: swept in between, so write again
                return found, False

    @override
    def compare_and_set(
        self, document: Document, body: Mapping[str, Any], delete_at: dt.datetime | None = None
    ) -> Document:
        statement, values = self._step(Replace(document, body, delete_at))
        with self._file.translated():
            changed = self._file.connection.execute(statement, values).rowcount
        if not changed:
            raise self._stale(document)
        row = (document.id, document.version + 1, *values[:2])
        return _document(document.collection, row)

    @override
    def commit(self, operations: Sequence[Operation], fence: Lease) -> Lease:
        check_operations(operations)
        steps = [self._step(operation) for operation in operations]
        check_weight(values[_BODY_AT[sql]] for sql, values in steps if sql in _BODY_AT)
        with self._file.transaction() as connection:
            lease = self._prolonged(fence)
            for operation, (statement, values) in zip(operations, steps, strict=True):
                if not connection.execute(statement, values).rowcount:
                    self._drop_if_equal(operation, values)
        return lease

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
        where, values = _matching(equal)
        for clause, bound in (("ds >= ?", ds_from), ("ds <= ?", ds_to)):
            if bound is not None:
                where += f" AND {clause}"
                values.append(bound.isoformat())
        if after is not None:
            where += " AND (ds, id) > (?, ?)"
            values.extend(after)
        where += " AND ds IS NOT NULL ORDER BY ds, id LIMIT ?"
        return self._select(collection, where, (*values, -1 if limit is None else limit))

    @override
    def count(self, collection: Collection, equal: Mapping[str, str] | None = None) -> int:
        where, values = _matching(equal)
        sql = f"SELECT count(*) FROM document WHERE book = ? AND collection = ? {where}"
        with self._file.translated():
            (found,) = self._file.connection.execute(
                sql, (self._book, collection, *values)
            ).fetchone()
        return int(found)

    @override
    def sweep(self, collection: Collection, now: dt.datetime, limit: int = 400) -> int:
        scope = (self._book, collection)
        with self._file.translated():
            return self._file.connection.execute(
                _SWEEP, (*scope, *scope, _stamp(now), limit)
            ).rowcount

    @override
    def acquire(self, name: str, owner: str, ttl_s: float) -> Lease:
        now = self._clock.now()
        ends = now + dt.timedelta(seconds=ttl_s)
        ttl = dt.timedelta(seconds=ttl_s) // _MICROSECOND
        with self._file.transaction() as connection:
            values = (self._book, name, owner, _stamp(ends), ttl, _stamp(now))
            rows = connection.execute(_ACQUIRE, values).fetchall()
            if not rows:
                raise self._held(name)
        return Lease(name, owner, rows[0][0], ends)

    @override
    def renew(self, lease: Lease, ttl_s: float) -> Lease:
        with self._file.transaction():
            return self._prolonged(lease, dt.timedelta(seconds=ttl_s) // _MICROSECOND)

    @override
    def release(self, lease: Lease) -> None:
        with self._file.translated():
            self._file.connection.execute(_RELEASE, self._own(lease))

    @override
    def holder(self, name: str) -> Holder | None:
        values = (self._book, name, _stamp(self._clock.now()))
        with self._file.translated():
            row = self._file.connection.execute(_HOLDER, values).fetchone()
        return None if row is None else Holder(row[0], _instant(row[1]))

    def _select(self, collection: Collection, where: str, values: _Row) -> list[Document]:
        sql = (
            "SELECT id, version, body, delete_at FROM document"
            f" WHERE book = ? AND collection = ? {where}"
        )
        with self._file.translated():
            rows = self._file.connection.execute(sql, (self._book, collection, *values)).fetchall()
        return [_document(collection, row) for row in rows]

    def _row(self, create: Create) -> _Row:
        plain, text = stored(create.body)
        key = (self._book, create.collection, checked_id(create.id))
        return (*key, text, _stamp(expiry(create.delete_at)), *map(plain.get, INDEXED))

    def _version(self, document: Document) -> _Row:
        return (self._book, document.collection, document.id, document.version)

    def _step(self, operation: Operation) -> tuple[str, _Row]:
        if isinstance(operation, Create):
            return _INSERT, self._row(operation)
        if isinstance(operation, Delete):
            return _DELETE, self._version(operation.document)
        plain, text = stored(operation.body)
        values = (text, _stamp(expiry(operation.delete_at)), *map(plain.get, INDEXED))
        return _UPDATE, (*values, *self._version(operation.document))

    def _drop_if_equal(self, operation: Operation, values: _Row) -> None:
        """Let a Create pass whose document is there already with an equal body."""
        if not isinstance(operation, Create):
            raise self._stale(operation.document)
        (body,) = self._file.connection.execute(
            f"SELECT body FROM document WHERE {_KEY}", values[:3]
        ).fetchone()
        if body != values[3]:
            msg = (
                f"{operation.collection}/{operation.id} exists in {self._book} with another body;"
                " the first one stands, nothing was written"
            )
            raise ConflictError(msg)

    def _stale(self, document: Document) -> ConflictError:
        found = self.get(document.collection, document.id)
        now = "it is gone" if found is None else f"it is at version {found.version}"
        return ConflictError(
            f"{document.collection}/{document.id} of {self._book} was read at version"
            f" {document.version}, now {now}; nothing was written: read it again and decide anew"
        )

    def _own(self, lease: Lease) -> _Row:
        return (self._book, lease.name, lease.owner, lease.token)

    def _prolonged(self, lease: Lease, ttl: int | None = None) -> Lease:
        """The lease renewed inside the open transaction; without ``ttl`` by its own."""
        values = (ttl, _stamp(self._clock.now()), ttl, *self._own(lease))
        rows = self._file.connection.execute(_PROLONG, values).fetchall()
        if not rows:
            msg = (
                f"lease {lease.name!r} of {self._book} is no longer held by {lease.owner}"
                f" (token {lease.token}): another run took over, nothing was written"
            )
            raise LeaseLostError(msg)
        return replace(lease, expires_at=_instant(rows[0][0]))

    def _held(self, name: str) -> LeaseHeldError:
        owner, until = self._file.connection.execute(
            "SELECT owner, expires_at FROM lease WHERE book = ? AND name = ?", (self._book, name)
        ).fetchone()
        return LeaseHeldError(
            f"{self._book} is in the hands of {owner} until {_instant(until):%Y-%m-%d %H:%M:%S} UTC"
            f" (lease {name!r}); wait for it to end"
        )


def _stamp(instant: dt.datetime | None) -> int | None:
    """Microseconds since 1970, as the file keeps instants."""
    return None if instant is None else (instant - _EPOCH) // _MICROSECOND


def _instant(stamp: int) -> dt.datetime:
    return _EPOCH + stamp * _MICROSECOND


def _document(collection: Collection, row: _Row) -> Document:
    name, version, body, delete_at = row
    expires = None if delete_at is None else _instant(delete_at)
    return Document(collection, name, json.loads(body), version, version, expires)


def _matching(equal: Mapping[str, str] | None) -> tuple[str, list[Any]]:
    """The SQL and the values of an equality filter."""
    check_equal(equal)
    fields = equal or {}
    return "".join(f" AND {field} = ?" for field in fields), list(fields.values())
