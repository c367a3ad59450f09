"""The same months on the embedded engines and on the real ones' stand-ins, equal to the digit.

Firestore's emulator, the BigQuery emulator behind its guard, and alpaca-py over HTTP against
`goldenthread exchange`. `make parity-engines` takes six months; a test run one, and twelve
days archived daily.
"""

from __future__ import annotations

import datetime as dt
import os
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl
import pytest

from emulators.cloud import in_the_cloud
from goldenthread.app.api.bars import import_bars
from goldenthread.app.api.checks import check_thread
from goldenthread.app.api.days import simulate
from goldenthread.app.api.project import Project, init_project
from goldenthread.app.api.records import signals
from goldenthread.app.api.store import digest, migrate
from goldenthread.app.engines.wiring import open_hot_store, open_warehouse
from goldenthread.domain.order import OrderIntent
from goldenthread.domain.position import Position
from goldenthread.domain.signal import Signal
from goldenthread.warehouse.digest import table_digests

if TYPE_CHECKING:
    from pathlib import Path

    from emulators.bigquery import BigQueryEmulator
    from goldenthread.ports.hot_store import Body, Collection, HotStore

pytestmark = [pytest.mark.slow, pytest.mark.shared]

MONTHS = int(os.environ.get("PARITY_MONTHS", "1"))
FIRST = dt.date(2016, 6, 1)
TEN = ("AAPL", "AIG", "AMZN", "BAC", "GOOG", "IBM", "QQQ", "SPY", "BTC-USD", "ETH-USD")
NAME, BOOK = "parity", "sim:parity"
_LIVE: tuple[Collection, ...] = ("live_signals", "live_positions", "order_intents")
_STATES = ("WAITING", "ACTIVE", "PENDING", "OPEN", "CLOSING", "WORKING", "UNKNOWN")


class Left(NamedTuple):
    """What a simulation left: every table's digest, every signal, what lives, its proof."""

    digests: dict[str, str]
    tables: dict[str, str]
    signals: list[dict[str, Any]]
    live: dict[str, Any]
    proof: dict[str, Any]


def made(folder: Path, shared: Path) -> Path:
    """A project with the shipped strategies and the bars and actions of ten symbols."""
    init_project(folder)
    bars = pl.read_parquet(shared / "daily_bars.parquet").filter(pl.col("symbol").is_in(TEN))
    bars.write_parquet(folder / "bars.parquet")
    actions = [shared / "lean_factor_files", shared / "lean_map_files"]
    report = import_bars(Project.open(folder), folder / "bars.parquet", {}, actions)
    assert report.symbols == len(TEN)
    return folder


def left_by(project: Project, days: int, archive_every: int) -> Left:
    """What is there after so many days."""
    last = FIRST + dt.timedelta(days=days - 1)
    simulate(project, NAME, (FIRST, last), archive_every)
    store = open_hot_store(project.settings, project.root, BOOK)
    return Left(
        digests=digest(project, BOOK),
        tables=table_digests(open_warehouse(project.settings, project.root), BOOK),
        signals=signals(project, BOOK, (FIRST, last)),
        live=_living(store),
        proof=check_thread(project, BOOK),
    )


def _living(store: HotStore) -> dict[str, Any]:
    """What lives, as values: 1.50 is 1.5, and when an order was received is nobody's decision."""
    found = {
        (collection, document.id): document.body
        for collection in _LIVE
        for status in _STATES
        for document in store.query(collection, equal={"status": status})
    }
    return {f"{kind}/{name}": _value(kind, body) for (kind, name), body in found.items()}


def _value(kind: str, body: Body) -> object:
    if kind == "live_signals":
        return Signal.model_validate(body)
    if kind == "live_positions":
        return Position.model_validate(body)
    order = OrderIntent.model_validate(body)
    report = order.report and order.report.model_copy(update={"submitted_at": None})
    return order.model_copy(update={"report": report})


@pytest.mark.parametrize("pace", [(30 * MONTHS, 30), (12, 1)], ids=["monthly", "daily"])
def test_the_real_engines_leave_what_the_embedded_ones_leave(
    pace: tuple[int, int],
    shared_data: Path,
    tmp_path: Path,
    firestore_emulator: str,
    bigquery: BigQueryEmulator,
    request: pytest.FixtureRequest,
) -> None:
    days, archive_every = pace
    embedded = left_by(Project.open(made(tmp_path / "embedded", shared_data)), days, archive_every)
    folder = made(tmp_path / "cloud", shared_data)
    stores = (firestore_emulator, bigquery)
    with in_the_cloud(folder, (NAME, FIRST), stores) as (project, exchange, guard):
        assert "created fact_trades" in migrate(project)
        cloud = left_by(project, days, archive_every)
        requests = len(exchange.admin("GET", "/requests"))
    assert cloud == embedded
    assert cloud.proof["ok"]
    assert {row["outcome"] for row in cloud.signals} >= {"traded", "rejected", "expired"}
    text = (
        f"parity of engines: {days} days archived every {archive_every}:"
        f" {len(cloud.signals)} signals, {requests / days:.1f} Alpaca requests a day,"
        f" 0 differences; {guard.statements.count('LOAD')} loads and"
        f" {guard.statements.count('MERGE')} merges"
    )
    request.node.user_properties.append(("figure", text))
