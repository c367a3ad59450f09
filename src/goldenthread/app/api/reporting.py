"""The report of a book: one HTML page from its facts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from goldenthread.app.api.bars import judged_bars
from goldenthread.app.api.days import next_step
from goldenthread.app.api.desks import load_bars
from goldenthread.app.api.records import ALL_TIME, begun_book, facts, outcomes
from goldenthread.app.clock import SystemClock
from goldenthread.app.engines.wiring import open_market_data
from goldenthread.domain.errors import UsageError
from goldenthread.market.coverage import ledger
from goldenthread.reports.figures.breakdowns import by_month, by_symbol, by_version
from goldenthread.reports.figures.portfolio import capital, correlations, daily_pnl
from goldenthread.reports.performance import metrics
from goldenthread.reports.tearsheet import TearsheetInput, tearsheet
from goldenthread.research.benchmarks import beside

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import polars as pl

    from goldenthread.app.api.project import Project
    from goldenthread.reports.figures.benchmark import BenchmarkFigures

_ROWS = "SELECT * FROM {table} WHERE book = @book AND ds BETWEEN @first AND @last ORDER BY ds"


@dataclass(frozen=True)
class Report:
    """Where the page is, and the figures on it.

    ``figures`` are ``account`` (by name), and rows: ``benchmarks strategies correlations versions
    symbols months``. What is not defined is null, fractions are never percent, money is in the
    quote currency.
    """

    report: Path
    figures: Mapping[str, Any]


def write_report(project: Project, book: str, out: Path | None = None) -> Report:
    """The page of a book, written, and its figures.

    Raises:
        UsageError: The book has no archived day yet.
    """
    name = begun_book(project, book)
    path = out or project.root / "reports" / f"{name.replace(':', '-')}.html"
    shown = _facts(project, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(tearsheet(shown), encoding="utf-8")
    figures = {
        "account": metrics(shown.equity, shown.trades).as_row(),
        "benchmarks": [asdict(found) for found in shown.benchmarks],
        "strategies": capital(shown.equity, shown.trades, shown.positions).to_dicts(),
        "correlations": correlations(
            daily_pnl(shown.equity, shown.trades, shown.positions)
        ).to_dicts(),
        "versions": by_version(shown.trades).to_dicts(),
        "symbols": by_symbol(shown.trades).to_dicts(),
        "months": by_month(shown.trades).to_dicts(),
    }
    return Report(path, figures)


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
        positions=facts(project, book, _ROWS.format(table="snapshot_positions")),
        benchmarks=_benchmarks(project, equity),
    )


def _benchmarks(project: Project, equity: pl.DataFrame) -> list[BenchmarkFigures]:
    chosen = project.benchmarks
    _, bars = load_bars(project, [s for s in chosen.values() if s], equity["ds"][-1])
    return beside(equity, bars, chosen)
