"""The embedded stores as files: when written last, and copied while no run is at work."""

from __future__ import annotations

import datetime as dt
import os
import platform
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from goldenthread.adapters.hot_store.sqlite import SqliteHotStore
from goldenthread.adapters.hot_store.sqlite_file import SCHEMA_VERSION, copy_database
from goldenthread.adapters.market_data.parquet import ParquetMarketData
from goldenthread.adapters.warehouse.copies import COPIES
from goldenthread.adapters.warehouse.duckdb import DuckDBWarehouse
from goldenthread.app.clock import SystemClock
from goldenthread.app.engines.exchange import exchange_file
from goldenthread.domain.errors import LeaseHeldError, LeaseLostError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from goldenthread.app.settings import Settings
    from goldenthread.ports.leases import Lease

HOT_STORE_SCHEMA = SCHEMA_VERSION
_PAUSE_S = 0.1
_BEGUN = "a book was begun meanwhile: nothing was kept, run the same command again"


def refuse_elsewhere(settings: Settings, root: Path) -> None:
    """Nothing, when every store is a file inside the project's folder.

    Raises:
        UsageError: A store is in a cloud, or its path leads out of the folder.
    """
    for section, engine in (("hot_store", "sqlite"), ("warehouse", "duckdb")):
        chosen = getattr(settings, section).engine
        if chosen != engine:
            msg = (
                f"[{section}] engine is {chosen!r}; a backup is of a project whose stores are files"
                f" ({engine}): use {chosen}'s own backups, and `goldenthread warehouse export`"
            )
            raise UsageError(msg)
    for name in ("hot_store.path", "warehouse.path", "market_data.path"):
        section, _, key = name.partition(".")
        path = root / getattr(getattr(settings, section), key)
        if not path.resolve().is_relative_to(root.resolve()):
            msg = (
                f"[{section}] {key} is {path}, outside of {root.resolve()}; a backup is of one"
                " folder: move the store into it, or copy both while nothing runs"
            )
            raise UsageError(msg)


def lies_here(settings: Settings) -> bool:
    """Whether a look at the hot store costs nothing: it is a file, not a cloud's service."""
    return settings.hot_store.engine == "sqlite"


def tells_every_write(settings: Settings) -> bool:
    """Whether ``last_writes`` tells of all that is written to a book."""
    return lies_here(settings) and settings.warehouse.engine == "duckdb"


def last_writes(settings: Settings, root: Path) -> list[tuple[int, int]]:
    """When each file of the embedded stores that readers see was last written (ns), and its size.

    A file that is not there, or is empty, was not written.
    """
    hot_file, published = root / settings.hot_store.path, root / settings.warehouse.read_path
    found = []
    for file in (published, hot_file, hot_file.with_name(f"{hot_file.name}-wal")):
        with suppress(FileNotFoundError):
            stat = file.stat()
            found.append((stat.st_mtime_ns if stat.st_size else 0, stat.st_size))
    return [each for each in found if each != (0, 0)]


def copies_kept_open() -> AbstractContextManager[None]:
    """Meanwhile the published copy is opened once, and again when another one is there."""
    return COPIES.kept()


@contextmanager
def no_run_at_work(settings: Settings, root: Path, name: str) -> Iterator[dict[str, Lease]]:
    """Every book of the project with its lease ``name``, held: runs at work end, none begins.

    Raises:
        LeaseHeldError: A run did not end within the time a writer of the warehouse waits for.
        LeaseLostError: A run took over, or began a new book: what was read may not fit together.
    """
    path = root / settings.hot_store.path
    if not path.exists():
        yield {}
        if path.exists():
            raise LeaseLostError(_BEGUN)
        return
    clock = SystemClock()
    lease_of = (name, f"backup {platform.node()}:{os.getpid()}", settings.run.lease_ttl_s)
    deadline = clock.now() + dt.timedelta(seconds=settings.warehouse.lock_timeout_s)
    with ExitStack() as opened:
        books = _open(opened, path, settings.project.book).books()
        held = {}
        for book in books:
            store = _open(opened, path, book)
            held[book] = _acquired(store, lease_of, deadline)
            opened.callback(store.release, held[book])
        yield held
        for book, lease in held.items():
            _open(opened, path, book).renew(lease, settings.run.lease_ttl_s)
        if _open(opened, path, settings.project.book).books() != books:
            raise LeaseLostError(_BEGUN)


def copy_stores(settings: Settings, root: Path, to: Path, held: dict[str, Lease]) -> None:
    """Copy every store into ``to``, under the paths it has in the project.

    ``held`` are the leases of whoever copies; in the copy nobody holds them.

    Raises:
        EngineError: A store cannot be read, a copy not written, or a writer does not end.
    """
    hot_file = root / settings.hot_store.path
    for file in (hot_file, *hot_file.parent.glob(exchange_file("sim:*"))):
        if file.exists():
            copy_database(file, _made(to / file.relative_to(root)))
    with ExitStack() as opened:
        for book, lease in held.items():
            _open(opened, to / settings.hot_store.path, book).release(lease)
    warehouse = DuckDBWarehouse(
        root / settings.warehouse.path,
        read_path=root / settings.warehouse.read_path,
        lock_timeout_s=settings.warehouse.lock_timeout_s,
    )
    warehouse.copy_to(_made(to / settings.warehouse.path))
    bars = settings.market_data.path
    ParquetMarketData(root / bars).copy_to(_made(to / bars / "any").parent)


def _open(opened: ExitStack, path: Path, book: str) -> SqliteHotStore:
    store = SqliteHotStore(path, book, SystemClock())
    opened.callback(store.close)
    return store


def _acquired(
    store: SqliteHotStore, lease_of: tuple[str, str, float], deadline: dt.datetime
) -> Lease:
    clock = SystemClock()
    while True:
        try:
            return store.acquire(*lease_of)
        except LeaseHeldError:
            if clock.now() >= deadline:
                raise
            clock.sleep(_PAUSE_S)


def _made(path: Path) -> Path:
    """The path, its folder there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
