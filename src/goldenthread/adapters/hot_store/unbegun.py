"""The hot store of a book nobody has begun: empty to look at, and nothing to write on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from typing_extensions import override

from goldenthread.adapters.hot_store.bodies import check_equal
from goldenthread.domain.errors import EngineError
from goldenthread.ports.hot_store import Collection, Document, HotStore, Operation

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from goldenthread.ports.leases import Lease


class UnbegunHotStore(HotStore):
    """No documents, and no file: who only looks leaves no trace.

    Raises:
        EngineError: By every call that would write.
    """

    @override
    def get(self, collection: Collection, name: str) -> Document | None:
        return None

    @override
    def put_if_absent(
        self,
        collection: Collection,
        name: str,
        body: Mapping[str, object],
        delete_at: dt.datetime | None = None,
    ) -> NoReturn:
        raise _refused()

    @override
    def compare_and_set(
        self, document: Document, body: Mapping[str, object], delete_at: dt.datetime | None = None
    ) -> NoReturn:
        raise _refused()

    @override
    def commit(self, operations: Sequence[Operation], fence: Lease) -> NoReturn:
        raise _refused()

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
        check_equal(equal)
        return []

    @override
    def count(self, collection: Collection, equal: Mapping[str, str] | None = None) -> int:
        check_equal(equal)
        return 0

    @override
    def sweep(self, collection: Collection, now: dt.datetime, limit: int = 400) -> int:
        return 0


def _refused() -> EngineError:
    return EngineError("a hot store opened for looking was to be written; please report it")
