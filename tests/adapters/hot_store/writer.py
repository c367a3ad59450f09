"""Processes that write to a hot store until they are killed or done; started by the tests.

A PATH is a file of SQLite, or firestore:HOST/PROJECT of an emulator.

writer.py pairs PATH START     commits numbered pairs for ever, prints each number when durable
writer.py fight PATH OWNER     waits for a line on stdin, wins one lease 60 times, prints its tokens
writer.py zombie PATH          takes a lease, waits for a line on stdin, then commits
writer.py add PATH TIMES       waits for a line on stdin, adds one to a number that many times
"""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path
from typing import Protocol

from goldenthread.adapters.hot_store.sqlite import SqliteHotStore
from goldenthread.app.clock import SystemClock
from goldenthread.domain.errors import ConflictError, LeaseHeldError, LeaseLostError
from goldenthread.ports.hot_store import Create, HotStore
from goldenthread.ports.leases import Leases

CLOCK = SystemClock()


class Store(HotStore, Leases, Protocol):
    """One object is both ports."""


def open_store(path: str) -> Store:
    if not path.startswith("firestore:"):
        return SqliteHotStore(Path(path), "sim:main", CLOCK)
    from goldenthread.adapters.hot_store.firestore import (  # noqa: PLC0415  # needs the extra
        FirestoreHotStore,
        FirestorePlace,
    )

    host, _, project = path.removeprefix("firestore:").partition("/")
    return FirestoreHotStore(FirestorePlace(project, emulator_host=host), "sim:main", CLOCK)


def say(text: object) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def write_pairs(store: Store, start: int) -> None:
    lease = store.acquire(f"pairs-{start}", "writer", 60)
    for number in count(start):
        body = {"ds": "2026-01-01", "number": number, "filler": "x" * 400}
        pair = [Create(place, f"{number:06d}", body) for place in ("live_signals", "order_intents")]
        lease = store.commit(pair, lease)
        say(number)


def fight(store: Store, owner: str) -> None:
    say("ready")
    sys.stdin.readline()
    won = 0
    while won < 60:
        try:
            lease = store.acquire("run", owner, 5)
        except LeaseHeldError:
            CLOCK.sleep(0.0005)
            continue
        won += 1
        say(lease.token)
        lease = store.commit(
            [Create("live_signals", f"{lease.token:06d}", {"owner": owner})], lease
        )
        store.release(lease)


def rise_again(store: Store) -> None:
    lease = store.acquire("run", "zombie", 0.2)
    say(lease.token)
    sys.stdin.readline()
    try:
        store.commit([Create("live_signals", "zombie", {})], lease)
    except LeaseLostError as error:
        say(f"refused: {error}")
    else:
        say("written")


def add(store: Store, times: int) -> None:
    store.get("job_metadata", "number")
    say("ready")
    sys.stdin.readline()
    conflicts = 0
    for _ in range(times):
        while True:
            read, _ = store.put_if_absent("job_metadata", "number", {"n": 0})
            try:
                store.compare_and_set(read, {"n": read.body["n"] + 1})
            except ConflictError:
                conflicts += 1
            else:
                break
    say(conflicts)


def create(folder: Path) -> None:
    say("ready")
    for line in sys.stdin:
        SqliteHotStore(folder / line.strip(), "sim:main", CLOCK).close()
        say("created")


if __name__ == "__main__":
    if sys.argv[1] == "create":
        create(Path(sys.argv[2]))
        sys.exit()
    hot_store = open_store(sys.argv[2])
    match sys.argv[1]:
        case "pairs":
            write_pairs(hot_store, int(sys.argv[3]))
        case "fight":
            fight(hot_store, sys.argv[3])
        case "zombie":
            rise_again(hot_store)
        case "add":
            add(hot_store, int(sys.argv[3]))
