"""The tear sheet: one self-contained HTML page from the facts of one book."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

import polars as pl

from goldenthread.reports.attribution.money_line import loudest, money_line
from goldenthread.reports.attribution.refusals import attribution
from goldenthread.reports.chapters import data, headline, portfolio, returns, shadow, trading
from goldenthread.reports.definitions import defined
from goldenthread.reports.layout import chapter, contents, document
from goldenthread.reports.notation import exact, period
from goldenthread.reports.performance import metrics

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from goldenthread.reports.chapters.shadow import ThresholdCurve
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
        slipped: What slippage cost each closed trade, by its id, where it is known.
        benchmarks: The account beside each benchmark of the settings.
        worth: What one unit of money became in each benchmark (``ds equity``), by symbol.
        versions: The versions of strategies (``strategy_id version_key valid_from valid_to``).
        curves: Other thresholds of the filters whose refusals weigh most.
        money_line: The one sentence worth knowing; empty for that of the refusals alone.
        provenance: What the page was made from: command, versions, digests.
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
    slipped: Mapping[str, Decimal] = field(default_factory=dict)
    benchmarks: Sequence[BenchmarkFigures] = ()
    worth: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    versions: pl.DataFrame = field(default_factory=pl.DataFrame)
    curves: Sequence[ThresholdCurve] = ()
    money_line: str = ""
    provenance: Mapping[str, str] = field(default_factory=dict)


CHAPTERS = {
    "returns": "Returns",
    "trading": "Trading",
    "portfolio": "Portfolio",
    "shadow": "What was refused",
    "data": "Data",
    "definitions": "Definitions",
}
"""The chapters of the page by the name that leads to them."""


def tearsheet(facts: TearsheetInput) -> str:
    """The page as a string of HTML: no script, nothing fetched, every text escaped.

    Raises:
        UsageError: The frames hold more than one book.
    """
    figures = metrics(facts.equity, facts.trades)
    chapters = {
        "returns": _returns(facts, figures),
        "trading": _trading(facts, figures),
        "portfolio": _portfolio(facts),
        "shadow": _refused(facts),
        "data": [
            data.coverage_gaps(facts.coverage, facts.synthetic),
            data.made_from(facts.provenance),
        ],
        "definitions": [defined()],
    }
    body = [
        _header(facts, figures),
        contents(CHAPTERS),
        headline.synthetic_notice(facts.trades, facts.synthetic),
        headline.tiles(figures, facts.benchmarks),
        headline.callout(facts.money_line or money_line(loudest(attribution(facts.refused)))),
        *(chapter(name, CHAPTERS[name], *parts) for name, parts in chapters.items()),
        _footer(),
    ]
    return document(f"{facts.title} · {facts.book}", body)


def _returns(facts: TearsheetInput, figures: Metrics) -> list[str]:
    return [
        returns.equity_charts(facts.equity, figures),
        returns.falls(facts.equity),
        returns.growth(facts.equity, facts.worth),
        returns.benchmarks(facts.benchmarks),
        returns.months(facts.equity),
        returns.years_and_days(facts.equity),
        returns.moving(facts.equity, facts.worth),
    ]


def _trading(facts: TearsheetInput, figures: Metrics) -> list[str]:
    return [
        trading.exposure(facts.equity, figures),
        trading.turnover(facts.equity, facts.trades),
        trading.what_it_cost(facts.trades, facts.slipped),
        trading.exits(facts.trades),
        trading.excursions(facts.trades),
        trading.traded_months(facts.trades),
        trading.symbols(facts.trades),
        trading.last_trades(facts.trades, facts.synthetic),
    ]


def _portfolio(facts: TearsheetInput) -> list[str]:
    first, last = _ends(facts.equity)
    return [
        portfolio.strategies(facts.equity, facts.trades),
        portfolio.held(facts.equity, facts.trades, facts.positions),
        portfolio.correlated(facts.equity, facts.trades, facts.positions),
        portfolio.overlapping(facts.positions),
        portfolio.time_line(facts.versions, first, last),
        portfolio.versions(facts.trades),
    ]


def _refused(facts: TearsheetInput) -> list[str]:
    ended = (facts.trades.height, facts.refused, facts.expired, facts.waiting)
    return [
        shadow.way_to_trades(*ended),
        shadow.refusals(attribution(facts.refused)),
        shadow.other_thresholds(facts.curves),
        shadow.signal_outcomes(facts.trades, facts.refused, facts.expired, facts.waiting),
    ]


def _ends(equity: pl.DataFrame) -> tuple[dt.date | None, dt.date | None]:
    days = [] if equity.is_empty() else equity["ds"].sort().to_list()
    return (days[0], days[-1]) if days else (None, None)


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
