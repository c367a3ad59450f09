"""The wiring: the only file that names an engine."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from goldenthread.adapters.broker.recording import RecordingBroker
from goldenthread.adapters.broker.simulated import SimulatedBroker, SimulatedSettings
from goldenthread.adapters.hot_store.overlay import OverlayHotStore
from goldenthread.adapters.hot_store.sqlite import SqliteHotStore
from goldenthread.adapters.market_data.parquet import ParquetMarketData
from goldenthread.adapters.notifier.log import LogNotifier
from goldenthread.adapters.warehouse.duckdb import DuckDBWarehouse
from goldenthread.app.clock import SystemClock
from goldenthread.domain.asset import ActionKind
from goldenthread.domain.errors import UsageError
from goldenthread.rules.splits import ratio_between
from goldenthread.warehouse.views import prepare

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal
    from pathlib import Path

    from goldenthread.adapters.alpaca.connection import Access
    from goldenthread.adapters.broker.alpaca import AlpacaBroker
    from goldenthread.adapters.broker.recording import Asked
    from goldenthread.adapters.market_data.alpaca import AlpacaMarketData
    from goldenthread.app.settings import Settings
    from goldenthread.domain.asset import Asset
    from goldenthread.domain.bar import Bar
    from goldenthread.domain.clock import Clock
    from goldenthread.market.bars import BarBook
    from goldenthread.ports.broker import Broker
    from goldenthread.ports.hot_store import HotStore
    from goldenthread.ports.leases import Leases
    from goldenthread.ports.notifier import Notifier
    from goldenthread.ports.warehouse import Warehouse


_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
_DAY = dt.timedelta(days=1)
_RUN_AT = dt.time(0, 5, tzinfo=dt.UTC)
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
    clock = SystemClock()
    synchronous = settings.hot_store.synchronous if durable else "NORMAL"
    hot_file = root / settings.hot_store.path
    hot_store = SqliteHotStore(hot_file, book, clock, synchronous=synchronous)
    return Engines(
        broker=_broker(settings, hot_file.parent, book, market, synchronous),
        hot_store=hot_store,
        leases=hot_store,
        warehouse=open_warehouse(settings, root),
        notifier=LogNotifier(root / settings.notifier.path, clock),
        clock=clock,
    )


def planning_engines(
    settings: Settings, root: Path, book: str, market: ExchangeBars, scratch: Path
) -> tuple[Engines, Asked]:
    """Engines for a plan, and what they are asked to send.

    Nothing is sent or written, and the exchange moves on in a copy.
    """
    engines = open_engines(settings, root, book, market)
    asked: Broker
    if settings.broker.engine == "alpaca":
        asked = open_alpaca(settings, book, advances=False)
    else:
        state = root / settings.hot_store.path.parent
        for file in state.glob(f"{_exchange_file(book)}*"):
            shutil.copy(file, scratch / file.name)
        asked = _exchange(settings, scratch, book, market, "NORMAL")
    overlay = OverlayHotStore(engines.hot_store, engines.clock)
    broker = RecordingBroker(asked)
    return replace(engines, broker=broker, hot_store=overlay, leases=overlay), broker.asked


def open_hot_store(settings: Settings, root: Path, book: str) -> HotStore:
    """The hot store of a book, without its other engines."""
    path = root / settings.hot_store.path
    return SqliteHotStore(path, book, SystemClock(), synchronous=settings.hot_store.synchronous)


def open_warehouse(settings: Settings, root: Path) -> Warehouse:
    """The warehouse of the project, shared by its books."""
    return DuckDBWarehouse(
        root / settings.warehouse.path,
        read_path=root / settings.warehouse.read_path,
        lock_timeout_s=settings.warehouse.lock_timeout_s,
        prepare=prepare,
    )


def open_market_data(settings: Settings, root: Path) -> ParquetMarketData:
    """Where bars, assets and corporate actions are stored."""
    return ParquetMarketData(root / settings.market_data.path)


def open_alpaca(settings: Settings, book: str, *, advances: bool = True) -> AlpacaBroker:
    """The Alpaca account of a book; ``advances`` lets it move the clock of our own exchange.

    Raises:
        UsageError: A live account without its two switches, a key missing, or an address that
            does not fit the book.
    """
    from goldenthread.adapters.alpaca.exchange_clock import (  # noqa: PLC0415  # only when named
        advancing,
    )
    from goldenthread.adapters.broker.alpaca import AlpacaBroker  # noqa: PLC0415  # only when named

    kind, _, account = book.partition(":")
    host = urlsplit(settings.alpaca.trading_url).hostname or ""
    if kind == "live":
        _refuse_unless_meant(settings, account)
    elif host.endswith("alpaca.markets") and not host.startswith("paper-api."):
        msg = (
            f"book {book} with [alpaca] trading_url {settings.alpaca.trading_url} would trade a"
            " live account; remove the address, or use a book live:<account id>"
        )
        raise UsageError(msg)
    if kind == "sim" and host not in _THIS_MACHINE:
        msg = (
            f"book {book} needs an exchange of this machine in [alpaca] trading_url, got"
            f" {settings.alpaca.trading_url or 'nothing'!r}; start `goldenthread exchange`, or use"
            " a book paper:<account id>"
        )
        raise UsageError(msg)
    admin = settings.alpaca.admin_url
    return AlpacaBroker(
        alpaca_access(settings, settings.alpaca.trading_url),
        SystemClock(),
        paper=kind != "live",
        advance=advancing(admin) if admin and advances else None,
    )


def open_puller(settings: Settings) -> AlpacaMarketData:
    """Where new bars are pulled from.

    Raises:
        UsageError: The engine of the settings has nowhere to pull from, or a key is missing.
    """
    if settings.market_data.engine != "alpaca":
        msg = (
            f"market data engine {settings.market_data.engine!r} has nowhere to pull from; set"
            " [market_data] engine to 'alpaca', or import files with `goldenthread data import"
            " FILE.csv|.parquet`"
        )
        raise UsageError(msg)
    from goldenthread.adapters.market_data.alpaca import (  # noqa: PLC0415  # only when named
        AlpacaMarketData,
    )

    terms = settings.alpaca
    return AlpacaMarketData(
        alpaca_access(settings, terms.data_url),
        alpaca_access(settings, terms.trading_url),
        SystemClock(),
        terms.feed,
    )


def alpaca_access(settings: Settings, url: str) -> Access:
    """Where Alpaca is and who we are there.

    Raises:
        UsageError: The package or a key is missing.
    """
    from goldenthread.adapters.alpaca.connection import Access  # noqa: PLC0415  # only when named

    terms = settings.alpaca
    for name, secret in (("KEY_ID", terms.key_id), ("SECRET_KEY", terms.secret_key)):
        if not secret.get_secret_value():
            msg = (
                f"no Alpaca key: set the variable GOLDENTHREAD_ALPACA__{name} (or APCA_API_{name});"
                " Alpaca's dashboard shows it once, when it is made"
            )
            raise UsageError(msg)
    return Access(
        key_id=terms.key_id.get_secret_value(),
        secret_key=terms.secret_key,
        url=url or None,
        timeout_s=terms.timeout_s,
        per_minute=terms.requests_per_minute,
    )


def _refuse_unless_meant(settings: Settings, account: str) -> None:
    """A live account takes two switches: one in the settings, one on the command line."""
    if not settings.broker.allow_live:
        msg = (
            f"live:{account} trades real money, and [broker] allow_live is false; set it to true in"
            f" goldenthread.toml and give --live {account} as well, or use a paper book"
        )
        raise UsageError(msg)
    if settings.broker.live_account != account:
        got = settings.broker.live_account or "nothing"
        msg = (
            f"live:{account} trades real money: --live got {got}; give --live {account} to say"
            " that you mean it"
        )
        raise UsageError(msg)


def _broker(
    settings: Settings,
    folder: Path,
    book: str,
    market: ExchangeBars,
    synchronous: Literal["FULL", "NORMAL"],
) -> Broker:
    if settings.broker.engine == "alpaca":
        return open_alpaca(settings, book)
    return _exchange(settings, folder, book, market, synchronous)


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
