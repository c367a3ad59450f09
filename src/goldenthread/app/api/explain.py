"""Why a signal ended as it did, or why there was none."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from goldenthread.app.api.desks import plan_desk
from goldenthread.app.api.records import ALL_TIME, begun_book, facts, holder, signals
from goldenthread.app.engines.wiring import read_hot_store
from goldenthread.domain.errors import UsageError
from goldenthread.domain.ids import signal_ds, signal_id
from goldenthread.domain.signal import Signal
from goldenthread.domain.trade import Outcome, OutcomeStatus
from goldenthread.reports.explain import ExplainInput
from goldenthread.reports.explain import explain as explain_signal
from goldenthread.warehouse.rows.signals import rejected_row

if TYPE_CHECKING:
    from goldenthread.app.api.project import Project
    from goldenthread.app.desk import Desk
    from goldenthread.signals.engine import CompiledStrategy

_YEAR = dt.timedelta(days=1100)
_FACTS = {
    "fact_trades": "trade_id",
    "fact_rejected_signals": "signal_id",
    "fact_signals_expired": "signal_id",
}


def explain(project: Project, book: str, what: str, date: str = "") -> str | list[dict[str, Any]]:
    """The story of a signal as text; with a symbol and a date, what each strategy saw then.

    Raises:
        UsageError: No such signal or symbol, or a date that is none.
    """
    book = begun_book(project, book)
    if not date:
        return _story(project, book, _full_id(project, book, what))
    try:
        ds = dt.date.fromisoformat(date)
    except ValueError as error:
        msg = f"explain got the date {date!r}; a date looks like 2024-01-31"
        raise UsageError(msg) from error
    return _why(project, book, what, ds)


def _full_id(project: Project, book: str, prefix: str) -> str:
    """The one signal id that starts with ``prefix``.

    Raises:
        UsageError: No signal, or more than one, starts with it.
    """
    known: set[str] = {row["signal_id"] for row in signals(project, book, ALL_TIME)}
    found = sorted(name for name in known if name.startswith(prefix))
    if len(found) == 1:
        return found[0]
    advice = f"type more of it: {', '.join(found[:5])}" if found else "see `goldenthread signals`"
    msg = f"{len(found)} signals start with {prefix!r}; {advice}"
    raise UsageError(msg)


def _story(project: Project, book: str, name: str) -> str:
    start = signal_ds(name)
    row = _fact(project, book, name, start) or _living(project, book, name)
    version = facts(
        project,
        book,
        "SELECT * FROM dim_strategies WHERE book = @book AND strategy_id = "
        f"'{row['strategy_id']}' AND version_key = '{row['version_key']}' "
        "AND @first <= @last ORDER BY valid_from LIMIT 1",
    ).to_dicts()
    span = (start, start + _YEAR)
    where = f"WHERE book = @book AND ds BETWEEN @first AND @last AND order_key LIKE '{name}%'"
    duplicate = "DUPLICATE_SYMBOL" in (row.get("rejection_reasons") or ())
    told = ExplainInput(
        holder=holder(project, book, row["symbol"], start) if duplicate else "",
        signal=row,
        version=version[0] if version else None,
        bar=_bar(project, book, row),
        orders=facts(project, book, f"SELECT * FROM fact_orders {where} ORDER BY order_key", span),
        fills=facts(project, book, f"SELECT * FROM fact_fills {where} ORDER BY ds", span),
    )
    return explain_signal(told).as_text()


def _fact(project: Project, book: str, name: str, start: dt.date) -> dict[str, Any] | None:
    for table, key in _FACTS.items():
        sql = (
            f"SELECT * FROM {table} WHERE book = @book AND ds BETWEEN @first AND @last"
            f" AND {key} = '{name}'"
        )
        found = facts(project, book, sql, (start, start + _YEAR)).to_dicts()
        if found:
            return found[0]
    return None


def _living(project: Project, book: str, name: str) -> dict[str, Any]:
    """The columns of a signal that has not ended yet."""
    store = read_hot_store(project.settings, project.root, project.book(book))
    document = store.get("live_signals", name)
    if document is None:
        msg = f"signal {name} is archived nowhere and lives nowhere; see `goldenthread signals`"
        raise UsageError(msg)
    signal = Signal.model_validate(document.body)
    unknown = Outcome(status=OutcomeStatus.OPEN, priced_as="PLANNED", revision=signal.ds)
    row = {k: v for k, v in rejected_row(signal, unknown).items() if not k.startswith("theor")}
    row.pop("outcome_status")
    return {**row, "status": signal.status.value}


def _bar(project: Project, book: str, row: dict[str, Any]) -> dict[str, Any] | None:
    ds = row["signal_ds"]
    sql = (
        "SELECT open, high, low, close, volume FROM bars_current"
        f" WHERE ds BETWEEN @first AND @last AND symbol = '{row['symbol']}' AND @book = @book"
    )
    found = facts(project, book, sql, (ds, ds)).to_dicts()
    return found[0] if found else None


def _why(project: Project, book: str, symbol: str, ds: dt.date) -> list[dict[str, Any]]:
    """A row a strategy: whether it decides on the symbol, saw a bar, entered, and what failed."""
    with TemporaryDirectory() as scratch:
        desk, _ = plan_desk(project, book, (ds, ds), Path(scratch))
    if symbol not in desk.assets:
        msg = f"no bars of {symbol!r}; there are: {', '.join(sorted(desk.assets))}"
        raise UsageError(msg)
    known = {row["signal_id"]: row for row in signals(project, book, (ds, ds))}
    rows = [_reason(desk, compiled, symbol, ds) for compiled in desk.library.current]
    return [{**row, "why": _ended(row, known) or row["why"]} for row in rows]


def _ended(row: dict[str, Any], known: dict[str, dict[str, Any]]) -> str:
    """What became of the row's signal in the book; empty when the book has none."""
    found = known.get(row["signal_id"])
    if found is None:
        return ""
    why = f"{found['outcome']}: {found['reason']}" if found["reason"] else str(found["outcome"])
    return f"{why}, {found['note']}" if found["note"] else why


def _reason(desk: Desk, compiled: CompiledStrategy, symbol: str, ds: dt.date) -> dict[str, Any]:
    name = compiled.strategy.strategy_id
    row: dict[str, Any] = {"strategy_id": name, "signal_id": None, "failed": None}
    if symbol not in desk.members[name]:
        return {**row, "why": "does not decide on this symbol"}
    window = desk.bars.window(symbol, ds)
    if window is None or not window.has_bar(ds):
        return {**row, "why": "no usable bar that day (closed, missing or suspect)"}
    candidate = desk.evaluator.decide(compiled, symbol, ds, desk.assets[symbol])
    if candidate is None:
        return {**row, "why": f"entry.when was not true: {compiled.strategy.entry.when}"}
    failed = ", ".join(candidate.failed)
    why = f"filters failed: {failed}" if failed else "every filter passed; not run in this book"
    found = signal_id(ds, name, symbol)
    return {**row, "signal_id": found, "failed": failed or None, "why": why}
