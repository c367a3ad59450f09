"""A real Firestore database: what its emulator does not enforce."""

from __future__ import annotations

import datetime as dt
import time
from itertools import product
from typing import TYPE_CHECKING

import pytest

from goldenthread.domain.errors import ConflictError
from goldenthread.ports.hot_store import Create

pytest.importorskip("google.cloud.firestore", reason="needs the extra gcp")

if TYPE_CHECKING:
    from collections.abc import Callable

    from goldenthread.adapters.hot_store.firestore import FirestoreHotStore

pytestmark = pytest.mark.live

DS = dt.date(2026, 1, 2)
BODY = {"status": "WAITING", "symbol": "AAPL", "strategy_id": "s1", "ds": DS.isoformat()}


def test_every_shape_of_query_has_its_index(hot_store: FirestoreHotStore) -> None:
    lease = hot_store.acquire("run", "live-test", 60)
    hot_store.commit([Create("live_signals", f"s{n}", BODY) for n in range(3)], lease)
    fields = {name: BODY[name] for name in ("status", "symbol", "strategy_id")}
    for chosen, dated in product(product((True, False), repeat=3), (True, False)):
        equal = {n: v for (n, v), yes in zip(fields.items(), chosen, strict=True) if yes}
        ds = DS if dated else None
        found = hot_store.query("live_signals", equal=equal, ds_from=ds, ds_to=ds)
        assert [document.id for document in found] == ["s0", "s1", "s2"]
        assert hot_store.count("live_signals", equal) == 3
    page = hot_store.query("live_signals", after=(DS.isoformat(), "s0"), limit=1)
    assert [document.id for document in page] == ["s1"]
    now = dt.datetime(2026, 1, 3, tzinfo=dt.UTC)
    assert hot_store.sweep("live_signals", now) == 0  # the query for what is due has its index
    hot_store.release(lease)


def test_of_two_writers_one_is_told_and_nothing_is_half_written(
    hot_store: FirestoreHotStore,
) -> None:
    lease = hot_store.acquire("run", "live-test", 60)
    lease = hot_store.commit([Create("live_signals", "a", BODY)], lease)
    other = {**BODY, "symbol": "MSFT"}
    with pytest.raises(ConflictError):
        hot_store.commit(
            [Create("live_signals", "b", BODY), Create("live_signals", "a", other)], lease
        )
    assert hot_store.get("live_signals", "b") is None


def test_the_clocks_agree_and_a_commit_takes_its_time(
    hot_store: FirestoreHotStore, figure: Callable[[str], None]
) -> None:
    assert abs(hot_store.clock_lead()) < dt.timedelta(seconds=60)
    lease = hot_store.acquire("run", "live-test", 60)
    taken = []
    for n in range(10):
        begun = time.perf_counter()
        lease = hot_store.commit([Create("live_signals", f"t{n}", BODY)], lease)
        taken.append(time.perf_counter() - begun)
    figure(f"Firestore commit, median of 10: {sorted(taken)[5] * 1000:.0f} ms")
