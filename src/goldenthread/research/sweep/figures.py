"""The figures of permutations, by the definitions of ``reports/performance`` (numba; lazily)."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from goldenthread.research.sweep.chaining import (
    COSTS,
    GROSS,
    HOLD,
    LOST,
    R_COUNT,
    R_SUM,
    TRADES,
    WINS,
    WON,
    Books,
)
from goldenthread.research.sweep.daily import CHANGE, EXPOSURE
from goldenthread.rules.kernel.state import cached, compiled
from goldenthread.rules.ticks import UNITS

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

CURVE = (
    *("total_return", "annual_return", "volatility", "sharpe", "sortino"),
    *("max_drawdown", "calmar", "exposure"),
)
"""What a daily equity curve says."""
TRADED = (
    *("trades", "win_rate", "profit_factor", "expectancy", "expectancy_r"),
    *("gross_pnl", "costs", "net_pnl", "average_hold"),
)
"""What closed trades say."""
FIGURES = (*CURVE, *TRADED)

_YEAR_DAYS = 365
_SHORTEST_DAYS = 30
_NOISE = 1e-9


class Span(NamedTuple):
    """The money a curve starts with, and the calendar days from its first to its last day."""

    capital: float
    days: int


def figures_of(books: Books, span: Span, threads: int = 1) -> pl.DataFrame:
    """A row a permutation with the columns ``FIGURES``; what is not defined is null.

    The same definitions and sources as ``reports.performance``: years of 365 days, nothing
    annualised below 30 days, risk-free rate zero, drawdown a positive fraction of the peak.
    """
    curve = np.full((len(books.trades), len(CURVE)), np.nan)
    edges = np.linspace(0, len(curve), threads + 1).astype(np.int64)
    with ThreadPoolExecutor(threads) as pool:
        parts = [pool.submit(_curves, books, span, rows, curve) for rows in pairwise(edges)]
    for part in parts:
        part.result()
    columns = dict(zip(CURVE, curve.T, strict=True)) | _traded(books.trades)
    frame = pl.DataFrame({name: columns[name] for name in FIGURES})
    return frame.with_columns(pl.col(pl.Float64).fill_nan(None))


def equity_of(books: Books, row: int, capital: float) -> tuple[FloatArray, FloatArray]:
    """The equity and the gross exposure of one permutation, day by day."""
    change, exposure = books.days[row].reshape(-1, 2).T
    return capital + np.cumsum(change) / UNITS, np.cumsum(exposure) / UNITS


def _traded(sums: IntArray) -> dict[str, FloatArray | IntArray]:
    count, won, lost = sums[:, TRADES], sums[:, WON] / UNITS, sums[:, LOST] / UNITS
    gross, costs = sums[:, GROSS] / UNITS, sums[:, COSTS] / UNITS
    net = (sums[:, GROSS] - sums[:, COSTS]) / UNITS
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "trades": count,
            "win_rate": sums[:, WINS] / count,
            "profit_factor": np.where(lost > 0, won / lost, np.nan),
            "expectancy": net / count,
            "expectancy_r": sums[:, R_SUM] / UNITS / sums[:, R_COUNT],
            "gross_pnl": gross,
            "costs": costs,
            "net_pnl": net,
            "average_hold": sums[:, HOLD] / count,
        }


def _curves(books: Books, span: Span, rows: tuple[int, int], out: FloatArray) -> None:
    days = books.days.shape[1] // 2
    _fill_curves(books, span, rows, out, (np.empty(days), np.empty(days - 1)))


@cached
def _fill_curves(
    books: Books,
    span: Span,
    rows: tuple[int, int],
    out: FloatArray,
    room: tuple[FloatArray, FloatArray],
) -> None:
    values, returns = room
    days = len(values)
    for row in range(rows[0], rows[1]):
        total, held, exposed = np.int64(0), np.int64(0), 0.0
        for day in range(days):
            total += books.days[row, 2 * day + CHANGE]
            values[day] = span.capital + total / UNITS
            held += books.days[row, 2 * day + EXPOSURE]
            exposed += held / UNITS / values[day]
        _curve(values, returns, span, out[row])
        out[row, 7] = exposed / days if _lowest(values) > 0 else np.nan


@compiled
def _curve(values: FloatArray, returns: FloatArray, span: Span, out: FloatArray) -> None:
    growth = values[-1] / values[0]
    out[0] = growth - 1.0
    if span.days >= _SHORTEST_DAYS and growth >= 0:
        out[1] = growth ** (_YEAR_DAYS / span.days) - 1.0
    out[5] = _deepest(values)
    if out[5] > 0:
        out[6] = out[1] / out[5]
    if span.days >= _SHORTEST_DAYS and len(values) >= 3 and _lowest(values) > 0:  # noqa: PLR2004  # a sample deviation needs two returns
        for at in range(len(returns)):
            returns[at] = values[at + 1] / values[at] - 1.0
        _risk(returns, span, out)


@compiled
def _lowest(values: FloatArray) -> float:
    lowest = float(values[0])
    for value in values:
        lowest = min(lowest, value)
    return lowest


@compiled
def _deepest(values: FloatArray) -> float:
    """The largest drawdown; of the days since a peak, the lowest has the largest."""
    deepest = 0.0
    peak = trough = float(values[0])
    for value in values:
        if value > peak:
            deepest = max(deepest, 1.0 - trough / peak)
            peak = trough = value
        trough = min(trough, value)
    return max(deepest, 1.0 - trough / peak)


@compiled
def _risk(returns: FloatArray, span: Span, out: FloatArray) -> None:
    count = len(returns)
    mean = below = square = 0.0
    for change in returns:
        mean += change
        below += min(change, 0.0) ** 2
    mean /= count
    below = math.sqrt(below / count)
    for change in returns:
        square += (change - mean) ** 2
    spread = math.sqrt(square / (count - 1))
    periods = math.sqrt(_YEAR_DAYS * count / span.days)
    out[2] = spread * periods
    if spread > _NOISE:
        out[3] = mean / spread * periods
    if below > _NOISE:
        out[4] = mean / below * periods
