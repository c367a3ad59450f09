"""A store opened for looking before there is one: empty, and never written."""

from __future__ import annotations

import datetime as dt

import pytest

from goldenthread.adapters.hot_store.unbegun import UnbegunHotStore
from goldenthread.domain.errors import DataError, EngineError
from goldenthread.ports.hot_store import Create, Document
from goldenthread.ports.leases import Lease

NOW = dt.datetime(2024, 1, 3, tzinfo=dt.UTC)


def test_it_holds_nothing() -> None:
    store = UnbegunHotStore()
    assert store.get("live_signals", "a") is None
    assert store.query("live_signals", equal={"status": "WAITING"}) == []
    assert store.count("live_signals", {"symbol": "AAPL"}) == 0
    assert store.sweep("live_signals", NOW) == 0


def test_it_asks_no_question_a_real_store_would_refuse() -> None:
    with pytest.raises(DataError):
        UnbegunHotStore().query("live_signals", equal={"book": "sim:main"})


def test_it_refuses_every_write() -> None:
    store = UnbegunHotStore()
    with pytest.raises(EngineError, match="opened for looking"):
        store.put_if_absent("live_signals", "a", {})
    with pytest.raises(EngineError, match="opened for looking"):
        store.compare_and_set(Document("live_signals", "a", {}, 1), {})
    with pytest.raises(EngineError, match="opened for looking"):
        store.commit([Create("live_signals", "a", {})], Lease("run", "me", 1, NOW))
