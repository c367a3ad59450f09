"""How long a million refusals take to judge; run with `make bench`, prints, asserts counts only."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING, get_args

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from goldenthread.app.api.evaluation import shadow
from goldenthread.app.api.project import Project, init_project
from goldenthread.app.engines.wiring import open_warehouse
from goldenthread.reports.attribution.refusals import By, attribution
from goldenthread.warehouse.guardian import guardian_of
from goldenthread.warehouse.rows.signals import rejected_row
from goldenthread.warehouse.tables import TABLES
from warehouse.examples import BOOK, day, resolved, run, signal

if TYPE_CHECKING:
    from pathlib import Path

MILLION = 1_000_000
FIRST, DAYS = dt.date(2010, 1, 1), 4000
REASONS = (
    *([f"FILTER_{n}"] for n in range(4)),
    *([f"FILTER_{n}", f"FILTER_{n + 1}"] for n in range(3)),
    ["FILTER_0", "MAX_POSITIONS"],
    ["MAX_POSITIONS", "DUPLICATE_SYMBOL"],
    ["DUPLICATE_SYMBOL"],
)


def refusals(count: int) -> pa.Table:
    """One refusal, again and again: 20 strategies, 500 symbols, ten ways to be refused, 11 years.

    Nine in ten are resolved and made what Student's t with three degrees of freedom says.
    """
    rng = np.random.default_rng(1)
    stamp = {"run_id": "bench", "loaded_at": run().loaded_at}
    one = guardian_of("fact_rejected_signals").check(
        [rejected_row(signal(), resolved(day(3)))], stamp
    )
    rows = pl.DataFrame(one.rows.take(pa.array(np.zeros(count, dtype=np.int64))))
    number, known = pl.int_range(pl.len()), pl.Series(rng.random(count) < 0.9)
    made = pl.Series(rng.standard_t(3, count) * 200).round(2).cast(pl.Decimal(38, 9))
    money = pl.when(known).then(made)
    ds = pl.lit(FIRST) + pl.duration(
        days=pl.lit(pl.Series(np.sort(rng.integers(DAYS, size=count))))
    )
    changed = rows.with_columns(
        pl.Series("rejection_reasons", REASONS).gather(rng.integers(len(REASONS), size=count)),
        signal_id=number.cast(pl.String),
        ds=ds,
        signal_ds=ds,
        strategy_id=pl.format("strategy_{}", number % 20),
        symbol=pl.format("S{}", number % 500),
        outcome_status=pl.when(known).then(pl.lit("RESOLVED")).otherwise(pl.lit("OPEN")),
        theoretical_entry_ds=ds.dt.offset_by("1d"),
        theoretical_exit_ds=pl.when(known).then(ds.dt.offset_by("15d")),
        theoretical_net_pnl=money,
        theoretical_r_multiple=money,
    )
    return changed.select(one.rows.column_names).to_arrow().cast(one.rows.schema)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose warehouse holds a million refusals."""
    root: Path = tmp_path_factory.mktemp("bench")
    init_project(root)
    made = Project.open(root)
    warehouse = open_warehouse(made.settings, root)
    last = FIRST + dt.timedelta(days=DAYS)
    warehouse.merge(TABLES["fact_rejected_signals"], refusals(MILLION), (FIRST, last))
    warehouse.publish()
    warehouse.close()
    return made


@pytest.mark.bench
def test_a_million_refusals_read_and_judged(project: Project) -> None:
    took = {}
    for by in get_args(By):
        begun = time.perf_counter()
        table = shadow.filters(project, BOOK, by=by)
        took[by] = (time.perf_counter() - begun, table.height)
    begun = time.perf_counter()
    found = shadow.refusals(project, BOOK)
    read = time.perf_counter() - begun
    begun = time.perf_counter()
    table = attribution(found)
    judged = time.perf_counter() - begun
    assert table["alone"].sum() == pytest.approx(MILLION / 2, rel=0.01)
    each = ", ".join(f"by {by} {s:.2f} s ({rows} rows)" for by, (s, rows) in took.items())
    print(  # noqa: T201  # its result
        f"\n1M refusals: {each}; of a row a filter: read {read:.2f} s, judge {judged:.2f} s"
    )
