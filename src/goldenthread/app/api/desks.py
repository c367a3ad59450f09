"""From a project to a desk: strategies compiled, bars loaded, engines wired."""

from __future__ import annotations

import datetime as dt
import os
import socket
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING
from uuid import uuid4

from goldenthread.app.clock import SystemClock
from goldenthread.app.desk import Desk
from goldenthread.app.engines.alpaca import open_alpaca
from goldenthread.app.engines.wiring import (
    open_engines,
    open_market_data,
    planning_engines,
    read_hot_store,
)
from goldenthread.app.pricing import Pricer
from goldenthread.app.versions import Library
from goldenthread.domain.errors import ConflictError, UsageError
from goldenthread.market.bars import BarBook, KnownBars
from goldenthread.market.inputs.book import InputBook
from goldenthread.market.quality import judge
from goldenthread.market.universe import resolve
from goldenthread.signals.binding import MAX_LOOKBACK
from goldenthread.signals.engine import Evaluator, Memo, engine_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import polars as pl

    from goldenthread.adapters.broker.recording import Asked
    from goldenthread.app.api.project import Project
    from goldenthread.app.engines.wiring import Engines
    from goldenthread.domain.account import AccountState
    from goldenthread.domain.asset import Asset
    from goldenthread.domain.strategy import Strategy
    from goldenthread.ports.hot_store import HotStore

_APART = dt.timedelta(minutes=5)
"""How far our clock and the broker's may differ: deadlines are an hour, sessions minutes."""
_EVER = dt.date(1900, 1, 1)
_NAMED = 8
_AT_HAND = 50
"""Symbols whose series a desk of one date keeps; one of many keeps all: the next reads them."""
_AHEAD = dt.timedelta(days=14)
"""How far past its last date a desk loads bars: an exchange executes at the next open."""


def open_desk(
    project: Project, book: str, span: tuple[dt.date, dt.date], *, durable: bool = True
) -> Desk:
    """A book of the project, ready to run the dates of ``span``.

    Raises:
        UsageError: No bars were imported, or a strategy file is not right.
    """

    def wire(market: KnownBars) -> Engines:
        return open_engines(project.settings, project.root, book, market, durable=durable)

    return _desk(project, book, span, wire)


def plan_desk(
    project: Project, book: str, span: tuple[dt.date, dt.date], scratch: Path
) -> tuple[Desk, Asked]:
    """The same desk for a plan, and what it asks to send; it writes into ``scratch`` only."""
    asked: list[Asked] = []

    def wire(market: KnownBars) -> Engines:
        engines, sent = planning_engines(project.settings, project.root, book, market, scratch)
        asked.append(sent)
        return engines

    return _desk(project, book, span, wire), asked[0]


def greet(project: Project, book: str) -> str:
    """In words, whom the book trades with; nothing is written.

    Raises:
        UsageError: A key is missing, or a live account without its two switches.
        EngineError: The broker is not there, does not accept the key, or our clock is wrong.
        ConflictError: The account is not the book's.
    """
    if project.settings.broker.engine != "alpaca":
        return "simulated exchange of this process"
    from goldenthread.adapters.alpaca.connection import (  # noqa: PLC0415  # only when named
        expect_clock,
    )

    with closing(open_alpaca(project.settings, book, advances=False)) as broker:
        account = broker.account()
    if not project.settings.alpaca.admin_url:  # our own exchange keeps a time of its own
        expect_clock(SystemClock().now(), account.as_of, _APART)
    _refuse_other_account(book, account)
    blocked = ", blocked" if account.blocked else ""
    return f"account {account.account_id} at Alpaca, equity {account.equity:,.2f}{blocked}"


def _desk(
    project: Project,
    book: str,
    span: tuple[dt.date, dt.date],
    wire: Callable[[KnownBars], Engines],
) -> Desk:
    assets = load_assets(project)
    judged, bars = load_bars(project, list(assets), span[1] + _AHEAD)
    strategies = project.strategies()
    library = Library(strategies, runs_code=project.settings.factors.enabled)
    inputs = load_inputs(project, strategies)
    engines = wire(KnownBars(bars, assets))
    memo = Memo(most=None if span[0] < span[1] else _AT_HAND)
    looking_back = Evaluator(bars.window, inputs=inputs.steps)
    return Desk(
        book=book,
        engines=engines,
        policy=project.policy,
        library=library,
        bars=bars,
        judged=judged,
        assets=assets,
        members=members_of(project, strategies, assets),
        evaluator=Evaluator(bars.window, memo, inputs=inputs.steps),
        pricer=Pricer(
            bars, assets, project.policy, *_rules_of(library, engines.hot_store, looking_back)
        ),
        code=(engine_digest(), git_hash(project.root)),
        owner=f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}",
        lease_ttl_s=project.settings.run.lease_ttl_s,
        ttl_days=project.settings.run.ttl_days,
    )


def open_pricer(project: Project, book: str, upto: dt.date) -> Pricer:
    """What prices signals of the book on the bars up to a date, without broker or warehouse.

    Raises:
        UsageError: No bars were imported yet, or a strategy file is not right.
    """
    assets, strategies = load_assets(project), project.strategies()
    _, bars = load_bars(project, list(assets), upto + _AHEAD)
    library = Library(strategies, runs_code=project.settings.factors.enabled)
    store = read_hot_store(project.settings, project.root, book)
    evaluator = Evaluator(bars.window, inputs=load_inputs(project, strategies).steps)
    return Pricer(bars, assets, project.policy, *_rules_of(library, store, evaluator))


def _rules_of(
    library: Library, store: HotStore, evaluator: Evaluator
) -> tuple[Callable[[str, str, dt.date, dt.datetime], bool | None], Callable[[str], bool]]:
    """Whether a version's exit rule held, and whether the version is known.

    Its evaluator keeps its own series: it looks back.
    """

    def rule(version_key: str, symbol: str, ds: dt.date, now: dt.datetime) -> bool | None:
        evaluator.at(ds, now)
        return library.holds(store, evaluator, version_key, "exit", symbol, ds)

    return rule, lambda version_key: library.version(store, version_key) is not None


def load_assets(project: Project) -> dict[str, Asset]:
    """Every asset of the project by symbol.

    Raises:
        UsageError: No bars were imported yet.
    """
    assets = {a.symbol: a for a in open_market_data(project.settings, project.root).assets()}
    if not assets:
        msg = (
            f"no bars in {project.root / project.settings.market_data.path}; bring some with"
            " `goldenthread data import FILE.csv|.parquet`"
        )
        raise UsageError(msg)
    return assets


def load_bars(
    project: Project, symbols: Sequence[str], until: dt.date
) -> tuple[pl.DataFrame, BarBook]:
    """Every judged bar up to ``until``, as a frame and ready to be read.

    All history is loaded, so that what a bar was judged does not depend on who asks.
    """
    store = open_market_data(project.settings, project.root)
    actions = store.actions(symbols)
    judged = judge(store.bars(symbols, _EVER, until), actions).bars
    return judged, BarBook(judged, actions, store.assets(), lookback=MAX_LOOKBACK)


def load_inputs(project: Project, strategies: Sequence[Strategy]) -> InputBook:
    """The point-in-time values of the project.

    Raises:
        UsageError: A strategy names a table that was not imported.
    """
    values = open_market_data(project.settings, project.root).inputs()
    book = InputBook(values, project.settings.run.start_after)
    for strategy in strategies:
        wrong = book.lacking({name: t.table for name, t in strategy.tables.items()})
        if wrong:
            msg = f"strategy {strategy.strategy_id}: {wrong}"
            raise UsageError(msg)
    return book


def members_of(
    project: Project, strategies: Sequence[Strategy], assets: dict[str, Asset]
) -> dict[str, tuple[str, ...]]:
    """The symbols each strategy decides on: its assets that there are bars of."""
    return {
        s.strategy_id: tuple(m for m in resolve(s.assets, project.universes) if m in assets)
        for s in strategies
    }


def silence(project: Project, desk: Desk) -> list[str]:
    """A sentence each about why strategies decide nothing: no files, no bars of what they name."""
    deciding = [c.strategy for c in desk.deciding()]
    if not deciding:
        nothing = "no strategy decides: none in strategies/ is active or shadow; write one with"
        return [f"{nothing} `goldenthread strategy new NAME`"]
    found = []
    idle = [s for s in deciding if not desk.members[s.strategy_id]]
    if idle:
        lacking = sorted({m for s in idle for m in resolve(s.assets, project.universes)})
        names = _some([s.strategy_id for s in idle])
        count = "1 strategy decides" if len(idle) == 1 else f"{len(idle)} strategies decide"
        found.append(f"{count} on nothing: no bars for {_some(lacking)} ({names})")
    for compiled in desk.deciding():
        blind = sorted(symbol for symbol in compiled.refs if symbol not in desk.assets)
        if blind and desk.members[compiled.strategy.strategy_id]:
            found.append(
                f"{compiled.strategy.strategy_id} refers to {_some(blind)}, which has no bars:"
                " whatever asks for it is null"
            )
    return found


def _some(names: list[str]) -> str:
    """The first of the names, and how many more there are."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def git_hash(root: Path) -> str:
    """The commit of the project folder, for people; empty where there is none."""
    try:
        done = subprocess.run(  # a fixed command without a shell
            ["git", "rev-parse", "--short=12", "HEAD"],  # noqa: S607  # git where the user has it
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
            timeout=5,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _refuse_other_account(book: str, account: AccountState) -> None:
    kind, _, named = book.partition(":")
    if kind != "sim" and account.account_id != named:
        msg = (
            f"the keys open account {account.account_id}, book {book} is another one; give"
            f" the keys of {named}, or begin the book {kind}:{account.account_id} (a reset of a"
            " paper account makes a new one)"
        )
        raise ConflictError(msg)
