"""How much of an account was bought and sold, as time went by."""

from __future__ import annotations

import polars as pl

from goldenthread.reports.figures.returns import WINDOW_DAYS
from goldenthread.reports.performance import YEAR_DAYS, one_row_a_day


def rolling_turnover(equity: pl.DataFrame, trades: pl.DataFrame) -> pl.DataFrame:
    """``ds turnover`` of the half year before each day of the curve, from the first full one on.

    What closed trades bought on their entry days and sold on their exit days within the window,
    over its mean equity, in multiples a year: ``x 365 / 182``. What is still held is not in it.
    Null where mean equity is not above 0.

    Source: as ``turnover`` in ``performance.metrics``.
    """
    if equity.is_empty():
        return pl.DataFrame(schema={"ds": pl.Date, "turnover": pl.Float64})
    curve = one_row_a_day(equity).select("ds", pl.col("equity").cast(pl.Float64))
    both = curve.join(_traded(trades), on="ds", how="full", coalesce=True).sort("ds")
    moving = both.rolling("ds", period=f"{WINDOW_DAYS}d").agg(
        pl.col("equity").mean(), pl.col("traded").sum()
    )
    full = curve["ds"][0] + pl.duration(days=WINDOW_DAYS - 1)
    rate = pl.col("traded") / pl.col("equity") * (YEAR_DAYS / WINDOW_DAYS)
    known = moving.filter(pl.col("ds") >= full).join(curve, on="ds", how="semi")
    return known.select("ds", turnover=pl.when(pl.col("equity") > 0).then(rate))


def _traded(trades: pl.DataFrame) -> pl.DataFrame:
    """What was bought and sold on each day: ``ds traded``."""
    if trades.is_empty():
        return pl.DataFrame(schema={"ds": pl.Date, "traded": pl.Float64})
    quantity = pl.col("traded_quantity").cast(pl.Float64)
    legs = [
        trades.select(ds=f"{leg}_ds", traded=quantity * pl.col(f"{leg}_price").cast(pl.Float64))
        for leg in ("entry", "exit")
    ]
    return pl.concat(legs).group_by("ds").agg(pl.col("traded").sum())
