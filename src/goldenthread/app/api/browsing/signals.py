"""Signals, page by page: those that ended, from the warehouse, and the live ones among them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from goldenthread.app.api.browsing.wanted import NEWEST, PAGE
from goldenthread.app.api.records import begun_book, facts, live_signals
from goldenthread.domain.ids import signal_ds
from goldenthread.reports.explain.signal_rows import ended_row, live_row

if TYPE_CHECKING:
    from goldenthread.app.api.browsing.wanted import WantedSignals
    from goldenthread.app.api.project import Project

_LIVE = ("open", "waiting")
# An id begins with the date of its decision: in the order of ids a page needs no other mark.
_PAGE = """
SELECT signal_id, signal_ds, strategy_id, symbol, side, LOWER(outcome) AS outcome, reason,
       outcome_status, priced_as, net_pnl, theoretical_note
FROM all_signals
WHERE book = @book AND ds BETWEEN @first AND DATE '9999-12-31'  -- a trade stands under its exit
  AND signal_ds BETWEEN @first AND @last AND signal_id < @after
  AND (@outcome = '' OR LOWER(outcome) = @outcome)
  AND (@strategy_id = '' OR strategy_id = @strategy_id) AND (@symbol = '' OR symbol = @symbol)
ORDER BY signal_id DESC
LIMIT 51  -- a page, and one more that tells of an older one
"""


def signal_page(project: Project, book: str, wanted: WantedSignals) -> dict[str, Any]:
    """A page of signals, the newest first, with the columns of ``goldenthread signals``.

    ``older`` is the ``after`` of the next page; None on the last.

    Raises:
        UsageError: ``after`` is no id.
    """
    book = begun_book(project, book)
    live = [row for row in _live(project, book, wanted) if _is_wanted(row, wanted)]
    rows = live if wanted.outcome in _LIVE else [*_ended(project, book, wanted), *live]
    unique = {row["signal_id"]: row for row in reversed(rows)}  # ended and archived: it has ended
    page = sorted(unique.values(), key=lambda row: str(row["signal_id"]), reverse=True)
    older = page[PAGE - 1]["signal_id"] if len(page) > PAGE else None
    return {"book": book, "signals": page[:PAGE], "older": older}


def _ended(project: Project, book: str, wanted: WantedSignals) -> list[dict[str, Any]]:
    last = wanted.last
    if wanted.after != NEWEST:
        last = min(last, signal_ds(wanted.after))
    found = facts(
        project,
        book,
        _PAGE,
        (wanted.first, last),
        after=wanted.after,
        outcome=wanted.outcome,
        strategy_id=wanted.strategy,
        symbol=wanted.symbol,
    )
    return [ended_row(row) for row in found.to_dicts()]


def _live(project: Project, book: str, wanted: WantedSignals) -> list[dict[str, Any]]:
    documents = live_signals(project, book, (wanted.first, wanted.last))
    rows = [live_row(document.body) for document in documents]
    return [{**row, "signal_ds": dt.date.fromisoformat(row["signal_ds"])} for row in rows]


def _is_wanted(row: dict[str, Any], wanted: WantedSignals) -> bool:
    return (
        row["signal_id"] < wanted.after
        and wanted.outcome in {"", row["outcome"]}
        and wanted.strategy in {"", row["strategy_id"]}
        and wanted.symbol in {"", row["symbol"]}
    )
