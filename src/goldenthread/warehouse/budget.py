"""No query without a date range, none above its byte budget, each with a row in the ledger."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope

from goldenthread.domain.errors import UsageError
from goldenthread.warehouse.tables import TABLES
from goldenthread.warehouse.views import VIEWS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import polars as pl

    from goldenthread.domain.clock import Clock
    from goldenthread.ports.warehouse import Warehouse

_DAY = dt.timedelta(days=1)
_PARTITIONED = {
    **{table.name: table.partition for table in TABLES.values() if table.partition},
    **{view.name: view.partition for view in VIEWS.values() if view.partition},
}


@dataclass(frozen=True)
class Budget:
    """How many bytes one query may read, and where each query is written down."""

    max_bytes: int
    ledger: Path
    clock: Clock


class _Read(NamedTuple):
    """A partitioned relation read in one SELECT, and the conditions on it."""

    source: exp.Table
    alias: str
    column: str
    scope: Scope

    @property
    def is_bounded(self) -> bool:
        """Whether literals or parameters bound its partition from below and above."""
        bounds = {b for part in _conjuncts(self) for b in _bounds(part, self)}
        return bounds == {"low", "high"}


def guarded_query(
    warehouse: Warehouse, sql: str, parameters: Mapping[str, Any], budget: Budget
) -> pl.DataFrame:
    """The rows of a SELECT that names its dates and stays inside the budget.

    Raises:
        UsageError: No date range, or more bytes than allowed; nothing was read.
    """
    require_range(sql)
    size = warehouse.estimate(sql, parameters)
    allowed = size <= budget.max_bytes
    _write_down(budget, sql, size, allowed=allowed)
    if not allowed:
        msg = (
            f"the query would read {size:,} bytes, its budget is {budget.max_bytes:,}; "
            f"{_narrower(warehouse, sql, parameters, budget)}, take fewer columns, or raise "
            f"[warehouse] max_query_bytes"
        )
        raise UsageError(msg)
    return warehouse.query(sql, parameters)


def require_range(sql: str) -> None:
    """Nothing, when every partitioned table of the SELECT has its dates bounded.

    Raises:
        UsageError: One has not; the message says what to add.
    """
    for read in _reads(_select(sql)):
        if not read.is_bounded:
            name = f"{read.alias}.{read.column}"
            msg = (
                f"{read.source.name} is read without a date range; add `{name} BETWEEN "
                f"DATE '2024-01-01' AND DATE '2024-12-31'` (dates or parameters, joined by AND) "
                f"to the WHERE of the SELECT that reads it"
            )
            raise UsageError(msg)


def with_range(sql: str, start: dt.date, end: dt.date) -> str:
    """The SELECT with every partitioned table it leaves unbounded held to ``start`` … ``end``.

    Raises:
        UsageError: It is not one SELECT.
    """
    tree = _select(sql)
    for read in list(_reads(tree)):
        if not read.is_bounded:
            _hold(read, start, end)
    return tree.sql(dialect="bigquery")


def ledger_rows(ledger: Path) -> list[dict[str, Any]]:
    """Every query written down, oldest first: ``at bytes allowed sql``."""
    if not ledger.exists():
        return []
    return [json.loads(line) for line in ledger.read_text(encoding="utf-8").splitlines()]


def _narrower(warehouse: Warehouse, sql: str, parameters: Mapping[str, Any], budget: Budget) -> str:
    """The newest dates of the range that are inside the budget, to be copied into the query."""
    span = _span(sql, parameters)
    if span is None:
        return "take a shorter date range"
    last = min(span[1], max(span[0], budget.clock.now().date()))
    days = (last - span[0]).days + 1
    size = warehouse.estimate(_held(sql, span[0], last), parameters)
    while size > budget.max_bytes and days > 1:
        days = max(1, min(days // 2, days * budget.max_bytes // size))
        size = warehouse.estimate(_held(sql, last - (days - 1) * _DAY, last), parameters)
    if size > budget.max_bytes:
        return f"{last} alone is {size:,} bytes"
    first = last - (days - 1) * _DAY
    return f"try the dates BETWEEN DATE '{first}' AND DATE '{last}' ({size:,} bytes)"


def _span(sql: str, parameters: Mapping[str, Any]) -> tuple[dt.date, dt.date] | None:
    """The first and the last date the SELECT compares a partition with."""
    named = [
        _date(value, parameters)
        for read in _reads(_select(sql))
        for part in _conjuncts(read)
        if _bounds(part, read)
        for value in part.find_all(exp.Cast, exp.Parameter)
    ]
    dates = [day for day in named if day is not None]
    return (min(dates), max(dates)) if dates else None


def _date(value: exp.Expr, parameters: Mapping[str, Any]) -> dt.date | None:
    if isinstance(value, exp.Parameter):
        given = parameters.get(value.name)
        return given if isinstance(given, dt.date) else None
    if not isinstance(value.this, exp.Literal):
        return None
    try:
        return dt.date.fromisoformat(value.this.name)
    except ValueError:
        return None


def _held(sql: str, start: dt.date, end: dt.date) -> str:
    """The SELECT with every partitioned table held to the dates, whatever it says itself."""
    tree = _select(sql)
    for read in list(_reads(tree)):
        _hold(read, start, end)
    return tree.sql(dialect="bigquery")


def _hold(read: _Read, start: dt.date, end: dt.date) -> None:
    select = read.scope.expression
    dates = f"BETWEEN DATE '{start}' AND DATE '{end}'"
    if isinstance(select, exp.Select) and not select.args.get("joins"):
        select.where(f"{read.alias}.{read.column} {dates}", dialect="bigquery", copy=False)
    else:
        inner = f"SELECT * FROM {read.source.name} WHERE {read.column} {dates}"
        held = sqlglot.parse_one(inner, read="bigquery")
        read.source.replace(exp.Subquery(this=held, alias=exp.to_identifier(read.alias)))


def _select(sql: str) -> exp.Query:
    try:
        trees = [tree for tree in sqlglot.parse(sql, read="bigquery") if tree is not None]
    except SqlglotError as error:
        said = str(error).replace("\x1b[4m", "").replace("\x1b[0m", "").splitlines()[0]
        msg = f"the SQL was not understood: {said}; write it in BigQuery's dialect"
        raise UsageError(msg) from error
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        kinds = ", ".join(tree.key.upper() for tree in trees) or "nothing"
        msg = f"one SELECT can be queried, got {kinds}; rows are written by the loops alone"
        raise UsageError(msg)
    return trees[0]


def _reads(tree: exp.Query) -> Iterator[_Read]:
    for scope in traverse_scope(tree):
        for alias, source in scope.sources.items():
            if isinstance(source, exp.Table) and source.name in _PARTITIONED:
                yield _Read(source, alias, _PARTITIONED[source.name], scope)


def _conjuncts(read: _Read) -> Iterator[exp.Expr]:
    """The conditions every row read from the relation must meet."""
    select = read.scope.expression
    where = select.args.get("where")
    clauses = [where.this] if where else []
    for join in select.args.get("joins") or []:
        joined = join.this.alias_or_name == read.alias
        filters = {"": True, "LEFT": joined, "RIGHT": not joined}.get(join.side, False)
        if join.args.get("on") and filters:
            clauses.append(join.args["on"])
    for clause in clauses:
        yield from clause.flatten() if isinstance(clause, exp.And) else [clause]


_LOW, _HIGH = frozenset({"low"}), frozenset({"high"})
_COMPARED: tuple[tuple[type[exp.Binary], frozenset[str], frozenset[str]], ...] = (
    (exp.EQ, _LOW | _HIGH, _LOW | _HIGH),
    (exp.GT, _LOW, _HIGH),
    (exp.GTE, _LOW, _HIGH),
    (exp.LT, _HIGH, _LOW),
    (exp.LTE, _HIGH, _LOW),
)
"""What a comparison bounds with the column on its left, and on its right."""


def _bounds(part: exp.Expr, read: _Read) -> frozenset[str]:
    part = part.unnest()
    if isinstance(part, exp.Between):
        side, values, bounds = part.this, [part.args["low"], part.args["high"]], _LOW | _HIGH
    elif isinstance(part, exp.In):
        items = part.args.get("unnest")
        values = [*part.expressions, *([items] if items else [])]
        side, bounds = part.this, _LOW | _HIGH
    else:
        for kind, on_left, on_right in _COMPARED:
            if isinstance(part, kind):
                flipped = not _is_ours(part.left, read)
                side, values = (part.right, [part.left]) if flipped else (part.left, [part.right])
                bounds = on_right if flipped else on_left
                break
        else:
            return frozenset()
    constant = bool(values) and all(map(_is_constant, values))
    return bounds if constant and _is_ours(side, read) else frozenset()


def _is_ours(side: exp.Expr, read: _Read) -> bool:
    if not isinstance(side, exp.Column) or side.name != read.column:
        return False
    return side.table == read.alias or (not side.table and len(read.scope.sources) == 1)


def _is_constant(side: exp.Expr) -> bool:
    return side.find(exp.Column, exp.Query) is None


def _write_down(budget: Budget, sql: str, size: int, *, allowed: bool) -> None:
    row = {"at": budget.clock.now().isoformat(), "bytes": size, "allowed": allowed, "sql": sql}
    budget.ledger.parent.mkdir(parents=True, exist_ok=True)
    with budget.ledger.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")
