"""Whether a book and the backtest of its dates say the same, row by row."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from goldenthread.app.api.operations.steps import Progress, unseen
from goldenthread.app.api.records import ALL_TIME, facts
from goldenthread.app.api.research.backtests import Asked, backtest
from goldenthread.app.api.research.worlds import World
from goldenthread.app.versions import policy_versions, strategy_versions

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from goldenthread.app.api.project import Project
    from goldenthread.app.book import BookState
    from goldenthread.app.desk import Desk

_ROWS = "SELECT * FROM {table} WHERE book = @book AND ds BETWEEN @first AND @last"
_KEYS = {
    "fact_trades": "trade_id",
    "fact_rejected_signals": "signal_id",
    "fact_signals_expired": "signal_id",
    "snapshot_accounts": "ds",
}
_OWN = frozenset({"book", "engine_digest"})
"""Columns that say who decided, not what."""
_MONEY = Decimal("1e-9")


@dataclass(frozen=True)
class Compared:
    """How many rows of the book were compared with those of the backtest, and what differs.

    ``not_compared`` says why there was nothing to compare; empty when there was.
    """

    rows: int = 0
    differences: tuple[str, ...] = ()
    not_compared: str = ""


def compare_with_backtest(
    project: Project, desk: Desk, state: BookState, progress: Progress = unseen
) -> Compared:
    """Every trade, refused and expired signal, execution and daily account of a simulated book.

    Money agrees to 1e-9; verdicts, quantities, prices, dates and reasons exactly.
    """
    reason = _incomparable(project, desk, state)
    if reason:
        return Compared(not_compared=reason)
    asked = Asked(files=project.strategy_files(), span=(state.first_ds, state.last_ds))
    found = backtest(World.of_project(project), asked, progress)
    ours = {
        "fact_trades": found.trades,
        "fact_rejected_signals": found.rejected,
        "fact_signals_expired": found.expired,
        "snapshot_accounts": found.equity,
    }
    rows = 0
    words: list[str] = []
    for table, frame in ours.items():
        theirs = _facts(project, desk, table)
        rows += theirs.height
        words += _differences(table, theirs, frame)
    fills = _facts(project, desk, "fact_fills")
    words += _uneven(fills, found.fills)
    return Compared(rows + fills.height, tuple(words))


def _incomparable(project: Project, desk: Desk, state: BookState) -> str:
    """Why the book cannot be what a backtest of today's files gives; empty when it can."""
    store = desk.engines.hot_store
    if not desk.book.startswith("sim:"):
        return "its fills are a broker's own"
    if project.settings.sim.partial_probability:
        return "part fills are drawn by lot"
    kept = [*strategy_versions(store), *policy_versions(store)]
    now = {c.strategy.version_key for c in desk.library.current} | {desk.policy.policy_key}
    began = {v.valid_from for v in kept}
    if {v.version_key for v in kept} != now or len(began) > 1:
        return "a strategy or the policy changed since it began"
    if store.count("operator_requests"):
        return "an operator acted on it"
    days = (state.last_ds or state.first_ds) - state.first_ds
    snapshots = facts(
        project,
        desk.book,
        "SELECT ds FROM snapshot_accounts WHERE book = @book AND ds BETWEEN @first AND @last",
        ALL_TIME,
    )
    return "" if snapshots.height == days.days + 1 else "some of its dates were missed"


def _facts(project: Project, desk: Desk, table: str) -> pl.DataFrame:
    return facts(project, desk.book, _ROWS.format(table=table), ALL_TIME)


def _differences(table: str, theirs: pl.DataFrame, ours: pl.DataFrame) -> Iterator[str]:
    """In words, rows that only one side has and values that are not equal."""
    key = _KEYS[table]
    columns = [c for c in ours.columns if c in theirs.columns and c not in _OWN]
    book, test = (
        {row[key]: row for row in frame.select(columns).iter_rows(named=True)}
        for frame in (theirs, ours)
    )
    for name in sorted(book.keys() | test.keys(), key=str):
        if name not in book or name not in test:
            where = "the book" if name in book else "the backtest"
            yield f"{table} {name}: only in {where}"
            continue
        for column in columns:
            one, other = (_ordered(column, rows[name][column]) for rows in (book, test))
            if not _is_equal(one, other):
                yield f"{table} {name}: {column} {one} in the book, {other} in the backtest"


def _ordered(column: str, value: Any) -> Any:  # noqa: ANN401  # any value of a row
    """The value; factors by name, as a document on its way through a store may turn them."""
    return sorted(value, key=lambda f: str(f["name"])) if column == "factors" else value


def _is_equal(one: Any, other: Any) -> bool:  # noqa: ANN401  # any value of a row
    if isinstance(one, Decimal) and isinstance(other, Decimal):
        return abs(one - other) <= _MONEY
    return bool(one == other)


def _uneven(theirs: pl.DataFrame, ours: pl.DataFrame) -> Iterator[str]:
    """Executions that one side has more often than the other."""
    columns = [c for c in ours.columns if c in theirs.columns and c not in _OWN]
    book, test = (Counter(frame.select(columns).rows()) for frame in (theirs, ours))
    for where, left in (("the book", book - test), ("the backtest", test - book)):
        for row in left:
            told = dict(zip(columns, row, strict=True))
            yield (
                f"execution of {told['position_id']} on {told['ds']}: {told['order_side']}"
                f" {told['quantity']} at {told['price']} only in {where}"
            )
