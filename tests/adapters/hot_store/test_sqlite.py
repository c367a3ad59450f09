"""What is SQLite's own: books in one file, rights, and every way a file can be unusable."""

from __future__ import annotations

import datetime as dt
import sqlite3
import stat
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from goldenthread.adapters.hot_store import sqlite_file
from goldenthread.adapters.hot_store.sqlite import SqliteHotStore
from goldenthread.app.clock import SystemClock
from goldenthread.domain.errors import EngineBusyError, EngineError
from goldenthread.ports.hot_store import Create

if TYPE_CHECKING:
    from pathlib import Path

CLOCK = SystemClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "hot.sqlite"


def opened(path: Path, book: str = "sim:main") -> SqliteHotStore:
    return SqliteHotStore(path, book, CLOCK)


def test_books_in_one_file_do_not_see_each_other(path: Path) -> None:
    main, other = opened(path), opened(path, "sim:other")
    document, _ = main.put_if_absent("live_signals", "a", {"ds": "2026-01-01", "status": "OPEN"})
    expiring = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    main.put_if_absent("quarantine", "b", {}, expiring)

    assert other.get("live_signals", "a") is None
    assert other.query("live_signals", equal={"status": "OPEN"}) == []
    assert other.count("live_signals") == 0
    other.put_if_absent("quarantine", "b", {})
    assert other.sweep("quarantine", expiring) == 0
    assert other.put_if_absent("live_signals", "a", {"n": 1})[1]
    assert main.get("live_signals", "a") == document
    assert [main.acquire("run", "x", 60).token, other.acquire("run", "y", 60).token] == [1, 1]


def test_everything_is_there_when_the_file_is_opened_again(path: Path) -> None:
    store = opened(path)
    document, _ = store.put_if_absent("live_signals", "a", {"ds": "2026-01-01"})
    token = store.acquire("run", "x", 0).token
    store.close()
    again = opened(path)
    assert again.get("live_signals", "a") == document
    assert again.acquire("run", "x", 60).token == token + 1


def test_only_the_owner_may_read_the_file_and_its_journal(path: Path) -> None:
    store = opened(path)
    store.put_if_absent("live_signals", "a", {})
    modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert len(list(path.parent.iterdir())) == 3
    assert modes == {0o600}


@pytest.mark.parametrize(("synchronous", "level"), [("FULL", 2), ("NORMAL", 1)])
def test_the_journal_is_written_ahead_and_synced_as_asked(
    path: Path, synchronous: sqlite_file.Synchronous, level: int
) -> None:
    store = SqliteHotStore(path, "sim:main", CLOCK, synchronous=synchronous)
    connection = store._file.connection
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (level,)
    assert connection.execute("PRAGMA busy_timeout").fetchone() == (10_000,)


@pytest.mark.parametrize("equal", [{"status": "OPEN"}, {"symbol": "AAPL"}, {}])
def test_queries_use_an_index_and_need_no_sorting(path: Path, equal: dict[str, str]) -> None:
    store = opened(path)
    plans: list[str] = []
    store._file.connection.set_trace_callback(plans.append)
    store.query("live_signals", equal=equal, ds_from=dt.date(2026, 1, 1), after=("2026-01-01", "a"))
    store._file.connection.set_trace_callback(None)
    plan = [row[3] for row in store._file.connection.execute(f"EXPLAIN QUERY PLAN {plans[0]}")]
    name = next(iter(equal), "ds")
    assert len(plan) == 1, plan
    assert plan[0].startswith(f"SEARCH document USING INDEX document_by_{name}")


def test_a_locked_file_is_busy_and_the_message_says_what_to_do(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY_TIMEOUT_S", 0.05)
    store = opened(path)
    lease = store.acquire("run", "x", 60)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(EngineBusyError, match=r"hot\.sqlite is locked by another process"):
            store.commit([Create("live_signals", "a", {})], lease)
        with pytest.raises(EngineBusyError, match="let the other command end, then try again"):
            store.put_if_absent("live_signals", "a", {})
        other.execute("ROLLBACK")
    store.commit([Create("live_signals", "a", {})], lease)


def test_a_full_disk_loses_nothing_and_leaves_nothing_in_half(path: Path) -> None:
    store = opened(path)
    lease = store.acquire("run", "x", 60)
    lease = store.commit([Create("live_signals", "before", {"x": "y"})], lease)
    connection = store._file.connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    large = [Create("live_signals", str(n), {"x": "y" * 9_000}) for n in range(9)]
    with pytest.raises(EngineError, match=r"the disk is full: free some space"):
        store.commit(large, lease)
    assert store.count("live_signals") == 1
    connection.execute("PRAGMA max_page_count = 1000000")
    store.commit(large, lease)
    assert store.count("live_signals") == 10


def test_a_file_that_is_no_database_is_left_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("strategy_id = 'breakout'\n" * 100)
    with pytest.raises(EngineError, match=r"hot\.sqlite: it is no SQLite file: name another path"):
        opened(path)
    assert path.read_text().startswith("strategy_id")


def test_a_damaged_file_is_said_to_be_damaged(path: Path) -> None:
    store = opened(path)
    for number in range(200):
        store.put_if_absent("live_signals", str(number), {"ds": "2026-01-01", "x": "y" * 900})
    store.close()
    content = bytearray(path.read_bytes())
    content[4096 * 2 :] = b"\x5a" * (len(content) - 4096 * 2)
    path.write_bytes(content)
    with pytest.raises(EngineError, match="it is damaged: move it away and put a backup") as caught:
        opened(path).query("live_signals")
    assert not isinstance(caught.value, EngineBusyError)


def test_a_folder_where_the_file_should_be_is_told(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(EngineError, match="cannot be opened: check that the path is a file"):
        opened(path)


def test_a_file_where_the_folder_should_be_is_told(path: Path) -> None:
    path.parent.write_text("in the way")
    with pytest.raises(EngineError, match=r"cannot be created .*check \[hot_store\] path"):
        opened(path)


def test_a_file_that_may_only_be_read_says_so(path: Path) -> None:
    store = opened(path)
    store._file.connection.execute("PRAGMA query_only = ON")
    with pytest.raises(EngineError, match="it is read-only: give this user the right to write"):
        store.put_if_absent("live_signals", "a", {})


def test_a_file_of_a_later_version_is_refused_untouched(path: Path) -> None:
    opened(path).close()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA user_version = 9")
    with pytest.raises(
        EngineError, match="has schema 9, this version reads 2: update goldenthread"
    ):
        opened(path)
