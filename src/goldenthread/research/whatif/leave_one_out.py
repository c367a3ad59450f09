"""What each filter cost or earned: the strategy without it, with all the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from goldenthread.research.whatif.candidates import Candidates

LEFT_OUT = {
    "name": pl.String,
    "trades": pl.Int64,
    "net_pnl": pl.Float64,
    "trades_without": pl.Int64,
    "leave_one_out": pl.Float64,
}
"""The columns of ``leave_one_out``."""


def leave_one_out(candidates: Candidates) -> pl.DataFrame:
    """What the strategy would have earned more without each filter, all the others in force.

    Returns:
        One row a filter, by name: ``trades`` and ``net_pnl`` are the strategy's with all filters,
        ``trades_without`` the trades without this one, ``leave_one_out`` the net P&L they would
        have added (negative: the filter earns its keep). At equal stakes, as per-strategy mode
        would trade; not the sum of what it refused, since a position taken keeps others out.
    """
    whole = candidates.made(candidates.passing())
    rows = []
    for name in candidates.failed:
        without = candidates.made(candidates.passing(without=name))
        gained = without.net_pnl - whole.net_pnl
        rows.append((name, whole.trades, whole.net_pnl, without.trades, gained))
    return pl.DataFrame(rows, LEFT_OUT, orient="row")
