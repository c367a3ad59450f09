"""From every decision to the trades that were closed: how many were left after each step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from goldenthread.reports.attribution.endings import outcomes

if TYPE_CHECKING:
    from collections.abc import Mapping

FUNNEL = {"step": pl.String, "left": pl.Int64, "lost": pl.Int64, "share": pl.Float64}
"""The columns of ``funnel``."""


def funnel(
    traded: int, refused: pl.DataFrame, expired: pl.DataFrame, waiting: Mapping[str, int]
) -> pl.DataFrame:
    """One row a step, in their order: columns ``FUNNEL``.

    ``lost`` are the signals that ended there, ``left`` those that went on, ``share`` what they
    are of all that were decided (null without any). A refusal counts where the first no was said.
    Signals that still wait for their entry are left at `accepted` and not yet `filled`.
    """
    ended = outcomes(traded, refused, expired)
    now = {name.lower(): count for name, count in waiting.items()}
    decided = sum(ended.values()) + sum(now.values())
    unfilled = ended["expired"] + ended["invalidated"] + now.get("waiting", 0)
    steps = {
        "decided": 0,
        "passed the filters": ended["refused by a filter"],
        "passed the gates": ended["refused by a gate"],
        "accepted by the broker": ended["refused by the broker"],
        "filled": unfilled,
        "closed": now.get("active", 0),
    }
    rows, left = [], decided
    for step, lost in steps.items():
        left -= lost
        rows.append((step, left, lost, left / decided if decided else None))
    return pl.DataFrame(rows, schema=FUNNEL, orient="row")
