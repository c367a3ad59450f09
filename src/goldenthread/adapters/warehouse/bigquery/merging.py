"""The statements of one merge: the one MERGE, and who to blame when it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import datetime as dt

    from goldenthread.ports.warehouse import Column, Table

CONTRADICTION = "contradicts the stored row: "
"""How the MERGE begins its complaint when it stops at such a row."""
_ARRAYS = frozenset({"STRINGS", "STRUCTS"})


class MergePlan(NamedTuple):
    """The merge of one staging table into its target.

    ``merge`` is one statement, all or nothing: it stops at a row that contradicts a stored one,
    replaces the mutable columns of those with a higher revision and inserts the new. ``blame``
    gives one such contradiction: the key, then for each fixed column what is said of it, or null.
    """

    merge: str
    blame: str


def merge_plan(
    table: Table, target: str, staging: str, span: tuple[dt.date, dt.date] | None
) -> MergePlan:
    """The statements; the target is pruned by the literal ``span`` of its partition column."""
    on = " AND ".join(
        [*_pruned(table, span), *(f"t.{_quoted(name)} = s.{_quoted(name)}" for name in table.key)]
    )
    fixed = fixed_columns(table)
    differs = " OR ".join(_differs(column) for column in fixed)
    names = ", ".join(_quoted(column.name) for column in table.columns)
    values = ", ".join(_value(column) for column in table.columns)
    branches = [_stop(table, differs)] if fixed else []
    if table.mutable:
        branches.append(
            f"WHEN MATCHED AND s.revision > t.revision THEN UPDATE SET {_assigned(table)}"
        )
    branches.append(f"WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({values})")
    return MergePlan(
        merge="\n".join([f"MERGE `{target}` AS t USING `{staging}` AS s", f"ON {on}", *branches]),
        blame=(
            f"SELECT {_pairs(table, fixed)} FROM `{staging}` AS s JOIN `{target}` AS t ON {on} "
            f"WHERE {differs or 'FALSE'} LIMIT 1"
        ),
    )


def fixed_columns(table: Table) -> list[Column]:
    """The columns whose stored value no later row may contradict."""
    changing = {*table.key, *table.mutable}
    return [c for c in table.columns if c.decided and c.name not in changing]


def _pruned(table: Table, span: tuple[dt.date, dt.date] | None) -> list[str]:
    if span is None:
        return []
    first, last = span
    return [f"t.{_quoted(str(table.partition))} BETWEEN DATE '{first}' AND DATE '{last}'"]


def _stop(table: Table, differs: str) -> str:
    column = table.column(table.key[0])
    said = ", ', ', ".join(f"CAST(s.{_quoted(name)} AS STRING)" for name in table.key)
    return (
        f"WHEN MATCHED AND ({differs}) THEN UPDATE SET {_quoted(column.name)} = "
        f"CAST(ERROR(CONCAT('{CONTRADICTION}', {said})) AS {column.type})"
    )


def _differs(column: Column) -> str:
    stored, sent = f"t.{_quoted(column.name)}", _value(column)
    if column.type in _ARRAYS or column.type == "JSON":
        stored, sent = f"TO_JSON_STRING({stored})", f"TO_JSON_STRING({sent})"
    return f"{stored} IS DISTINCT FROM {sent}"


def _value(column: Column) -> str:
    name = f"s.{_quoted(column.name)}"
    return f"PARSE_JSON({name})" if column.type == "JSON" else name


def _pairs(table: Table, fixed: list[Column]) -> str:
    names = [f"CAST(s.{_quoted(name)} AS STRING) AS {_quoted(name)}" for name in table.key]
    for column in fixed:
        name = _quoted(column.name)
        said = f"CONCAT('is ', TO_JSON_STRING(t.{name}), ', now ', TO_JSON_STRING(s.{name}))"
        names.append(f"IF({_differs(column)}, {said}, NULL) AS {name}")
    return ", ".join(names)


def _assigned(table: Table) -> str:
    columns = {column.name: column for column in table.columns}
    return ", ".join(f"{_quoted(name)} = {_value(columns[name])}" for name in table.mutable)


def _quoted(name: str) -> str:
    return f"`{name}`"
