from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenthread.adapters.hot_store.sqlite import SqliteHotStore
from goldenthread.warehouse import guardian, quarantine, tables
from goldenthread.warehouse.loading import load
from goldenthread.warehouse.loops import load_rejected
from goldenthread.warehouse.quarantine import _decoded, _encoded
from goldenthread.warehouse.rows.signals import RejectedSignalRow, rejected_row
from warehouse.examples import ALL, BOOK, DAY, NIGHT, day, empty, run, signal, waiting

if TYPE_CHECKING:
    from pathlib import Path

    from goldenthread.ports.hot_store import HotStore


class StillClock:
    """Time that stands."""

    def now(self) -> dt.datetime:
        return NIGHT

    def sleep(self, seconds: float) -> None:
        raise NotImplementedError(seconds)


@pytest.fixture
def store(tmp_path: Path) -> HotStore:
    return SqliteHotStore(tmp_path / "hot.sqlite", BOOK, StillClock())


def bad_row() -> dict[str, Any]:
    return {**rejected_row(signal(), waiting()), "close": Decimal("NaN"), "priority": float("inf")}


def test_a_refused_row_is_kept_with_model_field_value_reason_and_version(store: HotStore) -> None:
    result = load(empty(), "fact_rejected_signals", [bad_row()], run())
    assert quarantine.put(store, result.refused, run()) == 1
    (one,) = quarantine.ls(store)
    assert (one.model, one.field, one.value) == (
        "fact_rejected_signals",
        "close",
        "Decimal('NaN')",
    )
    assert "close: Input should be a finite number; priority:" in one.reason
    assert one.schema_version == tables.schema_version(RejectedSignalRow)
    assert (one.ds, one.run_id, one.status) == (DAY, "run-1", "OPEN")
    assert one.row["verdicts"] == bad_row()["verdicts"]
    assert one.row["decided_at"] == bad_row()["decided_at"]


def test_the_same_row_refused_again_is_one_row_in_quarantine(store: HotStore) -> None:
    refused = load(empty(), "fact_rejected_signals", [bad_row()], run()).refused
    assert quarantine.put(store, refused, run()) == 1
    assert quarantine.put(store, refused, run()) == 0
    assert len(quarantine.ls(store)) == 1


def test_a_row_that_is_still_wrong_stays_in_quarantine(store: HotStore) -> None:
    warehouse = empty()
    quarantine.put(
        store, load(warehouse, "fact_rejected_signals", [bad_row()], run()).refused, run()
    )
    (result,) = quarantine.replay(store, warehouse, run(day(1)))
    assert (result.inserted, len(result.refused)) == (0, 1)
    assert len(quarantine.ls(store)) == 1


def test_after_a_fix_the_row_is_loaded_once_and_leaves_quarantine(
    store: HotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = empty()

    class Stricter(RejectedSignalRow):
        """A model that wrongly refuses a reason it does not know."""

        model_config = {"str_max_length": 5}  # noqa: RUF012  # pydantic's own way

    with monkeypatch.context() as patch:
        patch.setitem(tables.MODELS, "fact_rejected_signals", Stricter)
        guardian.guardian_of.cache_clear()
        result = load_rejected(warehouse, [(signal(), waiting())], run())
    guardian.guardian_of.cache_clear()
    assert (result.inserted, quarantine.put(store, result.refused, run())) == (0, 1)

    (fixed,) = quarantine.replay(store, warehouse, run(day(1), "run-2"))
    assert (fixed.inserted, fixed.refused) == (1, ())
    assert quarantine.ls(store) == []
    assert [one.status for one in quarantine.ls(store, replayed=True)] == ["REPLAYED"]
    assert quarantine.replay(store, warehouse, run(day(2))) == []
    rows = warehouse.query(
        "SELECT * FROM fact_rejected_signals WHERE ds BETWEEN @from AND @to", ALL
    )
    assert rows["run_id"].to_list() == ["run-2"]
    plain = load_rejected(warehouse, [(signal(), waiting())], run(day(3)))
    assert plain.unchanged == 1  # the replayed row equals the one the day would have loaded


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(alphabet=st.characters(exclude_characters="$"))
    | st.decimals(allow_nan=False)
    | st.dates()
    | st.datetimes(timezones=st.just(dt.UTC)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(alphabet="abc", max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(VALUES)
def test_a_quarantined_value_comes_back_as_it_was(value: object) -> None:
    assert _decoded(_encoded(value)) == value
    assert type(_decoded(_encoded(value))) is type(value)
