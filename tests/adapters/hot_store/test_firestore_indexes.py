"""Every query the engine can make has its index; the emulator would run it without one."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from itertools import chain, combinations, product
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest

from goldenthread.app.archive import _FINAL
from goldenthread.app.clock import SystemClock
from goldenthread.ports.hot_store import INDEXED, Collection

pytest.importorskip("google.cloud.firestore", reason="needs the extra gcp")

from goldenthread.adapters.hot_store import firestore as package
from goldenthread.adapters.hot_store.firestore import FirestoreHotStore, FirestorePlace
from goldenthread.adapters.hot_store.firestore.wire import FirestoreWire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.cloud.firestore import Query

DEPLOYED = json.loads((Path(__file__).parents[3] / "deploy/firestore.indexes.json").read_text())
COLLECTIONS = get_args(Collection)
FILTERS = [field for field in INDEXED if field != "ds"]
DAY = dt.date(2026, 1, 2)
NOON = dt.datetime(2026, 1, 2, 12, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Shape:
    """What decides which index a query needs."""

    collection: str
    equal: frozenset[str]
    ranged: frozenset[str]
    ordered: tuple[tuple[str, str], ...]


def shape_of(query: Query) -> Shape:
    asked: Any = query._to_protobuf()
    where = asked.where
    parts = [part.field_filter for part in where.composite_filter.filters] or (
        [where.field_filter] if where.field_filter.field.field_path else []
    )
    equal = {f.field.field_path for f in parts if f.op.name == "EQUAL"}
    orders = [(order.field.field_path, order.direction.name) for order in asked.order_by]
    assert not orders or orders.pop() == ("__name__", "ASCENDING")
    return Shape(
        asked.from_[0].collection_id,
        frozenset(equal),
        frozenset({f.field.field_path for f in parts}) - equal,
        tuple(orders),
    )


def is_served(shape: Shape, deployed: dict[str, Any]) -> bool:
    """Whether Firestore answers it: by single-field indexes, or by pairs that it merges."""
    fields = {*shape.equal, *shape.ranged, *(name for name, _ in shape.ordered)}
    exempt = {
        override["fieldPath"]
        for override in deployed["fieldOverrides"]
        if override["collectionGroup"] == shape.collection and not override["indexes"]
    }
    if fields & exempt or len(shape.ordered) > 1:
        return False
    if not shape.ordered:
        return not shape.ranged
    if not shape.ranged <= {shape.ordered[0][0]}:
        return False
    pairs = {
        (first["fieldPath"], (last["fieldPath"], last["order"]))
        for index in deployed["indexes"]
        if index["collectionGroup"] == shape.collection and index["queryScope"] == "COLLECTION"
        for first, last in [index["fields"]]
    }
    return all((field, shape.ordered[0]) in pairs for field in shape.equal)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Shape]:
    """The shape of each query the engine sends; nothing is listening, nobody is asked."""
    found: list[Shape] = []

    def run(_: FirestoreWire, query: Query) -> list[object]:
        found.append(shape_of(query))
        return []

    def count(_: FirestoreWire, query: Query) -> int:
        found.append(shape_of(query))
        return 0

    monkeypatch.setattr(FirestoreWire, "run", run)
    monkeypatch.setattr(FirestoreWire, "count", count)
    return found


def filters() -> Iterator[dict[str, str]]:
    subsets = (combinations(FILTERS, size) for size in range(len(FILTERS) + 1))
    return (dict.fromkeys(fields, "x") for fields in chain.from_iterable(subsets))


def test_every_query_the_engine_can_make_is_served_by_a_deployed_index(
    asked: list[Shape],
) -> None:
    place = FirestorePlace("nowhere", emulator_host="127.0.0.1:1")
    store = FirestoreHotStore(place, "sim:main", SystemClock())
    for collection, equal in product(COLLECTIONS, filters()):
        store.count(collection, equal)
        for ds_from, ds_to, limit, after in product(
            (None, DAY), (None, DAY), (None, 7), (None, ("2026-01-01", "a"))
        ):
            store.query(
                collection, equal=equal, ds_from=ds_from, ds_to=ds_to, limit=limit, after=after
            )
    for collection in COLLECTIONS:
        store.sweep(collection, NOON)
    # 8 filters of 10 collections: counted; read with and without a range of dates; and the sweeps
    assert len(set(asked)) == 10 * (8 + 8 * 2 + 1)
    assert [shape for shape in asked if not is_served(shape, DEPLOYED)] == []


def test_an_index_left_out_is_noticed() -> None:
    by_status = Shape("live_signals", frozenset({"status"}), frozenset(), (("ds", "ASCENDING"),))
    assert is_served(by_status, DEPLOYED)
    without = [i for i in DEPLOYED["indexes"] if i["collectionGroup"] != "live_signals"]
    assert not is_served(by_status, {**DEPLOYED, "indexes": without})
    newest_first = Shape("quarantine", frozenset({"status"}), frozenset(), (("ds", "DESCENDING"),))
    assert not is_served(newest_first, DEPLOYED)
    by_body = Shape("quarantine", frozenset({"body"}), frozenset(), ())
    assert not is_served(by_body, DEPLOYED)


def test_time_to_live_is_declared_where_the_archive_lets_documents_go_and_nowhere_else() -> None:
    declared = {
        override["collectionGroup"]
        for override in DEPLOYED["fieldOverrides"]
        if override.get("ttl")
    }
    assert declared == set(_FINAL)
    assert {o["fieldPath"] for o in DEPLOYED["fieldOverrides"] if o.get("ttl")} == {"delete_at"}


def test_every_deployed_index_is_of_a_collection_there_is() -> None:
    named = {entry["collectionGroup"] for entry in chain(*DEPLOYED.values())}
    assert named == set(COLLECTIONS)


def test_the_engine_has_no_transaction() -> None:
    sources = Path(str(package.__file__)).parent.glob("*.py")
    text = "".join(source.read_text() for source in sources)
    assert "transaction(" not in text
    assert "@firestore.transactional" not in text
