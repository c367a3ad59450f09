"""The star schema's store: declared tables, merges by key, queries by date range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    import polars as pl
    import pyarrow as pa

ColumnType = Literal[
    "STRING",
    "INT64",
    "FLOAT64",
    "NUMERIC",
    "BOOL",
    "DATE",
    "TIMESTAMP",
    "JSON",
    "STRINGS",
    "STRUCTS",
]
"""Column types in BigQuery's words; STRINGS is ARRAY<STRING>, STRUCTS an ARRAY<STRUCT<…>>."""


@dataclass(frozen=True)
class Column:
    """One column; ``fields`` describes the struct of a STRUCTS column.

    ``decided`` columns follow from bars, strategies and policy and enter the digest;
    operational ones (receipt times, run ids, broker ids, durations) do not.
    """

    name: str
    type: ColumnType
    nullable: bool
    decided: bool
    description: str
    fields: tuple[Column, ...] = ()


@dataclass(frozen=True)
class Table:
    """One table: its columns, the key a row is known by, its partition and clustering.

    ``mutable`` names the columns a later revision may change; empty means insert-only. With
    mutable columns a row is updated only when the incoming ``revision`` is higher.
    """

    name: str
    description: str
    grain: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    partition: str | None = None
    granularity: Literal["DAY", "MONTH"] = "DAY"
    cluster: tuple[str, ...] = ()
    mutable: tuple[str, ...] = ()

    def column(self, name: str) -> Column:
        """The column of that name; KeyError when there is none."""
        return {column.name: column for column in self.columns}[name]


@dataclass(frozen=True)
class Merged:
    """What a merge did: rows inserted, updated, and left as they were."""

    inserted: int
    updated: int
    unchanged: int


class Warehouse(Protocol):
    """Tables of one warehouse, written by one process at a time."""

    def ensure(self, tables: Sequence[Table]) -> list[str]:
        """What was created or added, in words; empty when all was there.

        A missing nullable column is added; any other difference stops before the first change.

        Raises:
            ConflictError: Table and declaration disagree; the message names column and types.
        """
        ...

    def merge(self, table: Table, rows: pa.Table, span: tuple[dt.date, dt.date] | None) -> Merged:
        """The rows' effect on the table, all or nothing, by key.

        ``span`` is the literal range of the partition column that the rows lie in (None for a
        table without partition). Equal rows merged again change nothing.

        Raises:
            ConflictError: A key occurs twice in ``rows``, or an insert-only row differs.
        """
        ...

    def execute(self, sql: str, parameters: Mapping[str, Any]) -> None:
        """Run a BigQuery-dialect statement (SCD2 merge, view)."""
        ...

    def query(self, sql: str, parameters: Mapping[str, Any]) -> pl.DataFrame:
        """The rows of a BigQuery-dialect SELECT; reads the published copy.

        Raises:
            UsageError: It is not one SELECT, names what is not there, or reads a partitioned
                table without a condition on its partition.
        """
        ...

    def estimate(self, sql: str, parameters: Mapping[str, Any]) -> int:
        """The bytes the SELECT would read."""
        ...

    def publish(self) -> None:
        """Make everything merged so far visible to readers, atomically."""
        ...

    def close(self) -> None:
        """Release files and locks; merged work is already durable."""
        ...
