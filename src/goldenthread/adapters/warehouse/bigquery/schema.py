"""Declared tables in BigQuery's words, and what a stored table lacks of its declaration."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from google.cloud.bigquery import SchemaField, TimePartitioning
from google.cloud.bigquery import Table as StoredTable

from goldenthread.domain.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from goldenthread.ports.warehouse import Column, Table

LABELS = {"app": "goldenthread"}
_REST = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL", "STRUCT": "RECORD"}
"""The REST API's words for types that SQL calls otherwise."""
_REPEATED = {"STRINGS": "STRING", "STRUCTS": "RECORD"}


class Changes(NamedTuple):
    """Tables to make, tables whose schema grows, and the effect in words."""

    new: list[StoredTable]
    wider: list[StoredTable]
    words: list[str]


def fields_of(columns: Iterable[Column]) -> list[SchemaField]:
    """The columns as a BigQuery schema; an array is REPEATED and so never null."""
    return [
        SchemaField(
            column.name,
            _REPEATED.get(column.type, column.type),
            _mode(column),
            description=column.description,
            fields=fields_of(column.fields),
        )
        for column in columns
    ]


def declared(table: Table, name: str, *, require_filter: bool) -> StoredTable:
    """The table as it is to be: partition, clustering, filter and labels."""
    made = StoredTable(name, schema=fields_of(table.columns))
    made.description = table.description
    made.labels = LABELS
    if table.partition:
        made.time_partitioning = TimePartitioning(type_=table.granularity, field=table.partition)
        made.require_partition_filter = require_filter
    if table.cluster:
        made.clustering_fields = list(table.cluster)
    return made


def compared(wanted: Sequence[StoredTable], stored: Mapping[str, StoredTable]) -> Changes:
    """Everything missing; nothing when all tables are as declared.

    Raises:
        ConflictError: A table differs by more than nullable columns it lacks.
    """
    changes = Changes([], [], [])
    faults: list[str] = []
    for table in wanted:
        name, found = table.table_id, stored.get(table.table_id)
        if found is None:
            changes.new.append(table)
            changes.words.append(f"created {name}")
            continue
        added, wrong = _columns(name, table.schema, found.schema)
        faults += [*wrong, *_layout(table, found)]
        if added:
            found.schema = [*found.schema, *added]
            changes.wider.append(found)
            changes.words.extend(f"added {name}.{field.name}" for field in added)
    if faults:
        msg = (
            f"the warehouse does not fit this version: {'; '.join(faults)}; nothing was changed. "
            f"What is not declared a newer version added: update goldenthread; else use the "
            f"version that wrote it, or name another dataset and archive again"
        )
        raise ConflictError(msg)
    return changes


def _mode(column: Column) -> str:
    if column.type in _REPEATED:
        return "REPEATED"
    return "NULLABLE" if column.nullable else "REQUIRED"


def _columns(
    table: str, wanted: Sequence[SchemaField], stored: Sequence[SchemaField]
) -> tuple[list[SchemaField], list[str]]:
    known = {field.name: field for field in stored}
    added: list[SchemaField] = []
    wrong: list[str] = []
    for field in wanted:
        found = known.pop(field.name, None)
        if found is None and field.mode != "REQUIRED":
            added.append(field)
        elif found is None:
            wrong.append(f"{table}.{field.name} is missing and cannot be null")
        elif _said(found) != _said(field):
            wrong.append(f"{table}.{field.name} is {_said(found)}, declared is {_said(field)}")
    wrong += [f"{table}.{name} is not declared" for name in sorted(known)]
    return added, wrong


def _layout(table: StoredTable, found: StoredTable) -> list[str]:
    faults = [
        f"{table.table_id} is {words} {is_ or 'nothing'}, declared is {to_be or 'nothing'}"
        for words, is_, to_be in (
            ("partitioned by", _partition(found), _partition(table)),
            ("clustered by", _names(found), _names(table)),
        )
        if is_ != to_be
    ]
    if table.require_partition_filter and not found.require_partition_filter:
        faults.append(f"{table.table_id} answers queries without a filter on its partition")
    return faults


def _partition(table: StoredTable) -> str:
    kept = table.time_partitioning
    return f"{kept.type_} of {kept.field}" if kept else ""


def _names(table: StoredTable) -> str:
    return ", ".join(table.clustering_fields or [])


def _said(field: SchemaField) -> str:
    kind = _REST.get(field.field_type, field.field_type)
    if kind == "RECORD":
        kind = f"STRUCT<{', '.join(f'{f.name} {_said(f)}' for f in field.fields)}>"
    word = {"REPEATED": f"ARRAY<{kind}>", "REQUIRED": f"{kind} NOT NULL"}
    return word.get(field.mode, kind)
