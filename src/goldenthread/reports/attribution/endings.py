"""How decided signals ended, and what those that were never filled answer."""

from __future__ import annotations

import polars as pl

from goldenthread.domain.signal import SignalStatus
from goldenthread.reports.attribution.tally import (
    TALLY,
    kind_of,
    outcome_columns,
    tally,
)


def endings(expired: pl.DataFrame) -> pl.DataFrame:
    """One row for each way a signal ended unfilled: ``status end_reason signals`` and its tally.

    The tally (``resolved open unpriceable untriggered net_pnl hit_rate average_r``) is that of
    ``attribution``; an order that was never touched is ``untriggered`` and has no money here.
    """
    if expired.is_empty():
        keys = {"status": pl.String(), "end_reason": pl.String(), "signals": pl.Int64()}
        return pl.DataFrame(schema={**keys, **TALLY})
    columns = expired.select("status", "end_reason", **outcome_columns())
    counted = columns.group_by("status", "end_reason").agg(
        signals=pl.len().cast(pl.Int64), **tally(pl.lit(value=True))
    )
    return counted.sort("status", "end_reason")


def outcomes(traded: int, refused: pl.DataFrame, expired: pl.DataFrame) -> dict[str, int]:
    """How the decided signals ended: traded, refused (by what spoke first), expired, invalidated.

    A refusal counts for the kind of its ``rejection_reason``, the first that failed.
    """
    first = pl.Series("name", refused["rejection_reason"] if refused.height else [], pl.String)
    by_kind = first.to_frame().select(kind_of("name"))["name"].to_list()
    ended = expired["status"].to_list() if not expired.is_empty() else []
    return {
        "traded": traded,
        "refused by a filter": by_kind.count("filter"),
        "refused by a gate": by_kind.count("gate"),
        "refused by the broker": by_kind.count("broker"),
        "expired": ended.count(SignalStatus.EXPIRED.value),
        "invalidated": ended.count(SignalStatus.INVALIDATED.value),
    }
