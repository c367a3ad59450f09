"""Firestore over a bad wire: answers lost, requests lost, nobody there, a server that says no."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from goldenthread.app.clock import SystemClock
from goldenthread.domain.errors import (
    ConflictError,
    DataError,
    EngineBusyError,
    EngineError,
    LeaseLostError,
    UnknownOutcomeError,
)
from goldenthread.ports.hot_store import Create, Replace

pytest.importorskip("google.cloud.firestore", reason="needs the extra gcp")

import grpc

from emulators.firestore import new_place
from emulators.wire import Fault, Wire
from goldenthread.adapters.hot_store.firestore import FirestoreHotStore, FirestorePlace, queries

if TYPE_CHECKING:
    from collections.abc import Iterator

CLOCK = SystemClock()
NOON = dt.datetime(2026, 1, 2, 12, tzinfo=dt.UTC)


class FastClock:
    """Wall time whose pauses cost nothing: patience ends at once, where nobody answers."""

    def __init__(self) -> None:
        self.skipped = dt.timedelta()

    def now(self) -> dt.datetime:
        return CLOCK.now() + self.skipped

    def sleep(self, seconds: float) -> None:
        self.skipped += dt.timedelta(seconds=seconds)


@pytest.fixture
def place(firestore_emulator: str) -> FirestorePlace:
    return new_place(firestore_emulator)


@pytest.fixture
def wire(firestore_emulator: str) -> Iterator[Wire]:
    with Wire(firestore_emulator) as wire:
        yield wire


@pytest.fixture
def store(place: FirestorePlace, wire: Wire) -> FirestoreHotStore:
    """The store over the bad wire."""
    far = replace(place, emulator_host=wire.host, timeout_s=1.0)
    return FirestoreHotStore(far, "sim:main", CLOCK)


@pytest.fixture
def other(place: FirestorePlace) -> FirestoreHotStore:
    """Another client of the same book, over a good wire."""
    return FirestoreHotStore(place, "sim:main", CLOCK)


# an answer is lost: the write took effect; a request is lost: it did not; slow: nobody knows
FAULTS: dict[str, tuple[Fault, float]] = {
    "answer lost": ("answers", 0.25),
    "request lost": ("requests", 0.25),
    "answer too late": ("answers", 1.5),
}


@pytest.fixture(params=FAULTS)
def fault(request: pytest.FixtureRequest) -> tuple[Fault, float]:
    return FAULTS[request.param]


@pytest.mark.slow
@pytest.mark.fault(
    "F2", "a call of the store that fails or whose answer is lost", engines="Firestore emulator"
)
def test_a_document_is_created_once(
    store: FirestoreHotStore, other: FirestoreHotStore, wire: Wire, fault: tuple[Fault, float]
) -> None:
    assert store.get("live_signals", "a") is None
    wire.lose(*fault)
    document, created = store.put_if_absent("live_signals", "a", {"n": 1})
    assert wire.drops == 1
    assert created
    assert other.get("live_signals", "a") == document
    assert store.put_if_absent("live_signals", "a", {"n": 1}) == (document, False)


@pytest.mark.slow
@pytest.mark.fault(
    "F2", "a call of the store that fails or whose answer is lost", engines="Firestore emulator"
)
def test_a_document_is_replaced_once(
    store: FirestoreHotStore, other: FirestoreHotStore, wire: Wire, fault: tuple[Fault, float]
) -> None:
    read, _ = store.put_if_absent("live_signals", "a", {"n": 1})
    wire.lose(*fault)
    written = store.compare_and_set(read, {"n": 2})
    assert wire.drops == 1
    assert (written.version, written.body) == (2, {"n": 2})
    assert other.get("live_signals", "a") == written


@pytest.mark.slow
@pytest.mark.fault(
    "F2", "a call of the store that fails or whose answer is lost", engines="Firestore emulator"
)
def test_a_commit_takes_effect_once_and_its_lease_goes_on(
    store: FirestoreHotStore, other: FirestoreHotStore, wire: Wire, fault: tuple[Fault, float]
) -> None:
    lease = store.acquire("run", "here", 60)
    read, _ = store.put_if_absent("live_signals", "a", {"n": 1})
    wire.lose(*fault)
    lease = store.commit([Replace(read, {"n": 2}), Create("order_intents", "i", {})], lease)
    assert wire.drops == 1
    changed = other.get("live_signals", "a")
    assert changed is not None
    assert (changed.version, changed.body) == (2, {"n": 2})
    assert other.count("order_intents") == 1
    store.commit([Create("order_intents", "j", {})], lease)
    assert other.count("order_intents") == 2


@pytest.mark.slow
@pytest.mark.fault(
    "F2", "a call of the store that fails or whose answer is lost", engines="Firestore emulator"
)
def test_a_lease_is_taken_renewed_and_given_back_once(
    store: FirestoreHotStore, other: FirestoreHotStore, wire: Wire, fault: tuple[Fault, float]
) -> None:
    assert store.get("job_locks", "run") is None
    wire.lose(*fault)
    lease = store.acquire("run", "here", 60)
    assert (lease.owner, lease.token) == ("here", 1)
    wire.lose(*fault)
    lease = store.renew(lease, 600)
    assert lease.expires_at > CLOCK.now() + dt.timedelta(seconds=500)
    wire.lose(*fault)
    store.release(lease)
    assert wire.drops == 3
    assert other.acquire("run", "there", 60).token == 2


@pytest.mark.slow
@pytest.mark.fault(
    "F2", "a call of the store that fails or whose answer is lost", engines="Firestore emulator"
)
def test_a_sweep_counts_what_is_gone(
    store: FirestoreHotStore, other: FirestoreHotStore, wire: Wire, fault: tuple[Fault, float]
) -> None:
    for name in "abc":
        other.put_if_absent("live_signals", name, {}, NOON)
    assert store.count("live_signals") == 3
    wire.lose(*fault)
    assert store.sweep("live_signals", NOON) == 3
    assert wire.drops == 1
    assert other.count("live_signals") == 0


@pytest.mark.slow
def test_a_question_is_asked_again(store: FirestoreHotStore, wire: Wire) -> None:
    written, _ = store.put_if_absent("live_signals", "a", {"ds": "2026-01-01"})
    wire.lose("answers")
    assert store.get("live_signals", "a") == written
    wire.lose("answers")
    assert store.query("live_signals") == [written]
    wire.lose("answers")
    assert store.count("live_signals") == 1


@pytest.mark.slow
@pytest.mark.fault(
    "F2", "a lost answer, and an equal write by another process", engines="Firestore emulator"
)
def test_a_lost_answer_is_not_mistaken_for_anothers_equal_write(
    store: FirestoreHotStore, other: FirestoreHotStore, wire: Wire
) -> None:
    read, _ = store.put_if_absent("live_signals", "a", {"n": 1})
    other.compare_and_set(read, {"n": 2})
    wire.lose("answers")
    with pytest.raises(ConflictError, match="was read at version 1, now it is at version 2"):
        store.compare_and_set(read, {"n": 2})
    wire.lose("answers")
    assert not store.put_if_absent("live_signals", "a", {"n": 2})[1]


@pytest.mark.slow
def test_a_lease_goes_from_one_client_to_the_next_and_the_first_writes_no_more(
    store: FirestoreHotStore, other: FirestoreHotStore, wire: Wire
) -> None:
    zombie = store.acquire("run", "one", 0.2)
    wire.lose("requests", 0.6)  # the first client hangs longer than its lease lasts
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(store.commit, [Create("live_signals", "late", {})], zombie)
        CLOCK.sleep(0.4)
        heir = other.acquire("run", "two", 60)
        with pytest.raises(LeaseLostError, match="no longer held by one"):
            late.result()
    assert heir.token == 2
    assert other.get("live_signals", "late") is None
    other.commit([Create("live_signals", "heir", {})], heir)
    assert store.get("live_signals", "heir") is not None


def test_nobody_there_is_said_with_the_address_and_what_to_do() -> None:
    place = FirestorePlace("p", emulator_host="127.0.0.1:1")
    store = FirestoreHotStore(place, "sim:main", FastClock())
    with pytest.raises(EngineBusyError) as caught:
        store.get("live_signals", "a")
    assert "Firestore p/(default) at 127.0.0.1:1 does not answer" in str(caught.value)
    assert "check the network and [hot_store] emulator_host" in str(caught.value)
    with pytest.raises(UnknownOutcomeError, match="may have taken effect"):
        store.put_if_absent("live_signals", "a", {})


def test_a_server_that_hangs_costs_no_more_than_the_time_limit(wire: Wire) -> None:
    place = FirestorePlace("p", emulator_host=wire.host, timeout_s=0.2)
    store = FirestoreHotStore(place, "sim:main", FastClock())
    wire.lose("answers", 60)
    begun = CLOCK.now()
    with pytest.raises(EngineBusyError, match="DeadlineExceeded"):
        store.count("live_signals")
    # patience of 10 s is skipped by the clock; a dozen attempts of 0.2 s are not
    assert (CLOCK.now() - begun).total_seconds() < 10


SAID: dict[grpc.StatusCode, tuple[type[EngineError], str]] = {
    grpc.StatusCode.PERMISSION_DENIED: (EngineError, "roles/datastore.user"),
    grpc.StatusCode.UNAUTHENTICATED: (EngineError, "gcloud auth application-default login"),
    grpc.StatusCode.NOT_FOUND: (EngineError, "no such project or database"),
    grpc.StatusCode.FAILED_PRECONDITION: (EngineError, "deploy/firestore.indexes.json"),
    grpc.StatusCode.INVALID_ARGUMENT: (EngineError, "check [hot_store] project"),
    grpc.StatusCode.RESOURCE_EXHAUSTED: (EngineBusyError, "does not answer"),
    grpc.StatusCode.UNIMPLEMENTED: (EngineError, "see the cause"),
}


@pytest.mark.parametrize("code", SAID, ids=lambda code: code.name)
def test_a_refusal_is_said_with_what_to_do(code: grpc.StatusCode) -> None:
    def refuse(_: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        context.abort(code, "the server's own words")
        yield b""

    methods = {
        "BatchGetDocuments": grpc.unary_stream_rpc_method_handler(refuse),
        "Commit": grpc.unary_stream_rpc_method_handler(refuse),
    }
    service = grpc.method_handlers_generic_handler("google.firestore.v1.Firestore", methods)
    server = grpc.server(ThreadPoolExecutor(2), handlers=[service])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        place = FirestorePlace("p", emulator_host=f"127.0.0.1:{port}")
        store = FirestoreHotStore(place, "sim:main", FastClock())
        kind, words = SAID[code]
        with pytest.raises(EngineError) as caught:
            store.get("live_signals", "a")
        assert type(caught.value) is kind
        assert words in str(caught.value)
        assert "the server's own words" in str(caught.value)
        with pytest.raises((EngineError, DataError), match="the server's own words"):
            store.put_if_absent("live_signals", "a", {})
    finally:
        server.stop(None).wait()


def test_missing_credentials_are_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FIRESTORE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")
    with pytest.raises(EngineError, match="there are no Google credentials: run `gcloud auth"):
        FirestoreHotStore(FirestorePlace("p"), "sim:main", CLOCK)


def test_a_query_without_limit_goes_through_every_page(
    other: FirestoreHotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = other.acquire("run", "here", 60)
    days = [{"ds": f"2026-01-{1 + n % 5:02d}"} for n in range(20)]
    other.commit([Create("live_signals", f"{n:02d}", day) for n, day in enumerate(days)], lease)
    whole = other.query("live_signals")
    assert [d.id for d in whole[:5]] == ["00", "05", "10", "15", "01"]
    monkeypatch.setattr(queries, "PAGE", 7)
    assert other.query("live_signals") == whole
    assert other.query("live_signals", limit=10) == whole[:10]
    monkeypatch.setattr(queries, "PAGE", 10)
    assert other.query("live_signals") == whole


def test_a_commit_the_emulator_finds_too_large_writes_nothing(other: FirestoreHotStore) -> None:
    lease = other.acquire("run", "here", 60)
    heavy = {"x": [1] * 120_000}  # a number weighs more on the wire than in JSON
    with pytest.raises(DataError, match=r"does not take this write .* divide the commit"):
        other.commit([Create("quarantine", str(n), heavy) for n in range(14)], lease)
    assert other.count("quarantine") == 0
    other.commit([Create("quarantine", str(n), heavy) for n in range(5)], lease)
    assert other.count("quarantine") == 5


def test_a_document_somebody_else_wrote_is_named(other: FirestoreHotStore) -> None:
    other._wire.reference("live_signals", "alien").create({"hello": 1})
    with pytest.raises(EngineError, match="books/sim:main/live_signals/alien is no document of"):
        other.get("live_signals", "alien")


def test_the_clock_of_the_server_is_ours_here(other: FirestoreHotStore) -> None:
    assert abs(other.clock_lead()) < dt.timedelta(seconds=5)
    assert abs(other.clock_lead()) < dt.timedelta(seconds=5)


def test_a_wrong_clock_is_found(place: FirestorePlace) -> None:
    late = FastClock()
    late.sleep(-120)
    lead = FirestoreHotStore(place, "sim:main", late).clock_lead()
    assert dt.timedelta(seconds=110) < lead < dt.timedelta(seconds=130)
