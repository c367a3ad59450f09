"""Judging bars: which rows are refused, and what may be believed of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from goldenthread.market.jumps import STATES
from goldenthread.market.rows import as_money, in_order, sift
from goldenthread.market.vintages import History, Rows, row_states

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from goldenthread.domain.asset import CorporateAction

_NAMES = pl.Series("state", [state.value for state in STATES])


class Judged(NamedTuple):
    """Bars in BAR_SCHEMA with their ``state``, and the rows refused, in REFUSED_SCHEMA."""

    bars: pl.DataFrame
    refused: pl.DataFrame


def judge(
    bars: pl.DataFrame, actions: Sequence[CorporateAction], now: dt.datetime | None = None
) -> Judged:
    """Every bar that keeps the row rules, with its state; sorted by symbol, ds, known_at.

    Prices and volumes come at nine decimals, as the warehouse keeps them: what is decided on
    them can be decided again from there.

    A state rests on the bar, earlier bars and the next one: cutting off the future changes only
    a last bar's state (to SUSPECT, or to GOOD where a late revision is cut off too). A revised
    row keeps the state it had while it was in force.

    Args:
        bars: Bars in BAR_SCHEMA of any symbols; the ``state`` they come with is not read.
        actions: Corporate actions; a jump is a split only if there is a SPLIT among them.
        now: With it, bars whose session was not over then are refused.
    """
    kept, refused = sift(bars, now)
    kept = as_money(kept)
    kept = kept if in_order(kept) else kept.sort("symbol", "ds", "known_at")
    splits: dict[str, list[CorporateAction]] = {}
    for action in actions:
        splits.setdefault(action.symbol, []).append(action)
    codes = [
        row_states(History(rows, splits.get(symbol, ())))
        for symbol, _, rows in Rows.by_symbol(kept)
    ]
    states = _NAMES.gather(pl.Series(np.concatenate(codes or [np.zeros(0, np.int8)])))
    return Judged(kept.with_columns(states), refused)
