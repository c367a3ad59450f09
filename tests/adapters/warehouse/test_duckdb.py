from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import threading
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pytest

from goldenthread.adapters.warehouse.duckdb import DuckDBWarehouse
from goldenthread.adapters.warehouse.session import DuckDBSession
from goldenthread.domain.errors import EngineBusyError, EngineError, UsageError
from goldenthread.warehouse import loops
from goldenthread.warehouse.digest import digest
from goldenthread.warehouse.views import prepare
from warehouse.examples import ALL, BOOK, day, resolved, run, signal, trade, waiting

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCES = Path(__file__).parents[3]
TRADES = "SELECT symbol FROM fact_trades WHERE ds BETWEEN @from AND @to ORDER BY symbol"


def opened(folder: Path, timeout_s: float = 5) -> DuckDBWarehouse:
    return DuckDBWarehouse(
        folder / "wh.duckdb",
        read_path=folder / "wh.read.duckdb",
        lock_timeout_s=timeout_s,
        prepare=prepare,
    )


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[DuckDBWarehouse]:
    made = opened(tmp_path)
    yield made
    made.close()


def elsewhere(code: str, folder: Path) -> subprocess.Popen[str]:
    """Python code in another process, the folder as its first argument."""
    paths = os.pathsep.join(str(SOURCES / name) for name in ("src", "tests"))
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        env={**os.environ, "PYTHONPATH": paths},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


HOLDER = """
import sys
from pathlib import Path
from adapters.warehouse.test_duckdb import opened
from goldenthread.warehouse.views import prepare
made = opened(Path(sys.argv[1]))
prepare(made)
print("held", flush=True)
sys.stdin.readline()
"""


def test_before_the_first_publish_every_table_and_view_is_empty(
    warehouse: DuckDBWarehouse, tmp_path: Path
) -> None:
    assert warehouse.query(TRADES, ALL).is_empty()
    assert warehouse.query("SELECT * FROM summary_strategy_performance", {}).is_empty()
    assert list(tmp_path.iterdir()) == []  # a reader makes no file


def test_readers_see_what_was_published_and_nothing_else(warehouse: DuckDBWarehouse) -> None:
    loops.load_trades(warehouse, [trade("1", day(2), "A")], run())
    assert warehouse.query(TRADES, ALL).is_empty()
    warehouse.publish()
    loops.load_trades(warehouse, [trade("1", day(2), "B")], run())
    assert warehouse.query(TRADES, ALL)["symbol"].to_list() == ["A"]
    warehouse.publish()
    assert warehouse.query(TRADES, ALL)["symbol"].to_list() == ["A", "B"]


def test_a_reader_reads_while_another_process_writes(tmp_path: Path) -> None:
    first = opened(tmp_path)
    loops.load_trades(first, [trade("1", day(2), "A")], run())
    first.publish()
    first.close()
    writer = elsewhere(HOLDER, tmp_path)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "held\n"
    assert opened(tmp_path).query(TRADES, ALL)["symbol"].to_list() == ["A"]
    writer.communicate("\n")


def test_a_second_writer_waits_and_is_told_who_writes(tmp_path: Path) -> None:
    holder = elsewhere(HOLDER, tmp_path)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    second = opened(tmp_path, timeout_s=0.2)
    with pytest.raises(EngineBusyError, match=rf"process {holder.pid} has been writing wh.duckdb"):
        loops.load_trades(second, [trade("1", day(2))], run())
    holder.communicate("\n")
    assert loops.load_trades(second, [trade("1", day(2))], run()).inserted == 1
    second.close()


def test_a_writer_that_waits_gets_its_turn(tmp_path: Path) -> None:
    first, second = opened(tmp_path), opened(tmp_path, timeout_s=10)
    loops.load_trades(first, [trade("1", day(2), "A")], run())
    timer = threading.Timer(0.3, first.close)
    timer.start()
    assert loops.load_trades(second, [trade("1", day(2), "B")], run()).inserted == 1
    timer.join()
    second.publish()
    assert second.query(TRADES, ALL)["symbol"].to_list() == ["A", "B"]
    second.close()


def test_a_killed_writer_leaves_no_lock_and_loses_no_finished_merge(tmp_path: Path) -> None:
    code = HOLDER.replace(
        'print("held"',
        "from warehouse.examples import *\nfrom goldenthread.warehouse import loops\n"
        'loops.load_trades(made, [trade("1", day(2), "A")], run())\nprint("held"',
    )
    killed = elsewhere(code, tmp_path)
    assert killed.stdout is not None
    assert killed.stdout.readline() == "held\n"
    killed.kill()
    killed.communicate()
    after = opened(tmp_path, timeout_s=1)
    assert loops.load_trades(after, [trade("1", day(2), "A")], run()).unchanged == 1
    after.publish()
    assert after.query(TRADES, ALL)["symbol"].to_list() == ["A"]
    after.close()


def test_a_merge_that_was_not_published_before_a_crash_is_published_by_the_next_run(
    tmp_path: Path,
) -> None:
    first = opened(tmp_path)
    first.publish()
    loops.load_trades(first, [trade("1", day(2), "A")], run())
    first.close()  # ended between merge and publish
    second = opened(tmp_path)
    second.publish()
    assert second.query(TRADES, ALL)["symbol"].to_list() == ["A"]
    second.close()


def test_publishing_again_without_a_change_touches_nothing(
    warehouse: DuckDBWarehouse, tmp_path: Path
) -> None:
    loops.load_trades(warehouse, [trade("1", day(2))], run())
    warehouse.publish()
    before = (tmp_path / "wh.read.duckdb").stat()
    loops.load_trades(warehouse, [trade("1", day(2))], run())  # changes nothing
    warehouse.publish()
    assert (tmp_path / "wh.read.duckdb").stat().st_ino == before.st_ino


def test_a_published_copy_is_another_file_so_an_open_reader_keeps_its_own(
    warehouse: DuckDBWarehouse, tmp_path: Path
) -> None:
    loops.load_trades(warehouse, [trade("1", day(2), "A")], run())
    warehouse.publish()
    before = (tmp_path / "wh.read.duckdb").stat().st_ino
    reader = DuckDBSession(str(tmp_path / "wh.read.duckdb"), copy=True)
    loops.load_trades(warehouse, [trade("1", day(2), "B")], run())
    warehouse.publish()
    assert reader.query(TRADES, ALL)["symbol"].to_list() == ["A"]
    reader.close()
    assert (tmp_path / "wh.read.duckdb").stat().st_ino != before
    assert warehouse.query(TRADES, ALL)["symbol"].to_list() == ["A", "B"]


def test_readers_of_one_process_read_at_once_and_all_in_utc(
    warehouse: DuckDBWarehouse, tmp_path: Path
) -> None:
    loops.load_trades(warehouse, [trade("1", day(2), "A")], run())
    warehouse.publish()
    zones: list[str | None] = []
    errors: list[EngineError] = []

    def read() -> None:
        try:
            with closing(DuckDBSession(str(tmp_path / "wh.read.duckdb"), copy=True)) as session:
                start.wait(10)
                (found,) = session.query(TRADES.replace("symbol", "entry_at"), ALL).dtypes
                zones.append(found.time_zone if isinstance(found, pl.Datetime) else None)
        except EngineError as error:
            errors.append(error)
            start.abort()
        except threading.BrokenBarrierError:
            zones.append(None)

    start = threading.Barrier(4)
    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert errors == []
    assert zones == ["UTC"] * 4


def test_what_this_process_changed_is_published_whatever_the_file_times_say(
    warehouse: DuckDBWarehouse, tmp_path: Path
) -> None:
    warehouse.publish()
    loops.load_trades(warehouse, [trade("1", day(2), "A")], run())
    warehouse.publish()
    os.utime(tmp_path / "wh.read.duckdb", (2e9, 2e9))  # a clock was set back
    loops.load_trades(warehouse, [trade("1", day(2), "B")], run())
    warehouse.publish()
    assert warehouse.query(TRADES, ALL)["symbol"].to_list() == ["A", "B"]


def test_the_digest_is_the_same_from_the_file_and_after_loading_again(
    warehouse: DuckDBWarehouse,
) -> None:
    for outcome in (waiting(), resolved(day(3))):
        loops.load_rejected(warehouse, [(signal(), outcome)], run())
        warehouse.publish()
    once = digest(warehouse, BOOK)
    loops.load_rejected(warehouse, [(signal(), resolved(day(3)))], run(run_id="again"))
    warehouse.publish()
    assert digest(warehouse, BOOK) == once


@pytest.mark.parametrize("content", [b"not a database at all", b"\0" * 20_000])
def test_a_damaged_file_is_an_engine_error_that_says_what_to_do(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "wh.duckdb").write_bytes(content)
    made = opened(tmp_path)
    with pytest.raises(EngineError, match="move it away, copy the read copy"):
        loops.load_trades(made, [trade("1", day(2))], run())
    made.close()


def test_a_torn_file_is_an_engine_error(tmp_path: Path) -> None:
    made = opened(tmp_path)
    loops.load_trades(made, [trade("1", day(2), f"S{n}") for n in range(500)], run())
    made.publish()
    made.close()
    copy = tmp_path / "wh.read.duckdb"
    copy.write_bytes(copy.read_bytes()[: copy.stat().st_size // 3])
    with pytest.raises(EngineError, match="delete it: `goldenthread warehouse init`"):
        made.query("SELECT * FROM fact_trades WHERE ds BETWEEN @from AND @to", ALL)


def test_a_folder_that_cannot_be_written_is_an_engine_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    made = DuckDBWarehouse(tmp_path / "file" / "wh.duckdb", read_path=tmp_path / "r.duckdb")
    with pytest.raises(EngineError, match="cannot be used"):
        made.ensure([])


def test_a_publish_that_fails_leaves_the_old_copy(tmp_path: Path) -> None:
    made = opened(tmp_path)
    loops.load_trades(made, [trade("1", day(2), "A")], run())
    made.publish()
    (tmp_path / "wh.read.duckdb.new").mkdir()  # as good as a full disk
    loops.load_trades(made, [trade("1", day(2), "B")], run())
    with pytest.raises(EngineError):
        made.publish()
    assert made.query(TRADES, ALL)["symbol"].to_list() == ["A"]
    (tmp_path / "wh.read.duckdb.new").rmdir()
    made.publish()
    assert made.query(TRADES, ALL)["symbol"].to_list() == ["A", "B"]
    made.close()


def test_instants_are_utc_whatever_the_machine_says(warehouse: DuckDBWarehouse) -> None:
    loops.load_trades(warehouse, [trade("1", day(2))], run())
    warehouse.publish()
    sql = (
        "SELECT decided_at, DATE(decided_at) AS d, DATE(exit_at) AS e FROM fact_trades "
        "WHERE ds BETWEEN @from AND @to AND decided_at = TIMESTAMP '2024-03-05 00:05:00+00'"
    )
    row = warehouse.query(sql, ALL).row(0, named=True)
    assert row["decided_at"] == dt.datetime(2024, 3, 5, 0, 5, tzinfo=dt.UTC)
    assert (row["d"], row["e"]) == (dt.date(2024, 3, 5), day(2))  # 00:05 and 15:05


def test_money_adds_up_exactly(warehouse: DuckDBWarehouse) -> None:
    trades = [trade("0.1", day(2), f"S{n}") for n in range(1000)]
    loops.load_trades(warehouse, trades, run())
    warehouse.publish()
    sql = "SELECT SUM(net_pnl) AS net FROM fact_trades WHERE ds BETWEEN @from AND @to"
    assert warehouse.query(sql, ALL)["net"].to_list() == [Decimal(100)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('{file}')",
        "SELECT * FROM `{file}`",
        "SELECT * FROM read_csv_auto('{file}')",
        "SELECT * FROM read_parquet('https://127.0.0.1:9/x.parquet')",
    ],
)
def test_a_select_reads_no_file_and_no_address(sql: str, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("word\nswordfish\n")
    asked = sql.format(file=tmp_path / "secret.csv")
    session = DuckDBSession(str(tmp_path / "wh.duckdb"))
    with closing(session), pytest.raises(UsageError, match="the query cannot be run") as refused:
        session.query(asked, {})
    assert "swordfish" not in str(refused.value)


def test_what_a_select_may_reach_cannot_be_widened(tmp_path: Path) -> None:
    session = DuckDBSession(str(tmp_path / "wh.duckdb"))
    with closing(session), pytest.raises(UsageError, match="one SELECT can be queried"):
        session.query("SET enable_external_access = true", {})
    locked = DuckDBSession(str(tmp_path / "wh.duckdb"))
    with closing(locked), pytest.raises(duckdb.InvalidInputException, match="has been locked"):
        locked._connection.execute("SET enable_external_access = true")
