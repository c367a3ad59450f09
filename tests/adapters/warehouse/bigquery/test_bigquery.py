"""The BigQuery engine over Google's client: layout, job ids, budget, and DuckDB's equal."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from contracts.test_warehouse import ALL as IDEAS_SQL
from contracts.test_warehouse import IDEAS, SPAN, arrow, idea
from goldenthread.adapters.warehouse.bigquery.staging import packed
from goldenthread.app.clock import SystemClock
from goldenthread.domain.errors import ConflictError, UsageError
from goldenthread.ports.warehouse import Merged
from goldenthread.warehouse.budget import Budget, guarded_query, ledger_rows
from goldenthread.warehouse.digest import table_digests
from goldenthread.warehouse.tables import TABLES
from goldenthread.warehouse.views import VIEWS, prepare
from warehouse.everything import fill_with_everything
from warehouse.examples import ALL, BOOK, empty

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from emulators.bigquery import BigQueryEmulator, OpenedDataset
    from goldenthread.ports.warehouse import Warehouse

pytestmark = pytest.mark.slow


@pytest.fixture
def opened(bigquery: BigQueryEmulator) -> Iterator[OpenedDataset]:
    with bigquery.dataset() as dataset:
        dataset.warehouse.ensure([IDEAS])
        yield dataset


@pytest.fixture(scope="module")
def filled(bigquery: BigQueryEmulator) -> Iterator[tuple[Warehouse, OpenedDataset]]:
    """The same rows loaded into DuckDB and into BigQuery, in this order."""
    embedded = empty()
    with bigquery.dataset(prepare) as dataset:
        ours = fill_with_everything(embedded)
        theirs = fill_with_everything(dataset.warehouse)
        assert [r for r in theirs if r.refused] == []
        assert theirs == ours
        yield embedded, dataset
    embedded.close()


def jobs(opened: OpenedDataset) -> list[Any]:
    """The load jobs of the dataset, oldest first."""
    found = [j for j in opened.client.list_jobs() if j.job_type == "load"]
    ours = [j for j in found if j.destination.dataset_id == opened.terms.dataset]
    return sorted(ours, key=lambda job: job.created)


def staging_tables(opened: OpenedDataset) -> list[str]:
    names = [table.table_id for table in opened.client.list_tables(opened.terms.home)]
    return [name for name in names if name.startswith("goldenthread_")]


@pytest.mark.parametrize("name", [*TABLES, *VIEWS])
def test_every_table_and_view_holds_identical_rows_on_both_warehouses(
    filled: tuple[Warehouse, OpenedDataset], name: str
) -> None:
    embedded, cloud = filled
    partition = TABLES[name].partition if name in TABLES else VIEWS[name].partition
    where = " WHERE ds BETWEEN @from AND @to" if partition else ""
    sql = f"SELECT * FROM {name}{where}"
    ours = embedded.query(sql, ALL)
    theirs = cloud.warehouse.query(sql, ALL)
    assert theirs.schema == ours.schema
    assert ours.height > 0
    assert _sorted(theirs.to_dicts()) == _sorted(ours.to_dicts())


def test_equal_content_has_an_equal_digest_on_both_warehouses(
    filled: tuple[Warehouse, OpenedDataset],
) -> None:
    embedded, cloud = filled
    assert table_digests(cloud.warehouse, BOOK) == table_digests(embedded, BOOK)


def test_one_load_is_one_load_job_and_one_merge(opened: OpenedDataset) -> None:
    opened.warehouse.merge(IDEAS, arrow(idea("a"), idea("b")), SPAN)
    # the third statement proves that the load arrived: count and digest are read back
    assert Counter(opened.guard.statements) == {"LOAD": 1, "MERGE": 1, "SELECT": 1}
    assert staging_tables(opened) == []


def test_a_table_has_its_partition_clustering_filter_and_labels(opened: OpenedDataset) -> None:
    opened.warehouse.ensure(list(TABLES.values()))
    for table in TABLES.values():
        stored = opened.client.get_table(opened.terms.full(table.name))
        kept = stored.time_partitioning
        expected = (table.granularity, table.partition) if table.partition else None
        assert ((kept.type_, kept.field) if kept else None) == expected
        assert tuple(stored.clustering_fields or ()) == table.cluster
        assert stored.labels == {"app": "goldenthread"}


def test_another_partition_or_clustering_is_a_conflict(opened: OpenedDataset) -> None:
    with pytest.raises(ConflictError, match="ideas is partitioned by DAY of ds, declared is MONTH"):
        opened.warehouse.ensure([replace(IDEAS, granularity="MONTH")])
    with pytest.raises(ConflictError, match="ideas is clustered by nothing, declared is id"):
        opened.warehouse.ensure([replace(IDEAS, cluster=("id",))])


@pytest.mark.fault(
    "F16", "content that comes back after other content", engines="BigQuery emulator"
)
def test_content_that_comes_back_after_other_content_is_loaded_again(
    opened: OpenedDataset,
) -> None:
    first, second = arrow(idea("a", "1", 1)), arrow(idea("a", "2", 2))
    assert opened.warehouse.merge(IDEAS, first, SPAN) == Merged(1, 0, 0)
    assert opened.warehouse.merge(IDEAS, second, SPAN) == Merged(0, 1, 0)
    assert opened.warehouse.merge(IDEAS, first, SPAN) == Merged(0, 0, 1)
    opened.client.query(f"DELETE FROM `{opened.terms.full('ideas')}` WHERE TRUE").result()
    assert opened.warehouse.merge(IDEAS, first, SPAN) == Merged(1, 0, 0)  # it is not remembered
    assert opened.warehouse.query(IDEAS_SQL, {}).to_dicts() == [idea("a", "1", 1)]
    names = [job.job_id for job in jobs(opened)]
    assert len(set(names)) == len(names) == 4


@pytest.mark.fault("F2", "a load that failed, tried again", engines="BigQuery emulator")
def test_a_load_that_failed_is_tried_again_under_another_id(opened: OpenedDataset) -> None:
    rows = arrow(idea("a"))
    first = _first_job_id(opened, rows)
    _load_rubbish(opened, first)
    assert opened.warehouse.merge(IDEAS, rows, SPAN) == Merged(1, 0, 0)
    failed, done = jobs(opened)
    assert failed.error_result["reason"] == "invalid"
    assert done.error_result is None
    assert re.fullmatch(rf"{first}-[0-9a-f]{{12}}", done.job_id)


@pytest.mark.fault("F16", "killed between load and merge", engines="BigQuery emulator")
def test_a_load_that_a_crash_left_unmerged_is_found_and_merged(opened: OpenedDataset) -> None:
    rows = arrow(idea("a"), idea("b"))
    crashed = opened.warehouse._staging.load(IDEAS, rows)  # and no merge
    assert staging_tables(opened) == [crashed.rpartition(".")[2]]
    assert opened.warehouse.merge(IDEAS, rows, SPAN) == Merged(2, 0, 0)
    (only,) = jobs(opened)
    assert only.job_id == _first_job_id(opened, rows)
    assert staging_tables(opened) == []


@pytest.mark.fault("F16", "rows of another job under our id", engines="BigQuery emulator")
def test_what_another_job_left_under_our_id_is_not_merged(opened: OpenedDataset) -> None:
    rows, other = arrow(idea("a")), arrow(idea("stranger"))
    staged = opened.warehouse._staging.load(IDEAS, other)
    name = opened.terms.full(_first_job_id(opened, rows).replace("-", "_"))
    opened.client.query(f"CREATE TABLE `{name}` AS SELECT * FROM `{staged}`").result()
    taken = _first_job_id(opened, rows)
    opened.client.load_table_from_json([{"x": 1}], f"{name}_x", job_id=taken).result()
    assert opened.warehouse.merge(IDEAS, rows, SPAN) == Merged(1, 0, 0)
    assert opened.warehouse.query(IDEAS_SQL, {}).to_dicts() == [idea("a")]


@pytest.mark.fault(
    "F16", "a contradiction, and what its load leaves behind", engines="BigQuery emulator"
)
def test_a_contradiction_leaves_neither_rows_nor_staging(opened: OpenedDataset) -> None:
    opened.warehouse.merge(IDEAS, arrow(idea("a")), SPAN)
    with pytest.raises(
        ConflictError, match=r'size is 1\.123456789, now 2.*; tags is \["a","b"\], now \[\]'
    ):
        opened.warehouse.merge(IDEAS, arrow(idea("a", size=Decimal(2), tags=[])), SPAN)
    assert staging_tables(opened) == []


def test_a_query_over_its_budget_is_refused_before_it_runs(
    bigquery: BigQueryEmulator, tmp_path: Path
) -> None:
    rows = [idea(f"i{n}", ds=dt.date(2024, 1, 1 + n)) for n in range(10)]
    trades = replace(IDEAS, name="fact_fills")  # a name the budget knows to be partitioned
    with bigquery.dataset() as dataset:
        dataset.warehouse.ensure([trades])
        dataset.warehouse.merge(trades, arrow(*rows), SPAN)
        budget = Budget(100, tmp_path / "ledger.jsonl", SystemClock())
        sql = "SELECT id FROM fact_fills WHERE ds BETWEEN @from AND @to"
        before = list(dataset.guard.statements)
        # a row is 32 bytes of id and 8 of ds
        said = (
            r"would read 400 bytes, its budget is 100; try the dates BETWEEN DATE '2024-01-09' "
            r"AND DATE '2024-01-10' \(80 bytes\)"
        )
        values = {"from": dt.date(2024, 1, 1), "to": dt.date(2024, 1, 10)}
        with pytest.raises(UsageError, match=said):
            guarded_query(dataset.warehouse, sql, values, budget)
        assert dataset.guard.statements == before  # dry runs only
        (entry,) = ledger_rows(budget.ledger)
        assert (entry["bytes"], entry["allowed"]) == (400, False)
        values = {"from": dt.date(2024, 1, 9), "to": dt.date(2024, 1, 10)}
        assert guarded_query(dataset.warehouse, sql, values, budget).height == 2


def test_google_is_told_what_a_job_may_be_billed_for(bigquery: BigQueryEmulator) -> None:
    terms = bigquery.terms(max_query_bytes=1)
    with bigquery.dataset(terms=terms) as dataset:
        dataset.warehouse.ensure([IDEAS])
        insert = (
            f"INSERT INTO `{terms.full('ideas')}` (ds, id, size, revision, note) "
            f"VALUES (DATE '2024-01-01', 'a', 1, DATE '2024-01-01', '')"
        )
        dataset.client.query(insert).result()
        with pytest.raises(UsageError, match=r"over its budget: .*bytes billed: 1\..*max_query"):
            dataset.warehouse.query(IDEAS_SQL, {})


def test_the_images_of_patches_say_the_same_on_both_warehouses(
    filled: tuple[Warehouse, OpenedDataset],
) -> None:
    embedded, cloud = filled
    sql = "SELECT id, detail FROM audit_log WHERE ds BETWEEN @from AND @to ORDER BY id"
    ours, theirs = embedded.query(sql, ALL).to_dicts(), cloud.warehouse.query(sql, ALL).to_dicts()
    assert len(ours) >= 3
    assert [json.loads(r["detail"]) for r in theirs] == [json.loads(r["detail"]) for r in ours]


def _sorted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    plain = [{k: _same_json(k, v) for k, v in row.items()} for row in rows]
    return sorted(plain, key=repr)


def _same_json(name: str, value: object) -> object:
    """The value of a JSON column whatever its spelling; every other value as it is."""
    return json.loads(str(value)) if name in {"config", "detail"} else value


def _first_job_id(opened: OpenedDataset, rows: Any) -> str:  # noqa: ANN401  # an Arrow table
    return f"goldenthread-{opened.terms.dataset}-ideas-{packed(rows).content[:24]}"


def _load_rubbish(opened: OpenedDataset, job_id: str) -> None:
    from io import BytesIO  # noqa: PLC0415  # here only

    from google.api_core.exceptions import BadRequest  # noqa: PLC0415  # here only
    from google.cloud.bigquery import LoadJobConfig  # noqa: PLC0415  # here only

    job = opened.client.load_table_from_file(
        BytesIO(b"no Parquet"),
        opened.terms.full("rubbish"),
        job_id=job_id,
        job_config=LoadJobConfig(source_format="PARQUET"),
    )
    with pytest.raises(BadRequest):
        job.result()
