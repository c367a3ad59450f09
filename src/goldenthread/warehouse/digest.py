"""One hash over what was decided: equal decisions, equal digest, on any machine."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from goldenthread.domain.errors import UsageError
from goldenthread.warehouse.rows.columns import LAST_DS, LEAST_DS
from goldenthread.warehouse.tables import TABLES, UNDIGESTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from goldenthread.ports.warehouse import Column, Table, Warehouse

_BOOK = "book"


def digest(warehouse: Warehouse, book: str, tables: Iterable[str] | None = None) -> str:
    """The sha256 over the decided columns of a book's rows, published, ordered by key.

    The name of the book is left out, so two books that decided the same are equal. Bars, actions
    and dates belong to no book and are all in it; ``job_runs`` and ``audit_log`` never are.

    Raises:
        UsageError: A table that does not exist, or is not digested.
    """
    return combined(table_digests(warehouse, book, tables))


def combined(parts: Mapping[str, str]) -> str:
    """The digest over those of the tables."""
    total = hashlib.sha256()
    for name, part in parts.items():
        total.update(f"{name}={part}\n".encode())
    return total.hexdigest()


def table_digests(
    warehouse: Warehouse, book: str, tables: Iterable[str] | None = None
) -> dict[str, str]:
    """The digest of each table by name, in the order of their names; to see which one differs.

    Raises:
        UsageError: A table that does not exist, or is not digested.
    """
    digested = TABLES.keys() - UNDIGESTED
    wanted = set(digested if tables is None else tables)
    if not wanted <= digested:
        unknown = ", ".join(sorted(wanted - digested))
        msg = f"no digest of {unknown}; there are {', '.join(sorted(digested))}"
        raise UsageError(msg)
    return {name: _table_digest(warehouse, TABLES[name], book) for name in sorted(wanted)}


def _table_digest(warehouse: Warehouse, table: Table, book: str) -> str:
    columns = [c for c in table.columns if c.decided and c.name != _BOOK]
    scoped = any(c.name == _BOOK for c in table.columns)
    conditions = ["ds BETWEEN @from AND @to"] if table.partition else []
    conditions += ["book = @book"] if scoped else []
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    sql = (
        f"SELECT {', '.join(c.name for c in columns)} FROM {table.name}{where} "
        f"ORDER BY {', '.join(name for name in table.key if name != _BOOK)}"
    )
    values: dict[str, Any] = {"book": book, "from": LEAST_DS, "to": LAST_DS}
    rows = warehouse.query(sql, values).to_arrow().combine_chunks()
    sha = hashlib.sha256(f"{rows.num_rows}".encode())
    for column in columns:
        sha.update(f"{column.name}:{column.type}".encode())
        _feed(sha, _whole(rows[column.name]), column)
    return sha.hexdigest()


def _whole(column: pa.ChunkedArray) -> pa.Array:
    chunks = column.combine_chunks()
    return pa.concat_arrays(chunks.chunks) if isinstance(chunks, pa.ChunkedArray) else chunks


def _feed(sha: Any, values: pa.Array, column: Column) -> None:  # noqa: ANN401  # hashlib's type is private
    """Hash where the nulls are, then the values, by bytes that do not depend on the layout."""
    if column.type == "JSON":
        values = pa.array([text and _canonical(text) for text in values.to_pylist()], pa.string())
    if column.type in {"STRINGS", "STRUCTS"}:
        sha.update(_bytes(pc.is_null(values).cast(pa.uint8())))
        sha.update(_bytes(pc.fill_null(pc.list_value_length(values).cast(pa.int64()), 0)))
        items = pc.list_flatten(values)
        if not column.fields:
            _feed_plain(sha, items)
        for field in column.fields:
            _feed_plain(sha, pc.struct_field(items, field.name))
    else:
        _feed_plain(sha, values)


def _canonical(text: str) -> str:
    """The JSON in one spelling; BigQuery keeps the value of a JSON column, not its text."""
    return json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _feed_plain(sha: Any, values: pa.Array) -> None:  # noqa: ANN401  # hashlib's type is private
    sha.update(_bytes(pc.is_null(values).cast(pa.uint8())))
    kind = values.type
    if pa.types.is_decimal(kind):
        sha.update(_decimals(values))
    elif pa.types.is_date(kind):
        sha.update(_bytes(pc.fill_null(values.cast(pa.date32()).cast(pa.int32()), 0)))
    elif pa.types.is_timestamp(kind):
        instants = values.cast(pa.timestamp("us", kind.tz)).cast(pa.int64())
        sha.update(_bytes(pc.fill_null(instants, 0)))
    elif pa.types.is_boolean(kind):
        sha.update(_bytes(pc.fill_null(values.cast(pa.uint8()), 0)))
    elif pa.types.is_floating(kind):
        sha.update(_bytes(pc.add(pc.fill_null(values.cast(pa.float64()), 0.0), 0.0)))
    elif pa.types.is_integer(kind):
        sha.update(_bytes(pc.fill_null(values.cast(pa.int64()), 0)))
    else:
        _feed_texts(sha, values)


def _feed_texts(sha: Any, values: pa.Array) -> None:  # noqa: ANN401  # hashlib's type is private
    texts = pc.fill_null(values.cast(pa.large_string()), "").cast(pa.large_binary())
    sha.update(_bytes(pc.binary_length(texts)))
    sha.update(b"".join(texts.to_pylist()))


def _decimals(values: pa.Array) -> bytes:
    """The 16 little-endian bytes of each value in units of 1e-9."""
    exact = pa.concat_arrays([pc.fill_null(values.cast(pa.decimal128(38, 9)), 0)])
    buffer = exact.buffers()[1]
    start = exact.offset * 16
    return bytes(memoryview(buffer)[start : start + len(exact) * 16])


def _bytes(values: pa.Array) -> bytes:
    array = values.to_numpy(zero_copy_only=False)
    return bytes(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes())
