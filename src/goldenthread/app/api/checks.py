"""Whether all is well: the machine and the project, and the ledgers of a book."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from goldenthread.app.api.bars import last_bar
from goldenthread.app.api.desks import greet, open_desk
from goldenthread.app.api.project import Project
from goldenthread.app.api.records import ALL_TIME, facts, outcomes
from goldenthread.app.book import read_book
from goldenthread.app.engines import open_hot_store, open_warehouse
from goldenthread.domain.errors import GoldenthreadError, UsageError
from goldenthread.domain.position import Position, PositionStatus
from goldenthread.domain.signal import SignalStatus

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from pathlib import Path

    from goldenthread.app.book import BookState
    from goldenthread.app.desk import Desk
    from goldenthread.ports.hot_store import HotStore

_IDS = "SELECT signal_id FROM all_signals WHERE book = @book AND ds BETWEEN @first AND @last"
_FILLS = """
SELECT execution_id, position_id FROM fact_fills
WHERE book = @book AND ds BETWEEN @first AND @last
"""
_ERRORS = """
SELECT MAX(ABS(money_error) / equity) AS worst FROM snapshot_accounts
WHERE book = @book AND ds BETWEEN @first AND @last
"""
_FREE_BYTES = 200_000_000
_VERSIONS = "SELECT COUNT(*) AS n FROM dim_strategies"
_MONEY = 1e-9
_LIVE = (PositionStatus.PENDING, PositionStatus.OPEN, PositionStatus.CLOSING)


@dataclass(frozen=True)
class Finding:
    """One check: what was looked at, whether it can work, and what was found or is to do."""

    check: str
    passed: bool
    found: str

    def row(self) -> dict[str, object]:
        """The finding as a row of a table."""
        return asdict(self)


def examine(root: Path) -> list[Finding]:
    """Every finding about the folder, the machine first."""
    findings = [_python(), _disk(root)]
    try:
        project = Project.open(root)
    except GoldenthreadError as error:
        return [*findings, Finding("settings", passed=False, found=str(error))]
    checks: dict[str, Callable[[], str]] = {
        "settings": lambda: f"book {project.book()}",
        "strategies": lambda: f"{len(project.strategies())} strategies",
        "bars": lambda: f"last bar {last_bar(project) or 'none yet: goldenthread data import'}",
        "hot store": lambda: f"{_hot_documents(project)} live signals",
        "broker": lambda: greet(project, project.book()),
        "warehouse": lambda: f"{_versions(project)} strategy versions archived",
    }
    return [*findings, *(_tried(name, check) for name, check in checks.items())]


def check_thread(project: Project, book: str) -> dict[str, Any]:
    """Whether every decided signal has exactly one end and every fill exactly one position.

    ``lost`` are decided signals found nowhere, ``duplicated`` those found with two ends,
    ``unmatched_fills`` executions of the broker that not exactly one trade or open position
    holds, ``money_error`` the largest disagreement of the two ledgers as a fraction of equity.
    """
    desk, state = begun(project, book)
    store = desk.engines.hot_store
    decided = sum(d.body["decided"] for d in _decisions(store, state))
    archived = Counter(facts(project, desk.book, _IDS)["signal_id"].to_list())
    waiting_for_archive = _unarchived(store, state, set(archived))
    counts = outcomes(project, desk.book)
    found = len(archived) + len(waiting_for_archive) + counts["waiting"] + counts["active"]
    worst = facts(project, desk.book, _ERRORS)["worst"].to_list()
    result = {
        "lost": max(decided - found, 0),
        "duplicated": archived.total() - len(archived) + max(found - decided, 0),
        "unmatched_fills": _unmatched(project, desk, state),
        "money_error": float(worst[0]) if worst and worst[0] is not None else 0.0,
        **counts,
        "unarchived": len(waiting_for_archive),
        "generated": decided,
    }
    whole = not any(result[key] for key in ("lost", "duplicated", "unmatched_fills"))
    return {**result, "ok": whole and result["money_error"] <= _MONEY}


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


def live_positions(store: HotStore) -> list[Position]:
    """Every position that is held or waits for its entry."""
    return [
        Position.model_validate(document.body)
        for status in _LIVE
        for document in store.query("live_positions", equal={"status": status})
    ]


def begun(project: Project, book: str) -> tuple[Desk, BookState]:
    """The desk of a book as of its last run, and where it stands.

    Raises:
        UsageError: The book has not run yet.
    """
    name = project.book(book)
    state = read_book(open_hot_store(project.settings, project.root, name))
    if state is None or state.last_ds is None:
        msg = f"book {name} has not run yet; run or simulate it first"
        raise UsageError(msg)
    return open_desk(project, name, (state.last_ds, state.last_ds)), state


def _decisions(store: HotStore, state: BookState) -> list[Any]:
    documents = store.query("job_metadata", ds_from=state.first_ds)
    return [d for d in documents if d.id.startswith("decided-")]


def _unarchived(store: HotStore, state: BookState, archived: set[str]) -> set[str]:
    """The signals that ended and have no fact yet."""
    ended = [s for s in SignalStatus if s.is_final]
    documents = [
        document
        for collection in ("live_signals", "rejected_signals")
        for status in ended
        for document in store.query(collection, equal={"status": status}, ds_from=state.first_ds)
    ]
    return {d.id for d in documents} - archived


def _unmatched(project: Project, desk: Desk, state: BookState) -> int:
    """How many executions are not in exactly one position."""
    last: dt.date = state.last_ds or state.first_ds
    executed = [f.execution_id for f in desk.engines.broker.fills(state.first_ds) if f.ds <= last]
    rows = facts(project, desk.book, _FILLS, ALL_TIME).to_dicts()
    holders = {(row["execution_id"], row["position_id"]) for row in rows}
    for position in _known_positions(desk.engines.hot_store, state):
        holders |= {(fill.execution_id, position.position_id) for fill in position.fills}
    times = Counter(execution for execution, _ in holders)
    return sum(times[execution] != 1 for execution in executed)


def _known_positions(store: HotStore, state: BookState) -> list[Position]:
    closed = store.query(
        "live_positions", equal={"status": PositionStatus.CLOSED}, ds_from=state.first_ds
    )
    return [*live_positions(store), *(Position.model_validate(d.body) for d in closed)]


def _tried(name: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(name, passed=True, found=check())
    except (GoldenthreadError, OSError) as error:
        return Finding(name, passed=False, found=str(error))


def _python() -> Finding:
    words = ".".join(str(part) for part in sys.version_info[:3])
    return Finding("python", passed=sys.version_info >= (3, 11), found=f"{words} (3.11 or newer)")


def _disk(root: Path) -> Finding:
    free = shutil.disk_usage(root).free
    words = f"{free / 1e9:.1f} GB free ({_FREE_BYTES / 1e9:.1f} GB or more)"
    return Finding("disk", passed=free >= _FREE_BYTES, found=words)


def _hot_documents(project: Project) -> int:
    store = open_hot_store(project.settings, project.root, project.book())
    return store.count("live_signals")


def _versions(project: Project) -> int:
    warehouse = open_warehouse(project.settings, project.root)
    return int(warehouse.query(_VERSIONS, {})["n"][0])
