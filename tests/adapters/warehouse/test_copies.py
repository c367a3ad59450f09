"""A copy that stays open between queries: opened once, and again when another one is there."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

import pytest

from goldenthread.adapters.warehouse.copies import COPIES
from goldenthread.adapters.warehouse.duckdb import DuckDBWarehouse
from goldenthread.domain.errors import EngineError
from goldenthread.warehouse import loops
from goldenthread.warehouse.views import prepare
from warehouse.examples import ALL, day, run, trade

TRADES = "SELECT symbol FROM fact_trades WHERE ds BETWEEN @from AND @to ORDER BY symbol"


@pytest.fixture
def warehouse(tmp_path: Path) -> DuckDBWarehouse:
    made = DuckDBWarehouse(
        tmp_path / "wh.duckdb", read_path=tmp_path / "wh.read.duckdb", prepare=prepare
    )
    loops.load_trades(made, [trade("1", day(2), "A")], run())
    made.publish()
    return made


def symbols(warehouse: DuckDBWarehouse) -> list[str]:
    return list(warehouse.query(TRADES, ALL)["symbol"])


def files_open(folder: Path) -> int:
    """How many open files of this process lie in the folder."""
    there = [link for link in Path("/proc/self/fd").iterdir() if link.exists()]
    return sum(link.readlink().parent == folder for link in there)


def test_a_kept_copy_is_opened_once_and_let_go_in_the_end(
    warehouse: DuckDBWarehouse, tmp_path: Path
) -> None:
    warehouse.close()
    before = files_open(tmp_path)
    with COPIES.kept(), COPIES.kept():
        for _ in range(3):
            assert symbols(warehouse) == ["A"]
            assert files_open(tmp_path) == before + 1
    assert symbols(warehouse) == ["A"]
    assert files_open(tmp_path) == before


def test_a_newer_copy_is_seen_at_once_while_who_reads_the_old_one_reads_on(
    warehouse: DuckDBWarehouse, tmp_path: Path
) -> None:
    with COPIES.kept(), COPIES.reader(tmp_path / "wh.read.duckdb") as old:
        loops.load_trades(warehouse, [trade("1", day(2), "B")], run())
        warehouse.publish()
        assert symbols(warehouse) == ["A", "B"]
        assert list(old.query(TRADES, ALL)["symbol"]) == ["A"]


def test_a_kept_copy_is_read_in_many_threads_at_once(warehouse: DuckDBWarehouse) -> None:
    found: list[list[str]] = []
    with COPIES.kept():
        readers = [
            threading.Thread(target=lambda: found.append(symbols(warehouse))) for _ in range(8)
        ]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
    assert found == [["A"]] * 8


def test_a_copy_that_breaks_is_said_and_seen_again_when_it_is_whole(
    warehouse: DuckDBWarehouse, tmp_path: Path
) -> None:
    copy = tmp_path / "wh.read.duckdb"
    whole = copy.read_bytes()
    with COPIES.kept(), closing(warehouse):
        assert symbols(warehouse) == ["A"]
        copy.write_bytes(b"no database" * 1000)
        with pytest.raises(EngineError, match=r"wh\.read\.duckdb"):
            symbols(warehouse)
        copy.write_bytes(whole)
        assert symbols(warehouse) == ["A"]
