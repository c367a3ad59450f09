"""Why a signal ended as it did, or why there was none."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from goldenthread.app.api.desks import load_bars, plan_desk
from goldenthread.app.api.records import begun_book, facts, holder, live_signals, signals
from goldenthread.app.book import read_book
from goldenthread.app.clock import SystemClock
from goldenthread.app.engines.wiring import open_market_data, read_hot_store
from goldenthread.domain.errors import UsageError
from goldenthread.domain.ids import signal_ds, signal_id
from goldenthread.domain.signal import Signal, Verdict
from goldenthread.domain.trade import Outcome, OutcomeStatus
from goldenthread.reports.explain.page import chapters, last_day, page
from goldenthread.reports.explain.story import ExplainInput
from goldenthread.reports.explain.story import explain as explain_signal
from goldenthread.reports.notation import exact
from goldenthread.signals.filters import filter_of
from goldenthread.warehouse.rows.signals import rejected_row

if TYPE_CHECKING:
    import polars as pl

    from goldenthread.app.api.project import Project
    from goldenthread.app.desk import Desk
    from goldenthread.domain.bar import Bar, BarWindow
    from goldenthread.reports.explain.story import Explanation
    from goldenthread.signals.engine import CompiledStrategy

_YEARS = dt.timedelta(days=1100)
_BEFORE, _AFTER = dt.timedelta(days=60), dt.timedelta(days=21)
"""Days of the chart before the decision and after the signal's end."""
_VERSIONS = """
SELECT * FROM dim_strategies
WHERE book = @book AND strategy_id = @strategy_id AND @first <= @last
ORDER BY valid_from
"""
_BAR = """
SELECT open, high, low, close, volume FROM bars_current
WHERE ds BETWEEN @first AND @last AND symbol = @symbol AND @book = @book
"""
_STARTING = """
SELECT DISTINCT signal_id FROM all_signals
WHERE book = @book AND ds BETWEEN @first AND @last AND STARTS_WITH(signal_id, @signal_id)
ORDER BY signal_id
"""
_WHOLE = re.compile(r"(\d)\.0\b")
"""A whole number as our canonical expressions write it, 14.0."""
_FACTS = {
    "fact_trades": "trade_id",
    "fact_rejected_signals": "signal_id",
    "fact_signals_expired": "signal_id",
}


def explain(project: Project, book: str, what: str) -> Explanation:
    """The story of the signal whose id starts with ``what``.

    Raises:
        UsageError: No signal, or more than one, starts so.
    """
    book = begun_book(project, book)
    return explain_signal(_rows(project, book, _full_id(project, book, what)))


def decisions(project: Project, book: str, symbol: str, date: str) -> list[dict[str, Any]]:
    """What each strategy saw in the symbol on the date, and why there was a signal or none.

    A row a strategy: the signal's id, the filters that failed, and why in words with the value
    of the first thing that did not hold.

    Raises:
        UsageError: No such symbol, or a date that is none.
    """
    book = begun_book(project, book)
    try:
        ds = dt.date.fromisoformat(date)
    except ValueError as error:
        msg = f"explain got the date {date!r}; a date looks like 2024-01-31"
        raise UsageError(msg) from error
    return _why(project, book, symbol, ds)


def write_page(project: Project, book: str, what: str, out: Path) -> Path:
    """The path of the page about a signal, ``out``; its candles end where the book stands.

    Raises:
        UsageError: No such signal.
    """
    text = page(*_drawn(project, begun_book(project, book), what), SystemClock().now())
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    return out


def page_parts(project: Project, book: str, what: str) -> tuple[dict[str, Any], list[str]]:
    """The row of a signal, and its page below the head in parts of HTML; see ``write_page``.

    Raises:
        UsageError: No such signal.
    """
    told, shown = _drawn(project, begun_book(project, book), what)
    return dict(told.signal), chapters(told, shown)


def _drawn(project: Project, book: str, what: str) -> tuple[ExplainInput, list[Bar]]:
    """The rows of a signal, and the bars around its life up to where the book stands."""
    told = _rows(project, book, _full_id(project, book, what))
    symbol, decided = told.signal["symbol"], told.signal["signal_ds"]
    state = read_book(read_hot_store(project.settings, project.root, book))
    met = (state and state.last_ds) or decided
    until = min((last_day(told.signal) or met) + _AFTER, met)
    _, bars = load_bars(project, [symbol], until)
    return told, list(bars.bars_since(symbol, decided - _BEFORE, until))


def _full_id(project: Project, book: str, prefix: str) -> str:
    """The one signal id that starts with ``prefix``.

    Raises:
        UsageError: No signal, or more than one, starts with it.
    """
    archived = facts(project, book, _STARTING, signal_id=prefix)["signal_id"]
    known: set[str] = {*archived, *(document.id for document in live_signals(project, book))}
    found = sorted(name for name in known if name.startswith(prefix))
    if len(found) == 1:
        return found[0]
    advice = f"type more of it: {', '.join(found[:5])}" if found else "see `goldenthread signals`"
    msg = f"{len(found)} signals start with {prefix!r}; {advice}"
    raise UsageError(msg)


def _rows(project: Project, book: str, name: str) -> ExplainInput:
    """Everything the book holds of the signal."""
    start = signal_ds(name)
    row = _fact(project, book, name, start) or _living(project, book, name)
    version, previous = _versions(project, book, row)
    market = open_market_data(project.settings, project.root)
    duplicate = "DUPLICATE_SYMBOL" in (row.get("rejection_reasons") or ())

    def of(table: str, key: str) -> pl.DataFrame:
        sql = (
            f"SELECT * FROM {table} WHERE book = @book AND ds BETWEEN @first AND @last"
            f" AND {key} = @signal_id ORDER BY ds"
        )
        return facts(project, book, sql, (start, start + _YEARS), signal_id=name)

    return ExplainInput(
        holder=holder(project, book, row["symbol"], start) if duplicate else "",
        signal=row,
        version=version,
        previous=previous,
        bar=_bar(project, book, row),
        orders=of("fact_orders", "signal_id"),
        fills=of("fact_fills", "position_id"),
        positions=of("snapshot_positions", "position_id"),
        actions=market.actions([row["symbol"]]),
        synthetic=any(a.synthetic for a in market.assets() if a.symbol == row["symbol"]),
    )


def _versions(
    project: Project, book: str, row: dict[str, Any]
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """The version row in force when the signal was decided, and the one before it."""
    known = facts(project, book, _VERSIONS, strategy_id=row["strategy_id"]).to_dicts()
    begun = [version for version in known if version["valid_from"] <= row["decided_at"]]
    return (begun[-1] if begun else None, begun[-2] if len(begun) > 1 else None)


def _fact(project: Project, book: str, name: str, start: dt.date) -> dict[str, Any] | None:
    for table, key in _FACTS.items():
        sql = (
            f"SELECT * FROM {table} WHERE book = @book AND ds BETWEEN @first AND @last"
            f" AND {key} = @signal_id"
        )
        found = facts(project, book, sql, (start, start + _YEARS), signal_id=name).to_dicts()
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
    signal = document.record(Signal)
    unknown = Outcome(status=OutcomeStatus.OPEN, priced_as="PLANNED", revision=signal.ds)
    row = {k: v for k, v in rejected_row(signal, unknown).items() if not k.startswith("theor")}
    row.pop("outcome_status")
    return {**row, "status": signal.status.value}


def _bar(project: Project, book: str, row: dict[str, Any]) -> dict[str, Any] | None:
    ds = row["signal_ds"]
    found = facts(project, book, _BAR, (ds, ds), symbol=row["symbol"]).to_dicts()
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
        return {**row, "why": _unmet(desk, compiled, window)}
    failed = ", ".join(candidate.failed)
    said = ", ".join(_said(v) for v in candidate.verdicts if v.name in candidate.failed)
    why = f"filters failed: {said}" if said else "every filter passed; not run in this book"
    found = signal_id(ds, name, symbol)
    return {**row, "signal_id": found, "failed": failed or None, "why": why}


def _said(verdict: Verdict) -> str:
    """The filter that failed; with its value and threshold when it is one comparison."""
    if verdict.value is None and verdict.threshold is None:
        return verdict.name
    return f"{verdict.name} ({_against(verdict)})"


def _against(verdict: Verdict) -> str:
    return f"{exact(verdict.value)} against {exact(verdict.threshold)}"


def _unmet(desk: Desk, compiled: CompiledStrategy, window: BarWindow) -> str:
    """The entry condition, and the first of its comparisons that did not hold, with its values."""
    if not desk.evaluator.moment.is_member(compiled.universe, window.symbol):
        return "no member of the strategy's universe this month"
    asked = f"entry.when was not true: {compiled.strategy.entry.when}"
    entry = filter_of("entry.when", compiled.when)
    values = desk.evaluator.moment.calculator.parts_at(entry.expr, entry.parts, window)
    for term, verdict in zip(entry.terms, entry.verdicts(values)[-len(entry.terms) :], strict=True):
        if not verdict.passed:
            test = _WHOLE.sub(r"\1", term.test.text)
            test = test[1:-1] if test.startswith("(") else test  # around a whole comparison
            return f"{asked}; {test} did not hold: {_against(verdict)}"
    return asked
