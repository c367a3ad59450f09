"""What an archive brings to the warehouse: each bar that a decision can have read."""

from __future__ import annotations

import datetime as dt
import sqlite3
from typing import TYPE_CHECKING

import polars as pl
import pytest

from faults.project import BOOK, FIRST, bars, build
from goldenthread.adapters.warehouse.session import DuckDBSession
from goldenthread.app.api.bars import import_bars
from goldenthread.app.api.days import simulate
from goldenthread.app.api.project import Project
from goldenthread.app.api.records import facts
from goldenthread.ports.warehouse import Merged

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from goldenthread.ports.warehouse import Table

_DAY = dt.timedelta(days=1)
_KEY = ["symbol", "ds", "known_at"]
_BARS = """
SELECT symbol, ds, known_at, CAST(close AS FLOAT64) AS close FROM fact_bars
WHERE ds BETWEEN @first AND @last ORDER BY symbol, ds, known_at
"""
_LOST = ("fact_trades", "fact_rejected_signals", "fact_signals_expired")
_CODE = """
SELECT action, subject, detail FROM audit_log WHERE book = @book AND ds BETWEEN @first AND @last
"""


def archived(folder: Path) -> pl.DataFrame:
    """The bars of the warehouse."""
    return facts(Project.open(folder), BOOK, _BARS)


def known(folder: Path, ds: dt.date) -> pl.DataFrame:
    """The bars of the project that its run of a date can know."""
    stored = pl.read_parquet(folder / "data" / "bars.parquet")
    at = dt.datetime.combine(ds + _DAY, dt.time(0, 5), dt.UTC)
    return stored.filter(pl.col("ds") <= ds, pl.col("known_at") <= at).select(*_KEY, "close")


def bring(folder: Path, rows: pl.DataFrame) -> None:
    file = folder / "more.parquet"
    rows.write_parquet(file)
    import_bars(Project.open(folder), file, {})


def revised(rows: pl.DataFrame, known_at: dt.datetime) -> pl.DataFrame:
    """The rows with another close, known from an instant on."""
    return rows.with_columns(
        close=pl.lit(100.125), low=pl.lit(0.25), high=pl.lit(9e4), known_at=known_at
    )


def run(folder: Path, days: int, archive_every: int = 30) -> dt.date:
    """The last date after the book ran so many days from its first."""
    last = FIRST + (days - 1) * _DAY
    simulate(Project.open(folder), "main", (FIRST, last), archive_every)
    return last


@pytest.mark.parametrize("archive_every", [1, 30])
def test_the_first_archive_brings_the_whole_history_and_later_ones_what_came_since(
    tmp_path: Path, archive_every: int
) -> None:
    folder = build(tmp_path / "project")
    before = run(folder, 2)
    assert known(folder, before)["ds"].min() < FIRST - 60 * _DAY  # type: ignore[operator]  # dates
    assert archived(folder).equals(known(folder, before))
    late = dt.datetime.combine(FIRST + 3 * _DAY, dt.time(12), dt.UTC)
    old = bars().filter(pl.col("ds") == FIRST - 40 * _DAY)
    assert len(old) > 1
    new = bars().filter(pl.col("symbol") == "AAPL").with_columns(symbol=pl.lit("ZZZ"))
    bring(folder, revised(old, late))
    bring(folder, new)
    after = run(folder, 6, archive_every)
    brought = known(folder, after)
    assert (brought["symbol"] == "ZZZ").sum() > 40
    assert (brought["known_at"] == late).sum() == len(old)
    assert archived(folder).equals(brought)


def test_what_becomes_known_after_a_run_is_not_in_its_archive(tmp_path: Path) -> None:
    folder = build(tmp_path / "project")
    rows = bars().filter(pl.col("ds") == FIRST - 4 * _DAY)
    tomorrow = dt.datetime.combine(FIRST + 2 * _DAY, dt.time(12), dt.UTC)
    bring(folder, revised(rows, tomorrow))
    run(folder, 1)
    assert archived(folder)["known_at"].max() < tomorrow  # type: ignore[operator]  # instants
    run(folder, 3)
    assert archived(folder)["known_at"].max() >= tomorrow  # type: ignore[operator]  # the same


def test_the_functions_of_the_code_are_archived_once(tmp_path: Path) -> None:
    folder = build(tmp_path / "project")
    for days in (1, 2, 3):
        run(folder, days)
    (row,) = facts(Project.open(folder), BOOK, _CODE).to_dicts()
    assert (row["action"], len(row["subject"])) == ("ENGINE", 16)
    assert '"signals/engine.py Evaluator.decide"' in row["detail"]


@pytest.mark.fault("F15", "an archive that loads less than it says")
def test_what_the_warehouse_never_got_may_not_go_from_the_hot_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, merge = build(tmp_path / "project"), DuckDBSession.merge

    def lossy(
        self: DuckDBSession, table: Table, rows: pa.Table, span: tuple[dt.date, dt.date] | None
    ) -> Merged:
        if table.name in _LOST:
            return Merged(rows.num_rows, 0, 0)
        return merge(self, table, rows, span)

    with monkeypatch.context() as patch:
        patch.setattr(DuckDBSession, "merge", lossy)
        run(folder, 5)
    store = sqlite3.connect(folder / "state" / "hot.sqlite")
    may_go = store.execute(
        "SELECT id FROM document WHERE delete_at IS NOT NULL"
        " AND collection IN ('live_signals', 'rejected_signals')"
    ).fetchall()
    store.close()
    assert may_go == []
