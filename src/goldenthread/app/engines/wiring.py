"""From settings to engines, one for every port."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from goldenthread.adapters.broker.recording import RecordingBroker
from goldenthread.adapters.hot_store.overlay import OverlayHotStore
from goldenthread.adapters.hot_store.sqlite import SqliteHotStore
from goldenthread.adapters.hot_store.unbegun import UnbegunHotStore
from goldenthread.adapters.market_data.parquet import ParquetMarketData
from goldenthread.adapters.notifier.log import LogNotifier
from goldenthread.adapters.notifier.silent import SilentNotifier
from goldenthread.adapters.warehouse.duckdb import DuckDBWarehouse
from goldenthread.app.clock import SystemClock
from goldenthread.app.engines.alpaca import open_alpaca
from goldenthread.app.engines.exchange import exchange, exchange_file
from goldenthread.app.engines.extras import extra
from goldenthread.app.engines.google import check_firestore, open_bigquery, open_firestore
from goldenthread.ports.hot_store import HotStore
from goldenthread.ports.leases import Holder, Leases
from goldenthread.warehouse.views import prepare

if TYPE_CHECKING:
    from pathlib import Path

    from goldenthread.adapters.broker.recording import Asked
    from goldenthread.app.settings import Settings
    from goldenthread.domain.clock import Clock
    from goldenthread.market.bars import KnownBars
    from goldenthread.ports.broker import Broker
    from goldenthread.ports.notifier import Level, Notifier
    from goldenthread.ports.warehouse import Warehouse


@dataclass(frozen=True)
class Engines:
    """One engine for every port, for one book."""

    broker: Broker
    hot_store: HotStore
    leases: Leases
    warehouse: Warehouse
    notifier: Notifier
    clock: Clock


def open_engines(
    settings: Settings, root: Path, book: str, market: KnownBars, *, durable: bool = True
) -> Engines:
    """The engines of the settings for one book.

    A simulation can be run again from its first date, so it need not wait for the disk after
    every commit (``durable`` False): a power cut may cost its tail, a crash of ours never does.
    Of its many days the log keeps what is out of order.
    """
    warehouse = open_warehouse(settings, root, reach=True)
    clock = SystemClock()
    synchronous = settings.hot_store.synchronous if durable else "NORMAL"
    hot_file = root / settings.hot_store.path
    hot_store = _hot_store(settings, root, book, synchronous)
    return Engines(
        broker=_broker(settings, hot_file.parent, book, market, synchronous),
        hot_store=hot_store,
        leases=hot_store,
        warehouse=warehouse,
        notifier=_notifier(settings, root, clock, least="info" if durable else "warning"),
        clock=clock,
    )


def planning_engines(
    settings: Settings, root: Path, book: str, market: KnownBars, scratch: Path
) -> tuple[Engines, Asked]:
    """Engines for a plan, and what they are asked to send.

    Nothing is sent or written, and the exchange moves on in a copy.
    """
    clock = SystemClock()
    overlay = OverlayHotStore(read_hot_store(settings, root, book), clock)
    broker = RecordingBroker(_planning_broker(settings, root, book, market, scratch))
    engines = Engines(
        broker=broker,
        hot_store=overlay,
        leases=overlay,
        warehouse=open_warehouse(settings, root),
        notifier=SilentNotifier(),
        clock=clock,
    )
    return engines, broker.asked


def _planning_broker(
    settings: Settings, root: Path, book: str, market: KnownBars, scratch: Path
) -> Broker:
    if settings.broker.engine == "alpaca":
        return open_alpaca(settings, book, advances=False)
    for file in (root / settings.hot_store.path).parent.glob(f"{exchange_file(book)}*"):
        shutil.copy(file, scratch / file.name)
    return exchange(settings, scratch, book, market, "NORMAL")


def read_hot_store(settings: Settings, root: Path, book: str) -> HotStore:
    """The hot store of a book for looking only: nothing is created before there is something."""
    return (
        UnbegunHotStore() if _is_unbegun(settings, root) else open_hot_store(settings, root, book)
    )


def open_hot_store(settings: Settings, root: Path, book: str) -> HotStore:
    """The hot store of a book, without its other engines."""
    return _hot_store(settings, root, book, settings.hot_store.synchronous)


def lease_holder(settings: Settings, root: Path, book: str, name: str) -> Holder | None:
    """Who holds a lease of a book at this moment; None when nobody does."""
    if _is_unbegun(settings, root):
        return None
    return _hot_store(settings, root, book, settings.hot_store.synchronous).holder(name)


def check_hot_store(settings: Settings, root: Path, book: str) -> str:
    """What a look at the hot store of a book found, in words.

    Raises:
        EngineError: It cannot be used, or its clock is not ours.
    """
    if settings.hot_store.engine == "sqlite":
        return f"{read_hot_store(settings, root, book).count('live_signals')} live signals"
    return check_firestore(settings, book)


def open_warehouse(settings: Settings, root: Path, *, reach: bool = False) -> Warehouse:
    """The warehouse of the project, shared by its books.

    ``reach`` asks a cloud whether it answers, so that a run stops before it writes anything.
    """
    if settings.warehouse.engine == "bigquery":
        return open_bigquery(settings, reach=reach)
    return DuckDBWarehouse(
        root / settings.warehouse.path,
        read_path=root / settings.warehouse.read_path,
        lock_timeout_s=settings.warehouse.lock_timeout_s,
        prepare=prepare,
    )


def open_market_data(settings: Settings, root: Path) -> ParquetMarketData:
    """Where bars, assets and corporate actions are stored."""
    return ParquetMarketData(root / settings.market_data.path)


class _Store(HotStore, Leases, Protocol):
    """One object is both ports."""


def _is_unbegun(settings: Settings, root: Path) -> bool:
    """Whether nobody has begun a book here; a cloud is always there."""
    embedded = settings.hot_store.engine == "sqlite"
    return embedded and not (root / settings.hot_store.path).exists()


def _hot_store(
    settings: Settings, root: Path, book: str, synchronous: Literal["FULL", "NORMAL"]
) -> _Store:
    if settings.hot_store.engine == "firestore":
        return open_firestore(settings, book)
    path = root / settings.hot_store.path
    return SqliteHotStore(path, book, SystemClock(), synchronous=synchronous)


def _notifier(settings: Settings, root: Path, clock: Clock, *, least: Level) -> Notifier:
    log = LogNotifier(root / settings.notifier.path, clock, least)
    if settings.notifier.engine == "log":
        return log
    with extra("notify", '[notifier] engine = "apprise"'):
        from goldenthread.adapters.notifier import apprise  # noqa: PLC0415  # an extra
    return apprise.AppriseNotifier(settings.notifier.urls.get_secret_value().split(), log, clock)


def _broker(
    settings: Settings,
    folder: Path,
    book: str,
    market: KnownBars,
    synchronous: Literal["FULL", "NORMAL"],
) -> Broker:
    if settings.broker.engine == "alpaca":
        return open_alpaca(settings, book)
    return exchange(settings, folder, book, market, synchronous)
