"""The published copies of warehouses, open while a query runs or for as long as somebody asks."""

from __future__ import annotations

from contextlib import closing, contextmanager
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from goldenthread.adapters.warehouse.session import DuckDBSession

    Stamp = tuple[int, int, int]


class OpenCopies:
    """Opens copies; while they are ``kept`` one stays open until a newer one is published.

    To open a copy of a million signals takes longer than most queries. Sessions may be used in
    several threads at once, each in one.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._keepers = 0
        self._open: dict[Path, tuple[Stamp, DuckDBSession]] = {}

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep every copy open that is read meanwhile; not to be done where processes fork."""
        with self._lock:
            self._keepers += 1
        try:
            yield
        finally:
            with self._lock:
                self._keepers -= 1
                if not self._keepers:
                    self._open.clear()

    @contextmanager
    def reader(self, path: Path) -> Iterator[DuckDBSession]:
        """A session of the copy that is there now."""
        with closing(self._session(path)) as session:
            yield session

    def _session(self, path: Path) -> DuckDBSession:
        from goldenthread.adapters.warehouse.session import (  # noqa: PLC0415  # DuckDB takes a while: who never asks never waits
            DuckDBSession,
        )

        with self._lock:
            if not self._keepers:
                return DuckDBSession(str(path), copy=True)
            seen = path.stat()
            stamp = (seen.st_ino, seen.st_mtime_ns, seen.st_size)
            known = self._open.get(path)
            if known is None or known[0] != stamp:
                self._open.pop(path, None)  # not closed: it ends with the last who reads it
                known = self._open[path] = (stamp, DuckDBSession(str(path), copy=True))
            return known[1].beside()


COPIES = OpenCopies()
"""Those of this process."""
