"""A project of the first version goes on under this one; one of a later version is refused.

``first_schema.tar.xz`` is a project that the program wrote on the day it first ran as a whole: 19
simulated days in July 2012, with every outcome, four positions held and two signals waiting.
"""

from __future__ import annotations

import shutil
import sqlite3
import tarfile
from pathlib import Path
from typing import Any

import duckdb
import pytest

from app.command import command
from goldenthread.warehouse.tables import TABLES

FIRST = Path(__file__).with_name("first_schema.tar.xz")
ADDED = {
    "fact_trades.dividends",
    "fact_trades.borrow_fees",
    "fact_rejected_signals.theoretical_dividends",
    "fact_signals_expired.theoretical_dividends",
    "snapshot_accounts.dividends",
    "snapshot_positions.dividends",
    "dim_strategies.code",
}
"""What tables gained since."""


def asked(folder: Path, *words: str) -> Any:  # noqa: ANN401  # any JSON value
    answer = command(*words, "--json", "--project", str(folder))
    assert (answer.code, answer.err) == (0, "")
    return answer.document


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """The project as the first version left it."""
    with tarfile.open(FIRST) as packed:
        packed.extractall(tmp_path / "first", filter="data")
    stored = tmp_path / "first" / "warehouse"
    shutil.copyfile(stored / "wh.duckdb", stored / "wh.read.duckdb")
    return tmp_path / "first"


def rows_of(folder: Path, columns: dict[str, list[str]]) -> dict[str, list[tuple[Any, ...]]]:
    """Every row in these columns of each table, read from the published copy."""
    with duckdb.connect(str(folder / "warehouse" / "wh.read.duckdb"), read_only=True) as read:
        return {
            table: sorted(
                read.execute(f"SELECT {', '.join(names)} FROM {table}").fetchall(), key=str
            )
            for table, names in columns.items()
        }


def columns_of(folder: Path) -> dict[str, list[str]]:
    with duckdb.connect(str(folder / "warehouse" / "wh.read.duckdb"), read_only=True) as read:
        found = read.execute(
            "SELECT table_name, list(column_name ORDER BY column_index) FROM duckdb_columns()"
            " WHERE NOT internal GROUP BY table_name"
        ).fetchall()
    return {table: names for table, names in found if table in TABLES}


def test_tables_gain_columns_and_keep_every_row(first: Path) -> None:
    columns = columns_of(first)
    declared = {f"{t.name}.{c.name}" for t in TABLES.values() for c in t.columns}
    assert declared - {f"{t}.{name}" for t, names in columns.items() for name in names} == ADDED
    before = rows_of(first, columns)
    assert sum(map(len, before.values())) > 500
    assert asked(first, "warehouse", "migrate") == [f"added {name}" for name in _in_order(ADDED)]
    assert rows_of(first, columns) == before
    assert asked(first, "warehouse", "migrate") == []


def _in_order(names: set[str]) -> list[str]:
    declared = [f"{t.name}.{c.name}" for t in TABLES.values() for c in t.columns]
    return sorted(names, key=declared.index)


def test_the_first_version_is_gone_on_with_and_its_thread_holds(first: Path) -> None:
    held = {p["position_id"] for p in asked(first, "positions")}
    assert len(held) == 6  # with the two that wait for their entry
    assert asked(first, "run", "--ds", "2012-07-20")["changed"] is False
    for day in (21, 22, 23, 24, 25):
        assert asked(first, "run", "--ds", f"2012-07-{day}")["changed"] is True
    found = asked(first, "check", "thread")
    assert found["ok"] is True
    assert found["unarchived"] == 0
    last = asked(first, "trades", "--from", "2012-07-21", "--to", "2012-07-25")
    assert held & {trade["trade_id"] for trade in last}


def test_what_the_first_archive_left_is_priced_by_the_next(first: Path) -> None:
    sql = (
        "SELECT signal_id FROM fact_rejected_signals"
        " WHERE ds BETWEEN @from AND @to AND outcome_status = 'OPEN'"
    )
    span = ("--from", "2012-07-01", "--to", "2012-07-20")
    asked(first, "warehouse", "migrate")
    waiting = asked(first, "warehouse", "query", sql, *span)
    assert waiting
    asked(first, "run", "--ds", "2012-07-31")
    assert len(asked(first, "warehouse", "query", sql, *span)) < len(waiting) / 2


def test_a_hot_store_of_a_later_version_is_refused(first: Path) -> None:
    asked(first, "status")  # opened: it is of this version now
    with sqlite3.connect(first / "state" / "hot.sqlite") as store:
        (version,) = store.execute("PRAGMA user_version").fetchone()
        assert version == 2
        store.execute("PRAGMA user_version = 3")
    store.close()
    answer = command("run", "--ds", "2012-07-21", "--project", str(first))
    assert answer.code == 3
    assert "has schema 3, this version reads 2: update goldenthread" in answer.err


def test_a_warehouse_of_a_later_version_is_refused_before_anything_is_written(first: Path) -> None:
    with duckdb.connect(str(first / "warehouse" / "wh.duckdb")) as later:
        later.execute("ALTER TABLE fact_trades ADD COLUMN mood VARCHAR")
    answer = command("warehouse", "migrate", "--project", str(first))
    assert answer.code == 3
    assert "fact_trades.mood is not declared; nothing was changed" in answer.err
    assert "a newer version added: update goldenthread" in answer.err
    with duckdb.connect(str(first / "warehouse" / "wh.duckdb"), read_only=True) as later:
        names = {row[0] for row in later.execute("DESCRIBE fact_trades").fetchall()}
    assert "mood" in names
    assert "dividends" not in names
