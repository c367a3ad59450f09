"""The statements of one merge: what speaks against it, what it changes, what it adds."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import datetime as dt

    from goldenthread.ports.warehouse import Column, Table

INCOMING = "incoming_rows"
"""The name the rows to merge are registered under."""


class MergePlan(NamedTuple):
    """The statements of one merge into one table.

    ``duplicated`` gives one key that occurs twice; ``occupied`` a row when the span of the target
    is not empty (else everything is new); ``matched`` counts the rows already there, how many of
    them a higher revision replaces, and how many contradict what is stored (``contradiction``
    tells one of them). ``update`` and ``insert`` in one transaction are the merge: together they
    are planned in half the time of a MERGE of fifty columns.
    """

    duplicated: str
    occupied: str
    matched: str
    contradiction: str
    update: str
    insert: str


@lru_cache(maxsize=64)
def merge_plan(table: Table, span: tuple[dt.date, dt.date] | None) -> MergePlan:
    """The statements; the target is pruned by the literal ``span`` of its partition column."""
    key = ", ".join(_quoted(name) for name in table.key)
    on = _condition(table, span)
    fixed = [c for c in table.columns if _is_fixed(table, c)]
    differs = " OR ".join(_differs(column) for column in fixed) or "FALSE"
    newer = "s.revision > t.revision" if table.mutable else "FALSE"
    joined = f"FROM {INCOMING} AS s JOIN {table.name} AS t ON {on}"
    return MergePlan(
        duplicated=f"SELECT {key} FROM {INCOMING} GROUP BY {key} HAVING count(*) > 1 LIMIT 1",
        occupied=f"SELECT 1 FROM {table.name} AS t WHERE {_pruned(table, span)} LIMIT 1",
        matched=(
            f"SELECT count(*), count(*) FILTER ({newer}), count(*) FILTER ({differs}) {joined}"
        ),
        contradiction=f"SELECT {_pairs(table, fixed)} {joined} WHERE {differs} LIMIT 1",
        update=(
            f"UPDATE {table.name} AS t SET {_assigned(table)} FROM {INCOMING} AS s "
            f"WHERE {on} AND {newer}"
        ),
        insert=(
            f"INSERT INTO {table.name} BY NAME SELECT s.* FROM {INCOMING} AS s "
            f"ANTI JOIN {table.name} AS t ON {on}"
        ),
    )


def fixed_columns(table: Table) -> list[str]:
    """The columns whose stored value no later row may contradict."""
    return [column.name for column in table.columns if _is_fixed(table, column)]


def _is_fixed(table: Table, column: Column) -> bool:
    return column.decided and column.name not in {*table.key, *table.mutable}


def _condition(table: Table, span: tuple[dt.date, dt.date] | None) -> str:
    keys = [f"t.{_quoted(name)} = s.{_quoted(name)}" for name in table.key]
    return " AND ".join([_pruned(table, span), *keys])


def _pruned(table: Table, span: tuple[dt.date, dt.date] | None) -> str:
    if span is None:
        return "TRUE"
    first, last = span
    return f"t.{table.partition} BETWEEN DATE '{first}' AND DATE '{last}'"


def _differs(column: Column) -> str:
    name = _quoted(column.name)
    cast = "::VARCHAR" if column.type == "JSON" else ""
    return f"t.{name}{cast} IS DISTINCT FROM s.{name}{cast}"


def _pairs(table: Table, fixed: list[Column]) -> str:
    names = [f"s.{_quoted(name)}" for name in table.key]
    for column in fixed:
        name = _quoted(column.name)
        names.append(
            f"CASE WHEN {_differs(column)} THEN [t.{name}::VARCHAR, s.{name}::VARCHAR] END"
        )
    return ", ".join(names)


def _assigned(table: Table) -> str:
    return ", ".join(f"{_quoted(name)} = s.{_quoted(name)}" for name in table.mutable)


def _quoted(name: str) -> str:
    return f'"{name}"'
