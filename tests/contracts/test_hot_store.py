"""What every hot store engine must do, whatever it is made of."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import StrEnum
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goldenthread.adapters.hot_store.overlay import OverlayHotStore
from goldenthread.adapters.hot_store.sqlite import SqliteHotStore
from goldenthread.domain.errors import ConflictError, DataError, LeaseHeldError, LeaseLostError
from goldenthread.ports.hot_store import Create, Delete, Document, HotStore, Operation, Replace
from goldenthread.ports.leases import Holder, Lease, Leases

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOON = dt.datetime(2026, 1, 2, 12, tzinfo=dt.UTC)


class HandClock:
    """Time that moves when a test moves it."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> dt.datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += dt.timedelta(seconds=seconds)


class Store(HotStore, Leases, Protocol):
    """One object is both ports."""


def _sqlite(request: pytest.FixtureRequest, clock: HandClock) -> Store:
    folder: Path = request.getfixturevalue("tmp_path")
    return SqliteHotStore(folder / "hot.sqlite", "sim:main", clock)


def _overlay(request: pytest.FixtureRequest, clock: HandClock) -> Store:
    return OverlayHotStore(_sqlite(request, clock), clock)


def _firestore(request: pytest.FixtureRequest, clock: HandClock) -> Store:
    host = request.getfixturevalue("firestore_emulator")
    from emulators.firestore import new_place  # noqa: PLC0415  # needs the extra
    from goldenthread.adapters.hot_store.firestore import (  # noqa: PLC0415  # needs the extra
        FirestoreHotStore,
    )

    return FirestoreHotStore(new_place(host), "sim:main", clock)


ENGINES: dict[str, Callable[[pytest.FixtureRequest, HandClock], Store]] = {
    "sqlite": _sqlite,
    "overlay": _overlay,
    "firestore": _firestore,
}


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(params=ENGINES)
def store(request: pytest.FixtureRequest, clock: HandClock) -> Store:
    return ENGINES[request.param](request, clock)


@pytest.fixture
def fence(store: Store) -> Lease:
    return store.acquire("run", "here", 60)


def body(number: int) -> dict[str, Any]:
    """Every third document is WAITING; dates repeat every 28, symbols every 50."""
    return {
        "strategy_id": "s1",
        "symbol": f"S{number % 50}",
        "ds": f"2026-01-{1 + number % 28:02d}",
        "status": "WAITING" if number % 3 == 0 else "CLOSED",
        "quantity": Decimal("1.23456789"),
    }


def put(store: HotStore, name: str, content: dict[str, Any]) -> Document:
    document, _ = store.put_if_absent("live_signals", name, content)
    return document


# documents


def test_the_first_document_of_an_id_stands(store: Store) -> None:
    first, created = store.put_if_absent("live_signals", "a", body(1))
    second, created_again = store.put_if_absent("live_signals", "a", body(2))
    assert (created, created_again) == (True, False)
    assert first == second == store.get("live_signals", "a")
    assert (first.collection, first.id, first.version) == ("live_signals", "a", 1)


def test_a_missing_document_is_none(store: Store) -> None:
    assert store.get("live_signals", "nobody") is None


def test_collections_are_apart(store: Store) -> None:
    put(store, "a", body(1))
    assert store.get("rejected_signals", "a") is None
    assert store.count("rejected_signals") == 0


def test_a_document_is_replaced_only_as_it_was_read(store: Store) -> None:
    read = put(store, "a", body(1))
    written = store.compare_and_set(read, {"status": "SENT"})
    assert written.version == 2
    assert written == store.get("live_signals", "a")
    with pytest.raises(ConflictError, match="live_signals/a"):
        store.compare_and_set(read, {"status": "LATE"})
    assert store.get("live_signals", "a") == written


def test_a_vanished_document_cannot_be_replaced(store: Store, fence: Lease) -> None:
    read = put(store, "a", body(1))
    store.commit([Delete(read)], fence)
    with pytest.raises(ConflictError):
        store.compare_and_set(read, {"status": "LATE"})
    assert store.get("live_signals", "a") is None


def test_replacing_drops_the_fields_the_new_body_has_not(store: Store) -> None:
    read = put(store, "a", {**body(3), "delete_me": 1})
    store.compare_and_set(read, {"ds": "2026-01-09", "part": {"list": [1, None, True]}})
    found = store.query("live_signals")
    assert [d.body for d in found] == [{"ds": "2026-01-09", "part": {"list": [1, None, True]}}]
    assert store.query("live_signals", equal={"status": "WAITING"}) == []


def test_a_caller_cannot_reach_into_the_store_through_a_body(store: Store) -> None:
    given_body: dict[str, Any] = {"part": {"n": 1}}
    document = put(store, "a", given_body)
    given_body["part"]["n"] = 2
    document.body["part"]["n"] = 3
    found = store.get("live_signals", "a")
    assert found is not None
    found.body["part"]["n"] = 4
    assert put(store, "a", {}).body == {"part": {"n": 1}}


# commits


def test_a_commit_takes_effect_as_a_whole(store: Store, fence: Lease) -> None:
    old, gone = put(store, "old", body(1)), put(store, "gone", body(2))
    store.commit(
        [Create("order_intents", "new", body(3)), Replace(old, body(4)), Delete(gone)], fence
    )
    created = store.get("order_intents", "new")
    assert created is not None
    assert created.body == {**body(3), "quantity": "1.23456789"}
    assert (created.version, created.delete_at) == (1, None)
    changed = store.get("live_signals", "old")
    assert changed is not None
    assert (changed.version, changed.body["symbol"]) == (2, "S4")
    assert store.get("live_signals", "gone") is None


@pytest.mark.parametrize("kind", ["create", "replace", "delete"])
def test_a_commit_with_one_failing_part_writes_nothing(
    store: Store, fence: Lease, kind: str
) -> None:
    stale = put(store, "old", body(1))
    store.compare_and_set(stale, body(2))
    bad: dict[str, Operation] = {
        "create": Create("live_signals", "old", body(9)),
        "replace": Replace(stale, body(9)),
        "delete": Delete(stale),
    }
    with pytest.raises(ConflictError, match="live_signals/old"):
        store.commit([Create("live_signals", "new", body(3)), bad[kind]], fence)
    assert store.get("live_signals", "new") is None
    assert [d.body["symbol"] for d in store.query("live_signals")] == ["S2"]


@pytest.mark.fault("F3", "a document created again, equal or not")
def test_a_create_that_is_there_already_with_an_equal_body_is_dropped(
    store: Store, fence: Lease
) -> None:
    there = put(store, "a", body(1))
    store.commit(
        [Create("live_signals", "a", body(1)), Create("live_signals", "b", body(2))], fence
    )
    assert store.get("live_signals", "a") == there
    assert store.count("live_signals") == 2


@pytest.mark.fault("F3", "a commit repeated")
def test_a_commit_repeated_after_a_crash_changes_nothing(store: Store, fence: Lease) -> None:
    work = [Create("live_signals", str(n), body(n)) for n in range(3)]
    store.commit(work, fence)
    before = store.query("live_signals")
    store.commit(work, fence)
    assert store.query("live_signals") == before


def test_the_order_of_fields_makes_no_difference(store: Store, fence: Lease) -> None:
    put(store, "a", {"x": 1, "y": {"p": 1, "q": 2}})
    store.commit([Create("live_signals", "a", {"y": {"q": 2, "p": 1}, "x": 1})], fence)
    assert store.count("live_signals") == 1


def test_fields_come_back_in_alphabetical_order_whoever_wrote_them(store: Store) -> None:
    unordered = {"z": 1, "b": {"y": 1, "é": 2, "x": [{"d": 1, "c": 2}]}, "B": 3, "a.b": 4}
    document = put(store, "a", unordered)
    found = store.get("live_signals", "a")
    assert found is not None
    replaced = store.compare_and_set(found, unordered)
    for body in (document.body, found.body, replaced.body):
        assert list(body) == ["B", "a.b", "b", "z"]
        assert list(body["b"]) == ["x", "y", "é"]
        assert list(body["b"]["x"][0]) == ["c", "d"]


def test_true_and_one_are_not_equal_bodies(store: Store, fence: Lease) -> None:
    put(store, "a", {"n": 1})
    with pytest.raises(ConflictError):
        store.commit([Create("live_signals", "a", {"n": True})], fence)


def test_a_commit_holds_400_operations_and_not_one_more(store: Store, fence: Lease) -> None:
    work = [Create("quarantine", f"{n:04d}", body(n)) for n in range(401)]
    with pytest.raises(DataError, match="401 operations in one commit; at most 400"):
        store.commit(work, fence)
    assert store.count("quarantine") == 0
    store.commit(work[:400], fence)
    # numbers 0, 3, … 399 are WAITING: 134 of 400
    assert store.count("quarantine", {"status": "WAITING"}) == 134


def test_a_commit_holds_so_many_bytes_and_not_one_more(store: Store, fence: Lease) -> None:
    bodies = [{"x": "é" * ((size - len('{"x":""}')) // 2)} for size in (875_000,) * 4]
    work = [Create("quarantine", str(n), large) for n, large in enumerate(bodies)]
    over = [*work, Create("quarantine", "last", {})]
    with pytest.raises(DataError, match="a commit of 3500002 bytes is too large; at most 3500000"):
        store.commit(over, fence)
    assert store.count("quarantine") == 0
    store.commit(work, fence)
    assert store.count("quarantine") == 4


def test_a_commit_touches_a_document_once(store: Store, fence: Lease) -> None:
    read = put(store, "a", body(1))
    with pytest.raises(DataError, match="live_signals/a occurs twice"):
        store.commit([Replace(read, body(2)), Delete(read)], fence)
    assert store.get("live_signals", "a") == read


def test_a_commit_with_a_bad_body_writes_nothing(store: Store, fence: Lease) -> None:
    with pytest.raises(DataError):
        store.commit(
            [Create("live_signals", "a", body(1)), Create("live_signals", "b", {"x": 1.5})], fence
        )
    assert store.count("live_signals") == 0


# queries


def test_pages_make_up_the_whole_query_oldest_first(store: Store) -> None:
    for number in range(200):
        put(store, f"{number:03d}", body(number))

    def ask(
        limit: int | None = None, after: tuple[str, str] | None = None
    ) -> list[tuple[str, str]]:
        found = store.query(
            "live_signals",
            equal={"status": "WAITING"},
            ds_from=dt.date(2026, 1, 5),
            ds_to=dt.date(2026, 1, 20),
            limit=limit,
            after=after,
        )
        return [(d.body["ds"], d.id) for d in found]

    expected = sorted(
        (body(n)["ds"], f"{n:03d}")
        for n in range(0, 200, 3)
        if "2026-01-05" <= body(n)["ds"] <= "2026-01-20"
    )
    assert ask() == expected
    pages: list[tuple[str, str]] = []
    while page := ask(limit=7, after=pages[-1] if pages else None):
        assert len(page) <= 7
        pages += page
        assert len(pages) <= len(expected)
    assert pages == expected


def test_a_query_joins_its_conditions(store: Store) -> None:
    put(store, "a", {"ds": "2026-01-01", "status": "OPEN", "symbol": "AAPL", "strategy_id": "x"})
    put(store, "b", {"ds": "2026-01-01", "status": "OPEN", "symbol": "AAPL", "strategy_id": "y"})
    put(store, "c", {"ds": "2026-01-01", "status": "OPEN", "symbol": "MSFT", "strategy_id": "x"})
    both = {"symbol": "AAPL", "strategy_id": "x"}
    assert [d.id for d in store.query("live_signals", equal=both)] == ["a"]
    assert store.count("live_signals", both) == 1
    assert store.count("live_signals", {"status": "OPEN"}) == 3


def test_a_document_without_a_date_is_counted_but_not_in_queries(store: Store) -> None:
    put(store, "a", {"status": "OPEN"})
    put(store, "b", {"status": "OPEN", "ds": None})
    assert store.query("live_signals") == []
    assert store.count("live_signals", {"status": "OPEN"}) == 2


def test_only_the_declared_fields_can_be_queried(store: Store) -> None:
    with pytest.raises(DataError, match="cannot query by quantity; allowed: status, symbol"):
        store.query("live_signals", equal={"quantity": "1"})
    with pytest.raises(DataError, match="allowed"):
        store.count("live_signals", {"ds": "2026-01-01"})


# time to live


def test_a_sweep_removes_what_is_due_and_at_most_its_limit(store: Store, fence: Lease) -> None:
    store.commit(
        [Create("live_signals", str(n), body(n), NOON + dt.timedelta(days=n)) for n in range(6)],
        fence,
    )
    put(store, "forever", body(7))
    assert store.sweep("live_signals", NOON - dt.timedelta(microseconds=1)) == 0
    assert store.sweep("live_signals", NOON + dt.timedelta(days=3), limit=3) == 3
    assert store.sweep("live_signals", NOON + dt.timedelta(days=3)) == 1
    left = {d.id for d in store.query("live_signals")}
    assert left == {"4", "5", "forever"}


def test_delete_at_is_kept_to_the_microsecond_in_utc(store: Store) -> None:
    there = dt.timezone(dt.timedelta(hours=-5))
    at = dt.datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=there)
    document, _ = store.put_if_absent("live_signals", "a", {}, at)
    found = store.get("live_signals", "a")
    assert found == document
    assert document.delete_at is not None
    assert document.delete_at.isoformat() == "2026-01-02T08:04:05.123456+00:00"
    assert store.compare_and_set(document, {}).delete_at is None


def test_a_naive_delete_at_is_refused(store: Store) -> None:
    naive = NOON.replace(tzinfo=None)
    with pytest.raises(DataError, match="no time zone"):
        store.put_if_absent("live_signals", "a", {}, naive)
    assert store.get("live_signals", "a") is None


# values


def test_values_are_stored_in_one_form(store: Store) -> None:
    class Colour(StrEnum):
        RED = "red"

    new_york = dt.timezone(dt.timedelta(hours=-5))
    document = put(
        store,
        "a",
        {
            "small": Decimal("1E-8"),
            "price": Decimal("1.50"),
            "thousand": Decimal("1E+3"),
            "zero": Decimal("-0.00"),
            "long": Decimal("12345678901234567890123456789.123456789"),
            "at": dt.datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=dt.UTC),
            "there": dt.datetime(2026, 1, 2, 19, tzinfo=new_york),
            "day": dt.date(2026, 1, 2),
            "colour": Colour.RED,
            "pair": (1, 2),
        },
    )
    assert document.body == {
        "small": "0.00000001",
        "price": "1.5",
        "thousand": "1000",
        "zero": "0",
        "long": "12345678901234567890123456789.123456789",
        "at": "2026-01-02T03:04:05.123456+00:00",
        "there": "2026-01-03T00:00:00.000000+00:00",
        "day": "2026-01-02",
        "colour": "red",
        "pair": [1, 2],
    }
    assert store.get("live_signals", "a") == document


def _nested(depth: int) -> dict[str, Any]:
    return {"n": _nested(depth - 1)} if depth else {}


def _nested_lists(depth: int) -> dict[str, Any]:
    return {"n": [_nested_lists(depth - 2)]} if depth > 1 else _nested(depth)


BAD_BODIES: dict[str, tuple[dict[Any, Any], str]] = {
    "float": ({"x": 1.5}, "field 'x': float 1.5 is not allowed; use Decimal"),
    "nan": ({"x": float("nan")}, "use Decimal"),
    "float deep inside": ({"a": {"b": [{"c": 0.1}]}}, "field 'a.b.c'"),
    "naive instant": ({"x": NOON.replace(tzinfo=None)}, "no time zone"),
    "instant outside utc": (
        {"x": dt.datetime.max.replace(tzinfo=dt.timezone(dt.timedelta(hours=-1)))},
        "years 1 to 9999",
    ),
    "list in list": ({"x": [[1]]}, "list directly in a list"),
    "tuple in list": ({"x": [(1,)]}, "list directly in a list"),
    "65 bits": ({"x": 2**63}, "does not fit 64 bits"),
    "65 negative bits": ({"x": -(2**63) - 1}, "does not fit 64 bits"),
    "decimal nan": ({"x": Decimal("NaN")}, "no amount"),
    "decimal infinity": ({"x": Decimal("Infinity")}, "no amount"),
    "decimal out of this world": ({"x": Decimal("1E+999999")}, "no amount"),
    "bytes": ({"x": b"1"}, "bytes"),
    "set": ({"x": {1}}, "set"),
    "number as key": ({1: "x"}, "field '1': is not allowed as a key"),
    "empty key": ({"": "x"}, "field '': is not allowed as a key"),
    "reserved key": ({"__x__": "x"}, "field '__x__': is not allowed as a key"),
    "half a character": ({"x": "\ud800"}, "surrogate"),
    "half a character as key": ({"\ud800": 1}, "surrogate"),
    "queried field not a text": ({"status": 5}, "field 'status' is queried and must be text"),
    "too deep": (_nested(21), "deeper than 20"),
    "too deep by lists": (_nested_lists(20), "deeper than 20"),
    "too heavy": ({"x": [1] * 130_000}, "1040002 bytes stored is too large; at most 1000000"),
    "queried field too long": ({"symbol": "é" * 751}, "'symbol' is queried and has at most 1500"),
    "too large": ({"x": "é" * 450_000}, "900008 bytes is too large; at most 900000"),
}


@pytest.mark.parametrize("case", BAD_BODIES)
def test_a_value_outside_the_closed_set_is_refused(store: Store, case: str) -> None:
    content, message = BAD_BODIES[case]
    with pytest.raises(DataError) as caught:
        put(store, "a", content)
    assert message in str(caught.value)
    assert store.get("live_signals", "a") is None


EDGES: dict[str, dict[str, Any]] = {
    "empty": {},
    "empty parts": {"a": {}, "b": [], "c": [{}], "d": ""},
    "deep": _nested(19),
    "deep by lists": _nested_lists(19),
    "large": {"x": "é" * 449_996},
    "heavy": {"x": [None] * 100_000},
    "long queried field": {"symbol": "é" * 750},
    "keys with dots and quotes": {"a.b": {"`": {"\\": 1}, "c d": 2}, "*": 3},
}


@pytest.mark.parametrize("case", EDGES)
def test_a_body_at_the_edge_is_taken_and_replaced(store: Store, case: str) -> None:
    document = put(store, "a", {"other": 1, "ds": "2026-01-01"})
    replaced = store.compare_and_set(document, EDGES[case])
    assert replaced.body == EDGES[case]
    assert store.get("live_signals", "a") == replaced


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "BTC/USD", "__x__", "é" * 751])
def test_an_id_that_not_every_engine_takes_is_refused(
    store: Store, fence: Lease, name: str
) -> None:
    with pytest.raises(DataError, match="is not allowed; an id has 1 to 1500 bytes"):
        put(store, name, {})
    with pytest.raises(DataError):
        store.commit([Create("live_signals", name, {})], fence)


@pytest.mark.parametrize("name", ["BTC-USD", "é" * 750, "_", "__x", "a b", "…", "%"])
def test_an_id_at_the_edge_is_taken(store: Store, name: str) -> None:
    document = put(store, name, {"ds": "2026-01-01"})
    assert store.get("live_signals", name) == document
    assert [d.id for d in store.query("live_signals")] == [name]


EARLIEST = dt.datetime(2, 1, 1)  # noqa: DTZ001  # hypothesis adds the zone
LATEST = dt.datetime(9998, 1, 1)  # noqa: DTZ001  # hypothesis adds the zone
NAMES = count()
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | TEXTS
    | st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30)
    | st.dates()
    | st.datetimes(EARLIEST, LATEST, timezones=st.timezones())
)
KEYS = TEXTS.filter(lambda key: bool(key) and not (key[:2] == "__" == key[-2:])).map("f_".__add__)
MAPPINGS = st.recursive(
    st.dictionaries(KEYS, SCALARS, max_size=4),
    lambda inner: st.dictionaries(
        KEYS, SCALARS | inner | st.lists(SCALARS | inner, max_size=3), max_size=4
    ),
    max_leaves=12,
)


def same(value: object, kept: object) -> bool:
    """Whether nothing was lost: the kept form, read back, is the value."""
    if isinstance(value, dict):
        return (
            isinstance(kept, dict)
            and value.keys() == kept.keys()
            and all(same(value[key], kept[key]) for key in value)
        )
    if isinstance(value, list):
        return isinstance(kept, list) and all(map(same, value, kept)) and len(value) == len(kept)
    if isinstance(value, Decimal):
        return Decimal(str(kept)) == value
    if isinstance(value, dt.datetime):
        # in UTC: Python calls instants of different zones unequal in the hour a clock repeats
        return dt.datetime.fromisoformat(str(kept)) == value.astimezone(dt.UTC)
    if isinstance(value, dt.date):
        return dt.date.fromisoformat(str(kept)) == value
    return type(value) is type(kept) and value == kept


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=MAPPINGS)
def test_every_allowed_body_comes_back_whole(store: Store, content: dict[str, Any]) -> None:
    name = f"{next(NAMES)}"
    document, _ = store.put_if_absent("quarantine", name, content)
    assert same(content, document.body)
    assert store.get("quarantine", name) == document
    # a body that was read can be written again, and counts as equal
    fence = store.acquire(name, "here", 60)
    store.commit([Create("quarantine", name, document.body)], fence)
    assert store.get("quarantine", name) == document
    replaced = store.compare_and_set(put(store, f"r{name}", {"other": 1}), document.body)
    assert store.get("live_signals", f"r{name}") == replaced


# leases


def test_a_lease_is_held_by_one_owner_until_it_ends(store: Store, clock: HandClock) -> None:
    lease = store.acquire("run", "one", 60)
    assert (lease.owner, lease.token) == ("one", 1)
    assert lease.expires_at == NOON + dt.timedelta(seconds=60)
    with pytest.raises(LeaseHeldError, match=r"one until 2026-01-02 12:01:00"):
        store.acquire("run", "two", 60)
    with pytest.raises(LeaseHeldError):
        store.acquire("run", "one", 60)
    clock.sleep(60)
    assert store.acquire("run", "two", 60).token == 2


def test_who_looks_at_a_lease_sees_its_holder_for_as_long_as_it_lasts(
    store: Store, clock: HandClock
) -> None:
    assert store.holder("run") is None
    lease = store.acquire("run", "one", 60)
    assert store.holder("run") == Holder("one", NOON + dt.timedelta(seconds=60))
    assert store.holder("flatten") is None
    clock.sleep(10)
    lease = store.commit([], lease)  # a look proves and prolongs nothing, a commit does
    assert store.holder("run") == Holder("one", NOON + dt.timedelta(seconds=70))
    clock.sleep(60)
    assert store.holder("run") is None
    lease = store.acquire("run", "two", 60)
    assert store.holder("run") == Holder("two", lease.expires_at)
    store.release(lease)
    assert store.holder("run") is None


def test_leases_of_other_names_are_apart(store: Store) -> None:
    store.acquire("run", "one", 60)
    assert store.acquire("flatten", "two", 60).token == 1


def test_a_renewed_lease_lasts_longer(store: Store, clock: HandClock) -> None:
    lease = store.acquire("run", "one", 10)
    clock.sleep(9)
    lease = store.renew(lease, 100)
    assert lease.expires_at == NOON + dt.timedelta(seconds=109)
    clock.sleep(99)
    with pytest.raises(LeaseHeldError):
        store.acquire("run", "two", 60)


def test_a_lease_that_ended_untaken_can_still_be_renewed(store: Store, clock: HandClock) -> None:
    lease = store.acquire("run", "one", 10)
    clock.sleep(11)
    store.renew(lease, 10)
    with pytest.raises(LeaseHeldError):
        store.acquire("run", "two", 10)


def test_a_commit_renews_its_fence_by_the_same_time(store: Store, clock: HandClock) -> None:
    lease = store.acquire("run", "one", 10)
    clock.sleep(9)
    lease = store.commit([Create("live_signals", "a", {})], lease)
    assert lease.expires_at == NOON + dt.timedelta(seconds=19)
    clock.sleep(9)
    with pytest.raises(LeaseHeldError):
        store.acquire("run", "two", 10)
    lease = store.commit([], store.renew(lease, 30))
    assert lease.expires_at == NOON + dt.timedelta(seconds=18 + 30)


@pytest.mark.fault("F5", "a holder whose lease was taken over")
def test_a_run_whose_lease_was_taken_over_cannot_write(store: Store, clock: HandClock) -> None:
    zombie = store.acquire("run", "one", 10)
    clock.sleep(11)
    alive = store.acquire("run", "two", 10)
    with pytest.raises(LeaseLostError):
        store.renew(zombie, 10)
    with pytest.raises(LeaseLostError, match="no longer held by one"):
        store.commit([Create("live_signals", "zombie", {})], zombie)
    assert store.get("live_signals", "zombie") is None
    store.release(zombie)
    alive = store.commit([Create("live_signals", "alive", {})], alive)
    assert store.get("live_signals", "alive") is not None
    store.release(alive)
    assert store.acquire("run", "three", 10).token == 3


@pytest.mark.fault("F5", "a holder started again under its name")
def test_a_run_started_again_under_its_old_name_does_not_revive_its_first_lease(
    store: Store, clock: HandClock
) -> None:
    first = store.acquire("run", "one", 10)
    clock.sleep(11)
    second = store.acquire("run", "one", 10)
    with pytest.raises(LeaseLostError):
        store.commit([], first)
    store.release(first)
    store.commit([], second)


def test_a_released_lease_guards_nothing_any_more(store: Store) -> None:
    lease = store.acquire("run", "one", 60)
    store.release(lease)
    with pytest.raises(LeaseLostError):
        store.commit([Create("live_signals", "late", {})], lease)
    with pytest.raises(LeaseLostError):
        store.renew(lease, 60)
    store.release(lease)
    assert store.get("live_signals", "late") is None
    assert store.acquire("run", "one", 60).token == 2


def test_a_failed_commit_does_not_prolong_the_lease(store: Store, clock: HandClock) -> None:
    put(store, "a", body(1))
    lease = store.acquire("run", "one", 10)
    clock.sleep(5)
    with pytest.raises(ConflictError):
        store.commit([Create("live_signals", "a", body(2))], lease)
    clock.sleep(5)
    assert store.acquire("run", "two", 10).token == 2
