"""The cloud warehouse: a BigQuery dataset, loaded by Parquet and changed by MERGE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from google.api_core.exceptions import GoogleAPICallError
from google.cloud.bigquery import Dataset
from typing_extensions import override

from goldenthread.adapters.warehouse.bigquery.failures import as_our_errors, reason_of
from goldenthread.adapters.warehouse.bigquery.jobs import BigQueryJobs
from goldenthread.adapters.warehouse.bigquery.merging import (
    CONTRADICTION,
    fixed_columns,
    merge_plan,
)
from goldenthread.adapters.warehouse.bigquery.schema import LABELS, compared, declared
from goldenthread.adapters.warehouse.bigquery.staging import Staging
from goldenthread.adapters.warehouse.bigquery.views import find_view
from goldenthread.adapters.warehouse.transpile import one_select
from goldenthread.domain.errors import ConflictError, EngineRefusedError
from goldenthread.ports.warehouse import Merged, Warehouse

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence

    from google.cloud.bigquery import Client

    from goldenthread.adapters.warehouse.bigquery.merging import MergePlan
    from goldenthread.adapters.warehouse.bigquery.terms import BigQueryTerms
    from goldenthread.adapters.warehouse.bigquery.views import ViewText
    from goldenthread.domain.clock import Clock
    from goldenthread.ports.warehouse import Table


class BigQueryWarehouse(Warehouse):
    """A dataset as a warehouse; readers see a merge the moment it is done.

    Args:
        client: The client to ask with.
        terms: Which dataset, and what a job may take.
        clock: Dates the expiry of staging tables.
        prepare: Makes every table and view; called before the first write.
    """

    def __init__(
        self,
        client: Client,
        terms: BigQueryTerms,
        clock: Clock,
        *,
        prepare: Callable[[Warehouse], object] | None = None,
    ) -> None:
        self._client = client
        self._terms = terms
        self._prepare = prepare
        self._jobs = BigQueryJobs(client, terms)
        self._staging = Staging(client, self._jobs, terms, clock)

    def reach(self) -> None:
        """Nothing, when the dataset is there and answers; asked before a run writes anything.

        Raises:
            EngineError: It is not: no network, no credentials, no rights, or no such dataset.
        """
        with as_our_errors(self._terms.home):
            self._client.get_dataset(self._terms.home, **self._patience)

    @override
    def ensure(self, tables: Sequence[Table]) -> list[str]:
        wanted = [
            declared(t, self._terms.full(t.name), require_filter=not self._terms.is_emulated)
            for t in tables
        ]
        with as_our_errors(self._terms.home):
            there = self._tables()
            stored = {
                t.table_id: self._client.get_table(t.reference, **self._patience)
                for t in wanted
                if t.table_id in (there or ())
            }
            changes = compared(wanted, stored)
            if there is None:
                self._make_dataset()
            for table in changes.new:
                self._client.create_table(table, exists_ok=True, **self._patience)
            for table in changes.wider:
                self._client.update_table(table, ["schema"], **self._patience)
        return changes.words

    @override
    def merge(self, table: Table, rows: pa.Table, span: tuple[dt.date, dt.date] | None) -> Merged:
        if not rows.num_rows:
            return Merged(0, 0, 0)
        self._refuse_duplicates(table, rows)
        self._get_ready()
        staging = self._staging.load(table, rows)
        plan = merge_plan(table, self._terms.full(table.name), staging, span)
        try:
            merged = self._merged(table, plan, rows.num_rows)
        except ConflictError:
            self._staging.drop(staging)
            raise
        self._staging.drop(staging)
        return merged

    @override
    def execute(self, sql: str, parameters: Mapping[str, Any]) -> None:
        self._get_ready()
        view = find_view(sql, self._terms.dataset)
        if view is None:
            self._jobs.run(sql, parameters)
        else:
            self._define(view)

    @override
    def query(self, sql: str, parameters: Mapping[str, Any]) -> pl.DataFrame:
        one_select(sql)
        found = self._jobs.select(sql, parameters)
        plain = pa.Table.from_arrays(found.columns, names=found.column_names)
        return pl.DataFrame(plain)

    @override
    def estimate(self, sql: str, parameters: Mapping[str, Any]) -> int:
        one_select(sql)
        return self._jobs.bytes_read(sql, parameters)

    @override
    def publish(self) -> None:
        """Nothing to do: a MERGE is visible to every reader at once, and only whole."""

    @override
    def close(self) -> None:
        self._client.close()  # type: ignore[no-untyped-call]  # typed in part

    @property
    def _patience(self) -> dict[str, Any]:
        return {"retry": self._jobs.retry, "timeout": self._terms.timeout_s}

    def _get_ready(self) -> None:
        prepare, self._prepare = self._prepare, None
        if prepare is not None:
            prepare(self)

    def _tables(self) -> set[str] | None:
        """The tables and views of the dataset by name, or None without a dataset."""
        try:
            return {
                t.table_id for t in self._client.list_tables(self._terms.home, **self._patience)
            }
        except GoogleAPICallError as error:
            if reason_of(error) != "notFound":
                raise
            return None

    def _make_dataset(self) -> None:
        made = Dataset(self._terms.home)
        made.location = self._terms.location
        made.labels = LABELS
        self._client.create_dataset(made, exists_ok=True, **self._patience)

    def _define(self, view: ViewText) -> None:
        """Make or replace the view, unless it was defined by the same text."""
        with as_our_errors(self._terms.home):
            try:
                stored = self._client.get_table(self._terms.full(view.name), **self._patience)
            except GoogleAPICallError as error:
                if reason_of(error) != "notFound":
                    raise
                stored = None
        if stored is None or not view.is_as_stored(stored):
            self._jobs.run(view.statement, {})

    def _refuse_duplicates(self, table: Table, rows: pa.Table) -> None:
        keys = rows.select(list(table.key)).group_by(list(table.key))
        counted = keys.aggregate([([], "count_all")])
        twice = counted.filter(pc.greater(counted["count_all"], 1))
        if twice.num_rows:
            key = {name: twice[name][0].as_py() for name in table.key}
            msg = (
                f"{table.name}: the key {_named(key)} occurs twice in one load; "
                f"nothing was written. Offer each row once"
            )
            raise ConflictError(msg)

    def _merged(self, table: Table, plan: MergePlan, offered: int) -> Merged:
        try:
            job = self._jobs.run(plan.merge, {})
        except EngineRefusedError as error:
            if CONTRADICTION in str(error):
                raise ConflictError(self._contradiction(table, plan.blame)) from error
            raise
        done = job.dml_stats
        inserted, updated = (done.inserted_row_count, done.updated_row_count) if done else (0, 0)
        return Merged(inserted, updated, offered - inserted - updated)

    def _contradiction(self, table: Table, blame: str) -> str:
        row = self._jobs.select(blame, {}).to_pylist()[0]
        key = {name: row[name] for name in table.key}
        told = [(c.name, row[c.name]) for c in fixed_columns(table)]
        said = [f"{name} {words}" for name, words in told if words]
        return (
            f"{table.name}: the row {_named(key)} is already there and says "
            f"otherwise ({'; '.join(said[:3])}); nothing was written. Facts are never rewritten: "
            f"use a new book, or find out which run is wrong"
        )


def _named(key: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={value}" for name, value in key.items())
