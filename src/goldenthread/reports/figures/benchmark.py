"""How an account moved with a benchmark: alpha, beta and correlation of their paired returns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from goldenthread.domain.asset import ActionKind
from goldenthread.domain.errors import UsageError
from goldenthread.reports.performance import SHORTEST_DAYS, YEAR_DAYS
from goldenthread.rules.splits import ratio_between

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from goldenthread.domain.asset import CorporateAction
    from goldenthread.domain.bar import FloatArray

_NOISE = 1e-9
"""Spread of returns below which a series does not move, as in ``reports/performance``."""


@dataclass(frozen=True)
class BenchmarkFigures:
    """An account beside one benchmark, on the days both have a point.

    ``returns`` counts the pairs, ``periods`` is how many of them a year has. What is not defined
    is None, and ``note`` says why.
    """

    asset_class: str
    benchmark: str
    returns: int = 0
    periods: float | None = None
    benchmark_return: float | None = None
    beta: float | None = None
    alpha: float | None = None
    correlation: float | None = None
    note: str = ""


def held(closes: pl.DataFrame, actions: Sequence[CorporateAction]) -> pl.DataFrame:
    """What one unit of money became in the benchmark (``ds``, ``equity``), dividends reinvested.

    Args:
        closes: ``ds`` and ``close``, raw, one row a session with a bar, oldest first.
        actions: Corporate actions of the symbol; splits and dividends count from their ex date.
    """
    days = closes["ds"].to_list()
    values = closes["close"].cast(pl.Float64).to_numpy()
    factors = np.ones(values.size)
    factors[1:] = values[1:] / values[:-1]
    cut = [a for a in actions if a.kind in {ActionKind.SPLIT, ActionKind.DIVIDEND}]
    for at in {int(np.searchsorted(closes["ds"].to_numpy(), np.datetime64(a.ex_ds))) for a in cut}:
        if 0 < at < values.size:
            before, day = days[at - 1], days[at]
            worth = float(ratio_between(cut, before, day)) * values[at] + _paid(cut, before, day)
            factors[at] = worth / values[at - 1]
    return pl.DataFrame({"ds": closes["ds"], "equity": np.cumprod(factors)})


def against(
    equity: pl.DataFrame, benchmark: pl.DataFrame, name: tuple[str, str]
) -> BenchmarkFigures:
    """The account beside the benchmark.

    Returns run from one day both have to the next, so that a weekend of crypto meets Monday's
    session. Beta is their covariance over the benchmark's variance. Alpha is what a year of the
    mean of ``account - beta x benchmark`` compounds to: ``(1 + mean) ** periods - 1``, with
    ``periods = 365 x returns / calendar days spanned``. The risk-free rate is zero.

    Args:
        equity: ``ds`` and ``equity`` of the account, one row a day.
        benchmark: The same of the benchmark, as ``held`` gives it.
        name: The asset class the benchmark stands for, and its symbol.

    Raises:
        UsageError: A day occurs twice in ``equity`` (two books in one frame).

    Source: Sharpe (1964), Capital Asset Prices (beta); Jensen (1968), The Performance of Mutual
    Funds in the Period 1945-1964 (alpha).
    """
    both = _paired(equity, benchmark)
    if both.is_empty():
        return BenchmarkFigures(*name, note=f"no bars of {name[1]} on days of the account")
    days, mine, other = both["ds"], both["equity"].to_numpy(), both["benchmark"].to_numpy()
    span, count = (days[-1] - days[0]).days, both.height - 1
    if (mine <= 0).any():
        note = "the account lost everything: it has no returns"
        return BenchmarkFigures(*name, returns=count, note=note)
    if span < SHORTEST_DAYS or count < 2:  # noqa: PLR2004  # a spread needs two returns
        note = f"{both.height} days in common over {span} calendar days; {SHORTEST_DAYS} are needed"
        return BenchmarkFigures(*name, returns=count, note=note)
    periods = YEAR_DAYS * count / span
    beta, alpha, correlation = _regressed(_returns(mine), _returns(other), periods)
    return BenchmarkFigures(
        *name,
        returns=count,
        periods=periods,
        benchmark_return=float(other[-1] / other[0] - 1),
        alpha=alpha,
        beta=beta,
        correlation=correlation,
        note="" if beta is not None else f"{name[1]} did not move",
    )


def _paired(equity: pl.DataFrame, benchmark: pl.DataFrame) -> pl.DataFrame:
    if equity.is_empty():
        return pl.DataFrame()
    if equity["ds"].n_unique() < equity.height:
        msg = "the equity frame has a day twice; a benchmark takes one book: filter by `book`"
        raise UsageError(msg)
    mine = equity.select("ds", pl.col("equity").cast(pl.Float64))
    return mine.join(benchmark.rename({"equity": "benchmark"}), on="ds").sort("ds")


def _regressed(
    mine: FloatArray, other: FloatArray, periods: float
) -> tuple[float | None, float | None, float | None]:
    """Beta, alpha and correlation; alpha needs beta, correlation needs both to move."""
    spread, own = float(other.std()), float(mine.std())
    if spread <= _NOISE:
        return None, None, None
    shared = float(np.mean((mine - mine.mean()) * (other - other.mean())))
    beta = shared / spread**2
    grown = 1 + float(np.mean(mine - beta * other))
    alpha = grown**periods - 1 if grown > 0 else math.nan
    correlation = shared / (spread * own) if own > _NOISE else None
    return beta, alpha if math.isfinite(alpha) else None, correlation


def _paid(actions: Sequence[CorporateAction], before: dt.date, day: dt.date) -> float:
    """What a share of ``before`` is paid until ``day``, in its own units."""
    paid = 0.0
    for action in actions:
        if action.kind is ActionKind.DIVIDEND and before < action.ex_ds <= day:
            paid += float(action.amount * ratio_between(actions, before, action.ex_ds))
    return paid


def _returns(values: FloatArray) -> FloatArray:
    return values[1:] / values[:-1] - 1
