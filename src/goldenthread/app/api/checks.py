"""Whether all is well: the machine and the project, and the ledgers of a book."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from goldenthread.app.api.bars import last_bar
from goldenthread.app.api.days import next_step
from goldenthread.app.api.desks import greet, open_desk
from goldenthread.app.api.project import Project
from goldenthread.app.api.records import ALL_TIME, begun_book, facts, outcomes
from goldenthread.app.book import read_book
from goldenthread.app.engines.wiring import check_hot_store, open_warehouse, read_hot_store
from goldenthread.domain.errors import EngineError, GoldenthreadError, UsageError
from goldenthread.domain.position import Position, PositionStatus
from goldenthread.domain.signal import SignalStatus
from goldenthread.positions.blotter import live_positions
from goldenthread.reports.thread import Holding, breaks

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from pathlib import Path

    from goldenthread.app.book import BookState
    from goldenthread.app.desk import Desk
    from goldenthread.ports.hot_store import Body, HotStore

_IDS = """
SELECT signal_id, outcome FROM all_signals WHERE book = @book AND ds BETWEEN @first AND @last
"""
_FILLS = """
SELECT execution_id, position_id, COUNT(*) AS times FROM fact_fills
WHERE book = @book AND ds BETWEEN @first AND @last
GROUP BY execution_id, position_id
"""
_TRADES = "SELECT trade_id FROM fact_trades WHERE book = @book AND ds BETWEEN @first AND @last"
_ERRORS = """
SELECT MAX(SAFE_DIVIDE(CAST(ABS(money_error) AS FLOAT64), CAST(equity AS FLOAT64))) AS worst
FROM snapshot_accounts
WHERE book = @book AND ds BETWEEN @first AND @last
"""
_FREE_BYTES = 200_000_000
_VERSIONS = "SELECT COUNT(*) AS n FROM dim_strategies"
_MONEY = 1e-9
_OUTCOMES = {SignalStatus.CLOSED: "TRADED"}
"""What the warehouse calls an end where the hot store has another word."""


@dataclass(frozen=True)
class Finding:
    """One check: what was looked at, whether it can work, and what was found or is to do.

    ``exit_code`` is what a command that needs the thing ends with: 0 when it can work.
    """

    check: str
    passed: bool
    found: str
    exit_code: int = 0

    def row(self) -> dict[str, object]:
        """The finding as a row of a table."""
        return {"check": self.check, "passed": self.passed, "found": self.found}


def examine(root: Path) -> list[Finding]:
    """Every finding about the folder, the machine first."""
    findings = [_python(), _disk(root)]
    try:
        project = Project.open(root)
    except GoldenthreadError as error:
        return [*findings, _failed("settings", error)]
    checks: dict[str, Callable[[], str]] = {
        "settings": lambda: f"book {project.book()}",
        "strategies": lambda: f"{len(project.strategies())} strategies",
        "bars": lambda: f"last bar {last_bar(project) or 'none yet: goldenthread data import'}",
        "hot store": lambda: check_hot_store(project.settings, project.root, project.book()),
        "broker": lambda: greet(project, project.book()),
        "warehouse": lambda: f"{_versions(project)} strategy versions archived",
    }
    return [*findings, *(_tried(name, check) for name, check in checks.items())]


def check_thread(project: Project, book: str) -> dict[str, Any]:
    """Whether every decided signal has exactly one end and every fill exactly one trade.

    ``lost`` are decided signals found nowhere, ``duplicated`` those with several ends,
    ``undecided`` ends that nobody decided, ``unmatched_fills`` executions of the broker that not
    exactly one trade or open position holds once; ``named`` names the first of each. Ids are
    compared one by one, so that one error cannot hide another. ``money_error`` is the largest
    disagreement of the two ledgers as a fraction of equity.
    """
    desk, state = begun(project, book)
    store = desk.engines.hot_store
    archived = facts(project, desk.book, _IDS).rows()
    ends, unarchived = _ends(store, state, archived)
    decided = _decided(store, state, sorted({name for name, _ in ends}))
    found = breaks(decided, ends, *_executions(project, desk, state))
    worst = facts(project, desk.book, _ERRORS)["worst"].to_list()
    money_error = float(worst[0]) if worst and worst[0] is not None else 0.0
    return {
        "book": desk.book,
        **found.counts(),
        "money_error": money_error,
        **outcomes(project, desk.book),
        "unarchived": unarchived,
        "generated": len(decided),
        "named": found.named(),
        "ok": not any(found.counts().values()) and money_error <= _MONEY,
    }


def check_broker(project: Project, book: str) -> dict[str, Any]:
    """Whether broker and ledger hold the same quantity of every symbol."""
    desk, state = begun(project, book)
    account = desk.engines.broker.account()
    theirs = {h.symbol: h.quantity for h in account.holdings if h.quantity}
    ours: dict[str, Decimal] = {}
    for position in live_positions(desk.engines.hot_store):
        if position.open_quantity:
            held = position.open_quantity * position.side.sign
            ours[position.symbol] = ours.get(position.symbol, Decimal(0)) + held
    differ = {
        symbol: f"broker {theirs.get(symbol, 0)}, ledger {ours.get(symbol, 0)}"
        for symbol in sorted({*theirs, *ours})
        if theirs.get(symbol, 0) != ours.get(symbol, 0)
    }
    return {
        "book": desk.book,
        "as_of": state.last_ds,
        "equity": account.equity,
        "cash": account.cash,
        "symbols_held": len(theirs),
        "differences": differ,
        "ok": not differ,
    }


def begun(project: Project, book: str) -> tuple[Desk, BookState]:
    """The desk of a book as of its last run, and where it stands.

    Raises:
        UsageError: The book has not run yet.
    """
    name = begun_book(project, book)
    state = read_book(read_hot_store(project.settings, project.root, name))
    if state is None or state.last_ds is None:
        raise UsageError(next_step(project, name))
    return open_desk(project, name, (state.last_ds, state.last_ds)), state


def _decided(store: HotStore, state: BookState, ended: list[str]) -> list[str]:
    """The ids of every signal that was decided."""
    documents = store.query("job_metadata", ds_from=state.first_ds)
    return [
        name
        for document in documents
        if document.id.startswith("decided-")
        for name in _signals_of(document.body, ended)
    ]


def _signals_of(body: Body, ended: list[str]) -> list[str]:
    """The signals a date decided; the first schema said only how many: its ends are taken."""
    if "signals" in body:
        return list(body["signals"])
    date = body["ds"].replace("-", "")
    names = [name for name in ended if name.startswith(f"{date}-")][: body["decided"]]
    return [*names, *(f"{date}-unnamed-{n}" for n in range(len(names), body["decided"]))]


def _ends(
    store: HotStore, state: BookState, archived: list[tuple[str, str]]
) -> tuple[list[tuple[str, str]], int]:
    """What every signal became, by id, and how many ended without a fact yet.

    A record of the hot store that says the same as the fact is the same end; what a date that is
    not done has decided is left out.
    """
    facts_of = set(archived)
    known = {name for name, _ in archived}
    ends, unarchived = list(archived), 0
    for collection in ("live_signals", "rejected_signals"):
        for document in store.query(collection, ds_from=state.first_ds, ds_to=state.last_ds):
            status = SignalStatus(document.body["status"])
            end = (document.id, _OUTCOMES.get(status, status.value))
            unarchived += status.is_final and document.id not in known
            if end not in facts_of:
                ends.append(end)
    return ends, unarchived


def _executions(
    project: Project, desk: Desk, state: BookState
) -> tuple[list[str], list[Holding], frozenset[str]]:
    """The broker's executions, where our ledgers hold them, and every trade and position."""
    last: dt.date = state.last_ds or state.first_ds
    executed = [f.execution_id for f in desk.engines.broker.fills(state.first_ds) if f.ds <= last]
    positions = _known_positions(desk.engines.hot_store, state)
    held = [Holding(*row) for row in facts(project, desk.book, _FILLS, ALL_TIME).rows()]
    for position in positions:
        times = Counter(fill.execution_id for fill in position.fills)
        held += [Holding(name, position.position_id, n) for name, n in times.items()]
    trades = facts(project, desk.book, _TRADES)["trade_id"]
    return executed, held, frozenset({*trades, *(p.position_id for p in positions)})


def _known_positions(store: HotStore, state: BookState) -> list[Position]:
    closed = store.query(
        "live_positions", equal={"status": PositionStatus.CLOSED}, ds_from=state.first_ds
    )
    return [*live_positions(store), *(d.record(Position) for d in closed)]


def _tried(name: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(name, passed=True, found=check())
    except (GoldenthreadError, OSError) as error:
        return _failed(name, error)


def _failed(name: str, error: GoldenthreadError | OSError) -> Finding:
    code = error.exit_code if isinstance(error, GoldenthreadError) else EngineError.exit_code
    return Finding(name, passed=False, found=str(error), exit_code=code)


def _python() -> Finding:
    words = ".".join(str(part) for part in sys.version_info[:3])
    enough = sys.version_info >= (3, 11)
    return Finding("python", enough, f"{words} (3.11 or newer)", exit_code=int(not enough))


def _disk(root: Path) -> Finding:
    free = shutil.disk_usage(root).free
    words = f"{free / 1e9:.1f} GB free ({_FREE_BYTES / 1e9:.1f} GB or more)"
    enough = free >= _FREE_BYTES
    return Finding("disk", enough, words, exit_code=int(not enough))


def _versions(project: Project) -> int:
    warehouse = open_warehouse(project.settings, project.root)
    return int(warehouse.query(_VERSIONS, {})["n"][0])
