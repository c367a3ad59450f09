"""BigQuery's SQL as DuckDB's, inside the subset our SQL keeps to."""

from __future__ import annotations

from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from goldenthread.domain.errors import UsageError

_NUMERIC = exp.DataType.build("DECIMAL(38, 9)")
_BARE = (exp.DataType.Type.DECIMAL, exp.DataType.Type.BIGDECIMAL)
_DATES = (exp.DateAdd, exp.DateSub, exp.DateTrunc)


@lru_cache(maxsize=512)
def to_duckdb(sql: str) -> tuple[str, ...]:
    """The statements of ``sql`` in DuckDB's dialect.

    NUMERIC becomes DECIMAL(38, 9) (a bare DECIMAL would keep three decimals), and dates stay
    dates under DATE_ADD, DATE_SUB and DATE_TRUNC.

    Raises:
        UsageError: It is not BigQuery SQL, or a construct has no equal in DuckDB.
    """
    try:
        return tuple(_translated(tree) for tree in parsed(sql))
    except SqlglotError as error:
        raise _not_understood(error) from error


@lru_cache(maxsize=512)
def select_to_duckdb(sql: str) -> str:
    """The one SELECT of ``sql`` in DuckDB's dialect.

    Raises:
        UsageError: It is anything else.
    """
    one_select(sql)
    return to_duckdb(sql)[0]


def one_select(sql: str) -> exp.Query:
    """The one SELECT of ``sql`` as a tree.

    Raises:
        UsageError: It is anything else.
    """
    trees = parsed(sql)
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        kinds = ", ".join(tree.key.upper() for tree in trees) or "nothing"
        msg = f"one SELECT can be queried, got {kinds}; rows are written by the loops alone"
        raise UsageError(msg)
    return trees[0]


def parsed(sql: str) -> list[exp.Expr]:
    """The statements of BigQuery SQL as trees.

    Raises:
        UsageError: It is not BigQuery SQL.
    """
    try:
        return [tree for tree in sqlglot.parse(sql, read="bigquery") if tree is not None]
    except SqlglotError as error:
        raise _not_understood(error) from error


def _translated(tree: exp.Expr) -> str:
    for date in list(tree.find_all(*_DATES)):
        date.replace(exp.cast(date.copy(), "DATE"))
    for kind in list(tree.find_all(exp.DataType)):
        if kind.this in _BARE and not kind.expressions:
            kind.replace(_NUMERIC.copy())
    return tree.sql(dialect="duckdb", unsupported_level=sqlglot.ErrorLevel.RAISE)


def _not_understood(error: SqlglotError) -> UsageError:
    said = str(error).replace("\x1b[4m", "").replace("\x1b[0m", "").splitlines()[0]
    return UsageError(f"the SQL was not understood: {said}; write it in BigQuery's dialect")
