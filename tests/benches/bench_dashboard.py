"""How long the dashboard's pages take before a million signals; run with `make bench`, prints."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
import requests

from app.command import SUMMER
from app.web.serving import PAGES, asked, details, serving
from goldenthread.app.api.bars import import_bars
from goldenthread.app.api.days import simulate
from goldenthread.app.api.project import Project, init_project
from goldenthread.app.api.records import facts
from goldenthread.app.demo import demo_bars
from goldenthread.app.engines.wiring import open_warehouse
from goldenthread.warehouse.arrow import arrow_schema
from goldenthread.warehouse.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BOOK = "sim:main"
FIRST, DAYS = dt.date(2007, 1, 1), 1_900
MANY = {"fact_rejected_signals": 900_000, "fact_signals_expired": 60_000, "fact_trades": 40_000}
_SAME = "SELECT * FROM {table} WHERE book = @book AND ds BETWEEN @first AND @last ORDER BY ds"
FILTERS = (
    {"outcome": "traded"},
    {"outcome": "expired", "strategy": "channel_breakout"},
    {"strategy": "trend_rider", "symbol": "S7"},
    {"symbol": "NONE"},
    {"from": "2009-03-01", "to": "2009-03-31"},
    {"from": "2008-01-01", "outcome": "rejected", "symbol": "S300"},
)
TIMES, PAGED = 20, 200
"""How often each page is loaded, and how many pages of 50 signals are turned."""


def scattered(rows: pl.DataFrame, count: int, key: str) -> pl.DataFrame:
    """Rows of a book again and again, over five years before it, each under an id of its own."""
    dice = np.random.default_rng(count)
    days = pl.lit(pl.Series(np.sort(dice.integers(DAYS, size=count))))
    ds = pl.lit(FIRST) + pl.duration(days=days)
    decided = ds.dt.offset_by("-10d") if key == "trade_id" else ds
    own = pl.int_range(pl.len()).cast(pl.String).str.zfill(32)
    many = rows[dice.integers(len(rows), size=count)]
    dated = {"entry_ds": "1d", "exit_ds": "10d"}
    dated |= {f"theoretical_{name}": later for name, later in dated.items()}
    return many.with_columns(
        (decided.dt.strftime("%Y%m%d") + "-" + own).alias(key),
        pl.format("S{}", pl.int_range(pl.len()) % 500).alias("symbol"),
        ds.alias("ds"),
        decided.alias("signal_ds"),
        *(
            pl.when(pl.col(name).is_not_null()).then(decided.dt.offset_by(later)).alias(name)
            for name, later in dated.items()
            if name in rows.columns
        ),
    )


def filled(root: Path) -> Project:
    """A project that ran the summer, and holds a million signals from before it."""
    init_project(root)
    demo_bars().write_parquet(root / "bars.parquet")
    project = Project.open(root)
    import_bars(project, root / "bars.parquet", {})
    simulate(project, "main", SUMMER)
    warehouse = open_warehouse(project.settings, root)
    for name, count in MANY.items():
        key = "trade_id" if name == "fact_trades" else "signal_id"
        rows = scattered(facts(project, BOOK, _SAME.format(table=name)), count, key)
        schema = arrow_schema(TABLES[name].columns)
        table = rows.select(schema.names).to_arrow().cast(schema)
        warehouse.merge(TABLES[name], table, (FIRST, SUMMER[0] - dt.timedelta(days=1)))
    warehouse.publish()
    warehouse.close()
    return project


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of that project's dashboard."""
    root = tmp_path_factory.mktemp("bench") / "project"
    filled(root)
    with serving(root) as url:
        yield url


def told(what: str, took: list[float]) -> None:
    middle, most = np.percentile(np.array(took) * 1000, [50, 95])
    print(f"{what:44} p50 {middle:6.0f} ms   p95 {most:6.0f} ms")  # noqa: T201  # its result


def loaded(url: str, **query: str) -> float:
    begun = time.perf_counter()
    answer = requests.get(url, query, timeout=120)
    took = time.perf_counter() - begun
    assert answer.status_code == 200, answer.text
    return took


@pytest.mark.bench
def test_every_page_beside_a_million_signals(site: str) -> None:
    signal, strategy, _ = details(site)  # a filter's thresholds are priced: see bench_whatif
    for page in (*PAGES, signal, strategy):
        first = loaded(f"{site}{page}") * 1000  # some are read once until the book is written
        told(f"{page[:28]} (first {first:.0f} ms)", [loaded(f"{site}{page}") for _ in range(TIMES)])


@pytest.mark.bench
def test_ten_thousand_signals_page_by_page_and_filtered(site: str) -> None:
    took, after, seen = [], "", 0
    for _ in range(PAGED):
        took.append(loaded(f"{site}/signals", after=after))
        page = asked(f"{site}/api/signals", after=after)
        seen, after = seen + len(page["signals"]), page["older"]
    assert seen == 50 * PAGED
    told(f"/signals, {seen:,} of them paged", took)
    for wanted in FILTERS:
        words = "&".join(f"{name}={value}" for name, value in wanted.items())
        told(f"/signals?{words}"[:44], [loaded(f"{site}/signals", **wanted) for _ in range(TIMES)])
