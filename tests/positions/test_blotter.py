"""What is staged is written in as few commits as the store takes, and no signal is parted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from goldenthread.adapters.hot_store.sqlite import SqliteHotStore
from goldenthread.domain.errors import DataError
from goldenthread.ports.hot_store import MAX_COMMIT_BYTES, Create
from goldenthread.positions.blotter import Blotter
from positions.rig import BOOK, HandClock
from warehouse.examples import intent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from goldenthread.domain.order import OrderIntent
    from goldenthread.ports.hot_store import Operation
    from goldenthread.ports.leases import Lease

LARGE = 600_000


class CountingStore(SqliteHotStore):
    """SQLite's store, which notes what each commit wrote."""

    commits: list[list[str]]

    def commit(self, operations: Sequence[Operation], fence: Lease) -> Lease:
        lease = super().commit(operations, fence)
        self.commits.append([o.id for o in operations if isinstance(o, Create)])
        return lease


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> CountingStore:
    store = CountingStore(tmp_path / "hot.db", BOOK, HandClock(), synchronous="NORMAL")
    store.commits = []
    return store


@pytest.fixture(name="blotter")
def _blotter(store: CountingStore) -> Blotter:
    return Blotter(store, store.acquire("run", "test", 60))


def heavy(signal: str, leg: str, size: int = LARGE) -> OrderIntent:
    """An order of that many bytes and a few more."""
    named = {"signal_id": signal, "order_key": f"{signal}-{leg}-1", "refusal": "x" * size}
    return intent().model_copy(update=named)


def test_what_is_too_heavy_for_one_commit_is_written_in_several(
    store: CountingStore, blotter: Blotter
) -> None:
    blotter.stage(*(heavy(f"20240102-{n}", "entry1") for n in range(8)))
    blotter.commit(Create("job_metadata", "proof", {"ds": "2024-01-02"}))
    assert [len(commit) for commit in store.commits] == [5, 4]
    assert store.commits[-1][-1] == "proof"
    assert store.count("order_intents") == 8


def test_the_orders_of_a_signal_are_never_parted(store: CountingStore, blotter: Blotter) -> None:
    orders = [heavy(f"20240102-{n}", leg) for leg in ("entry1", "entry2") for n in range(4)]
    blotter.stage(*orders)
    blotter.commit()
    assert [{name[9] for name in commit} for commit in store.commits] == [{"0", "1"}, {"2", "3"}]
    assert [len(commit) for commit in store.commits] == [4, 4]


def test_what_comes_with_a_commit_has_its_room_in_it(
    store: CountingStore, blotter: Blotter
) -> None:
    blotter.stage(*(heavy(f"20240102-{n}", "entry1") for n in range(5)))
    blotter.commit(Create("job_metadata", "proof", {"text": "x" * LARGE}))
    assert [len(commit) for commit in store.commits] == [4, 2]


def test_documents_that_stand_alone_are_divided_by_count_and_by_weight(
    store: CountingStore, blotter: Blotter
) -> None:
    light: list[Operation] = [Create("quarantine", f"{n:03d}", {"n": n}) for n in range(401)]
    blotter.write_each(light)
    blotter.write_each([Create("quarantine", f"h{n}", {"x": "x" * LARGE}) for n in range(6)])
    blotter.write_each([])
    assert [len(commit) for commit in store.commits] == [400, 1, 5, 1]


def test_letters_of_several_bytes_count_in_full(store: CountingStore, blotter: Blotter) -> None:
    text = "é" * (MAX_COMMIT_BYTES // 10)
    works: list[Operation] = [Create("quarantine", str(n), {"x": text}) for n in range(5)]
    with pytest.raises(DataError, match="is too large"):
        blotter.write(works)
    blotter.write_each(works)
    assert store.count("quarantine") == 5
