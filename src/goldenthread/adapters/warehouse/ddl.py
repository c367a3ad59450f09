"""Declared tables in DuckDB's words, and what a stored table lacks of its declaration."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from goldenthread.domain.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from goldenthread.ports.warehouse import Column, ColumnType, Table

_TYPES: dict[ColumnType, str] = {
    "STRING": "VARCHAR",
    "INT64": "BIGINT",
    "FLOAT64": "DOUBLE",
    "NUMERIC": "DECIMAL(38,9)",
    "BOOL": "BOOLEAN",
    "DATE": "DATE",
    "TIMESTAMP": "TIMESTAMP WITH TIME ZONE",
    "JSON": "JSON",
    "STRINGS": "VARCHAR[]",
}
_PARTITION = "partitioned by "


class Stored(NamedTuple):
    """A column as the file has it, without the quotes DuckDB puts round some names."""

    type: str
    nullable: bool


class Change(NamedTuple):
    """One statement that brings a table nearer to its declaration, and its effect in words."""

    sql: str
    words: str


def column_type(column: Column) -> str:
    """The type in DuckDB's words."""
    if column.type == "STRUCTS":
        inner = ", ".join(f'"{f.name}" {column_type(f)}' for f in column.fields)
        return f"STRUCT({inner})[]"
    return _TYPES[column.type]


def create(table: Table) -> list[Change]:
    """What makes the table; no keys and no indexes: merges keep keys unique."""
    columns = ", ".join(
        f'"{c.name}" {column_type(c)}{"" if c.nullable else " NOT NULL"}' for c in table.columns
    )
    made = [Change(f"CREATE TABLE {table.name} ({columns})", f"created {table.name}")]
    if table.partition:
        note = f"COMMENT ON TABLE {table.name} IS '{_PARTITION}{table.partition}'"
        made.append(Change(note, ""))
    return made


def partition_of(comment: str | None) -> str | None:
    """The partition column told by a table's comment."""
    told = comment or ""
    return told.removeprefix(_PARTITION) if told.startswith(_PARTITION) else None


def changes(tables: Sequence[Table], stored: Mapping[str, Mapping[str, Stored]]) -> list[Change]:
    """Everything missing, in order; empty when all tables are as declared.

    Raises:
        ConflictError: A table differs by more than nullable columns it lacks.
    """
    wanted: list[Change] = []
    faults: list[str] = []
    for table in tables:
        if table.name not in stored:
            wanted += create(table)
            continue
        added, wrong = _compared(table, stored[table.name])
        wanted += added
        faults += wrong
    if faults:
        msg = (
            f"the warehouse does not fit this version: {'; '.join(faults)}; nothing was changed. "
            f"What is not declared a newer version added: update goldenthread; else use the "
            f"version that wrote it, or move the file away and archive again"
        )
        raise ConflictError(msg)
    return wanted


def _compared(table: Table, stored: Mapping[str, Stored]) -> tuple[list[Change], list[str]]:
    added: list[Change] = []
    wrong: list[str] = []
    for column in table.columns:
        name = f"{table.name}.{column.name}"
        declared = Stored(column_type(column).replace('"', ""), column.nullable)
        found = stored.get(column.name)
        if found is None and column.nullable:
            sql = f'ALTER TABLE {table.name} ADD COLUMN "{column.name}" {column_type(column)}'
            added.append(Change(sql, f"added {name}"))
        elif found is None:
            wrong.append(f"{name} is missing and cannot be null")
        elif found != declared:
            wrong.append(f"{name} is {_said(found)}, declared is {_said(declared)}")
    unknown = sorted(stored.keys() - {column.name for column in table.columns})
    wrong += [f"{table.name}.{name} is not declared" for name in unknown]
    return added, wrong


def _said(column: Stored) -> str:
    return column.type if column.nullable else f"{column.type} NOT NULL"
