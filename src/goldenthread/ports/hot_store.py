"""Live state of one book: documents changed only by single-step preconditions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from goldenthread.domain.errors import ConflictError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from goldenthread.ports.leases import Lease

Collection = Literal[
    "strategies",
    "live_signals",
    "rejected_signals",
    "live_positions",
    "order_intents",
    "job_locks",
    "job_metadata",
    "system_checks",
    "operator_requests",
    "quarantine",
]
"""The collections of a book."""

INDEXED = ("status", "symbol", "ds", "strategy_id")
"""The body fields a query may use; each may be absent."""

MAX_OPERATIONS = 400
"""The largest ``commit``; longer work is divided by the caller into steps that stand alone."""

MAX_COMMIT_BYTES = 3_500_000
"""The most that the bodies of one ``commit`` hold together, as JSON; see MAX_OPERATIONS."""

Body = dict[str, Any]

_Record = TypeVar("_Record", bound=BaseModel)


@dataclass(frozen=True)
class Document:
    """One stored document; ``etag`` is the engine's own proof of its version."""

    collection: Collection
    id: str
    body: Body
    version: int
    etag: object = None
    delete_at: dt.datetime | None = None

    def record(self, kind: type[_Record]) -> _Record:
        """The record that the document holds.

        Raises:
            ConflictError: A field is too many, too few or of another type: another version of
                this package wrote it, or something else did.
        """
        try:
            return kind.model_validate(self.body)
        except ValidationError as error:
            wrong = error.errors()[0]
            field = ".".join(str(part) for part in wrong["loc"])
            message = (
                f"{self.collection}/{self.id} is not a {kind.__name__} as this version writes it:"
                f" {field}: {wrong['msg']}; run the version that wrote it, or restore the hot store"
                " from a backup"
            )
            raise ConflictError(message) from error


@dataclass(frozen=True)
class Create:
    """Write a document that must not exist; one equal to it counts as done."""

    collection: Collection
    id: str
    body: Mapping[str, Any]
    delete_at: dt.datetime | None = None


@dataclass(frozen=True)
class Replace:
    """Replace the whole body of a document that must still be as it was read."""

    document: Document
    body: Mapping[str, Any]
    delete_at: dt.datetime | None = None


@dataclass(frozen=True)
class Delete:
    """Remove a document that must still be as it was read."""

    document: Document


Operation = Create | Replace | Delete


class HotStore(Protocol):
    """Documents of one book.

    Bodies hold None, bool, int (64 bit), str, Decimal (stored as canonical string), aware
    datetimes (ISO, UTC, microseconds), dates (ISO), mappings and lists (no list directly in a
    list), 20 levels deep at most, and come back with their fields in alphabetical order. A float
    or a naive datetime raises DataError. A queried field has at most 1500 bytes. Ids are 1 to
    1500 bytes without ``/``, not ``.`` or ``..`` or ``__…__``.
    """

    def get(self, collection: Collection, name: str) -> Document | None:
        """The document, or None."""
        ...

    def put_if_absent(
        self,
        collection: Collection,
        name: str,
        body: Mapping[str, Any],
        delete_at: dt.datetime | None = None,
    ) -> tuple[Document, bool]:
        """The stored document and whether this call created it; the first one stands."""
        ...

    def compare_and_set(
        self, document: Document, body: Mapping[str, Any], delete_at: dt.datetime | None = None
    ) -> Document:
        """The document with its whole body replaced.

        Raises:
            ConflictError: It changed or vanished since it was read.
        """
        ...

    def commit(self, operations: Sequence[Operation], fence: Lease) -> Lease:
        """The renewed lease, after all operations took effect together or none did.

        A Create whose document exists with an equal body is dropped and the rest retried.

        Raises:
            LeaseLostError: The fence is no longer ours; nothing was written.
            ConflictError: A precondition failed; nothing was written.
            DataError: More than MAX_OPERATIONS or MAX_COMMIT_BYTES, a document twice, or a body
                not allowed.
        """
        ...

    def query(  # the closed set of query shapes is the point
        self,
        collection: Collection,
        *,
        equal: Mapping[str, str] | None = None,
        ds_from: dt.date | None = None,
        ds_to: dt.date | None = None,
        limit: int | None = None,
        after: tuple[str, str] | None = None,
    ) -> list[Document]:
        """Documents with a ``ds``, oldest first (ds, id); ``after`` is the last (ds, id) seen.

        ``equal`` takes ``status``, ``symbol`` and ``strategy_id``.
        """
        ...

    def count(self, collection: Collection, equal: Mapping[str, str] | None = None) -> int:
        """How many documents match."""
        ...

    def sweep(self, collection: Collection, now: dt.datetime, limit: int = 400) -> int:
        """How many documents with ``delete_at <= now`` were removed; at most ``limit``."""
        ...
