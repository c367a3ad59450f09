"""How fast the hot store is; run with `make bench`, prints, asserts nothing about time."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from goldenthread.adapters.hot_store.sqlite import SqliteHotStore
from goldenthread.app.clock import SystemClock
from goldenthread.ports.hot_store import Create, HotStore
from goldenthread.ports.leases import Leases

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from goldenthread.adapters.hot_store.sqlite_file import Synchronous

ROUNDS = 1_000


class Store(HotStore, Leases, Protocol):
    """One object is both ports."""


def body(number: int) -> dict[str, Any]:
    """A document of about the size of a signal."""
    return {
        "ds": f"2026-01-{1 + number % 28:02d}",
        "status": "WAITING" if number % 20 == 0 else "CLOSED",
        "symbol": f"S{number % 30}",
        "strategy_id": f"strategy-{number % 6}",
        "verdicts": [
            {"name": f"GATE_{n}", "value": Decimal("0.123456789"), "passed": True}
            for n in range(25)
        ],
    }


def measure(label: str, act: Callable[[int], object], rounds: int = ROUNDS) -> None:
    begun = time.perf_counter()
    for number in range(rounds):
        act(number)
    took = time.perf_counter() - begun
    print(f"{label:32s} {rounds / took:9.0f} /s {took / rounds * 1e6:9.0f} us")  # noqa: T201  # its result


def _sqlite(synchronous: Synchronous) -> Callable[[pytest.FixtureRequest], Store]:
    def make(request: pytest.FixtureRequest) -> Store:
        path: Path = request.getfixturevalue("tmp_path") / "hot.sqlite"
        return SqliteHotStore(path, "sim:bench", SystemClock(), synchronous=synchronous)

    return make


def _firestore(request: pytest.FixtureRequest) -> Store:
    host = request.getfixturevalue("firestore_emulator")
    from emulators.firestore import new_place  # noqa: PLC0415  # needs the extra
    from goldenthread.adapters.hot_store.firestore import (  # noqa: PLC0415  # needs the extra
        FirestoreHotStore,
    )

    return FirestoreHotStore(new_place(host), "sim:bench", SystemClock())


ENGINES: dict[str, Callable[[pytest.FixtureRequest], Store]] = {
    "sqlite FULL": _sqlite("FULL"),
    "sqlite NORMAL": _sqlite("NORMAL"),
    "firestore (emulator)": _firestore,
}


@pytest.mark.bench
@pytest.mark.parametrize("engine", ENGINES)
def test_hot_store_speed(request: pytest.FixtureRequest, engine: str) -> None:
    store = ENGINES[engine](request)
    fence = store.acquire("run", "bench", 600)

    def put(number: int) -> object:
        return store.put_if_absent("live_signals", f"{number:06d}", body(number))

    def replace(number: int) -> object:
        document = store.get("live_signals", f"{number:06d}")
        assert document is not None
        return store.compare_and_set(document, body(number))

    def commit(number: int) -> None:
        nonlocal fence
        fence = store.commit([Create("order_intents", f"{number:06d}", body(number))], fence)

    def commit_100(number: int) -> None:
        nonlocal fence
        names = range(number * 100, number * 100 + 100)
        fence = store.commit([Create("quarantine", f"{n:06d}", body(n)) for n in names], fence)

    def hand_over(number: int) -> None:
        store.release(store.acquire("other", f"{number}", 60))

    print(f"\n{engine}")  # noqa: T201  # its result
    measure("put_if_absent, new", put)
    measure("put_if_absent, there already", put)
    measure("get", lambda n: store.get("live_signals", f"{n:06d}"))
    measure("get and compare_and_set", replace)
    measure("fenced commit of 1", commit)
    measure("fenced commit of 100", commit_100, 30)
    measure("lease taken and given back", hand_over, 200)
    measure(
        "query 50 WAITING of 1000",
        lambda _: store.query("live_signals", equal={"status": "WAITING"}),
        200,
    )
    measure("count", lambda _: store.count("live_signals", {"status": "WAITING"}), 200)
    assert store.count("quarantine") == 3_000
    assert store.count("live_signals", {"status": "WAITING"}) == 50
