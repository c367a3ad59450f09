"""How fast rows reach the warehouse; run with `make bench`, prints, asserts nothing about time."""

from __future__ import annotations

import datetime as dt
import gc
import time
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from goldenthread.adapters.warehouse.duckdb import DuckDBWarehouse
from goldenthread.warehouse import loops
from goldenthread.warehouse.digest import digest
from goldenthread.warehouse.guardian import guardian_of
from goldenthread.warehouse.loading import load
from goldenthread.warehouse.views import prepare
from warehouse.examples import (
    BOOK,
    DAY,
    account,
    day,
    expired_signal,
    fill,
    intent,
    position,
    resolved,
    run,
    signal,
    trade,
)

if TYPE_CHECKING:
    from pathlib import Path

    from goldenthread.warehouse.rows.columns import Raw

MILLION = 1_000_000
SYMBOLS = 100


@pytest.fixture
def warehouse(tmp_path: Path) -> DuckDBWarehouse:
    made = DuckDBWarehouse(
        tmp_path / "wh.duckdb", read_path=tmp_path / "wh.read.duckdb", prepare=prepare
    )
    prepare(made)
    return made


def bar_rows(count: int) -> list[Raw]:
    """Bars of 100 symbols from 1985 on, every price another one."""
    start = dt.date(1985, 1, 1)
    days = [start + dt.timedelta(days=n) for n in range(count // SYMBOLS)]
    return [
        {
            "symbol": f"S{symbol:03d}",
            "ds": ds,
            "source": "bench",
            "known_at": known_at,
            "open": Decimal(10_000 + n + symbol) / 100,
            "high": Decimal(10_200 + n + symbol) / 100,
            "low": Decimal(9_900 + n + symbol) / 100,
            "close": Decimal(10_100 + n + symbol) / 100,
            "volume": Decimal(1_000 * symbol + n + 1),
            "state": "GOOD",
            "revision": ds,
        }
        for n, ds in enumerate(days)
        for known_at in [dt.datetime(ds.year, ds.month, ds.day, 21, tzinfo=dt.UTC)]
        for symbol in range(SYMBOLS)
    ]


@pytest.mark.bench
def test_a_million_rows_validated_into_duckdb(warehouse: DuckDBWarehouse) -> None:
    rows = bar_rows(MILLION)
    gc.collect()
    gc.freeze()
    begun = time.perf_counter()
    checked = guardian_of("fact_bars").check(rows, {"run_id": "r", "loaded_at": run().loaded_at})
    validated = time.perf_counter() - begun
    assert checked.rows.num_rows == MILLION
    del checked

    begun = time.perf_counter()
    first = load(warehouse, "fact_bars", rows, run())
    loaded = time.perf_counter() - begun
    begun = time.perf_counter()
    again = load(warehouse, "fact_bars", rows, run())
    repeated = time.perf_counter() - begun
    warehouse.publish()
    begun = time.perf_counter()
    digest(warehouse, BOOK, ["fact_bars"])
    hashed = time.perf_counter() - begun
    gc.unfreeze()
    assert (first.inserted, again.unchanged) == (MILLION, MILLION)
    print(  # noqa: T201  # its result
        f"\n1M bars: validate {validated:.2f} s, load {loaded:.2f} s "
        f"({MILLION / loaded:,.0f} rows/s), load again {repeated:.2f} s, digest {hashed:.2f} s"
    )


@pytest.mark.bench
def test_a_month_of_a_simulation(warehouse: DuckDBWarehouse) -> None:
    """About 300 rows in each of ten tables, twelve months, published monthly."""
    took = []
    for month in range(12):
        days = [day(31 * month + n) for n in range(30)]
        stamp = run(days[-1], f"month-{month}")
        names = [f"S{n}" for n in range(10)]
        records = [(name, ds) for ds in days for name in names]
        refused = [(signal(n, ds), resolved(days[-1])) for n, ds in records]
        expired = [(expired_signal(n, ds), resolved(days[-1])) for n, ds in records]
        trades = [trade("5", ds, f"{name}{ds}") for name, ds in records]
        held = [position(ds) for ds in days]
        orders = [(intent(ds=p.ds), p) for p in held]
        fills = [(fill(p.position_id, p.ds), p) for p in held]
        marks = [loops.Mark(p.ds, p, Decimal(104)) for p in held]
        begun = time.perf_counter()
        loops.load_dates(warehouse, DAY, DAY, stamp)
        loops.load_rejected(warehouse, refused, stamp)
        loops.load_expired(warehouse, expired, stamp)
        loops.load_trades(warehouse, trades, stamp)
        loops.load_snapshots(warehouse, [account(ds) for ds in days], marks, stamp)
        loops.load_orders(warehouse, orders, fills, stamp)
        merged = time.perf_counter()
        warehouse.publish()
        took.append((merged - begun, time.perf_counter() - merged))
    merges, publishes = zip(*took, strict=True)
    print(  # noqa: T201  # its result
        f"\na month's archive: {sum(merges) / 12 * 1000:.0f} ms of merges, "
        f"{sum(publishes) / 12 * 1000:.0f} ms to publish"
    )
