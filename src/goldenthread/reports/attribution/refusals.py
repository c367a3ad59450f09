"""What refusals were worth: per filter and gate, the theoretical result of what it refused.

Only outcomes that are RESOLVED and priced as planned have money in here. OPEN and UNPRICEABLE
ones are counted apart, and so are those whose entry never triggered: their price answers another
question (had it been a market order). A signal several filters refused belongs to all of them;
``alone`` counts those one filter refused by itself, the only ones it decided. A strategy in
shadow is refused everything, which does not count beside a filter: it would have decided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl

from goldenthread.reports.attribution.tally import (
    TALLY,
    is_resolved,
    kind_of,
    outcome_columns,
    tally,
)
from goldenthread.reports.bootstrap import block_days, sum_interval

if TYPE_CHECKING:
    from goldenthread.domain.bar import FloatArray

By = Literal["filter", "symbol", "month"]
"""What a row is about: a filter, or one filter in a symbol, or in a calendar month."""

SHADOW_STRATEGY = "SHADOW_STRATEGY"
"""The gate that refuses whatever a strategy in shadow decides."""

EVIDENCE = 20
"""Resolved signals a filter must have refused alone before it gets an interval."""

_KEYS: dict[str, pl.DataType] = {
    "kind": pl.String(),
    "strategy_id": pl.String(),
    "name": pl.String(),
}
_PARTS: dict[By, dict[str, pl.DataType]] = {
    "filter": {},
    "symbol": {"symbol": pl.String()},
    "month": {"month": pl.Date()},
}


def attribution(refused: pl.DataFrame, by: By = "filter") -> pl.DataFrame:
    """One row for each filter of each strategy, each gate and the broker's refusals.

    A gate is the account's: its ``strategy_id`` is null, and so is the broker's.

    Args:
        refused: Refused signals: ``strategy_id symbol signal_ds rejection_reasons outcome_status
            priced_as`` and ``theoretical_`` ``entry_ds exit_ds net_pnl r_multiple``.
        by: A row a filter; or a row a filter and ``symbol``, or ``month`` (its first day) of the
            decision.

    Returns:
        ``kind strategy_id name``, the part, ``refused resolved open unpriceable untriggered
        net_pnl hit_rate average_r`` and the same with ``alone`` for the signals it refused by
        itself, by kind and name. ``net_pnl`` is what the resolved ones would have made together
        in quote currency, ``hit_rate`` the share of them that would have made nothing or lost:
        how often refusing was right; ``average_r`` their mean R multiple. All three are null
        when none is resolved. ``alone_low`` and ``alone_high`` bound ``alone_net_pnl``
        (``bootstrap.LEVEL``; null below ``EVIDENCE`` or in too short a span), and ``verdict``
        says it in words.
    """
    keys = {**_KEYS, **_PARTS[by]}
    if refused.is_empty():
        return pl.DataFrame(schema={**keys, **_figures()})
    each = _each(refused).select(*keys, *_USED)
    sole = {f"alone_{name}": made for name, made in tally(pl.col("sole")).items()}
    table = each.group_by(*keys).agg(
        refused=pl.len().cast(pl.Int64),
        **tally(pl.lit(value=True)),
        alone=pl.col("sole").sum().cast(pl.Int64),
        **sole,
    )
    days = _days(refused)
    judged = table.join(
        _intervals(each.filter(pl.col("sole") & is_resolved()), list(keys), days),
        on=list(keys),
        how="left",
        nulls_equal=True,
    )
    return judged.with_columns(_verdict(days)).sort("kind", "name", "strategy_id", *_PARTS[by])


def ranked(table: pl.DataFrame) -> pl.DataFrame:
    """The rows of ``attribution`` as they are read: filters by strategy, gates, the broker.

    Those that decided the most money by themselves come first; months stay in their order.
    """
    kind = pl.col("kind").replace_strict({"filter": 0, "gate": 1, "broker": 2})
    money = pl.col("alone_net_pnl").abs()
    if "month" in table.columns:
        return table.sort(kind, "strategy_id", "name", "month")
    whose = ["strategy_id", "name"] if "symbol" in table.columns else ["strategy_id"]
    descending = [False, *(False for _ in whose), True, False]
    return table.sort(kind, *whose, money, "name", descending=descending, nulls_last=True)


_USED = ("day", "held", "sole", *outcome_columns())


def _figures() -> dict[str, pl.DataType]:
    alone = {f"alone_{name}": kind for name, kind in TALLY.items()}
    bounds = {"alone_low": pl.Float64(), "alone_high": pl.Float64(), "verdict": pl.String()}
    return {"refused": pl.Int64(), **TALLY, "alone": pl.Int64(), **alone, **bounds}


def _days(refused: pl.DataFrame) -> int:
    """How many days lie between the first and the last decision, both included."""
    span = refused.select((pl.col("signal_ds").max() - pl.col("signal_ds").min()).dt.total_days())
    return int(span.item()) + 1


def _each(refused: pl.DataFrame) -> pl.DataFrame:
    """A row a signal and reason: whose the reason is, and the outcome."""
    reasons, ds = pl.col("rejection_reasons"), pl.col("signal_ds")
    held = pl.col("theoretical_exit_ds") - pl.col("theoretical_entry_ds")
    rows = refused.select(
        "strategy_id",
        "symbol",
        name=reasons,
        month=ds.dt.truncate("1mo"),
        day=(ds - ds.min()).dt.total_days(),
        held=held.dt.total_days() + 1,
        failed=reasons.list.len().cast(pl.Int64),
        in_shadow=reasons.list.contains(SHADOW_STRATEGY),
        **outcome_columns(),
    ).explode("name")
    beside = pl.col("in_shadow") & (pl.col("name") != SHADOW_STRATEGY)
    kinds = rows.with_columns(kind=kind_of("name"), sole=pl.col("failed") - beside == 1)
    whose = pl.when(pl.col("kind") == "filter").then(pl.col("strategy_id"))
    return kinds.with_columns(strategy_id=whose)


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


def _verdict(days: int) -> pl.Expr:
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
