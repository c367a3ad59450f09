"""The embedded warehouse: one DuckDB file with one writer, and a published copy for readers."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from goldenthread.adapters.warehouse.failures import DAMAGED_COPY, DAMAGED_FILE, as_our_errors
from goldenthread.adapters.warehouse.lock import WriterLock
from goldenthread.adapters.warehouse.session import DuckDBSession
from goldenthread.ports.warehouse import Warehouse

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import polars as pl
    import pyarrow as pa

    from goldenthread.ports.warehouse import Merged, Table


class DuckDBWarehouse(Warehouse):
    """A warehouse in two files.

    ``path`` belongs to the writer: it is opened, behind a lock, at the first write. Readers open
    ``read_path``, the copy of the last ``publish``, for each query, and are never in the way.

    Args:
        path: The writer's file.
        read_path: The published copy; before the first ``publish`` the tables are empty.
        lock_timeout_s: How long to wait for another writer.
        prepare: Makes every table and view; called before the first write.
    """

    def __init__(
        self,
        path: Path,
        *,
        read_path: Path,
        lock_timeout_s: float = 30,
        prepare: Callable[[Warehouse], object] | None = None,
    ) -> None:
        self._path = path
        self._read_path = read_path
        self._prepare = prepare
        self._prepared = False
        self._lock = WriterLock(path.with_name(path.name + ".lock"), lock_timeout_s)
        self._session: DuckDBSession | None = None

    @override
    def ensure(self, tables: Sequence[Table]) -> list[str]:
        return self._writer().ensure(tables)

    @override
    def merge(self, table: Table, rows: pa.Table, span: tuple[dt.date, dt.date] | None) -> Merged:
        return self._writer().merge(table, rows, span)

    @override
    def execute(self, sql: str, parameters: Mapping[str, Any]) -> None:
        self._writer().execute(sql, parameters)

    @override
    def query(self, sql: str, parameters: Mapping[str, Any]) -> pl.DataFrame:
        with self._reader() as session:
            return session.query(sql, parameters)

    @override
    def estimate(self, sql: str, parameters: Mapping[str, Any]) -> int:
        with self._reader() as session:
            return session.estimate(sql, parameters)

    @override
    def publish(self) -> None:
        if self._is_published():
            return
        session = self._writer()  # closed meanwhile: no copy of a file in use; the lock stays
        session.publish()
        session.close()
        self._session = None
        with as_our_errors(str(self._read_path), DAMAGED_COPY):
            _replace(self._read_path, self._path)

    @override
    def close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None
        self._lock.release()

    def _writer(self) -> DuckDBSession:
        if self._session is None:
            with as_our_errors(str(self._path), DAMAGED_FILE):
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._lock.acquire()
            self._session = DuckDBSession(str(self._path))
            if self._prepare is not None and not self._prepared:
                self._prepared = True
                self._prepare(self)
        return self._session

    @contextmanager
    def _reader(self) -> Iterator[DuckDBSession]:
        published = self._read_path.exists()
        session = DuckDBSession(str(self._read_path), copy=True) if published else DuckDBSession()
        try:
            if not published and self._prepare is not None:
                self._prepare(session)
            yield session
        finally:
            session.close()

    def _is_published(self) -> bool:
        if self._session is not None and self._session.changed:
            return False
        written = [
            p for p in (self._path, self._path.with_name(f"{self._path.name}.wal")) if p.exists()
        ]
        if not written:
            return True
        if not self._read_path.exists():
            return False
        newest = max(path.stat().st_mtime_ns for path in written)
        return self._read_path.stat().st_mtime_ns >= newest


def _replace(target: Path, source: Path) -> None:
    """Make ``target`` a copy of ``source`` in one step that a crash cannot tear."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(target.name + ".new")
    try:
        shutil.copyfile(source, fresh)
        with fresh.open("rb") as file:
            os.fsync(file.fileno())
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
