"""Closed trades, page by page, and what is held now with its last mark."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from goldenthread.app.api.browsing.wanted import NEWEST, PAGE
from goldenthread.app.api.records import begun_book, facts, positions

if TYPE_CHECKING:
    from goldenthread.app.api.browsing.wanted import WantedTrades
    from goldenthread.app.api.project import Project

_PAGE = """
SELECT trade_id, strategy_id, symbol, side, entry_ds, exit_ds, traded_quantity, entry_price,
       exit_price, exit_reason, bars_held, fees, net_pnl, r_multiple
FROM fact_trades
WHERE book = @book AND ds BETWEEN @first AND @last AND (ds < @last OR trade_id < @after)
  AND (@strategy_id = '' OR strategy_id = @strategy_id) AND (@symbol = '' OR symbol = @symbol)
ORDER BY ds DESC, trade_id DESC
LIMIT 51  -- a page, and one more that tells of an older one
"""
_MARKS = """
SELECT position_id, ds, close, unrealised_pnl FROM snapshot_positions
WHERE book = @book AND ds BETWEEN @first AND @last AND ds = (
  SELECT MAX(ds) FROM snapshot_positions WHERE book = @book AND ds BETWEEN @first AND @last)
"""


def trade_page(project: Project, book: str, wanted: WantedTrades) -> dict[str, Any]:
    """A page of closed trades, the last exit first, with the columns of ``goldenthread trades``.

    ``older`` is the ``after`` of the next page; None on the last.
    """
    book, last, after = begun_book(project, book), wanted.last, NEWEST
    if wanted.after != NEWEST:
        day, _, after = wanted.after.partition("_")
        last = min(last, dt.date.fromisoformat(day))
    found = facts(
        project,
        book,
        _PAGE,
        (wanted.first, last),
        after=after,
        strategy_id=wanted.strategy,
        symbol=wanted.symbol,
    ).to_dicts()
    end = found[PAGE - 1] if len(found) > PAGE else None
    older = end and f"{end['exit_ds']}_{end['trade_id']}"
    return {"book": book, "trades": found[:PAGE], "older": older}


def held(project: Project, book: str) -> dict[str, Any]:
    """What is held or waits for its entry, each with its close and P&L of the last archived day.

    ``marked`` is that day; it and a position's ``close`` and ``unrealised_pnl`` are None where
    nothing is archived.
    """
    book = begun_book(project, book)
    marks = facts(project, book, _MARKS).to_dicts()
    known = {row["position_id"]: row for row in marks}
    rows = [
        {
            **row,
            **{k: known.get(row["position_id"], {}).get(k) for k in ("close", "unrealised_pnl")},
        }
        for row in positions(project, book)
    ]
    return {"book": book, "marked": marks[0]["ds"] if marks else None, "positions": rows}
