"""What a book holds, as tables: the warehouse for what ended, the hot store for what lives."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from goldenthread.app.book import read_book
from goldenthread.app.engines.wiring import open_warehouse, read_hot_store
from goldenthread.domain.errors import UsageError
from goldenthread.domain.ids import MODEL
from goldenthread.domain.signal import SignalStatus
from goldenthread.positions.blotter import live_positions
from goldenthread.reports.explain.signal_rows import ended_row, live_row

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

    from goldenthread.app.api.project import Project
    from goldenthread.ports.hot_store import Document

Span = tuple[dt.date, dt.date]
ALL_TIME: Span = (dt.date(1900, 1, 1), dt.date(9999, 12, 31))
OUTCOMES = ("traded", "open", "waiting", "rejected", "expired", "invalidated")

_SIGNALS = """
SELECT signal_id, signal_ds, strategy_id, symbol, side, LOWER(outcome) AS outcome, reason,
       outcome_status, priced_as, net_pnl, theoretical_note
FROM all_signals
WHERE book = @book AND ds BETWEEN @first AND DATE '9999-12-31'  -- a trade stands under its exit
  AND signal_ds BETWEEN @first AND @last
ORDER BY signal_ds, signal_id
"""
_TAKERS = """
SELECT signal_id, strategy_id, symbol, signal_ds, ds AS ended
FROM all_signals
WHERE book = @book AND ds BETWEEN @first AND DATE '9999-12-31' AND signal_ds <= @last
  AND (outcome <> 'REJECTED' OR reason = 'BROKER_REFUSED') AND reason <> 'SUBMIT_WINDOW_MISSED'
"""
_ORDERS = """
SELECT order_key, ds, symbol, order_side AS side, order_type, quantity, limit_price, stop_price,
       status, broker_status, filled_quantity, average_price, refusal
FROM fact_orders
WHERE book = @book AND ds BETWEEN @first AND @last
ORDER BY ds, order_key
"""
_TRADES = """
SELECT trade_id, strategy_id, symbol, side, entry_ds, exit_ds, traded_quantity, entry_price,
       exit_price, exit_reason, bars_held, fees, net_pnl, r_multiple
FROM fact_trades
WHERE book = @book AND ds BETWEEN @first AND @last
ORDER BY exit_ds, trade_id
"""
_BOOKS = """
SELECT DISTINCT book FROM snapshot_accounts WHERE ds BETWEEN @first AND @last ORDER BY book
"""
_COUNTS = """
SELECT LOWER(outcome) AS outcome, COUNT(*) AS signals
FROM all_signals
WHERE book = @book AND ds BETWEEN @first AND @last
GROUP BY outcome
"""


def books(project: Project) -> list[str]:
    """Every book with an archived day, sorted."""
    return [str(row["book"]) for row in facts(project, "", _BOOKS).to_dicts()]


def begun_book(project: Project, name: str) -> str:
    """The book to look at: the one named, else that of the settings, else the only one begun.

    The model of a paper or live book is not counted.
    """
    book = project.book(name)
    if name or read_book(read_hot_store(project.settings, project.root, book)):
        return book
    known = [begun for begun in books(project) if not begun.startswith(MODEL)]
    return known[0] if len(known) == 1 else book


def facts(
    project: Project, book: str, sql: str, span: Span = ALL_TIME, **named: str
) -> pl.DataFrame:
    """The rows of one of our own queries over a book and a date range; ``named`` fills the rest."""
    warehouse = open_warehouse(project.settings, project.root)
    given = {"book": project.book(book), "first": span[0], "last": span[1]}
    return warehouse.query(sql, {**given, **named})


def signals(project: Project, book: str, span: Span, outcome: str = "") -> list[dict[str, Any]]:
    """Every signal decided on the dates and what became of it, the live ones last.

    ``note`` says why a theoretical figure is missing, or what it stands for.

    Raises:
        UsageError: The outcome is not one there is.
    """
    if outcome and outcome not in OUTCOMES:
        msg = f"--outcome got {outcome!r}; allowed: {', '.join(OUTCOMES)}"
        raise UsageError(msg)
    book = begun_book(project, book)
    ended = [ended_row(row) for row in facts(project, book, _SIGNALS, span).to_dicts()]
    rows = [*ended, *(live_row(d.body) for d in live_signals(project, book, span))]
    _name_holders(project, book, rows)
    return [row for row in rows if not outcome or row["outcome"] == outcome]


def holder(project: Project, book: str, symbol: str, ds: dt.date) -> str:
    """Whose signal held or waited for the symbol when ``ds`` decided; empty when nobody's."""
    return _holder(_takers(project, book, (ds, ds)), symbol, ds)


def live_signals(project: Project, book: str, span: Span = ALL_TIME) -> list[Document]:
    """The documents of the signals that wait or are active, oldest first."""
    store = read_hot_store(project.settings, project.root, project.book(book))
    return [
        document
        for status in (SignalStatus.WAITING, SignalStatus.ACTIVE)
        for document in store.query(
            "live_signals", equal={"status": status}, ds_from=span[0], ds_to=span[1]
        )
    ]


def orders(project: Project, book: str, span: Span) -> list[dict[str, Any]]:
    """Every order of the dates, the working ones from the hot store last."""
    book = begun_book(project, book)
    store = read_hot_store(project.settings, project.root, book)
    ended = facts(project, book, _ORDERS, span).to_dicts()
    live = [
        {
            "order_key": document.id,
            "ds": document.body["ds"],
            **{k: document.body["request"][k] for k in ("symbol", "side", "quantity")},
            "order_type": document.body["request"]["type"],
            **{k: document.body["request"][k] for k in ("limit_price", "stop_price")},
            "status": document.body["status"],
        }
        for status in ("PENDING", "UNKNOWN", "WORKING")
        for document in store.query(
            "order_intents", equal={"status": status}, ds_from=span[0], ds_to=span[1]
        )
    ]
    return [*ended, *({**dict.fromkeys(ended[0]), **row} if ended else row for row in live)]


def positions(project: Project, book: str) -> list[dict[str, Any]]:
    """What is held, or waits for its entry, a row a position."""
    store = read_hot_store(project.settings, project.root, begun_book(project, book))
    return [
        {
            "position_id": p.position_id,
            "strategy_id": p.strategy_id,
            "symbol": p.symbol,
            "side": p.side.value,
            "status": p.status.value,
            "quantity": p.open_quantity,
            "entry": p.average_entry,
            "stop": p.stop,
            "bars_held": p.bars_held,
            "realised_pnl": p.realised_pnl,
        }
        for p in live_positions(store)
    ]


def trades(project: Project, book: str, span: Span) -> pl.DataFrame:
    """Closed trades, by exit date."""
    return facts(project, begun_book(project, book), _TRADES, span)


def outcomes(project: Project, book: str) -> dict[str, int]:
    """How many signals ended in each way, and how many wait or are active."""
    counted = {r["outcome"]: r["signals"] for r in facts(project, book, _COUNTS).to_dicts()}
    ended = ("traded", "rejected", "expired", "invalidated")
    found = {name: counted.get(name, 0) for name in ended}
    live = [d.body["status"] for d in live_signals(project, book)]
    waiting, active = live.count("WAITING"), live.count("ACTIVE")
    total = sum(found.values()) + waiting + active
    return {"generated": total, "waiting": waiting, "active": active, **found}


def _takers(project: Project, book: str, span: Span) -> list[dict[str, Any]]:
    """The signals that took their symbol on one of the dates or held it still."""
    live = [
        {**d.body, "signal_ds": dt.date.fromisoformat(d.body["ds"]), "ended": dt.date.max}
        for d in live_signals(project, book, (dt.date.min, span[1]))
    ]
    return [*facts(project, book, _TAKERS, span).to_dicts(), *live]


def _holder(takers: Iterable[dict[str, Any]], symbol: str, ds: dt.date) -> str:
    for taker in takers:
        took = taker["signal_ds"] == ds or taker["signal_ds"] < ds < taker["ended"]
        if taker["symbol"] == symbol and took:
            return f"{taker['strategy_id']} ({taker['signal_id'][:17]})"
    return ""


def _name_holders(project: Project, book: str, rows: list[dict[str, Any]]) -> None:
    """Note on every row refused for its symbol which signal had it."""
    refused = [row for row in rows if row["reason"] == "DUPLICATE_SYMBOL"]
    if not refused:
        return
    dates = [row["signal_ds"] for row in refused]
    by_symbol: dict[str, list[dict[str, Any]]] = {}
    for taker in _takers(project, book, (min(dates), max(dates))):
        by_symbol.setdefault(taker["symbol"], []).append(taker)
    for row in refused:
        found = _holder(by_symbol.get(row["symbol"], ()), row["symbol"], row["signal_ds"])
        if found:
            row["note"] = "; ".join(filter(None, (f"held by {found}", row["note"])))
