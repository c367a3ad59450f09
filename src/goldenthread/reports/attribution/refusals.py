"""What refusals were worth: per filter and gate, the theoretical result of what it refused.

Only outcomes that are RESOLVED and priced as planned have money in here. OPEN and UNPRICEABLE
ones are counted apart, and so are those whose entry never triggered: their price answers another
question (had it been a market order). A signal several filters refused belongs to all of them;
``alone`` counts those one filter refused by itself, the only ones it decided. A strategy in
shadow is refused everything, which does not count beside a filter: it would have decided.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from goldenthread.reports.attribution.tally import (
    TALLY,
    is_resolved,
    kind_of,
    outcome_columns,
    tally,
)
from goldenthread.reports.attribution.verdicts import VERDICT, days_of, judged

By = Literal["filter", "symbol", "month"]
"""What a row is about: a filter, or one filter in a symbol, or in a calendar month."""

SHADOW_STRATEGY = "SHADOW_STRATEGY"
"""The gate that refuses whatever a strategy in shadow decides."""

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
        when none is resolved. Not by month, which happened once: ``alone_low`` and
        ``alone_high``, the interval of ``alone_net_pnl``, and the ``verdict`` in words.
    """
    keys = {**_KEYS, **_PARTS[by]}
    if refused.is_empty():
        return pl.DataFrame(schema={**keys, **_figures(by)})
    each = _each(refused).select(*keys, *_USED)
    alone = {f"alone_{name}": made for name, made in tally(pl.col("sole")).items()}
    table = each.group_by(*keys).agg(
        refused=pl.len().cast(pl.Int64),
        **tally(pl.lit(value=True)),
        alone=pl.col("sole").sum().cast(pl.Int64),
        **alone,
    )
    if by != "month":
        sole = each.filter(pl.col("sole") & is_resolved())
        table = judged(table, sole, list(keys), days_of(refused["signal_ds"]))
    return table.sort("kind", "name", "strategy_id", *_PARTS[by])


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


def _figures(by: By) -> dict[str, pl.DataType]:
    alone = {f"alone_{name}": kind for name, kind in TALLY.items()}
    said = {} if by == "month" else VERDICT
    return {"refused": pl.Int64(), **TALLY, "alone": pl.Int64(), **alone, **said}


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
