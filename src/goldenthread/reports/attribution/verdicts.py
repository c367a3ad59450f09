"""Whether what was refused shows anything: an interval around its money, and a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from goldenthread.reports.bootstrap import block_days, sum_interval

if TYPE_CHECKING:
    from goldenthread.domain.bar import FloatArray

EVIDENCE = 20
"""Resolved signals a filter must have refused alone before it gets an interval."""

VERDICT: dict[str, pl.DataType] = {
    "alone_low": pl.Float64(),
    "alone_high": pl.Float64(),
    "verdict": pl.String(),
}
"""The columns ``judged`` adds."""


def judged(table: pl.DataFrame, sole: pl.DataFrame, keys: list[str], days: int) -> pl.DataFrame:
    """The table with the interval of each row's ``alone_net_pnl`` and a verdict.

    The interval is null below ``EVIDENCE`` and in a span too short for the time trades were held.
    It is that of a history, not of single signals: those of one day, or of overlapping trades, are
    drawn together, and a filter that spoke only for a month may not have spoken at all.

    Args:
        table: One row a group, with ``alone_resolved``.
        sole: The resolved signals each group refused by itself: the keys, ``day`` of the span,
            ``held`` days, ``pnl``.
        keys: The columns that name a group.
        days: The days of the whole span.
    """
    bounds = _intervals(sole, keys, days)
    joined = table.join(bounds, on=keys, how="left", nulls_equal=True)
    return joined.with_columns(_said(days))


def days_of(dates: pl.Series) -> int:
    """How many days lie between the first and the last date, both included."""
    span = dates.to_frame("ds").select((pl.col("ds").max() - pl.col("ds").min()).dt.total_days())
    return int(span.item()) + 1


def _intervals(sole: pl.DataFrame, keys: list[str], days: int) -> pl.DataFrame:
    """``alone_low`` and ``alone_high`` of the rows with enough evidence."""
    groups = sole.group_by(*keys, maintain_order=True).agg(
        pl.col("day"), pl.col("pnl"), held=pl.col("held").mean(), n=pl.len()
    )
    enough = groups.filter(pl.col("n") >= EVIDENCE)
    blocks = np.array([block_days(held, days) for held in enough["held"]], dtype=np.int64)
    bounds = np.full((2, enough.height), np.nan)
    for block in np.unique(blocks):
        (mine,) = np.nonzero(blocks == block)
        bounds[:, mine] = sum_interval(_daily(enough[mine], days), int(block))
    return enough.select(
        *keys,
        alone_low=pl.Series(bounds[0], dtype=pl.Float64).fill_nan(None),
        alone_high=pl.Series(bounds[1], dtype=pl.Float64).fill_nan(None),
    )


def _daily(groups: pl.DataFrame, days: int) -> FloatArray:
    """The money of each day of the span, one column a group."""
    daily = np.zeros((days, groups.height))
    for column, (day, pnl) in enumerate(groups.select("day", "pnl").iter_rows()):
        np.add.at(daily[:, column], day, pnl)
    return daily


def _said(days: int) -> pl.Expr:
    """What a row shows, in words."""
    few = pl.format("not enough evidence: n = {}", pl.col("alone_resolved"))
    return (
        pl.when(pl.col("alone_resolved") < EVIDENCE)
        .then(few)
        .when(pl.col("alone_low").is_null())
        .then(pl.lit(f"not enough evidence: {days} days"))
        .when(pl.col("alone_low") > 0)
        .then(pl.lit("costs money"))
        .when(pl.col("alone_high") < 0)
        .then(pl.lit("earns money"))
        .otherwise(pl.lit("no effect shown"))
        .alias("verdict")
    )
