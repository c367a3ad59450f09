"""The figures of the report as data: what the page shows, row by row."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from goldenthread.reports.attribution.endings import endings
from goldenthread.reports.attribution.funnel import funnel
from goldenthread.reports.attribution.refusals import attribution, ranked
from goldenthread.reports.figures.breakdowns import by_exit_reason, by_month, by_symbol, by_version
from goldenthread.reports.figures.costs import costs
from goldenthread.reports.figures.portfolio import capital, correlations, daily_pnl, overlaps
from goldenthread.reports.figures.returns import (
    distribution,
    rolling,
    rolling_beta,
    worst_drawdowns,
    yearly_returns,
)
from goldenthread.reports.figures.turnover import rolling_turnover
from goldenthread.reports.performance import drawdowns, metrics, monthly_returns

if TYPE_CHECKING:
    import polars as pl

    from goldenthread.reports.tearsheet import TearsheetInput


def as_data(facts: TearsheetInput) -> dict[str, Any]:
    """Every figure of the page by what it is of; fractions never percent, unknown is null."""
    frames = {**_over_time(facts), **_of_trades(facts), **_of_refusals(facts)}
    return {
        "account": metrics(facts.equity, facts.trades).as_row(),
        "benchmarks": [asdict(found) for found in facts.benchmarks],
        **{name: frame.to_dicts() for name, frame in frames.items()},
        "curves": [{**vars(curve), "points": curve.points.to_dicts()} for curve in facts.curves],
        "coverage": facts.coverage.to_dicts(),
        "provenance": dict(facts.provenance),
    }


def _over_time(facts: TearsheetInput) -> dict[str, pl.DataFrame]:
    betas = {
        f"rolling_beta_{name}": rolling_beta(facts.equity, worth)
        for name, worth in facts.worth.items()
    }
    return {
        "drawdowns": drawdowns(facts.equity),
        "worst_drawdowns": worst_drawdowns(facts.equity),
        "monthly_returns": monthly_returns(facts.equity),
        "yearly_returns": yearly_returns(facts.equity),
        "distribution": distribution(facts.equity),
        "rolling": rolling(facts.equity),
        "rolling_turnover": rolling_turnover(facts.equity, facts.trades),
        **betas,
    }


def _of_trades(facts: TearsheetInput) -> dict[str, pl.DataFrame]:
    daily = daily_pnl(facts.equity, facts.trades, facts.positions)
    return {
        "costs": costs(facts.trades, facts.slipped),
        "exits": by_exit_reason(facts.trades),
        "strategies": capital(facts.equity, facts.trades, facts.positions),
        "correlations": correlations(daily),
        "overlaps": overlaps(facts.positions),
        "versions": by_version(facts.trades),
        "symbols": by_symbol(facts.trades),
        "months": by_month(facts.trades),
    }


def _of_refusals(facts: TearsheetInput) -> dict[str, pl.DataFrame]:
    ended = (facts.trades.height, facts.refused, facts.expired, facts.waiting)
    return {
        "funnel": funnel(*ended),
        "filters": ranked(attribution(facts.refused)),
        "endings": endings(facts.expired),
    }
