"""An account's returns by their time: years, a moving window, their spread, the worst falls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from goldenthread.reports.charts import value_ticks
from goldenthread.reports.performance import YEAR_DAYS, drawdowns, one_row_a_day

if TYPE_CHECKING:
    import datetime as dt

    from goldenthread.domain.bar import FloatArray

WINDOW_DAYS = 182
"""Calendar days of the moving window: half a year."""

_FEWEST = 30
"""Returns a window must hold before it says anything."""

_BINS = 40
_NOISE = 1e-9


def yearly_returns(equity: pl.DataFrame) -> pl.DataFrame:
    """The return of each calendar year (``year return``), oldest first; the first and last in part.

    A year is measured from the last day before it; the first from the curve's first day.
    """
    if equity.is_empty():
        return pl.DataFrame(schema={"year": pl.Int32, "return": pl.Float64})
    curve = one_row_a_day(equity).select("ds", pl.col("equity").cast(pl.Float64))
    ends = curve.group_by(year=pl.col("ds").dt.year(), maintain_order=True).agg(
        end=pl.col("equity").last()
    )
    before = pl.col("end").shift(1, fill_value=curve["equity"][0])
    return ends.select("year", (pl.col("end") / before - 1).alias("return"))


def daily_returns(equity: pl.DataFrame) -> pl.DataFrame:
    """The return of each day but the first (``ds return``), oldest first."""
    if equity.is_empty():
        return pl.DataFrame(schema={"ds": pl.Date, "return": pl.Float64})
    value = pl.col("equity").cast(pl.Float64)
    return one_row_a_day(equity).select("ds", (value / value.shift(1) - 1).alias("return"))[1:]


def distribution(equity: pl.DataFrame) -> pl.DataFrame:
    """How many days had which return: ``low high days``, ascending, in steps of one round width.

    A return on a border belongs to the step above it. Days of no change at all, most of them
    before the first trade, are not counted.
    """
    schema = {"low": pl.Float64, "high": pl.Float64, "days": pl.Int64}
    moved = daily_returns(equity).filter(pl.col("return") != 0)["return"].to_numpy()
    if not moved.size:
        return pl.DataFrame(schema=schema)
    ticks = value_ticks(float(moved.min()), float(moved.max()), _BINS)
    counts, edges = np.histogram(np.clip(moved, ticks[0], ticks[-1]), np.array(ticks))
    return pl.DataFrame({"low": edges[:-1], "high": edges[1:], "days": counts}, schema=schema)


def rolling(equity: pl.DataFrame) -> pl.DataFrame:
    """``ds sharpe volatility`` of the half year before each day, from the first full one on.

    Both as in ``curve_figures`` over the returns of the window, annualised by how many of them
    there were: ``365 x returns / 182``. Null where fewer than 30 fell into it; the Sharpe ratio
    also where they did not vary.
    """
    found = _window(daily_returns(equity), mean=pl.col("return").mean(), std=pl.col("return").std())
    periods = (YEAR_DAYS * pl.col("returns") / WINDOW_DAYS).sqrt()
    known = pl.col("returns") >= _FEWEST
    varies = known & (pl.col("std") > _NOISE)
    return found.select(
        "ds",
        sharpe=pl.when(varies).then(pl.col("mean") / pl.col("std") * periods),
        volatility=pl.when(known).then(pl.col("std") * periods),
    )


def rolling_beta(equity: pl.DataFrame, benchmark: pl.DataFrame) -> pl.DataFrame:
    """``ds beta`` against a benchmark over the half year before each day, from the first on.

    Returns run between the days both have, as in ``against``; ``benchmark`` has ``ds`` and
    ``equity``. Null where fewer than 30 fell into it, or the benchmark did not move.
    """
    worth = pl.col("equity").cast(pl.Float64)
    mine = pl.DataFrame(schema={"ds": pl.Date, "equity": pl.Float64})
    mine = equity.select("ds", worth) if equity.height else mine
    both = mine.join(benchmark.select("ds", other="equity"), on="ds").sort("ds")
    paired = both.select(
        "ds",
        x=pl.col("other") / pl.col("other").shift(1) - 1,
        y=pl.col("equity") / pl.col("equity").shift(1) - 1,
    )[1:]
    covered = _window(paired, std=pl.col("x").std(), beta=pl.cov("x", "y") / pl.col("x").var())
    moved = (pl.col("returns") >= _FEWEST) & (pl.col("std") > _NOISE)
    return covered.select("ds", beta=pl.when(moved).then(pl.col("beta")))


def worst_drawdowns(equity: pl.DataFrame, count: int = 10) -> pl.DataFrame:
    """The deepest falls from a peak until it was reached again, the deepest first.

    ``peak_ds trough_ds recovered_ds depth days``: ``depth`` is a positive fraction of the peak,
    ``recovered_ds`` null and ``days`` counted to the last day while it lasts.
    """
    below = drawdowns(equity)
    schema = {
        "peak_ds": pl.Date,
        "trough_ds": pl.Date,
        "recovered_ds": pl.Date,
        "depth": pl.Float64,
        "days": pl.Int64,
    }
    rows = _falls(below["ds"].to_list(), below["drawdown"].to_numpy())
    found = pl.DataFrame(rows, schema=schema, orient="row")
    return found.sort("depth", "peak_ds", descending=[True, False]).head(count)


def _falls(
    days: list[dt.date], depths: FloatArray
) -> list[tuple[dt.date, dt.date, dt.date | None, float, int]]:
    """Every stretch below a peak, in their order."""
    under = np.concatenate([[False], depths < 0, [False]])
    starts = np.flatnonzero(under[1:] & ~under[:-1])
    ends = np.flatnonzero(under[:-1] & ~under[1:])
    rows = []
    for start, end in zip(starts, ends, strict=True):
        peak, trough = days[start - 1], start + int(depths[start:end].argmin())
        recovered = days[end] if end < len(days) else None
        span = ((recovered or days[-1]) - peak).days
        rows.append((peak, days[trough], recovered, -float(depths[trough]), span))
    return rows


def _window(returns: pl.DataFrame, **figures: pl.Expr) -> pl.DataFrame:
    """Figures of the window before each day that has a whole one, and how many returns it held."""
    if returns.is_empty():
        kinds = dict.fromkeys(("returns", *figures), pl.Float64)
        return pl.DataFrame(schema={"ds": pl.Date, **kinds})
    full = returns["ds"][0] + pl.duration(days=WINDOW_DAYS - 1)
    moving = returns.rolling("ds", period=f"{WINDOW_DAYS}d").agg(returns=pl.len(), **figures)
    return moving.filter(pl.col("ds") >= full)
