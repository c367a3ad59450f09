"""A real BigQuery dataset: bytes billed, partition filter on MERGE, ERROR() in MERGE."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

import pytest

from contracts.test_warehouse import IDEAS, SPAN, arrow, idea
from goldenthread.app.clock import SystemClock
from goldenthread.domain.errors import ConflictError, EngineRefusedError, UsageError
from goldenthread.ports.warehouse import Merged, Table

pytest.importorskip("google.cloud.bigquery", reason="needs the extra gcp")

from goldenthread.adapters.warehouse.bigquery.merging import merge_plan
from goldenthread.adapters.warehouse.bigquery.terms import BigQueryTerms, connect
from goldenthread.adapters.warehouse.bigquery.warehouse import BigQueryWarehouse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.live

ROWS = [idea(f"i{n}", str(n), ds=dt.date(2024, 1, 1 + n)) for n in range(10)]
OF_JANUARY = "ds BETWEEN DATE '2024-01-01' AND DATE '2024-01-31'"


class Loaded(NamedTuple):
    """A new table with ten rows on ten dates, and the dataset it is in."""

    warehouse: BigQueryWarehouse
    table: Table
    terms: BigQueryTerms

    def sizes(self) -> list[Decimal]:
        sql = f"SELECT size FROM {self.table.name} WHERE {OF_JANUARY} ORDER BY id"
        return self.warehouse.query(sql, {})["size"].to_list()


@pytest.fixture(name="loaded")
def _loaded(terms: BigQueryTerms) -> Iterator[Loaded]:
    client = connect(terms)
    warehouse = BigQueryWarehouse(client, terms, SystemClock())
    warehouse.reach()
    table = replace(IDEAS, name=f"live_test_{uuid4().hex[:12]}")
    warehouse.ensure([table])
    try:
        assert warehouse.merge(table, arrow(*ROWS), SPAN) == Merged(10, 0, 0)
        yield Loaded(warehouse, table, terms)
    finally:
        client.delete_table(terms.full(table.name), not_found_ok=True)


def test_a_merge_into_a_table_that_requires_its_filter_is_taken_and_repeatable(
    loaded: Loaded,
) -> None:
    stored = connect(loaded.terms).get_table(loaded.terms.full(loaded.table.name))
    assert stored.require_partition_filter or loaded.terms.is_emulated
    assert loaded.warehouse.merge(loaded.table, arrow(*ROWS), SPAN) == Merged(0, 0, 10)
    later = idea("i3", "7", revision=2, ds=dt.date(2024, 1, 4))
    assert loaded.warehouse.merge(loaded.table, arrow(later), SPAN) == Merged(0, 1, 0)


def test_a_contradiction_stops_the_whole_merge_by_error_and_leaves_no_staging(
    loaded: Loaded,
) -> None:
    before = loaded.sizes()
    rows = [idea("new", ds=dt.date(2024, 1, 20)), {**ROWS[0], "size": Decimal(2)}]
    with pytest.raises(ConflictError, match=r"says otherwise \(size is 1\.123456789, now 2"):
        loaded.warehouse.merge(loaded.table, arrow(*rows), SPAN)
    assert loaded.sizes() == before
    names = [t.table_id for t in connect(loaded.terms).list_tables(loaded.terms.home)]
    stem = f"goldenthread_{loaded.terms.dataset}_{loaded.table.name}"
    assert [name for name in names if name.startswith(stem)] == []


def test_a_query_without_its_dates_is_refused(loaded: Loaded) -> None:
    with pytest.raises(UsageError, match="without a filter"):
        loaded.warehouse.query(f"SELECT id FROM {loaded.table.name}", {})
    dated = f"SELECT id FROM {loaded.table.name} WHERE ds = DATE '2024-01-02'"
    assert loaded.warehouse.query(dated, {})["id"].to_list() == ["i1"]


def test_a_view_over_all_dates_is_read_at_the_dates_asked_for(
    loaded: Loaded, figure: Callable[[str], None]
) -> None:
    view = f"{loaded.table.name}_view"
    select = f"SELECT * FROM {loaded.table.name} WHERE ds >= DATE '1900-01-01'"
    loaded.warehouse.execute(f"CREATE OR REPLACE VIEW {view} AS {select}", {})
    try:
        one, whole = f"SELECT id FROM {view} WHERE ds = DATE '2024-01-02'", f"SELECT id FROM {view}"
        assert loaded.warehouse.query(one, {})["id"].to_list() == ["i1"]
        sizes = [loaded.warehouse.estimate(sql, {}) for sql in (one, whole)]
    finally:
        connect(loaded.terms).delete_table(loaded.terms.full(view), not_found_ok=True)
    figure(f"BigQuery estimates {sizes[0]} bytes for one date of a view, {sizes[1]} for all ten")
    assert loaded.terms.is_emulated or sizes[0] < sizes[1]  # the guard prunes through no view


def test_an_estimate_is_of_the_dates_asked_for(
    loaded: Loaded, figure: Callable[[str], None]
) -> None:
    sql = f"SELECT id FROM {loaded.table.name} WHERE ds BETWEEN @from AND @to"
    first = dt.date(2024, 1, 1)
    one, ten = (
        loaded.warehouse.estimate(sql, {"from": first, "to": first + dt.timedelta(days=n)})
        for n in (0, 9)
    )
    assert 0 < one < ten
    figure(f"BigQuery estimates {one} bytes for one date and {ten} for ten")


def test_the_bytes_billed_of_a_select_and_a_merge_are_told(
    loaded: Loaded, figure: Callable[[str], None]
) -> None:
    jobs = loaded.warehouse._jobs
    name = loaded.terms.full(loaded.table.name)
    staging = loaded.warehouse._staging.load(loaded.table, arrow(ROWS[0]))
    one_day = (dt.date(2024, 1, 1), dt.date(2024, 1, 1))
    merge = jobs.run(merge_plan(loaded.table, name, staging, one_day).merge, {})
    loaded.warehouse._staging.drop(staging)
    select = jobs.run(f"SELECT id FROM {loaded.table.name} WHERE {OF_JANUARY}", {})
    for kind, job in (("SELECT of ten dates", select), ("MERGE of one date", merge)):
        billed, read = job.total_bytes_billed, job.total_bytes_processed
        assert loaded.terms.is_emulated or billed <= loaded.terms.max_query_bytes
        figure(f"BigQuery {kind}: {read} bytes read, {billed} billed")


def test_a_job_above_its_limit_is_refused_and_not_billed(loaded: Loaded) -> None:
    strict = loaded.terms._replace(max_query_bytes=1)
    warehouse = BigQueryWarehouse(connect(loaded.terms), strict, SystemClock())
    with pytest.raises((UsageError, EngineRefusedError), match="bytes"):
        warehouse.query(f"SELECT id FROM {loaded.table.name} WHERE {OF_JANUARY}", {})
