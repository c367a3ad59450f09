"""Transform, check, merge: the way every row takes into the warehouse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from goldenthread.ports.warehouse import Merged, Table
from goldenthread.warehouse.guardian import Refused, guardian_of
from goldenthread.warehouse.tables import TABLES

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    import pyarrow as pa

    from goldenthread.ports.warehouse import Warehouse
    from goldenthread.warehouse.rows.columns import Raw


@dataclass(frozen=True)
class RunStamp:
    """Which run loads, for which book, as of which business date; ``loaded_at`` is wall time."""

    run_id: str
    book: str
    ds: dt.date
    loaded_at: dt.datetime


@dataclass(frozen=True)
class LoopResult:
    """What became of the rows offered to one table; ``refused`` belong into quarantine."""

    table: str
    offered: int
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: tuple[Refused, ...] = ()


def load(warehouse: Warehouse, table: str, rows: Sequence[Raw], stamp: RunStamp) -> LoopResult:
    """The effect of the rows on a table: one merge, however many days they span.

    Raises:
        ConflictError: A key occurs twice, or a row contradicts one already there.
    """
    if not rows:
        return LoopResult(table, 0)
    declared = TABLES[table]
    names = {column.name for column in declared.columns}
    shared = {"run_id": stamp.run_id, "loaded_at": stamp.loaded_at} if "run_id" in names else {}
    checked = guardian_of(table).check(rows, shared)
    merged = _merged(warehouse, declared, checked.rows)
    return LoopResult(
        table,
        len(rows),
        merged.inserted,
        merged.updated,
        merged.unchanged,
        tuple(checked.refused),
    )


def _merged(warehouse: Warehouse, table: Table, rows: pa.Table) -> Merged:
    if rows.num_rows == 0:
        return Merged(0, 0, 0)
    if table.partition is None:
        return warehouse.merge(table, rows, None)
    ends = pc.min_max(rows[table.partition]).as_py()
    return warehouse.merge(table, rows, (ends["min"], ends["max"]))
