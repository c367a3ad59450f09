"""Two processes on one Firestore: adding up, fighting, killed, and coming back from the dead."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from goldenthread.app.clock import SystemClock
from goldenthread.domain.errors import LeaseHeldError
from goldenthread.ports.hot_store import Create

pytest.importorskip("google.cloud.firestore", reason="needs the extra gcp")

from emulators.firestore import new_place
from goldenthread.adapters.hot_store.firestore import FirestoreHotStore

if TYPE_CHECKING:
    from goldenthread.adapters.hot_store.firestore import FirestorePlace

pytestmark = pytest.mark.slow

WRITER = Path(__file__).with_name("writer.py")
CLOCK = SystemClock()


@pytest.fixture
def place(firestore_emulator: str) -> FirestorePlace:
    return new_place(firestore_emulator)


@pytest.fixture
def store(place: FirestorePlace) -> FirestoreHotStore:
    return FirestoreHotStore(place, "sim:main", CLOCK)


def start(verb: str, place: FirestorePlace, *arguments: object) -> subprocess.Popen[str]:
    path = f"firestore:{place.emulator_host}/{place.project_id}"
    return subprocess.Popen(
        [sys.executable, str(WRITER), verb, path, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def go(*processes: subprocess.Popen[str]) -> list[list[int]]:
    """The numbers each process says after all of them were told to go at once."""
    for process in processes:
        assert said(process) == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes)
    return [[int(line) for line in answer.split()] for answer in answers]


def test_two_processes_that_add_up_lose_no_step(
    place: FirestorePlace, store: FirestoreHotStore
) -> None:
    conflicts = go(start("add", place, 500), start("add", place, 500))
    number = store.get("job_metadata", "number")
    assert number is not None
    assert (number.body, number.version) == ({"n": 1000}, 1001)
    assert sum(map(sum, conflicts)) > 0, "they never met: the test shows nothing"


@pytest.mark.fault("F4", "two processes that want one lease", engines="Firestore emulator")
def test_two_processes_never_hold_one_lease_together(
    place: FirestorePlace, store: FirestoreHotStore
) -> None:
    tokens = go(start("fight", place, "one"), start("fight", place, "two"))
    assert sorted(tokens[0] + tokens[1]) == list(range(1, 121))
    assert store.count("live_signals") == 120


@pytest.mark.fault("F5", "a process that slept past its lease", engines="Firestore emulator")
def test_a_process_that_lost_its_lease_while_it_slept_writes_nothing(
    place: FirestorePlace, store: FirestoreHotStore
) -> None:
    zombie = start("zombie", place)
    assert said(zombie) == "1\n"
    while True:
        try:
            lease = store.acquire("run", "heir", 60)
        except LeaseHeldError:
            CLOCK.sleep(0.02)
        else:
            break
    store.commit([Create("live_signals", "heir", {})], lease)
    answer, _ = zombie.communicate("go\n", timeout=30)
    assert answer.startswith(
        "refused: lease 'run' of sim:main is no longer held by zombie (token 1)"
    )
    assert lease.token == 2
    assert store.get("live_signals", "zombie") is None


@pytest.mark.fault("F1", "a writer killed between commits", engines="Firestore emulator")
def test_a_killed_process_loses_no_commit_it_was_told_of_and_leaves_none_in_half(
    place: FirestorePlace, store: FirestoreHotStore
) -> None:
    begin = 0
    for lines in (3, 40):
        process = start("pairs", place, begin)
        told = [int(said(process)) for _ in range(lines)]
        process.kill()
        process.communicate()
        CLOCK.sleep(0.2)  # what was on the wire when it died may still arrive
        signals = [d.body["number"] for d in store.query("live_signals")]
        intents = [d.body["number"] for d in store.query("order_intents")]
        assert signals == intents
        assert signals == list(range(len(signals)))
        assert set(told) <= set(signals)
        begin = len(signals)
