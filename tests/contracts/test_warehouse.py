"""What every warehouse engine must do, whatever it is made of."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from goldenthread.adapters.warehouse.duckdb import DuckDBWarehouse
from goldenthread.adapters.warehouse.session import DuckDBSession
from goldenthread.domain.errors import ConflictError, UsageError
from goldenthread.ports.warehouse import Column, Merged, Table, Warehouse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from emulators.bigquery import BigQueryEmulator

FIRST, LAST = dt.date(2024, 1, 1), dt.date(2024, 1, 31)
SPAN = (FIRST, LAST)
ALL = "SELECT * FROM ideas WHERE ds BETWEEN DATE '2024-01-01' AND DATE '2024-01-31' ORDER BY id"

IDEAS = Table(
    name="ideas",
    description="Ideas.",
    grain="one idea",
    columns=(
        Column("ds", "DATE", nullable=False, decided=True, description="partition"),
        Column("id", "STRING", nullable=False, decided=True, description="key"),
        Column("size", "NUMERIC", nullable=False, decided=True, description="fixed"),
        Column("price", "NUMERIC", nullable=True, decided=True, description="may move"),
        Column("revision", "DATE", nullable=False, decided=True, description="when it moved"),
        Column("note", "STRING", nullable=False, decided=False, description="who wrote"),
        Column("tags", "STRINGS", nullable=False, decided=True, description="fixed"),
        Column(
            "terms",
            "STRUCTS",
            nullable=False,
            decided=True,
            description="fixed",
            fields=(
                Column("name", "STRING", nullable=False, decided=True, description=""),
                Column("value", "FLOAT64", nullable=True, decided=True, description=""),
            ),
        ),
    ),
    key=("id",),
    partition="ds",
    mutable=("price", "revision", "note"),
)
MUST = Column("must", "STRING", nullable=False, decided=True, description="")
ONCE = replace(IDEAS, name="once", mutable=())
SCHEMA = pa.schema(
    [
        ("ds", pa.date32()),
        ("id", pa.string()),
        ("size", pa.decimal128(38, 9)),
        ("price", pa.decimal128(38, 9)),
        ("revision", pa.date32()),
        ("note", pa.string()),
        ("tags", pa.list_(pa.string())),
        ("terms", pa.list_(pa.struct([("name", pa.string()), ("value", pa.float64())]))),
    ]
)


def idea(name: str, price: str | None = None, revision: int = 1, **changes: object) -> Any:  # noqa: ANN401  # a row
    values = {
        "ds": FIRST,
        "id": name,
        "size": Decimal("1.123456789"),
        "price": None if price is None else Decimal(price),
        "revision": dt.date(2024, 1, revision),
        "note": "first",
        "tags": ["a", "b"],
        "terms": [{"name": "rsi", "value": 61.5}, {"name": "atr", "value": None}],
    }
    return {**values, **changes}


def arrow(*rows: object) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=SCHEMA)


def _file(folder: Path) -> Warehouse:
    return DuckDBWarehouse(folder / "wh.duckdb", read_path=folder / "wh.read.duckdb")


def _memory(_: Path) -> Warehouse:
    return DuckDBSession()


EMBEDDED: dict[str, Callable[[Path], Warehouse]] = {"duckdb": _file, "duckdb-memory": _memory}
ENGINES = [*EMBEDDED, pytest.param("bigquery", marks=pytest.mark.slow)]


@contextmanager
def opened(engine: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    if engine in EMBEDDED:
        made = EMBEDDED[engine](folder)
        yield made
        made.close()
    else:
        emulator: BigQueryEmulator = request.getfixturevalue("bigquery")
        with emulator.dataset() as dataset:
            yield dataset.warehouse


@pytest.fixture(params=ENGINES)
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Warehouse]:
    with opened(request.param, tmp_path, request) as made:
        made.ensure([IDEAS, ONCE])
        yield made


def rows(warehouse: Warehouse, sql: str = ALL) -> list[dict[str, Any]]:
    warehouse.publish()
    return warehouse.query(sql, {}).to_dicts()


def test_what_was_merged_comes_back_to_the_last_digit(warehouse: Warehouse) -> None:
    assert warehouse.merge(IDEAS, arrow(idea("a", "0.000000001")), SPAN) == Merged(1, 0, 0)
    assert rows(warehouse) == [idea("a", "0.000000001")]


def test_38_digits_survive(warehouse: Warehouse) -> None:
    large = Decimal("99999999999999999999999999999.999999999")
    warehouse.merge(IDEAS, arrow(idea("a", size=large)), SPAN)
    assert rows(warehouse)[0]["size"] == large


def test_ensuring_what_is_there_does_nothing(warehouse: Warehouse) -> None:
    assert warehouse.ensure([IDEAS, ONCE]) == []


@pytest.mark.fault("F16", "the same rows merged twice")
def test_merging_equal_rows_again_changes_nothing(warehouse: Warehouse) -> None:
    batch = arrow(idea("a"), idea("b", "2"))
    assert warehouse.merge(IDEAS, batch, SPAN) == Merged(2, 0, 0)
    assert warehouse.merge(IDEAS, batch, SPAN) == Merged(0, 0, 2)
    assert len(rows(warehouse)) == 2


@pytest.mark.fault("F16", "older and equal revisions merged later")
def test_only_a_higher_revision_updates_and_only_mutable_columns(warehouse: Warehouse) -> None:
    warehouse.merge(IDEAS, arrow(idea("a", "1", 5)), SPAN)
    lower = arrow(idea("a", "2", 4, note="lower"))
    equal = arrow(idea("a", "3", 5, note="equal"))
    higher = arrow(idea("a", "4", 6, note="higher"), idea("b"))
    assert warehouse.merge(IDEAS, lower, SPAN) == Merged(0, 0, 1)
    assert warehouse.merge(IDEAS, equal, SPAN) == Merged(0, 0, 1)
    assert warehouse.merge(IDEAS, higher, SPAN) == Merged(1, 1, 0)
    first = rows(warehouse)[0]
    assert (first["price"], first["revision"], first["note"]) == (
        4,
        dt.date(2024, 1, 6),
        "higher",
    )


@pytest.mark.parametrize(
    "change",
    [
        {"size": Decimal(2)},
        {"ds": dt.date(2024, 1, 2)},
        {"tags": ["a"]},
        {"terms": []},
    ],
)
@pytest.mark.fault("F16", "rows that contradict stored ones")
def test_a_row_that_contradicts_a_fixed_column_stops_the_whole_merge(
    warehouse: Warehouse, change: dict[str, object]
) -> None:
    warehouse.merge(IDEAS, arrow(idea("a")), SPAN)
    with pytest.raises(ConflictError, match="id=a is already there"):
        warehouse.merge(IDEAS, arrow(idea("b"), idea("a", "9", 9, **change)), SPAN)
    assert rows(warehouse) == [idea("a")]


def test_an_insert_only_row_may_come_again_but_not_otherwise(warehouse: Warehouse) -> None:
    warehouse.merge(ONCE, arrow(idea("a", "1")), SPAN)
    again = arrow(idea("a", "1", note="another run"))  # operational columns do not count
    assert warehouse.merge(ONCE, again, SPAN) == Merged(0, 0, 1)
    with pytest.raises(ConflictError, match="price is 1"):
        warehouse.merge(ONCE, arrow(idea("a", "2", 9)), SPAN)


def test_null_and_a_value_contradict_each_other(warehouse: Warehouse) -> None:
    warehouse.merge(ONCE, arrow(idea("a"), idea("b", "1")), SPAN)
    for other in (idea("a", "1"), idea("b")):
        with pytest.raises(ConflictError, match="price is"):
            warehouse.merge(ONCE, arrow(other), SPAN)
    assert warehouse.merge(ONCE, arrow(idea("a")), SPAN) == Merged(0, 0, 1)


def test_a_key_twice_in_one_merge_is_refused_before_it_writes(warehouse: Warehouse) -> None:
    with pytest.raises(ConflictError, match="id=a occurs twice"):
        warehouse.merge(IDEAS, arrow(idea("a"), idea("a"), idea("b")), SPAN)
    assert rows(warehouse) == []


def test_no_rows_are_no_work(warehouse: Warehouse) -> None:
    assert warehouse.merge(IDEAS, arrow(), SPAN) == Merged(0, 0, 0)


@pytest.mark.fault("F13", "a column that may be null is added")
def test_a_missing_nullable_column_is_added_and_is_null_in_old_rows(warehouse: Warehouse) -> None:
    warehouse.merge(IDEAS, arrow(idea("a")), SPAN)
    extra = Column("mood", "NUMERIC", nullable=True, decided=True, description="new")
    wider = replace(IDEAS, columns=(*IDEAS.columns, extra))
    assert warehouse.ensure([wider]) == ["added ideas.mood"]
    assert rows(warehouse)[0]["mood"] is None
    mood = pa.array([Decimal(1)], pa.decimal128(38, 9))
    batch = arrow(idea("b")).append_column("mood", mood)
    assert warehouse.merge(wider, batch, SPAN) == Merged(1, 0, 0)
    assert warehouse.ensure([wider]) == []


@pytest.mark.fault("F13", "a column added, dropped, renamed, retyped, loosened: refused")
@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (
            (
                *IDEAS.columns,
                Column("must", "STRING", nullable=False, decided=True, description=""),
            ),
            "ideas.must is missing and cannot be null",
        ),
        (IDEAS.columns[:-1], "ideas.terms is not declared"),
        (
            (*IDEAS.columns[:-1], replace(IDEAS.columns[-1], name="conditions")),
            "ideas.terms is not declared",
        ),
        (
            tuple(replace(c, type="FLOAT64") if c.name == "price" else c for c in IDEAS.columns),
            "ideas.price is",
        ),
        (
            tuple(replace(c, nullable=True) if c.name == "size" else c for c in IDEAS.columns),
            "ideas.size is",
        ),
    ],
)
def test_any_other_difference_stops_before_the_first_change(
    warehouse: Warehouse, columns: tuple[Column, ...], said: str
) -> None:
    new = replace(IDEAS, name="brand_new")
    with pytest.raises(ConflictError, match=said):
        warehouse.ensure([new, replace(IDEAS, columns=columns)])
    assert warehouse.ensure([new]) == ["created brand_new"]  # it had not been made


def test_a_statement_and_a_view_take_effect(warehouse: Warehouse) -> None:
    warehouse.merge(IDEAS, arrow(idea("a", "1"), idea("b", "3")), SPAN)
    view = (
        "CREATE OR REPLACE VIEW total AS SELECT SUM(price) AS price FROM ideas "
        "WHERE ds >= DATE '1900-01-01'"
    )
    warehouse.execute(view, {})
    warehouse.execute(view, {})
    assert rows(warehouse, "SELECT price FROM total") == [{"price": 4}]
    warehouse.execute(view.replace("SUM", "MAX"), {})
    assert rows(warehouse, "SELECT price FROM total") == [{"price": 3}]
    insert = (
        "INSERT INTO ideas (ds, id, size, revision, note, tags, terms) "
        "SELECT ds, CONCAT(id, @suffix), size, revision, note, tags, terms FROM ideas "
        "WHERE ds = @day AND id IN UNNEST(@ids)"
    )
    warehouse.execute(insert, {"suffix": "2", "day": FIRST, "ids": ["a"]})
    assert [row["id"] for row in rows(warehouse)] == ["a", "a2", "b"]


def test_parameters_reach_a_query(warehouse: Warehouse) -> None:
    warehouse.merge(IDEAS, arrow(idea("a"), idea("b")), SPAN)
    warehouse.publish()
    sql = "SELECT id FROM ideas WHERE ds BETWEEN @from AND @to AND id = @id"
    found = warehouse.query(sql, {"from": FIRST, "to": LAST, "id": "b", "unused": 1})
    assert found.to_dicts() == [{"id": "b"}]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT COUNT(*) FROM ideas",
        "SELECT id FROM ideas WHERE id = 'a'",
        "SELECT id FROM ideas WHERE ds = DATE '2024-01-01' OR id = 'a'",
    ],
)
def test_a_partitioned_table_is_not_read_without_a_condition_on_its_partition(
    warehouse: Warehouse, sql: str
) -> None:
    warehouse.publish()
    with pytest.raises(UsageError, match=r"ideas.* without a filter"):
        warehouse.query(sql, {})


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT nothing FROM ideas WHERE ds = DATE '2024-01-01'",
        "SELECT * FROM nowhere",
        "SELECT @x",
        "SELEC",
        "DELETE FROM ideas",
    ],
)
def test_a_query_that_cannot_be_run_is_the_askers_error(warehouse: Warehouse, sql: str) -> None:
    with pytest.raises(UsageError):
        warehouse.query(sql, {})


def test_an_estimate_grows_with_the_dates_and_the_columns(warehouse: Warehouse) -> None:
    batch = [idea(f"i{n}", ds=dt.date(2024, 1, 1 + n)) for n in range(10)]
    warehouse.merge(IDEAS, arrow(*batch), SPAN)
    warehouse.publish()

    def size(columns: str, last: int) -> int:
        sql = f"SELECT {columns} FROM ideas WHERE ds BETWEEN @from AND @to"
        return warehouse.estimate(sql, {"from": FIRST, "to": dt.date(2024, 1, last)})

    assert 0 < size("price", 2) < size("price", 4) < size("*", 4)
    assert size("price", 4) == 2 * size("price", 2)


LOADS = st.lists(
    st.dictionaries(
        st.sampled_from("abcd"), st.tuples(st.integers(1, 9), st.integers(0, 99)), max_size=4
    ),
    max_size=6,
)


@pytest.mark.fault("F16", "revisions loaded in any order")
@pytest.mark.parametrize("engine", ENGINES)
def test_every_key_ends_with_its_first_highest_revision(
    engine: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> None:
    examples = 10 if engine in EMBEDDED else 1  # an emulator takes a second a load

    @settings(max_examples=examples, deadline=None)
    @given(loads=LOADS)
    @example([{"a": (1, 1), "b": (5, 2)}, {"a": (3, 3), "b": (4, 4)}, {"a": (2, 5), "c": (1, 6)}])
    def law(loads: list[dict[str, tuple[int, int]]]) -> None:
        with opened(engine, tmp_path_factory.mktemp("law"), request) as made:
            _obeys_the_law(made, loads)

    law()


def _obeys_the_law(made: Warehouse, loads: list[dict[str, tuple[int, int]]]) -> None:
    made.ensure([IDEAS])
    expected: dict[str, tuple[int, int]] = {}
    for load in loads:
        batch = [idea(name, str(price), revision) for name, (revision, price) in load.items()]
        merged = made.merge(IDEAS, arrow(*batch), SPAN)
        higher = {k: v for k, v in load.items() if k in expected and v[0] > expected[k][0]}
        fresh = load.keys() - expected.keys()
        assert merged == Merged(len(fresh), len(higher), len(load) - len(fresh) - len(higher))
        expected |= higher | {k: load[k] for k in fresh}
    found = {r["id"]: (r["revision"].day, int(r["price"])) for r in rows(made)}
    assert found == expected
