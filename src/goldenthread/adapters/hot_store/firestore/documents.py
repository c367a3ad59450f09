"""A document of a book as Firestore keeps it.

``body`` is the whole body in plain types; the fields that are queried stand a second time
beside it, so that ``body`` needs no index. ``write_id`` names the write that made it what it
is: after a lost answer it tells our write from anybody else's. ``delete_at`` is the native
instant of the TTL policy.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from goldenthread.adapters.hot_store.bodies import ordered
from goldenthread.domain.errors import EngineError
from goldenthread.ports.hot_store import INDEXED, Document

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, DocumentSnapshot

    from goldenthread.ports.hot_store import Body, Collection

    Snapshot = DocumentSnapshot[DocumentReference]

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
OPTIONAL = (*INDEXED, "delete_at")
"""The fields beside ``version``, ``write_id`` and ``body`` that a document may lack."""


def new_write_id() -> str:
    """A name no other write has."""
    return uuid4().hex


def fields_of(
    plain: Body, version: int, write_id: str, delete_at: dt.datetime | None
) -> dict[str, Any]:
    """Everything the stored document holds."""
    fields: dict[str, Any] = {"version": version, "write_id": write_id, "body": plain}
    fields.update({name: plain[name] for name in INDEXED if plain.get(name) is not None})
    if delete_at is not None:
        fields["delete_at"] = delete_at
    return fields


def absent_in(fields: dict[str, Any]) -> tuple[str, ...]:
    """The fields a replaced document must lose to hold ``fields`` and nothing else."""
    return tuple(name for name in OPTIONAL if name not in fields)


def document_of(snapshot: Snapshot, collection: Collection) -> Document:
    """The document as the port has it; its ``etag`` is Firestore's update time.

    Raises:
        EngineError: Somebody else wrote it: a part of ours is missing.
    """
    fields = snapshot.to_dict() or {}
    version, body = fields.get("version"), fields.get("body")
    if not isinstance(version, int) or not isinstance(body, dict):
        msg = (
            f"{snapshot.reference.path} is no document of ours (version {version!r}); restore"
            " it from a backup, or delete it in the console"
        )
        raise EngineError(msg)
    delete_at = fields.get("delete_at")
    # without Google's nanoseconds, of which ours have none
    expires = None if delete_at is None else _EPOCH + (delete_at - _EPOCH)
    return Document(collection, snapshot.id, ordered(body), version, snapshot.update_time, expires)


def written_by(snapshot: Snapshot | None, write_id: str) -> bool:
    """Whether the document is what the write of that id made it."""
    return snapshot is not None and (snapshot.to_dict() or {}).get("write_id") == write_id
