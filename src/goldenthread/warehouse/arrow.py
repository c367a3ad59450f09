"""Declared columns as an Arrow schema."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from goldenthread.ports.warehouse import Column, ColumnType

_ARROW: dict[ColumnType, pa.DataType] = {
    "STRING": pa.string(),
    "INT64": pa.int64(),
    "FLOAT64": pa.float64(),
    "NUMERIC": pa.decimal128(38, 9),
    "BOOL": pa.bool_(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us", "UTC"),
    "JSON": pa.string(),
    "STRINGS": pa.list_(pa.string()),
}


@cache
def arrow_schema(columns: tuple[Column, ...]) -> pa.Schema:
    """The Arrow schema of the columns."""
    return pa.schema([pa.field(c.name, _arrow_type(c), nullable=c.nullable) for c in columns])


def _arrow_type(column: Column) -> pa.DataType:
    if column.type == "STRUCTS":
        return pa.list_(pa.struct([pa.field(f.name, _arrow_type(f)) for f in column.fields]))
    return _ARROW[column.type]
