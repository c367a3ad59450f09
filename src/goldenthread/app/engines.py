"""The wiring: the only file that names an engine."""

from __future__ import annotations

import datetime as dt
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from goldenthread.adapters.broker.recording import RecordingBroker
from goldenthread.adapters.broker.simulated import SimulatedBroker, SimulatedSettings
from goldenthread.adapters.hot_store.overlay import OverlayHotStore
from goldenthread.adapters.hot_store.sqlite import SqliteHotStore
from goldenthread.adapters.hot_store.unbegun import UnbegunHotStore
from goldenthread.adapters.market_data.parquet import ParquetMarketData
from goldenthread.adapters.notifier.log import LogNotifier
from goldenthread.adapters.warehouse.duckdb import DuckDBWarehouse
from goldenthread.app.clock import SystemClock
from goldenthread.domain.asset import ActionKind
from goldenthread.domain.errors import EngineError, UsageError
from goldenthread.ports.hot_store import HotStore
from goldenthread.ports.leases import Leases
from goldenthread.rules.splits import ratio_between
from goldenthread.warehouse.views import prepare

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from decimal import Decimal
    from pathlib import Path

    from goldenthread.adapters.broker.recording import Asked
    from goldenthread.adapters.hot_store.firestore import FirestoreHotStore
    from goldenthread.app.settings import Settings
    from goldenthread.domain.asset import Asset
    from goldenthread.domain.bar import Bar
    from goldenthread.domain.clock import Clock
    from goldenthread.market.bars import BarBook
    from goldenthread.ports.broker import Broker
    from goldenthread.ports.notifier import Notifier
    from goldenthread.ports.warehouse import Warehouse


_DAY = dt.timedelta(days=1)
_RUN_AT = dt.time(0, 5, tzinfo=dt.UTC)
_CLOCKS_APART = dt.timedelta(seconds=60)
"""How far apart the clocks of two runs may be, for leases to mean the same to both."""

_WAIT = dt.timedelta(days=14)
"""How far ahead an exchange looks for the open a market order fills at."""


def _known(ds: dt.date) -> dt.datetime:
    """The instant a run of ``ds`` starts at."""
    return dt.datetime.combine(ds + _DAY, _RUN_AT)


@dataclass(frozen=True)
class Engines:
    """One engine for every port, for one book."""

    broker: Broker
    hot_store: HotStore
    leases: Leases
    warehouse: Warehouse
    notifier: Notifier
    clock: Clock


@dataclass(frozen=True)
class ExchangeBars:
    """The bars a simulated exchange trades on, as a run of their date knows them.

    A revision that comes later changes no execution that has happened.
    """

    bars: BarBook
    assets: Mapping[str, Asset]

    def bar(self, symbol: str, ds: dt.date) -> Bar | None:
        """The tradable raw bar, or None for a session without one."""
        return self.bars.tradable(symbol, ds, _known(ds))

    def next_open(self, symbol: str, ds: dt.date) -> tuple[dt.date, Decimal] | None:
        """Date and open of the first tradable bar after ``ds``, as far as there is one yet."""
        for after in self.bars.bars_since(symbol, ds, ds + _WAIT):
            first = self.bar(symbol, after.ds)
            if first is not None:
                return first.ds, first.open
        return None

    def ratio(self, symbol: str, ds: dt.date) -> Decimal:
        """Shares after the open of ``ds`` for one share before."""
        return ratio_between(self.bars.actions(symbol), ds - _DAY, ds)

    def asset(self, symbol: str) -> Asset:
        """The asset of that symbol."""
        return self.assets[symbol]

    def last_close(self, symbol: str, ds: dt.date) -> Decimal | None:
        """The last known raw close up to ``ds``."""
        return self.bars.last_close(symbol, ds, _known(ds))


def open_engines(
    settings: Settings, root: Path, book: str, market: ExchangeBars, *, durable: bool = True
) -> Engines:
    """The engines of the settings for one book.

    A simulation can be run again from its first date, so it need not wait for the disk after
    every commit (``durable`` False): a power cut may cost its tail, a crash of ours never does.
    """
    warehouse = open_warehouse(settings, root, reach=True)
    clock = SystemClock()
    synchronous = settings.hot_store.synchronous if durable else "NORMAL"
    hot_file = root / settings.hot_store.path
    hot_store = _hot_store(settings, root, book, synchronous)
    return Engines(
        broker=_exchange(settings, hot_file.parent, book, market, synchronous),
        hot_store=hot_store,
        leases=hot_store,
        warehouse=warehouse,
        notifier=_notifier(settings, root, clock),
        clock=clock,
    )


def planning_engines(
    settings: Settings, root: Path, book: str, market: ExchangeBars, scratch: Path
) -> tuple[Engines, Asked]:
    """Engines for a plan, and what they are asked to send.

    Nothing is sent or written, and the exchange moves on in a copy.
    """
    for file in (root / settings.hot_store.path).parent.glob(f"{_exchange_file(book)}*"):
        shutil.copy(file, scratch / file.name)
    clock = SystemClock()
    overlay = OverlayHotStore(read_hot_store(settings, root, book), clock)
    broker = RecordingBroker(_exchange(settings, scratch, book, market, "NORMAL"))
    engines = Engines(
        broker=broker,
        hot_store=overlay,
        leases=overlay,
        warehouse=open_warehouse(settings, root),
        notifier=LogNotifier(root / settings.notifier.path, clock),
        clock=clock,
    )
    return engines, broker.asked


def read_hot_store(settings: Settings, root: Path, book: str) -> HotStore:
    """The hot store of a book for looking only: nothing is created before there is something."""
    if settings.hot_store.engine == "sqlite" and not (root / settings.hot_store.path).exists():
        return UnbegunHotStore()
    return open_hot_store(settings, root, book)


def open_hot_store(settings: Settings, root: Path, book: str) -> HotStore:
    """The hot store of a book, without its other engines."""
    return _hot_store(settings, root, book, settings.hot_store.synchronous)


def check_hot_store(settings: Settings, root: Path, book: str) -> str:
    """What a look at the hot store of a book found, in words.

    Raises:
        EngineError: It cannot be used, or its clock is not ours.
    """
    if settings.hot_store.engine == "sqlite":
        return f"{read_hot_store(settings, root, book).count('live_signals')} live signals"
    store = _firestore(settings, book)
    lead = store.clock_lead()
    if abs(lead) > _CLOCKS_APART:
        ahead = "ahead of" if lead > dt.timedelta() else "behind"
        msg = (
            f"the clock of Firestore is {abs(lead).total_seconds():.0f} s {ahead} this machine's;"
            f" at most {_CLOCKS_APART.total_seconds():.0f} s: let this machine keep time (NTP)"
        )
        raise EngineError(msg)
    apart = f"clocks {abs(lead).total_seconds():.1f} s apart"
    return f"{store.count('live_signals')} live signals; read and written, {apart}"


def open_warehouse(settings: Settings, root: Path, *, reach: bool = False) -> Warehouse:
    """The warehouse of the project, shared by its books.

    ``reach`` asks a cloud whether it answers, so that a run stops before it writes anything.
    """
    if settings.warehouse.engine == "bigquery":
        return _bigquery(settings, reach=reach)
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


def _hot_store(
    settings: Settings, root: Path, book: str, synchronous: Literal["FULL", "NORMAL"]
) -> _Store:
    if settings.hot_store.engine == "firestore":
        return _firestore(settings, book)
    path = root / settings.hot_store.path
    return SqliteHotStore(path, book, SystemClock(), synchronous=synchronous)


def _firestore(settings: Settings, book: str) -> FirestoreHotStore:
    chosen = settings.hot_store
    if not chosen.project:
        msg = (
            "[hot_store] project is empty; the engine firestore needs the Google Cloud"
            ' project, "my-desk-123" for example'
        )
        raise UsageError(msg)
    with _extra("gcp", '[hot_store] engine = "firestore"'):
        from goldenthread.adapters.hot_store import firestore  # noqa: PLC0415  # an extra
    place = firestore.FirestorePlace(chosen.project, chosen.database, chosen.emulator_host)
    return firestore.FirestoreHotStore(place, book, SystemClock())


def _notifier(settings: Settings, root: Path, clock: Clock) -> Notifier:
    log = LogNotifier(root / settings.notifier.path, clock)
    if settings.notifier.engine == "log":
        return log
    with _extra("notify", '[notifier] engine = "apprise"'):
        from goldenthread.adapters.notifier import apprise  # noqa: PLC0415  # an extra
    return apprise.AppriseNotifier(settings.notifier.urls.get_secret_value().split(), log, clock)


@contextmanager
def _extra(name: str, setting: str) -> Iterator[None]:
    """Say what to install where an engine's library is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        msg = f"{setting} needs {error.name}: pip install 'goldenthread[{name}]'"
        raise UsageError(msg) from error


def _bigquery(settings: Settings, *, reach: bool) -> Warehouse:
    """The dataset of the settings.

    Raises:
        UsageError: The settings name no project, or Google's client is not installed.
    """
    chosen = settings.warehouse
    if not chosen.project:
        msg = (
            '[warehouse] engine is "bigquery" and project is empty; write the id of your Google '
            "Cloud project there"
        )
        raise UsageError(msg)
    with _extra("gcp", '[warehouse] engine = "bigquery"'):
        from goldenthread.adapters.warehouse.bigquery.terms import BigQueryTerms, connect  # noqa: PLC0415  # an extra
        from goldenthread.adapters.warehouse.bigquery.warehouse import BigQueryWarehouse  # noqa: PLC0415  # an extra
    terms = BigQueryTerms(
        project=chosen.project,
        dataset=chosen.dataset,
        location=chosen.location,
        max_query_bytes=chosen.max_query_bytes,
        api_endpoint=chosen.api_endpoint,
        timeout_s=chosen.timeout_s,
        job_timeout_s=chosen.job_timeout_s,
    )
    warehouse = BigQueryWarehouse(connect(terms), terms, SystemClock(), prepare=prepare)
    if reach:
        warehouse.reach()
    return warehouse


def _exchange_file(book: str) -> str:
    return f"exchange-{book.partition(':')[2]}.sqlite"


def _exchange(
    settings: Settings,
    folder: Path,
    book: str,
    market: ExchangeBars,
    synchronous: Literal["FULL", "NORMAL"],
) -> SimulatedBroker:
    """The simulated exchange of a book, in a file of its own beside the hot store."""
    name = book.partition(":")[2]
    delistings = {
        action.symbol: action.ex_ds
        for symbol in market.assets
        for action in market.bars.actions(symbol)
        if action.kind is ActionKind.DELISTING
    }
    terms = SimulatedSettings(
        account_id=f"SIM-{name}",
        start_cash=settings.sim.start_cash,
        profile=settings.policy.profile,
        slippage_bps=settings.policy.slippage_bps,
        seed=settings.sim.seed,
        partial_probability=settings.sim.partial_probability,
        multiplier=settings.sim.multiplier,
        delistings=delistings,
    )
    return SimulatedBroker(terms, market, folder / _exchange_file(book), synchronous=synchronous)
