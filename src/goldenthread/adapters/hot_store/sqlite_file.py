"""One SQLite file: opened safely, written in transactions, its errors told in our words."""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Literal

from goldenthread.domain.errors import EngineBusyError, EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from goldenthread.domain.clock import Clock

Synchronous = Literal["FULL", "NORMAL"]
"""FULL survives a power cut, NORMAL only the death of the process (may lose the last commits)."""

BUSY_TIMEOUT_S = 10
SCHEMA_VERSION = 2
"""What a store is written as, raised when an older version could not read it any more.

An older store is brought up when it is opened: what it lacks is made, and a field its documents
lack has a default.
"""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS document (
    book TEXT NOT NULL, collection TEXT NOT NULL, id TEXT NOT NULL,
    version INTEGER NOT NULL, body TEXT NOT NULL, delete_at INTEGER,
    status TEXT, symbol TEXT, ds TEXT, strategy_id TEXT,
    PRIMARY KEY (book, collection, id)  -- with rowid: a fifth faster for bodies above 200 bytes
);
CREATE INDEX IF NOT EXISTS document_by_status
    ON document (book, collection, status, ds, id) WHERE status IS NOT NULL;
CREATE INDEX IF NOT EXISTS document_by_symbol
    ON document (book, collection, symbol, ds, id) WHERE symbol IS NOT NULL;
CREATE INDEX IF NOT EXISTS document_by_ds
    ON document (book, collection, ds, id) WHERE ds IS NOT NULL;
CREATE INDEX IF NOT EXISTS document_by_delete_at
    ON document (book, collection, delete_at) WHERE delete_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS lease (
    book TEXT NOT NULL, name TEXT NOT NULL,
    owner TEXT, token INTEGER NOT NULL, expires_at INTEGER NOT NULL, ttl INTEGER NOT NULL,
    PRIMARY KEY (book, name)
) WITHOUT ROWID;
"""
_ADVICE = {
    sqlite3.SQLITE_FULL: "the disk is full: free some space, then run the command again",
    sqlite3.SQLITE_READONLY: "it is read-only: give this user the right to write it",
    sqlite3.SQLITE_CORRUPT: "it is damaged: move it away and put a backup in its place",
    sqlite3.SQLITE_NOTADB: "it is no SQLite file: name another path, or move that file away",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: check that the path is a file and its rights",
    sqlite3.SQLITE_IOERR: "reading or writing failed: check the disk, then run the command again",
}


class SqliteFile:
    """A connection to the file; folder and file (mode 0600) are created when missing.

    Raises:
        EngineError: It cannot be opened; the message says why and what to do.
    """

    def __init__(self, path: Path, synchronous: Synchronous, clock: Clock) -> None:
        self.path = path
        self._create()
        with self.translated():
            self.connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
            self._write_ahead(clock)
            self.connection.execute(f"PRAGMA synchronous = {synchronous}")
        self._migrate()

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn SQLite's errors into ours: busy can be tried again, the rest needs a person."""
        try:
            yield
        except sqlite3.Error as error:
            if _is_busy(error):
                msg = (
                    f"hot store {self.path} is locked by another process ({error});"
                    f" waited {BUSY_TIMEOUT_S} s: let the other command end, then try again"
                )
                raise EngineBusyError(msg) from error
            advice = _ADVICE.get(_code(error), "see the cause in brackets")
            msg = f"hot store {self.path}: {advice} ({error})"
            raise EngineError(msg) from error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All statements inside take effect together, or none."""
        with self.translated():
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
                self.connection.execute("COMMIT")
            finally:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")

    def _create(self) -> None:
        # an existing file is not opened here: closing it would drop SQLite's locks on it
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):
                os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except OSError as error:
            msg = (
                f"hot store {self.path}: cannot be created ({error.strerror});"
                " check [hot_store] path and the rights of its folder"
            )
            raise EngineError(msg) from error

    def _write_ahead(self, clock: Clock) -> None:
        # SQLite does not wait by itself when two processes turn a new file to WAL at once
        deadline = clock.now() + dt.timedelta(seconds=BUSY_TIMEOUT_S)
        while True:
            try:
                self.connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or clock.now() >= deadline:
                    raise
                clock.sleep(0.01)
            else:
                return

    def _migrate(self) -> None:
        with self.translated():
            (found,) = self.connection.execute("PRAGMA user_version").fetchone()
        if found == SCHEMA_VERSION:
            return
        if found > SCHEMA_VERSION:
            msg = (
                f"hot store {self.path} has schema {found}, this version reads {SCHEMA_VERSION}:"
                " update goldenthread, or name another [hot_store] path"
            )
            raise EngineError(msg)
        with self.transaction() as connection:
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def copy_database(source: Path, target: Path) -> None:
    """Write a SQLite file as of its last commit, its journal included, whoever writes to it.

    Raises:
        EngineError: The file cannot be read, or the copy not written.
    """
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as one,
            closing(sqlite3.connect(target)) as other,
        ):
            one.backup(other)
    except sqlite3.Error as error:
        advice = _ADVICE.get(_code(error), "see the cause in brackets")
        msg = f"{source} cannot be copied to {target}: {advice} ({error})"
        raise EngineError(msg) from error


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary result code; the higher bits only refine it."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _is_busy(error: sqlite3.Error) -> bool:
    return _code(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
