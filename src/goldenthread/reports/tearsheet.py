"""The tear sheet: one self-contained HTML page from the facts of one book."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

import polars as pl

from goldenthread.reports import sections
from goldenthread.reports.attribution.money_line import loudest, money_line
from goldenthread.reports.attribution.refusals import attribution
from goldenthread.reports.figures import sections as broken_down
from goldenthread.reports.markup import document
from goldenthread.reports.notation import exact, period
from goldenthread.reports.performance import metrics

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from goldenthread.reports.figures.benchmark import BenchmarkFigures
    from goldenthread.reports.performance import Metrics


@dataclass(frozen=True)
class TearsheetInput:
    """What a tear sheet is made of: facts of one book in one period, already filtered.

    Attributes:
        title: What the page is called.
        book: The book every frame belongs to.
        now: When the page was made.
        equity: Account snapshots, one a day (``ds equity gross_exposure``).
        trades: Closed trades.
        refused: Refused signals with their verdicts and theoretical outcomes.
        expired: Expired and invalidated signals with theirs.
        coverage: The ledger of ``market/coverage`` (``symbol first last sessions bars missing
            suspect quarantined``).
        waiting: Signals still waiting or active, by status.
        synthetic: Symbols whose prices were generated.
        positions: Open positions, a row a day and position (``snapshot_positions``).
        benchmarks: The account beside each benchmark of the settings.
    """

    title: str
    book: str
    now: dt.datetime
    equity: pl.DataFrame
    trades: pl.DataFrame
    refused: pl.DataFrame
    expired: pl.DataFrame
    coverage: pl.DataFrame = field(default_factory=pl.DataFrame)
    waiting: Mapping[str, int] = field(default_factory=dict)
    synthetic: frozenset[str] = frozenset()
    positions: pl.DataFrame = field(default_factory=pl.DataFrame)
    benchmarks: Sequence[BenchmarkFigures] = ()


def tearsheet(facts: TearsheetInput) -> str:
    """The page as a string of HTML: no script, nothing fetched, every text escaped.

    Raises:
        UsageError: The frames hold more than one book.
    """
    figures = metrics(facts.equity, facts.trades)
    refusals = attribution(facts.refused)
    body = [
        _header(facts, figures),
        sections.synthetic_notice(facts.trades, facts.synthetic),
        sections.headline(figures),
        sections.callout(money_line(loudest(refusals))),
        sections.equity_charts(facts.equity, figures),
        broken_down.benchmarks(facts.benchmarks),
        sections.months(facts.equity),
        sections.strategies(facts.equity, facts.trades),
        broken_down.portfolio(facts.equity, facts.trades, facts.positions),
        broken_down.together(facts.equity, facts.trades, facts.positions),
        broken_down.versions(facts.trades),
        broken_down.symbols(facts.trades),
        broken_down.traded_months(facts.trades),
        sections.refusals(refusals),
        sections.signal_outcomes(facts.trades, facts.refused, facts.expired, facts.waiting),
        sections.last_trades(facts.trades, facts.synthetic),
        sections.coverage_gaps(facts.coverage, facts.synthetic),
        _footer(),
    ]
    return document(f"{facts.title} · {facts.book}", body)


def _header(facts: TearsheetInput, figures: Metrics) -> str:
    said = {
        "Book": facts.book,
        "Period": period(figures.curve.first_ds, figures.curve.last_ds),
        "Made": exact(facts.now),
    }
    pairs = "".join(f"<div><dt>{k}</dt> <dd>{escape(v)}</dd></div>" for k, v in said.items())
    return f"<header><h1>{escape(facts.title)}</h1><dl>{pairs}</dl></header>"


def _footer() -> str:
    return (
        "<footer><p>A year has 365 days; a curve with fewer points a year is annualised by the "
        "points it has. The risk-free rate is zero. Nothing is annualised below 30 days. Fees are "
        "in every net figure. A dash means not defined or not known, never zero.</p>"
        "<p>Theoretical figures follow the same fill rules as trades, each signal alone and at "
        "the size it asked for; they take no account of cash that other trades had bound. "
        "Open, unpriceable and never-triggered signals are counted but have no money.</p></footer>"
    )
