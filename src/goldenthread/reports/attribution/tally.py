"""What a group of signals that were not traded came to: outcomes counted, money of the known."""

from __future__ import annotations

import polars as pl

from goldenthread.domain.policy import GATE_NAMES
from goldenthread.domain.trade import OutcomeStatus

PLANNED = "PLANNED"
"""``priced_as`` of an outcome that followed the signal's own order."""

BROKER_REFUSED = "BROKER_REFUSED"
"""The rejection reason that is the broker's, neither a filter's nor a gate's."""

TALLY: dict[str, pl.DataType] = {
    "resolved": pl.Int64(),
    "open": pl.Int64(),
    "unpriceable": pl.Int64(),
    "untriggered": pl.Int64(),
    "net_pnl": pl.Float64(),
    "hit_rate": pl.Float64(),
    "average_r": pl.Float64(),
}
"""The columns of a tally; a name beside them says whose it is."""


def kind_of(column: str) -> pl.Expr:
    """Whether a rejection reason is the ``broker``'s, a ``gate``'s or else a ``filter``'s."""
    reason = pl.col(column)
    gate = pl.when(reason.is_in(list(GATE_NAMES))).then(pl.lit("gate")).otherwise(pl.lit("filter"))
    return pl.when(reason == BROKER_REFUSED).then(pl.lit("broker")).otherwise(gate).alias(column)


def outcome_columns() -> dict[str, pl.Expr]:
    """The columns a tally is made from, by name, out of those of the facts."""
    return {
        "outcome_status": pl.col("outcome_status"),
        "planned": pl.col("priced_as").eq_missing(PLANNED),
        "pnl": pl.col("theoretical_net_pnl").cast(pl.Float64),
        "r": pl.col("theoretical_r_multiple").cast(pl.Float64),
    }


def is_resolved() -> pl.Expr:
    """Whether the signal's own order would have filled, with a known result: all that has money."""
    return _is(OutcomeStatus.RESOLVED) & pl.col("pnl").is_not_null()


def tally(among: pl.Expr) -> dict[str, pl.Expr]:
    """The tally of the signals ``among`` holds for, by the names of ``TALLY``.

    ``net_pnl``, ``hit_rate`` and ``average_r`` are null when none of them is resolved: what is
    open, unpriceable or was never triggered is counted, and has no money.
    """
    resolved = among & is_resolved()
    pnl = pl.col("pnl").filter(resolved)
    unfilled = _is(OutcomeStatus.RESOLVED) & pl.col("pnl").is_null()
    counts = {
        "resolved": resolved,
        "open": among & _is(OutcomeStatus.OPEN),
        "unpriceable": among & _is(OutcomeStatus.UNPRICEABLE),
        "untriggered": among & (~pl.col("planned") | unfilled),
    }
    return {
        **{name: kept.sum().cast(pl.Int64) for name, kept in counts.items()},
        "net_pnl": pl.when(resolved.any()).then(pnl.sum()),
        "hit_rate": (pnl <= 0).mean(),
        "average_r": pl.col("r").filter(resolved).mean(),
    }


def _is(status: OutcomeStatus) -> pl.Expr:
    return pl.col("planned") & (pl.col("outcome_status") == status.value)
