"""The right to write to one book, with a token that grows at each hand-over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import datetime as dt


@dataclass(frozen=True)
class Lease:
    """The right of ``owner`` until ``expires_at``; ``token`` grows with every acquisition."""

    name: str
    owner: str
    token: int
    expires_at: dt.datetime
    etag: object = None


@dataclass(frozen=True)
class Holder:
    """Who holds a lease, and until when unless it is prolonged."""

    owner: str
    until: dt.datetime


class Leases(Protocol):
    """Leases live beside the documents they guard, so that a commit can renew one inside."""

    def acquire(self, name: str, owner: str, ttl_s: float) -> Lease:
        """A fresh lease.

        Raises:
            LeaseHeldError: Somebody else holds it; the message names who and until when.
        """
        ...

    def renew(self, lease: Lease, ttl_s: float) -> Lease:
        """The lease, prolonged.

        Raises:
            LeaseLostError: It expired and was taken over.
        """
        ...

    def release(self, lease: Lease) -> None:
        """Give it back; a lease already lost is left alone."""
        ...

    def holder(self, name: str) -> Holder | None:
        """Who holds it at this moment, to be looked at; None when nobody does."""
        ...
