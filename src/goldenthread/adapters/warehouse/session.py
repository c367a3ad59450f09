"""One open DuckDB database: tables, merges and queries on a connection."""

from __future__ import annotations

import copy as copying
import hashlib
import re
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
from typing_extensions import override

from goldenthread.adapters.warehouse.ddl import Stored, changes
from goldenthread.adapters.warehouse.estimate import bytes_read, require_filter
from goldenthread.adapters.warehouse.failures import DAMAGED_COPY, DAMAGED_FILE, as_our_errors
from goldenthread.adapters.warehouse.merging import INCOMING, fixed_columns, merge_plan
from goldenthread.adapters.warehouse.transpile import select_to_duckdb, to_duckdb
from goldenthread.domain.errors import ConflictError
from goldenthread.ports.warehouse import Merged, Warehouse

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    import pyarrow as pa

    from goldenthread.ports.warehouse import Table

MEMORY = ":memory:"
_ATTACH, _USE = "ATTACH $file AS published (READ_ONLY)", "USE published"
"""A copy stands inside a database of its own. Opened as one, it would be shared by all of a
process, who would see an old copy as long as one of them reads it."""

_CLOSED_IN = """
SET GLOBAL enable_external_access = false;  -- a SELECT of a user's opens no file and no address
SET GLOBAL TimeZone = 'UTC';
SET GLOBAL lock_configuration = true
"""

_Statement = tuple[str, dict[str, Any] | None]
_VIEW = re.compile(r"CREATE OR REPLACE VIEW (\w+) AS")
_NAMED = re.compile(r"\$(\w+)")


class DuckDBSession(Warehouse):
    """An open database as a warehouse of its own; ``DuckDBWarehouse`` decides which and when.

    ``changed`` tells whether anything was written since it was opened.
    """

    def __init__(self, file: str = MEMORY, *, copy: bool = False) -> None:
        self.changed = False
        self._file = file
        self._advice = DAMAGED_COPY if copy else DAMAGED_FILE
        with self._failing():
            self._connection = duckdb.connect(MEMORY if copy else file)
            if copy:
                self._connection.execute(_ATTACH, {"file": file})
                self._connection.execute(_USE)
            self._connection.execute(_CLOSED_IN)

    @override
    def ensure(self, tables: Sequence[Table]) -> list[str]:
        with self._failing():
            wanted = changes(tables, self._stored())
            if wanted:
                self._together([(change.sql, None) for change in wanted])
        return [change.words for change in wanted if change.words]

    @override
    def merge(self, table: Table, rows: pa.Table, span: tuple[dt.date, dt.date] | None) -> Merged:
        plan = merge_plan(table, span)
        with self._failing():
            self._connection.register(INCOMING, rows)
            try:
                self._refuse_duplicates(table, plan.duplicated)
                matched = newer = contradicting = 0
                if self._row(plan.occupied):
                    matched, newer, contradicting = self._row(plan.matched)
                if contradicting:
                    raise ConflictError(self._contradiction(table, plan.contradiction))
                inserted = rows.num_rows - matched
                needed = [plan.update] * bool(newer) + [plan.insert] * bool(inserted)
                if needed:
                    self._together([(statement, None) for statement in needed])
            finally:
                self._connection.unregister(INCOMING)
        return Merged(inserted, newer, matched - newer)

    @override
    def execute(self, sql: str, parameters: Mapping[str, Any]) -> None:
        view = _VIEW.search(sql)
        sha = hashlib.sha256(sql.encode()).hexdigest()
        with self._failing():
            if view and self._view_made_by(view[1]) == sha:
                return  # defined by the same text: a start-up without changes writes nothing
            statements: list[_Statement] = [
                (text, _used(text, parameters)) for text in to_duckdb(sql)
            ]
            if view:
                statements.append((f"COMMENT ON VIEW {view[1]} IS '{sha}'", None))
            self._together(statements)

    @override
    def query(self, sql: str, parameters: Mapping[str, Any]) -> pl.DataFrame:
        text = select_to_duckdb(sql)
        with self._failing(asked=True):
            require_filter(self._connection, sql)
            found: pl.DataFrame = self._connection.sql(text, params=_used(text, parameters)).pl()
        return found.with_columns(pl.col(_whole_numbers(found)).cast(pl.Int64))

    @override
    def estimate(self, sql: str, parameters: Mapping[str, Any]) -> int:
        with self._failing(asked=True):
            return bytes_read(self._connection, sql, parameters)

    @override
    def publish(self) -> None:
        with self._failing():
            self._connection.execute("CHECKPOINT")

    @override
    def close(self) -> None:
        with self._failing():
            self._connection.close()

    def beside(self) -> DuckDBSession:
        """Another session of the same copy, for another thread; closed by itself."""
        other = copying.copy(self)
        with self._failing():
            cursor = self._connection.cursor()
            cursor.execute(_USE)
        other._connection = cursor  # noqa: SLF001  # one of our own
        return other

    def _failing(self, *, asked: bool = False) -> AbstractContextManager[None]:
        return as_our_errors(self._file, self._advice, asked=asked)

    def _together(self, statements: Sequence[_Statement]) -> None:
        self.changed = True
        self._connection.execute("BEGIN")
        try:
            for sql, parameters in statements:
                self._connection.execute(sql, parameters)
        except duckdb.Error:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def _row(self, sql: str, parameters: dict[str, Any] | None = None) -> tuple[Any, ...]:
        rows: list[tuple[Any, ...]] = self._connection.execute(sql, parameters).fetchall()
        return rows[0] if rows else ()

    def _stored(self) -> dict[str, dict[str, Stored]]:
        found: dict[str, dict[str, Stored]] = {}
        rows = self._connection.execute(
            "SELECT table_name, column_name, data_type, is_nullable FROM duckdb_columns() "
            "WHERE schema_name = 'main' AND NOT internal"
        ).fetchall()
        for table, column, kind, nullable in rows:
            found.setdefault(table, {})[column] = Stored(kind.replace('"', ""), nullable)
        return found

    def _view_made_by(self, view: str) -> str | None:
        sql = "SELECT comment FROM duckdb_views() WHERE view_name = $view AND NOT internal"
        rows = self._connection.execute(sql, {"view": view}).fetchall()
        return rows[0][0] if rows else None

    def _refuse_duplicates(self, table: Table, sql: str) -> None:
        key = self._row(sql)
        if key:
            msg = (
                f"{table.name}: the key {_named(table, key)} occurs twice in one load; "
                f"nothing was written. Offer each row once"
            )
            raise ConflictError(msg)

    def _contradiction(self, table: Table, sql: str) -> str:
        row = self._row(sql)
        width = len(table.key)
        pairs = zip(fixed_columns(table), row[width:], strict=True)
        said = [f"{name} is {pair[0]}, now {pair[1]}" for name, pair in pairs if pair]
        return (
            f"{table.name}: the row {_named(table, row[:width])} is already there and says "
            f"otherwise ({'; '.join(said[:3])}); nothing was written. Facts are never rewritten: "
            f"use a new book, or find out which run is wrong"
        )


def _whole_numbers(frame: pl.DataFrame) -> list[str]:
    """The columns of DuckDB's other integers: counts and sums are INT64 in BigQuery."""
    return [
        name
        for name, kind in frame.schema.items()
        if kind == pl.Int32
        or (isinstance(kind, pl.Decimal) and (kind.precision, kind.scale) == (38, 0))
    ]


def _named(table: Table, values: tuple[Any, ...]) -> str:
    return ", ".join(f"{name}={value}" for name, value in zip(table.key, values, strict=True))


def _used(sql: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    named = set(_NAMED.findall(sql))
    return {name: value for name, value in parameters.items() if name in named}
