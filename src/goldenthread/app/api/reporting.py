"""The report of a book: one HTML page from its facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldenthread.app.api.bars import judged_bars
from goldenthread.app.api.days import next_step
from goldenthread.app.api.records import ALL_TIME, begun_book, facts, outcomes
from goldenthread.app.clock import SystemClock
from goldenthread.app.engines.wiring import open_market_data
from goldenthread.domain.errors import UsageError
from goldenthread.market.coverage import ledger
from goldenthread.reports.attribution import attribution, money_line
from goldenthread.reports.tearsheet import TearsheetInput, tearsheet

if TYPE_CHECKING:
    from pathlib import Path

    from goldenthread.app.api.project import Project

_ROWS = "SELECT * FROM {table} WHERE book = @book AND ds BETWEEN @first AND @last ORDER BY ds"


def write_report(project: Project, book: str, out: Path | None = None) -> Path:
    """The path of the page.

    Raises:
        UsageError: The book has no archived day yet.
    """
    name = begun_book(project, book)
    path = out or project.root / "reports" / f"{name.replace(':', '-')}.html"
    page = tearsheet(_facts(project, name))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path


def told_line(project: Project, book: str) -> str:
    """One sentence about what a filter refused and what that would have made."""
    refused = facts(project, book, _ROWS.format(table="fact_rejected_signals"))
    return money_line(attribution(refused))


def _facts(project: Project, book: str) -> TearsheetInput:
    equity = facts(project, book, _ROWS.format(table="snapshot_accounts"), ALL_TIME)
    if equity.is_empty():
        msg = f"book {book} has no archived day yet; simulate it, or run another date"
        raise UsageError(next_step(project, book) or msg)
    assets = open_market_data(project.settings, project.root).assets()
    first, last = equity["ds"][0], equity["ds"][-1]
    counts = outcomes(project, book)
    return TearsheetInput(
        title=f"Goldenthread: {book}",
        book=book,
        now=SystemClock().now(),
        equity=equity,
        trades=facts(project, book, _ROWS.format(table="fact_trades")),
        refused=facts(project, book, _ROWS.format(table="fact_rejected_signals")),
        expired=facts(project, book, _ROWS.format(table="fact_signals_expired")),
        coverage=ledger(judged_bars(project), assets, first, last),
        waiting={"WAITING": counts["waiting"], "ACTIVE": counts["active"]},
        synthetic=frozenset(a.symbol for a in assets if a.synthetic),
    )
