from __future__ import annotations

import datetime as dt
import gc
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from goldenthread.warehouse import guardian as module
from goldenthread.warehouse.arrow import arrow_schema
from goldenthread.warehouse.guardian import guardian_of
from goldenthread.warehouse.tables import MODELS, TABLES, schema_version
from warehouse.examples import DAY, NIGHT

STAMP = {"run_id": "run-1", "loaded_at": NIGHT}
BAR: dict[str, Any] = {
    "symbol": "AAPL",
    "ds": DAY,
    "source": "test",
    "known_at": NIGHT,
    "open": Decimal("99.5"),
    "high": Decimal("102.25"),
    "low": Decimal(99),
    "close": Decimal(100),
    "volume": Decimal(1000),
    "state": "GOOD",
    "revision": DAY,
}

ANYTHING: st.SearchStrategy[object] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=3),
    st.text(alphabet=st.characters(categories=["Cs"]), max_size=2),
    st.decimals(),
    st.dates(),
    st.datetimes(),
    st.datetimes(timezones=st.just(dt.UTC)),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
)


def test_good_rows_become_an_arrow_table_of_the_declared_schema() -> None:
    checked = guardian_of("fact_bars").check([BAR, {**BAR, "symbol": "IBM"}], STAMP)
    assert checked.refused == []
    assert checked.rows.schema == arrow_schema(TABLES["fact_bars"].columns)
    assert checked.rows["symbol"].to_pylist() == ["AAPL", "IBM"]
    assert checked.rows["run_id"].to_pylist() == ["run-1", "run-1"]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("close", Decimal("NaN"), "finite"),
        ("close", Decimal("Infinity"), "finite"),
        ("close", Decimal("0.1234567891"), "9 after it"),
        ("close", Decimal("1e29"), "29 digits"),
        ("close", 100, "instance of Decimal"),
        ("close", 100.0, "instance of Decimal"),
        ("close", None, "instance of Decimal"),
        ("low", Decimal(0), "greater than 0"),
        ("ds", dt.datetime(2024, 3, 4, tzinfo=dt.UTC), "valid date"),
        ("ds", "2024-03-04", "valid date"),
        ("known_at", dt.datetime(2024, 3, 4), "timezone"),  # noqa: DTZ001  # the fault under test
        ("symbol", "", "at least 1 character"),
        ("symbol", 7, "valid string"),
    ],
)
def test_a_wrong_value_is_refused_with_field_value_and_reason(
    field: str, value: object, said: str
) -> None:
    checked = guardian_of("fact_bars").check([BAR, {**BAR, field: value}], STAMP)
    assert checked.rows.num_rows == 1
    (refused,) = checked.refused
    assert (refused.table, refused.field) == ("fact_bars", field)
    assert refused.value is value
    assert said in refused.reason
    assert refused.schema_version == schema_version(MODELS["fact_bars"])


@pytest.mark.fault("F13", "rows with a column too many or too few")
def test_a_column_too_many_or_too_few_is_refused() -> None:
    short = {name: value for name, value in BAR.items() if name != "close"}
    checked = guardian_of("fact_bars").check([{**BAR, "extra": 1}, short, BAR], STAMP)
    assert [(r.field, r.value) for r in checked.refused] == [("extra", 1), ("close", None)]
    assert checked.rows.num_rows == 1


def test_a_column_too_many_is_refused_even_alone() -> None:
    (refused,) = guardian_of("fact_bars").check([{**BAR, "extra": 1}], STAMP).refused
    assert (refused.field, refused.reason) == ("extra", "extra: Extra inputs are not permitted")


@pytest.mark.fault("F13", "rows with a column renamed")
def test_a_column_renamed_is_both_missing_and_too_many() -> None:
    renamed = {("price" if name == "close" else name): value for name, value in BAR.items()}
    (refused,) = guardian_of("fact_bars").check([renamed], STAMP).refused
    assert "close: Field required" in refused.reason
    assert "price: Extra inputs" in refused.reason


@settings(max_examples=300, deadline=None)
@given(field=st.sampled_from(sorted(BAR)), value=ANYTHING)
def test_the_fast_way_and_the_row_by_row_way_accept_the_same(field: str, value: object) -> None:
    row = {**BAR, field: value}
    guardian = guardian_of("fact_bars")
    try:
        MODELS["fact_bars"].model_validate({**row, **STAMP})
        fit = True
    except ValidationError:
        fit = False
    alone = guardian.check([row], STAMP)  # the fast way decides when everything fits
    beside = guardian.check([row, {**BAR, "close": None}], STAMP)  # row by row
    assert (alone.rows.num_rows == 1) == fit
    assert (beside.rows.num_rows == 1) == fit
    if fit:
        assert alone.rows.equals(beside.rows)


@settings(max_examples=200, deadline=None)
@given(value=st.decimals(allow_nan=False, allow_infinity=False))
@example(value=Decimal("9.999999999999958056960000E-24"))  # Arrow reads it as 0
@example(value=Decimal("64.786088677160743890045763544378643180000000000000"))
@example(value=Decimal("1." + "0" * 48))
def test_a_decimal_is_either_stored_exactly_or_refused(value: Decimal) -> None:
    checked = guardian_of("fact_bars").check([{**BAR, "close": value}], STAMP)
    stored = checked.rows["close"].to_pylist()
    assert stored in ([], [value])


def test_chunks_are_one_table_and_the_collector_is_on_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "CHUNK", 3)
    rows = [{**BAR, "source": str(n)} for n in range(8)]
    rows[4] = {**rows[4], "close": None}
    checked = guardian_of("fact_bars").check(rows, STAMP)
    assert checked.rows["source"].to_pylist() == ["0", "1", "2", "3", "5", "6", "7"]
    assert len(checked.refused) == 1
    assert gc.isenabled()


def test_no_rows_are_an_empty_table_of_the_schema() -> None:
    assert guardian_of("fact_bars").check([], STAMP).rows.num_rows == 0


def test_nested_values_are_checked_too() -> None:
    schema = arrow_schema(TABLES["fact_trades"].columns)
    assert schema.field("factors").type == pa.list_(
        pa.struct([pa.field("name", pa.string()), pa.field("value", pa.float64())])
    )
