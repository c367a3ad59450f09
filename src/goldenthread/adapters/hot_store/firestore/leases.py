"""Leases as documents of ``job_locks``: taken, prolonged and given back by single writes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from typing_extensions import override

from goldenthread.adapters.hot_store.bodies import checked_id, stored
from goldenthread.adapters.hot_store.firestore.documents import (
    absent_in,
    document_of,
    fields_of,
    new_write_id,
    written_by,
)
from goldenthread.adapters.hot_store.firestore.failures import NotConfirmedError
from goldenthread.adapters.hot_store.firestore.wire import FirestoreWire, Write
from goldenthread.domain.errors import LeaseHeldError, LeaseLostError
from goldenthread.ports.leases import Holder, Lease, Leases

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference

    from goldenthread.adapters.hot_store.firestore.documents import Snapshot

_NOBODY = ""
"""The owner of a lease that was given back."""

_MICROSECOND = dt.timedelta(microseconds=1)


@dataclass(frozen=True)
class _Proof:
    """The ``etag`` of a lease: when its document was last written, and how long it lasts."""

    update_time: dt.datetime | None
    ttl: dt.timedelta


class FirestoreLeases(Leases):
    """The leases of one book.

    The token is the version of the lease's document: it grows with every acquisition and is
    never reset.
    """

    def __init__(self, wire: FirestoreWire) -> None:
        self._wire = wire

    @override
    def acquire(self, name: str, owner: str, ttl_s: float) -> Lease:
        ttl, write_id = dt.timedelta(seconds=ttl_s), new_write_id()
        reference = self._reference(checked_id(name))
        for _ in self._wire.attempts():
            found = self._wire.read(reference)
            if found is not None and written_by(found, write_id):
                return _lease_of(found)
            lease = self._next(found, Lease(name, owner, 0, self._wire.clock.now() + ttl))
            proof = None if found is None else found.update_time
            try:
                (at,) = self._wire.write([self._write(lease, _Proof(proof, ttl), write_id)])
            except NotConfirmedError as error:
                failure = error.told
            else:
                return replace(lease, etag=_Proof(at, ttl))
        raise failure

    @override
    def renew(self, lease: Lease, ttl_s: float) -> Lease:
        ttl, write_id = dt.timedelta(seconds=ttl_s), new_write_id()
        for _ in self._wire.attempts():
            write = self.prolonging(lease, write_id, ttl)
            try:
                (at,) = self._wire.write([write])
            except NotConfirmedError as error:
                failure = error.told
                lease, done = self.read_back(lease, write_id)
                if done:
                    return lease
            else:
                return self.prolonged(lease, write, at)
        raise failure

    @override
    def release(self, lease: Lease) -> None:
        write_id = new_write_id()
        for _ in self._wire.attempts():
            try:
                proof = self._proof(lease)
                self._wire.write([self._write(replace(lease, owner=_NOBODY), proof, write_id)])
            except LeaseLostError:
                return
            except NotConfirmedError as error:
                failure = error.told
                lease = replace(lease, etag=None)
            else:
                return
        raise failure

    @override
    def holder(self, name: str) -> Holder | None:
        found = self._wire.read(self._reference(checked_id(name)))
        return None if found is None else self._holder(_lease_of(found))

    def prolonging(self, lease: Lease, write_id: str, ttl: dt.timedelta | None = None) -> Write:
        """The write that prolongs a lease, without ``ttl`` by its own; for any batch.

        Raises:
            LeaseLostError: It was taken over.
        """
        proof = self._proof(lease)
        proof = replace(proof, ttl=ttl or proof.ttl)
        lease = replace(lease, expires_at=self._wire.clock.now() + proof.ttl)
        return self._write(lease, proof, write_id)

    @staticmethod
    def prolonged(lease: Lease, write: Write, at: dt.datetime) -> Lease:
        """The lease after that write took effect."""
        body = (write.fields or {})["body"]
        proof = _Proof(at, body["ttl_us"] * _MICROSECOND)
        return replace(lease, expires_at=_instant(body["expires_at"]), etag=proof)

    def read_back(self, lease: Lease, write_id: str) -> tuple[Lease, bool]:
        """The lease as it is, and whether the write of that id made it so.

        Raises:
            LeaseLostError: It was taken over.
        """
        (found,) = self._wire.read_back([self._reference(lease.name)])
        stands = None if found is None else _lease_of(found)
        if stands is None or (stands.owner, stands.token) != (lease.owner, lease.token):
            msg = (
                f"lease {lease.name!r} of {self._wire.book} is no longer held by {lease.owner}"
                f" (token {lease.token}): another run took over, nothing was written"
            )
            raise LeaseLostError(msg)
        return stands, written_by(found, write_id)

    def _proof(self, lease: Lease) -> _Proof:
        while not isinstance(lease.etag, _Proof):
            lease, _ = self.read_back(lease, "")
        return lease.etag

    def _next(self, found: Snapshot | None, wanted: Lease) -> Lease:
        """The lease with the token after the one found.

        Raises:
            LeaseHeldError: Somebody holds it.
        """
        if found is None:
            return replace(wanted, token=1)
        lease = _lease_of(found)
        if held := self._holder(lease):
            msg = (
                f"{self._wire.book} is in the hands of {held.owner} until"
                f" {held.until:%Y-%m-%d %H:%M:%S} UTC (lease {lease.name!r}); wait for it to end"
            )
            raise LeaseHeldError(msg)
        return replace(wanted, token=lease.token + 1)

    def _holder(self, lease: Lease) -> Holder | None:
        if lease.owner == _NOBODY or lease.expires_at <= self._wire.clock.now():
            return None
        return Holder(lease.owner, lease.expires_at)

    def _reference(self, name: str) -> DocumentReference:
        return self._wire.reference("job_locks", name)

    def _write(self, lease: Lease, proof: _Proof, write_id: str) -> Write:
        plain, _ = stored(
            {
                "owner": lease.owner,
                "expires_at": lease.expires_at,
                "ttl_us": proof.ttl // _MICROSECOND,
            }
        )
        fields = fields_of(plain, lease.token, write_id, None)
        reference = self._reference(lease.name)
        return Write(reference, fields, proof.update_time, absent_in(fields))


def _instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def _lease_of(found: Snapshot) -> Lease:
    document = document_of(found, "job_locks")
    body = document.body
    proof = _Proof(found.update_time, body["ttl_us"] * _MICROSECOND)
    expires_at = _instant(body["expires_at"])
    return Lease(document.id, body["owner"], document.version, expires_at, proof)
