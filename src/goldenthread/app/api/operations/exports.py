"""The warehouse as Parquet files, a file each table and partition, and made again from them."""

from __future__ import annotations

import datetime as dt
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from goldenthread.app.api.operations.manifest import (
    MANIFEST,
    manifest_of,
    read_manifest,
    refuse_damaged,
    sha256_of,
    table_schemas,
)
from goldenthread.app.api.operations.steps import Progress, steps, unseen
from goldenthread.app.api.records import ALL_TIME, books
from goldenthread.app.engines.wiring import open_warehouse
from goldenthread.domain.errors import EngineBusyError, EngineError, UsageError
from goldenthread.warehouse.arrow import arrow_schema
from goldenthread.warehouse.digest import digest
from goldenthread.warehouse.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from goldenthread.app.api.operations.manifest import Manifest
    from goldenthread.app.api.project import Project
    from goldenthread.ports.warehouse import Merged, Table, Warehouse

_WHOLE = "whole"
"""The file of a table without partitions."""
_KEPT_NAME = {"DAY": 10, "MONTH": 7}
"""How much of a date names a partition: 2024-01-02, 2024-01."""


class Rebuilt(NamedTuple):
    """What became of a table's exported rows: new here, or here already."""

    table: str
    rows: int
    inserted: int
    updated: int
    unchanged: int


def export(project: Project, folder: Path, progress: Progress = unseen) -> list[dict[str, object]]:
    """How many rows and files each table has in the new folder, which appears whole or not at all.

    What was published last is exported, whether or not a run is at work. ``progress`` hears of
    each table.

    Raises:
        UsageError: The folder holds something.
        EngineBusyError: A run published meanwhile.
        EngineError: The folder cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        msg = f"{folder} is not empty; an export never overwrites: name a new folder"
        raise UsageError(msg)
    warehouse = open_warehouse(project.settings, project.root)
    try:
        with TemporaryDirectory(dir=folder.resolve().parent, prefix=".goldenthread-") as scratch:
            fresh = Path(scratch) / "export"
            fresh.mkdir()
            digests = _digests(project, warehouse)
            tables = steps(list(TABLES.values()), progress)
            made = [_exported(warehouse, table, fresh) for table in tables]
            if _digests(project, warehouse) != digests:
                msg = "a run published meanwhile: nothing was kept, run the same command again"
                raise EngineBusyError(msg)
            manifest = manifest_of("export", fresh, digests)
            (fresh / MANIFEST).write_text(manifest.text(), encoding="utf-8")
            fresh.replace(folder)
    except OSError as error:
        msg = f"the export {folder} cannot be written: {error}; make room or name another place"
        raise EngineError(msg) from error
    return made


def rebuild(
    project: Project, folder: Path, progress: Progress = unseen
) -> tuple[list[dict[str, object]], list[str] | None]:
    """What became of the rows of an export, table by table, and the books that differ from it.

    Digests of other columns say nothing: of an export of another schema the books are None.

    Every file is compared with its digest before the first row is merged. Rows that are there
    already stay, so it may be run again; into an empty warehouse it brings back the exported
    one, digest by digest. ``progress`` hears of each table.

    Raises:
        UsageError: It is no export this version reads.
        EngineError: It is damaged, or the warehouse cannot be written.
        ConflictError: The warehouse holds rows that say otherwise.
    """
    manifest = _checked(folder)
    warehouse = open_warehouse(project.settings, project.root)
    try:
        tables = steps(list(TABLES.values()), progress)
        done = [_rebuilt(warehouse, table, folder, manifest) for table in tables]
        warehouse.publish()
    finally:
        warehouse.close()
    rows = [row._asdict() for row in done]
    if manifest.table_schemas != table_schemas():
        return rows, None
    return rows, [b for b, found in manifest.books.items() if digest(warehouse, b) != found]


def _digests(project: Project, warehouse: Warehouse) -> dict[str, str]:
    return {book: digest(warehouse, book) for book in books(project)}


def _exported(warehouse: Warehouse, table: Table, folder: Path) -> dict[str, object]:
    (folder / table.name).mkdir()
    rows = files = 0
    for name, part in _partitions(warehouse, table):
        pq.write_table(part, folder / table.name / f"{name}.parquet", compression="zstd")
        rows, files = rows + part.num_rows, files + 1
    return {"table": table.name, "rows": rows, "files": files}


def _partitions(warehouse: Warehouse, table: Table) -> Iterator[tuple[str, pa.Table]]:
    """The rows of each partition that has any, by its name, in order; a year is read at a time."""
    columns = ", ".join(column.name for column in table.columns)
    order = ", ".join(table.key)
    if table.partition is None:
        rows = _rows(warehouse, table, f"SELECT {columns} FROM {table.name} ORDER BY {order}")
        if rows.num_rows:
            yield _WHOLE, rows
        return
    day, within = table.partition, f"{table.partition} BETWEEN @first AND @last"
    ends = f"SELECT MIN({day}) AS first, MAX({day}) AS last FROM {table.name} WHERE {within}"
    first, last = warehouse.query(ends, {"first": ALL_TIME[0], "last": ALL_TIME[1]}).row(0)
    sql = f"SELECT {columns} FROM {table.name} WHERE {within} ORDER BY {day}, {order}"
    for year in range(first.year, last.year + 1) if first else ():
        rows = _rows(warehouse, table, sql, year)
        names = [str(d)[: _KEPT_NAME[table.granularity]] for d in rows[day].to_pylist()]
        start = 0
        for name, same in groupby(names):
            count = sum(1 for _ in same)
            yield name, rows.slice(start, count)
            start += count


def _rows(warehouse: Warehouse, table: Table, sql: str, year: int | None = None) -> pa.Table:
    span = {} if year is None else {"first": dt.date(year, 1, 1), "last": dt.date(year, 12, 31)}
    return warehouse.query(sql, span).to_arrow().cast(arrow_schema(table.columns))


def _checked(folder: Path) -> Manifest:
    try:
        manifest = read_manifest((folder / MANIFEST).read_bytes(), "export", folder)
        for name, expected in manifest.files.items():
            with (folder / name).open("rb") as file:
                refuse_damaged(folder, name, sha256_of(file), expected)
    except OSError as error:
        msg = f"{folder} is no whole export: {error}; name what `warehouse export` wrote"
        raise UsageError(msg) from error
    return manifest


def _rebuilt(warehouse: Warehouse, table: Table, folder: Path, manifest: Manifest) -> Rebuilt:
    """One merge a year: a cloud counts them."""
    names = sorted(name for name in manifest.files if name.startswith(f"{table.name}/"))
    years: dict[str, list[str]] = {}
    for name in names:
        years.setdefault(name.removeprefix(f"{table.name}/")[:4], []).append(name)
    done = Rebuilt(table.name, 0, 0, 0, 0)
    for files in years.values():
        rows = pa.concat_tables([_read(folder / name, table) for name in files])
        merged = _merged(warehouse, table, rows)
        done = Rebuilt(
            table.name,
            done.rows + rows.num_rows,
            done.inserted + merged.inserted,
            done.updated + merged.updated,
            done.unchanged + merged.unchanged,
        )
    return done


def _merged(warehouse: Warehouse, table: Table, rows: pa.Table) -> Merged:
    if table.partition is None:
        return warehouse.merge(table, rows, None)
    ends = pc.min_max(rows[table.partition]).as_py()
    return warehouse.merge(table, rows, (ends["min"], ends["max"]))


def _read(file: Path, table: Table) -> pa.Table:
    """The rows of a file in the columns of the table; those it was written without are null.

    Raises:
        UsageError: It has columns that the table has not, or lacks some that cannot be null.
    """
    rows = pq.read_table(file)
    schema = arrow_schema(table.columns)
    unknown = sorted(set(rows.column_names) - set(schema.names))
    lacking = [f.name for f in schema if f.name not in rows.column_names and not f.nullable]
    if unknown or lacking:
        msg = (
            f"{file} does not fit {table.name}: not known here are {', '.join(unknown) or 'none'},"
            f" missing are {', '.join(lacking) or 'none'}; update goldenthread to the version that"
            " exported it: nothing of this table was merged"
        )
        raise UsageError(msg)
    columns = [
        rows[field.name] if field.name in rows.column_names else pa.nulls(len(rows), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)
