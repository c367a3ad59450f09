"""The report of a book: one HTML page from its facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from goldenthread import __version__
from goldenthread.app.api.bars import judged_bars
from goldenthread.app.api.days import next_step
from goldenthread.app.api.desks import load_bars
from goldenthread.app.api.evaluation.curves import heaviest_curves
from goldenthread.app.api.evaluation.sides.books import executions_of
from goldenthread.app.api.evaluation.told import told_line
from goldenthread.app.api.records import ALL_TIME, begun_book, facts, outcomes
from goldenthread.app.api.store import digest
from goldenthread.app.clock import SystemClock
from goldenthread.app.engines.wiring import open_market_data
from goldenthread.domain.errors import UsageError
from goldenthread.market.coverage import ledger
from goldenthread.reports.as_data import as_data
from goldenthread.reports.attribution.refusals import attribution
from goldenthread.reports.chapters.shadow import ThresholdCurve
from goldenthread.reports.figures.costs import slippage
from goldenthread.reports.tearsheet import TearsheetInput, tearsheet
from goldenthread.research.benchmarks import beside, worth_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from decimal import Decimal
    from pathlib import Path

    import polars as pl

    from goldenthread.app.api.project import Project

_ROWS = "SELECT * FROM {table} WHERE book = @book AND ds BETWEEN @first AND @last ORDER BY ds"
_VERSIONS = """
SELECT strategy_id, version_key, valid_from, valid_to FROM dim_strategies
WHERE book = @book AND @first <= @last
ORDER BY strategy_id, valid_from
"""
_CURVES = 6
"""How many filters have their curve of other thresholds on the page."""


@dataclass(frozen=True)
class Report:
    """Where the page is, and the figures on it; see ``reports/as_data``."""

    report: Path
    figures: Mapping[str, Any]


def write_report(project: Project, book: str, out: Path | None = None) -> Report:
    """The page of a book, written, and its figures.

    Raises:
        UsageError: The book has no archived day yet.
    """
    name = begun_book(project, book)
    path = out or project.root / "reports" / f"{name.replace(':', '-')}.html"
    shown = report_facts(project, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(tearsheet(shown), encoding="utf-8")
    return Report(path, as_data(shown))


def report_facts(project: Project, book: str) -> TearsheetInput:
    """All that the report of a begun book is made of.

    Raises:
        UsageError: The book has no archived day yet.
    """
    equity = facts(project, book, _ROWS.format(table="snapshot_accounts"), ALL_TIME)
    if equity.is_empty():
        msg = f"book {book} has no archived day yet; simulate it, or run another date"
        raise UsageError(next_step(project, book) or msg)
    assets = open_market_data(project.settings, project.root).assets()
    first, last = equity["ds"][0], equity["ds"][-1]
    counts = outcomes(project, book)
    worth = _worth(project, equity)
    ended = {
        "trades": facts(project, book, _ROWS.format(table="fact_trades")),
        "refused": facts(project, book, _ROWS.format(table="fact_rejected_signals")),
        "expired": facts(project, book, _ROWS.format(table="fact_signals_expired")),
    }
    return TearsheetInput(
        title=f"Goldenthread: {book}",
        book=book,
        now=SystemClock().now(),
        equity=equity,
        **ended,
        coverage=ledger(judged_bars(project), assets, first, last),
        waiting={"WAITING": counts["waiting"], "ACTIVE": counts["active"]},
        synthetic=frozenset(a.symbol for a in assets if a.synthetic),
        positions=facts(project, book, _ROWS.format(table="snapshot_positions")),
        slipped=_slipped(project, book),
        benchmarks=beside(equity, worth, project.benchmarks),
        worth=worth,
        versions=facts(project, book, _VERSIONS),
        curves=_curves(project, book, ended["refused"]),
        money_line=told_line(project, book),
        provenance=_provenance(project, book, ended.values()),
    )


def _worth(project: Project, equity: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """What one unit of money became in each benchmark of the settings."""
    named = [symbol for symbol in project.benchmarks.values() if symbol]
    first, last = equity["ds"][0], equity["ds"][-1]
    _, bars = load_bars(project, named, last)
    return worth_of(bars, named, first, last)


def _slipped(project: Project, book: str) -> dict[str, Decimal]:
    """What slippage cost each position, where it is known."""
    executed = executions_of(project, book, ALL_TIME)
    paid = {position: slippage(executions) for position, executions in executed.items()}
    return {position: money for position, money in paid.items() if money is not None}


def _curves(project: Project, book: str, refused: pl.DataFrame) -> list[ThresholdCurve]:
    return [
        ThresholdCurve(found.strategy_id, found.name, found.test, found.points)
        for found in heaviest_curves(project, book, attribution(refused), _CURVES)
    ]


def _provenance(project: Project, book: str, decided: Iterable[pl.DataFrame]) -> dict[str, str]:
    """The command, the program, the engines that decided, and the digest of the decisions."""
    engines = sorted({e for frame in decided if frame.height for e in frame["engine_digest"]})
    return {
        "Command": f"goldenthread report --book {book}",
        "Goldenthread": __version__,
        "Engines": ", ".join(engine[:12] for engine in engines) or "none decided",
        "Digest": digest(project, book)["digest"],
    }
