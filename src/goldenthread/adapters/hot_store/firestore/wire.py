"""One book in Firestore, spoken to in single calls, each with a time limit."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from google.api_core.retry import Retry
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore

from goldenthread.adapters.hot_store.firestore.failures import (
    VENDOR,
    told,
    unclear,
    write_told,
)
from goldenthread.domain.errors import EngineBusyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from google.cloud.firestore import CollectionReference, DocumentReference, Query

    from goldenthread.adapters.hot_store.firestore.documents import Snapshot
    from goldenthread.adapters.hot_store.firestore.place import FirestorePlace
    from goldenthread.domain.clock import Clock
    from goldenthread.ports.hot_store import Collection

PATIENCE_S = 10
"""How long a call is tried again, beside the time the call itself may take."""

_FIRST_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 2.0
_READ_AT_ONCE = 300
_NEVER_AGAIN = Retry(predicate=lambda _: False)
"""Google's client would send a write again by itself; we read back first."""

_T = TypeVar("_T")


@dataclass(frozen=True)
class Write:
    """One part of a batch: a create without ``proof``, a delete without ``fields``.

    ``proof`` is the update time the document must still have; ``fields`` replace all it holds,
    ``absent`` names the fields it shall hold no more.
    """

    reference: DocumentReference
    fields: dict[str, Any] | None
    proof: dt.datetime | None = None
    absent: tuple[str, ...] = ()


class FirestoreWire:
    """The calls; a read is repeated while the engine is busy, a write is sent once.

    Args:
        place: The database.
        book: Everything is kept under ``books/<book>``.
        clock: Wall time for the pauses between attempts.

    Raises:
        EngineError: It cannot be used; the message says why. Every call may raise it,
            or EngineBusyError.
    """

    def __init__(self, place: FirestorePlace, book: str, clock: Clock) -> None:
        self.place = place
        self.book = book
        self.clock = clock
        try:
            self._client = _connect(place)
        except VENDOR as error:
            raise told(place, error) from error

    def collection(self, collection: Collection) -> CollectionReference:
        """The collection of the book."""
        return self._client.collection("books", self.book, collection)

    def reference(self, collection: Collection, name: str) -> DocumentReference:
        """The place of one document, there or not."""
        return self.collection(collection).document(name)

    def attempts(self) -> Iterator[None]:
        """One turn for every attempt: the second at once, later ones after growing pauses."""
        ends = self.clock.now() + dt.timedelta(seconds=PATIENCE_S)
        yield
        yield
        pause = _FIRST_PAUSE_S
        while self.clock.now() < ends:
            # two that fight for one document must not keep step
            self.clock.sleep(random.uniform(pause / 2, pause))  # noqa: S311  # no secret
            pause = min(2 * pause, _LONGEST_PAUSE_S)
            yield

    def read(self, reference: DocumentReference) -> Snapshot | None:
        """The document as it is, or None."""
        found: Snapshot = self._asked(
            lambda: reference.get(retry=_NEVER_AGAIN, timeout=self.place.timeout_s)
        )
        return found if found.exists else None

    def read_back(self, references: Sequence[DocumentReference]) -> list[Snapshot | None]:
        """The documents as they are after a write nobody confirmed, in the order asked for.

        Raises:
            UnknownOutcomeError: They cannot be read either.
        """
        found: dict[str, Snapshot] = {}
        try:
            for start in range(0, len(references), _READ_AT_ONCE):
                for snapshot in self._read_all(references[start : start + _READ_AT_ONCE]):
                    found[snapshot.reference.path] = snapshot
        except EngineBusyError as error:
            raise unclear(self.place, error) from error
        return [found.get(reference.path) for reference in references]

    def run(self, query: Query) -> list[Snapshot]:
        """Every document the query finds."""
        return self._asked(
            lambda: list(query.stream(retry=_NEVER_AGAIN, timeout=self.place.timeout_s))
        )

    def count(self, query: Query) -> int:
        """How many documents the query finds, counted by the server."""
        counted: Any = query.count()  # Google's own types have its answer wrong
        answer = self._asked(lambda: counted.get(retry=_NEVER_AGAIN, timeout=self.place.timeout_s))
        return int(answer[0][0].value)

    def write(self, writes: Iterable[Write]) -> list[dt.datetime]:
        """The update time of each document, after all writes took effect together.

        Raises:
            NotConfirmedError: A precondition failed, or the answer never came.
            DataError: Firestore does not take such a write.
        """
        batch = self._client.batch()
        for write in writes:
            if write.proof is None:
                batch.create(write.reference, write.fields or {})
                continue
            unchanged = self._client.write_option(last_update_time=write.proof)
            if write.fields is None:
                batch.delete(write.reference, option=unchanged)
            else:
                gone = dict.fromkeys(write.absent, firestore.DELETE_FIELD)
                batch.update(write.reference, {**write.fields, **gone}, option=unchanged)
        try:
            results = batch.commit(retry=_NEVER_AGAIN, timeout=self.place.timeout_s)
        except VENDOR as error:
            raise write_told(self.place, error) from error
        return [result.update_time for result in results]

    def _read_all(self, references: Sequence[DocumentReference]) -> list[Snapshot]:
        found = self._asked(
            lambda: list(
                self._client.get_all(
                    [*references], retry=_NEVER_AGAIN, timeout=self.place.timeout_s
                )
            )
        )
        return [snapshot for snapshot in found if snapshot.exists]

    def _asked(self, call: Callable[[], _T]) -> _T:
        """The answer to a question that may be repeated without harm."""
        for _ in self.attempts():
            try:
                return call()
            except VENDOR as error:
                failure = told(self.place, error)
                if not isinstance(failure, EngineBusyError):
                    raise failure from error
        raise failure


@cache
def _connect(place: FirestorePlace) -> firestore.Client:
    """One client for each database of the process: a connection costs a tenth of a second."""
    if not place.emulator_host:
        return firestore.Client(project=place.project_id, database=place.database)
    nobody = AnonymousCredentials()  # type: ignore[no-untyped-call]  # untyped at Google
    client = firestore.Client(project=place.project_id, database=place.database, credentials=nobody)
    # the client takes an emulator only from the environment, which is not ours to change
    client._emulator_host = place.emulator_host  # noqa: SLF001  # read at the first call
    return client
