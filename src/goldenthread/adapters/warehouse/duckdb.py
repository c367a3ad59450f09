"""The embedded warehouse: one DuckDB file with one writer, and a published copy for readers."""

from __future__ import annotations

import os
import shutil
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from goldenthread.adapters.warehouse.copies import COPIES
from goldenthread.adapters.warehouse.lock import WriterLock
from goldenthread.domain.errors import EngineError
from goldenthread.ports.warehouse import Merged, Warehouse

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import polars as pl
    import pyarrow as pa

    from goldenthread.adapters.warehouse.session import DuckDBSession
    from goldenthread.ports.warehouse import Table


class DuckDBWarehouse(Warehouse):
    """A warehouse in two files.

    ``path`` belongs to the writer: it is opened, behind a lock, at the first write. Readers open
    ``read_path``, the copy of the last ``publish``, and are never in the way.

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
        return self._opened().ensure(tables)

    @override
    def merge(self, table: Table, rows: pa.Table, span: tuple[dt.date, dt.date] | None) -> Merged:
        return self._writer().merge(table, rows, span) if rows.num_rows else Merged(0, 0, 0)

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
        _replace(self._read_path, self._path)

    @override
    def close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None
        self._lock.release()

    def copy_to(self, target: Path) -> None:
        """Copy all that was ever merged into a file; no writer is at work meanwhile.

        Raises:
            EngineBusyError: Another process writes and does not end.
            EngineError: The copy cannot be written.
        """
        try:
            if self._path.exists():
                session = self._opened()  # closed before it is copied; the lock stays
                session.publish()
                session.close()
                self._session = None
                _replace(target, self._path)
        finally:
            self.close()

    def _opened(self) -> DuckDBSession:
        if self._session is None:
            self._lock.acquire()
            self._session = _open(str(self._path))
        return self._session

    def _writer(self) -> DuckDBSession:
        session = self._opened()
        if self._prepare is not None and not self._prepared:
            self._prepared = True
            self._prepare(self)
        return session

    @contextmanager
    def _reader(self) -> Iterator[DuckDBSession]:
        if self._read_path.exists():
            with COPIES.reader(self._read_path) as session:
                yield session
            return
        with closing(_open()) as session:
            if self._prepare is not None:
                self._prepare(session)
            yield session

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


def _open(file: str = ":memory:") -> DuckDBSession:
    from goldenthread.adapters.warehouse.session import (  # noqa: PLC0415  # DuckDB and sqlglot take a third of a second: who never asks never waits
        DuckDBSession,
    )

    return DuckDBSession(file)


def _replace(target: Path, source: Path) -> None:
    """Make ``target`` a copy of ``source`` in one step that a crash cannot tear.

    Raises:
        EngineError: The copy cannot be written; the old one stands.
    """
    try:
        _copy(target, source)
    except OSError as error:
        msg = (
            f"the copy {target} of the warehouse cannot be written: {error}; make room or grant "
            f"access and run again: nothing merged is lost, readers see the copy before"
        )
        raise EngineError(msg) from error


def _copy(target: Path, source: Path) -> None:
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
