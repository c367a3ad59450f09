"""A nightly run of some size: 100 made-up stocks, five shipped strategies, days behind it already.

The bars are a seeded walk of a market and of each stock around it; nothing about them is real.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl

from emulators.cloud import in_the_cloud
from emulators.firestore_calls import counted
from goldenthread.adapters.hot_store.firestore import FirestorePlace, wire
from goldenthread.app.api.bars import import_bars
from goldenthread.app.api.days import run, simulate
from goldenthread.app.api.project import Project, init_project
from goldenthread.app.api.store import migrate
from goldenthread.app.journal.report import DayReport
from goldenthread.domain.asset import AssetClass
from goldenthread.rules.calendar import sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from emulators.bigquery import BigQueryEmulator

ASSETS = 100
STRATEGIES = (
    "channel_breakout",
    "dip_in_uptrend",
    "failed_rally",
    "golden_cross",
    "trend_rider",
)
NAME, BOOK = "night", "sim:night"
FIRST, NIGHT = dt.date(2016, 6, 15), dt.date(2016, 6, 21)
"""The first date of the book, and the one that is measured."""

_DAY = dt.timedelta(days=1)
_HISTORY, _LAST = dt.date(2014, 6, 2), dt.date(2016, 7, 1)
_SEED = 100
_UNIVERSES = 'stocks = {names}\nfunds = ["SPY"]\n'
_SIZE = '[size]\nmode = "fraction"\nfraction = 0.02\n'
ROOM = {"gates.max_positions": 60, "gates.max_orders_per_run": 60, "sim.start_cash": 1_000_000}
"""A desk for so many names: more than the defaults, so that the night is a busy one."""


def night_project(folder: Path) -> Path:
    """A project of 100 stocks and five strategies in an empty folder."""
    init_project(folder)
    for file in (folder / "strategies").glob("*.toml"):
        if file.stem in STRATEGIES:
            rules, _, _ = file.read_text().partition("[size]")
            file.write_text(rules + _SIZE)
        else:
            file.unlink()
    names = [f"S{number:03d}" for number in range(ASSETS)]
    (folder / "universes.toml").write_text(_UNIVERSES.format(names=names).replace("'", '"'))
    night_bars(names).write_parquet(folder / "bars.parquet")
    report = import_bars(Project.open(folder), folder / "bars.parquet", {})
    assert (report.symbols, report.refused, report.quarantined) == (ASSETS, 0, 0)
    return folder


def night_bars(names: list[str]) -> pl.DataFrame:
    """Daily bars of every session: one market, and what each stock does besides."""
    generator = np.random.default_rng(_SEED)
    days = sessions(AssetClass.EQUITY, _HISTORY, _LAST)
    market = 0.0004 + 0.007 * generator.standard_normal(len(days))
    return pl.concat([_stock(name, days, market, generator) for name in names])


def _stock(
    name: str, days: list[dt.date], market: np.ndarray, generator: np.random.Generator
) -> pl.DataFrame:
    n = len(days)
    own = 0.012 * generator.standard_normal(n)
    close = generator.uniform(20, 200) * np.exp(np.cumsum(market + own))
    opening = np.r_[close[0], close[:-1]] * np.exp(0.004 * generator.standard_normal(n))
    above, below = np.exp(0.006 * np.abs(generator.standard_normal((2, n))))
    prices = {
        "open": opening,
        "high": np.maximum(opening, close) * above,
        "low": np.minimum(opening, close) / below,
        "close": close,
    }
    columns = {key: np.round(values, 2) for key, values in prices.items()}
    volume = np.round(generator.lognormal(13, 0.4, n))
    return pl.DataFrame({"symbol": [name] * n, "ds": days, **columns, "volume": volume})


class Counts(NamedTuple):
    """What one run of the night sent to the hot store, to the warehouse and to the broker.

    ``calls`` counts Firestore's by method, ``batches`` names what each commit wrote, ``written``
    has the kind and table of each load and merge, ``requests`` are Alpaca's.
    """

    report: DayReport
    calls: Counter[str]
    batches: list[list[str]]
    written: list[tuple[str, str]]
    requests: list[dict[str, Any]]

    @property
    def names(self) -> list[str]:
        """Every document written, as often as it was, but for the lease that each commit renews."""
        return [name for batch in self.batches for name in batch if "job_locks" not in name]

    @property
    def documents(self) -> int:
        """How many documents were written."""
        return len(self.names)

    @property
    def handled(self) -> set[str]:
        """The signals that were decided, sent, moved, ended or archived."""
        ids = (name.partition("/")[2] for name in self.names if not name.startswith("job_"))
        return {"-".join(name.split("-")[:2]) for name in ids}


def embedded_night(folder: Path) -> Callable[[], DayReport]:
    """Runs the night on the embedded engines, the days before it done."""
    project = Project.open(night_project(folder), ROOM)
    simulate(project, NAME, (FIRST, NIGHT - _DAY), 30)
    return lambda: run(project, BOOK, NIGHT)


@contextmanager
def cloud_night(
    folder: Path, stores: tuple[str, BigQueryEmulator]
) -> Iterator[Callable[[], Counts]]:
    """Runs the night on the engines' stand-ins, the days before it done."""
    night_project(folder)
    with in_the_cloud(folder, (NAME, FIRST), stores, ROOM) as (project, exchange, guard):
        terms = project.settings.hot_store
        place = FirestorePlace(terms.project, terms.database, terms.emulator_host)
        calls = counted(wire._connect(place))
        migrate(project)
        simulate(project, NAME, (FIRST, NIGHT - _DAY), 30)

        def measured() -> Counts:
            calls.forget()
            guard.written.clear()
            exchange.admin("DELETE", "/requests")
            report = run(project, BOOK, NIGHT)
            requests = exchange.admin("GET", "/requests")
            return Counts(report, calls.calls, calls.batches, _by_table(guard.written), requests)

        yield measured


def _by_table(written: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The same with the table a load is for instead of the one it fills before the merge."""
    found = []
    for kind, name in written:
        staged = re.search(r"_((?:fact|dim|snapshot|job|audit)_[a-z_]+?)_[0-9a-f]{24}", name)
        found.append((kind, staged[1] if staged else name))
    return found
