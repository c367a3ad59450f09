"""An overlay answers as the store would if its writes were made there, and makes none there."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goldenthread.adapters.hot_store.overlay import OverlayHotStore
from goldenthread.adapters.hot_store.sqlite import SqliteHotStore
from goldenthread.app.clock import SystemClock
from goldenthread.domain.errors import ConflictError
from goldenthread.ports.hot_store import Create, Delete, HotStore, Replace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from goldenthread.ports.hot_store import Document, Operation

CLOCK = SystemClock()


class Act(NamedTuple):
    """One write: what, to which of four documents, with which status and day."""

    kind: str
    name: str
    status: str
    day: int | None


ACTS = st.lists(
    st.builds(
        Act,
        st.sampled_from(["put", "set", "create", "replace", "delete"]),
        st.sampled_from("abcd"),
        st.sampled_from(["OPEN", "DONE"]),
        st.none() | st.integers(1, 3),
    ),
    max_size=12,
)


def apply(store: SqliteHotStore | OverlayHotStore, acts: Sequence[Act]) -> list[str]:
    """What each act led to; acts that need a document that is not there are left out."""
    return [_apply(store, act) for act in acts]


def _apply(store: SqliteHotStore | OverlayHotStore, act: Act) -> str:
    body: dict[str, Any] = {"status": act.status}
    if act.day:
        body["ds"] = f"2026-01-0{act.day}"
    found = store.get("live_signals", act.name)
    if act.kind == "put":
        return str(store.put_if_absent("live_signals", act.name, body))
    operation: Operation = Create("live_signals", act.name, body)
    if act.kind != "create":
        if found is None:
            return "nothing there"
        if act.kind == "set":
            return str(store.compare_and_set(found, body))
        operation = Delete(found) if act.kind == "delete" else Replace(found, body)
    lease = store.acquire(f"{act}", "test", 0)
    try:
        store.commit([operation], lease)
    except ConflictError:
        return "conflict"
    finally:
        store.release(lease)
    return "committed"


def everything(store: HotStore) -> list[object]:
    """The answers of all kinds of reads."""
    second = dt.date(2026, 1, 2)
    return [
        [store.get("live_signals", name) for name in "abcd"],
        store.query("live_signals"),
        store.query("live_signals", equal={"status": "OPEN"}, limit=2),
        store.query("live_signals", ds_from=second),
        store.query("live_signals", ds_to=second, after=("2026-01-01", "b")),
        store.count("live_signals"),
        store.count("live_signals", {"status": "DONE"}),
    ]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(before=ACTS, after=ACTS)
def test_an_overlay_equals_the_store_it_stands_for(
    tmp_path_factory: pytest.TempPathFactory, before: list[Act], after: list[Act]
) -> None:
    folder = tmp_path_factory.mktemp("overlay")
    real, inner = (
        SqliteHotStore(folder / f"{name}.sqlite", "sim:main", CLOCK, synchronous="NORMAL")
        for name in ("real", "inner")
    )
    apply(inner, before)
    apply(real, before)
    untouched = everything(inner)
    overlay = OverlayHotStore(inner, CLOCK)

    assert apply(overlay, after) == apply(real, after)
    assert everything(overlay) == everything(real)
    assert everything(inner) == untouched
    real.close()
    inner.close()


def test_a_plan_neither_waits_for_a_run_nor_holds_one_up(tmp_path: Path) -> None:
    inner = SqliteHotStore(tmp_path / "hot.sqlite", "sim:main", CLOCK)
    inner.acquire("run", "a run at work", 60)
    overlay = OverlayHotStore(inner, CLOCK)
    assert overlay.acquire("run", "a plan", 60).token == 1
    assert overlay.acquire("flatten", "a plan", 60).token == 1
    assert inner.acquire("flatten", "another run", 60).token == 1


def test_what_the_store_below_changes_meanwhile_is_seen_unless_written_over(
    tmp_path: Path,
) -> None:
    inner = SqliteHotStore(tmp_path / "hot.sqlite", "sim:main", CLOCK)
    documents: list[Document] = [
        inner.put_if_absent("live_signals", name, {"n": 1})[0] for name in "ab"
    ]
    overlay = OverlayHotStore(inner, CLOCK)
    overlay.compare_and_set(documents[0], {"n": 2})
    for document in documents:
        inner.compare_and_set(document, {"n": 3})
    found = [overlay.get("live_signals", name) for name in "ab"]
    assert [document.body["n"] for document in found if document] == [2, 3]
    with pytest.raises(ConflictError, match="live_signals/b was read at version 1"):
        overlay.compare_and_set(documents[1], {"n": 4})


def test_a_sweep_spares_the_documents_of_the_store_below(tmp_path: Path) -> None:
    inner = SqliteHotStore(tmp_path / "hot.sqlite", "sim:main", CLOCK)
    past = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    inner.put_if_absent("live_signals", "below", {}, past)
    overlay = OverlayHotStore(inner, CLOCK)
    overlay.put_if_absent("live_signals", "above", {}, past)
    assert overlay.sweep("live_signals", past) == 1
    assert overlay.get("live_signals", "above") is None
    assert overlay.get("live_signals", "below") is not None
