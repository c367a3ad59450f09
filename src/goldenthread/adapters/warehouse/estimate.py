"""What a SELECT reads: which partitioned tables by which dates, and how many bytes."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlglot import exp, parse_one
from sqlglot.optimizer.scope import Scope, traverse_scope

from goldenthread.adapters.warehouse.ddl import partition_of
from goldenthread.adapters.warehouse.transpile import parsed
from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from duckdb import DuckDBPyConnection

_FIXED = {"DATE": 8, "BIGINT": 8, "DOUBLE": 8, "BOOLEAN": 1, "TIMESTAMP WITH TIME ZONE": 8}
_NUMERIC, _TEXT, _JSON, _LIST = 16, 32, 512, 256
_NAMED = re.compile(r"\$(\w+)")


class _Scan(NamedTuple):
    """One relation read: which columns (None: all), and the conditions on its partition."""

    relation: str
    columns: frozenset[str] | None
    conditions: tuple[exp.Expr, ...]


class _Catalog:
    def __init__(self, connection: DuckDBPyConnection) -> None:
        self._connection = connection
        columns = connection.execute(
            "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal"
        ).fetchall()
        self.columns: dict[str, dict[str, str]] = {}
        for table, column, kind in columns:
            self.columns.setdefault(table, {})[column] = kind
        views = connection.execute(
            "SELECT view_name, sql FROM duckdb_views() WHERE NOT internal"
        ).fetchall()
        self.views: dict[str, str] = dict(views)
        tables = connection.execute(
            "SELECT table_name, comment FROM duckdb_tables() WHERE NOT internal"
        ).fetchall()
        self.partitions = {name: partition_of(comment) for name, comment in tables}

    def rows(self, table: str, conditions: tuple[exp.Expr, ...], values: Mapping[str, Any]) -> int:
        where = " AND ".join(f"({c.sql(dialect='duckdb')})" for c in conditions) or "TRUE"
        used = {name: values[name] for name in _NAMED.findall(where) if name in values}
        sql = f"SELECT count(*) FROM {table} WHERE {where}"
        ((count,),) = self._connection.execute(sql, used).fetchall()
        return int(count)


def bytes_read(connection: DuckDBPyConnection, sql: str, parameters: Mapping[str, Any]) -> int:
    """An upper bound by constant widths; a view counts as the tables under it."""
    catalog = _Catalog(connection)
    total = 0
    for tree in parsed(sql):
        for scan in _scans(tree):
            for table, columns in _tables_under(catalog, scan.relation, scan.columns):
                width = _width(catalog.columns.get(table, {}), columns)
                conditions = _on_partition(scan.conditions, catalog.partitions.get(table))
                total += width * catalog.rows(table, conditions, parameters)
    return total


def require_filter(connection: DuckDBPyConnection, sql: str) -> None:
    """Nothing, when every partitioned table the SELECT names has a condition on its partition.

    DuckDB would answer; BigQuery would not, and a query is written once for both.

    Raises:
        UsageError: One has none.
    """
    comments = connection.execute(
        "SELECT table_name, comment FROM duckdb_tables() WHERE comment IS NOT NULL"
    ).fetchall()
    partitions = {name: partition_of(comment) for name, comment in comments}
    for relation, bounded in _bounded_columns(sql):
        column = partitions.get(relation)
        if column and column not in bounded:
            msg = (
                f"the query cannot be run: {relation} is read without a filter on its partition; "
                f"add `{column} BETWEEN DATE '2024-01-01' AND DATE '2024-12-31'` to the WHERE of "
                f"the SELECT that reads it"
            )
            raise UsageError(msg)


@lru_cache(maxsize=512)
def _bounded_columns(sql: str) -> tuple[tuple[str, frozenset[str]], ...]:
    """Each relation the SELECT names, with the columns it compares with constants."""
    found = []
    for tree in parsed(sql):
        for scan in _scans(tree):
            alone = [{c.name for c in part.find_all(exp.Column)} for part in scan.conditions]
            single = frozenset(name for names in alone if len(names) == 1 for name in names)
            found.append((scan.relation, single))
    return tuple(found)


def _scans(tree: exp.Expr) -> Iterator[_Scan]:
    for scope in traverse_scope(tree):
        if scope.is_udtf:  # an UNNEST names the table beside it, which is read once, outside
            continue
        for alias, source in scope.sources.items():
            if isinstance(source, exp.Table):
                yield _Scan(source.name, _columns(scope, alias), tuple(_conditions(scope, alias)))


def _columns(scope: Scope, alias: str) -> frozenset[str] | None:
    if any(not isinstance(star.parent, exp.Count) for star in scope.find_all(exp.Star)):
        return None
    alone = len(scope.sources) == 1
    return frozenset(c.name for c in scope.columns if c.table == alias or (not c.table or alone))


def _conditions(scope: Scope, alias: str) -> Iterator[exp.Expr]:
    """The conditions on this relation alone that every row read from it must meet."""
    where = scope.expression.args.get("where")
    clauses = [where.this] if where else []
    for join in scope.expression.args.get("joins") or []:
        joined = join.this.alias_or_name == alias
        filters = {"": True, "LEFT": joined, "RIGHT": not joined}.get(join.side, False)
        if join.args.get("on") and filters:
            clauses.append(join.args["on"])
    for clause in clauses:
        for part in clause.flatten() if isinstance(clause, exp.And) else [clause]:
            columns = list(part.find_all(exp.Column))
            ours = all(c.table in {"", alias} for c in columns)
            if columns and ours and not part.find(exp.Subquery, exp.Select):
                yield part


def _tables_under(
    catalog: _Catalog, relation: str, columns: frozenset[str] | None
) -> Iterator[tuple[str, frozenset[str] | None]]:
    if relation not in catalog.views:
        if relation in catalog.columns:
            yield relation, columns
        return
    for scan in _scans(parse_one(catalog.views[relation], read="duckdb").expression):
        yield from _tables_under(catalog, scan.relation, scan.columns)


def _on_partition(conditions: tuple[exp.Expr, ...], partition: str | None) -> tuple[exp.Expr, ...]:
    found = []
    for condition in conditions:
        if all(c.name == partition for c in condition.find_all(exp.Column)):
            bare = condition.copy()
            for column in bare.find_all(exp.Column):
                column.set("table", None)
            found.append(bare)
    return tuple(found)


def _width(kinds: Mapping[str, str], columns: frozenset[str] | None) -> int:
    read = kinds if columns is None else {n: k for n, k in kinds.items() if n in columns}
    return sum(_bytes(kind) for kind in read.values())


def _bytes(kind: str) -> int:
    if kind.endswith("[]"):
        return _LIST
    if kind.startswith("DECIMAL"):
        return _NUMERIC
    return _JSON if kind == "JSON" else _FIXED.get(kind, _TEXT)
