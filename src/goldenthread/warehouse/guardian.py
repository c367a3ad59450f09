"""SchemaGuardian: rows are right in every column, or they are set aside with the reason."""

from __future__ import annotations

import gc
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation, Overflow, Rounded
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import pyarrow as pa
from pydantic import TypeAdapter, ValidationError

from goldenthread.warehouse.arrow import arrow_schema
from goldenthread.warehouse.rows.columns import fits_numeric
from goldenthread.warehouse.tables import MODELS, columns_of, schema_version

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic import ConfigDict
    from pydantic.fields import FieldInfo

    from goldenthread.warehouse.rows.columns import Raw

_ARROW_IS_EXACT = Context(prec=38, Emin=0, Emax=100, traps=[Rounded, InvalidOperation, Overflow])
"""Signals a Decimal of more than 38 digits or below 1e-37: Arrow reads some of those wrongly."""

CHUNK = 50_000
"""Rows checked at a time, the garbage collector resting: memory stays bounded."""


@dataclass(frozen=True)
class Refused:
    """A row that did not pass: its first wrong field, that value, and everything wrong with it."""

    table: str
    field: str
    value: object
    reason: str
    schema_version: str
    row: Raw


class Checked(NamedTuple):
    """The rows fit to load, and the others."""

    rows: pa.Table
    refused: list[Refused]


class SchemaGuardian:
    """The check of one table's rows.

    A chunk is checked column by column, which is fast; when anything in it is wrong, its rows
    are checked one by one, which tells whose fault it is. Both ways accept the same rows, because
    a row model has no rules but those of its columns.
    """

    def __init__(self, table: str) -> None:
        self._table = table
        self._model = MODELS[table]
        self._schema = arrow_schema(columns_of(self._model))
        fields, rules = self._model.model_fields, self._model.model_config
        self._amounts = {name for name, field in fields.items() if field.annotation is Decimal}
        self._columns = {name: _column_check(field, rules) for name, field in fields.items()}

    def check(self, rows: Sequence[Raw], shared: Raw) -> Checked:
        """The rows as an Arrow table, without those that are refused.

        Args:
            rows: Column name to value.
            shared: The columns that are equal in all of them (how they were loaded).
        """
        batches: list[pa.RecordBatch] = []
        refused: list[Refused] = []
        for start in range(0, len(rows), CHUNK):
            chunk = rows[start : start + CHUNK]
            with _collector_resting():
                batch = self._in_bulk(chunk, shared)
                if batch is None:
                    good, bad = self._one_by_one(chunk, shared)
                    batch = self._batch(good)
                    refused += bad
            batches.append(batch)
        return Checked(pa.Table.from_batches(batches, schema=self._schema), refused)

    def _in_bulk(self, rows: Sequence[Raw], shared: Raw) -> pa.RecordBatch | None:
        own = [name for name in self._schema.names if name not in shared]
        if set(map(len, rows)) - {len(own)}:
            return None
        try:
            columns = dict(zip(own, zip(*map(itemgetter(*own), rows), strict=True), strict=True))
            arrays = [
                self._repeated(field, shared[field.name], len(rows))
                if field.name in shared
                else self._array(field, columns[field.name])
                for field in self._schema
            ]
        except (KeyError, ValidationError, ArithmeticError, pa.ArrowInvalid):
            return None
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)

    def _array(self, field: pa.Field, values: tuple[Any, ...]) -> pa.Array:
        checked = self._columns[field.name].validate_python(values)
        if field.name in self._amounts:
            deque(map(_ARROW_IS_EXACT.plus, checked), maxlen=0)
        return pa.array(checked, field.type)

    def _repeated(self, field: pa.Field, value: object, count: int) -> pa.Array:
        (checked,) = self._columns[field.name].validate_python((value,))
        return pa.repeat(pa.scalar(checked, field.type), count)

    def _one_by_one(self, rows: Sequence[Raw], shared: Raw) -> tuple[list[Raw], list[Refused]]:
        good: list[Raw] = []
        bad: list[Refused] = []
        for row in rows:
            try:
                good.append(self._model.model_validate({**row, **shared}).__dict__)
            except ValidationError as error:
                bad.append(self._refused(row, error))
        return good, bad

    def _batch(self, rows: list[Raw]) -> pa.RecordBatch:
        return pa.RecordBatch.from_pylist(rows, schema=self._schema)

    def _refused(self, row: Raw, error: ValidationError) -> Refused:
        faults = error.errors(include_url=False, include_context=False)
        first = faults[0]
        named = [(".".join(str(part) for part in fault["loc"]), fault) for fault in faults]
        return Refused(
            table=self._table,
            field=named[0][0],
            value=None if first["type"] == "missing" else first["input"],
            reason="; ".join(f"{name}: {fault['msg']}" for name, fault in named),
            schema_version=schema_version(self._model),
            row=row,
        )


@cache
def guardian_of(table: str) -> SchemaGuardian:
    """The guardian of a table, by name."""
    return SchemaGuardian(table)


def _column_check(field: FieldInfo, rules: ConfigDict) -> TypeAdapter[tuple[Any, ...]]:
    """A check of a whole column; the scale of amounts is left to Arrow, far faster at it."""
    marks = list(field.metadata)
    if field.annotation is Decimal:
        marks = [m for m in marks if getattr(m, "func", None) is not fits_numeric]
    item: Any = Annotated[(field.annotation, *marks)] if marks else field.annotation
    return TypeAdapter(tuple[item, ...], config=rules)


@contextmanager
def _collector_resting() -> Iterator[None]:
    """No cyclic garbage collection inside: over many new rows it costs half the time."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
