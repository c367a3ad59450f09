"""The coverage ledger: which sessions there are bars for. Nothing is ever filled in."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import polars as pl

from goldenthread.domain.bar import BarState
from goldenthread.rules.calendar import sessions

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from goldenthread.domain.asset import Asset

_LEDGER_SCHEMA: dict[str, pl.DataType] = {
    "symbol": pl.String(),
    "first": pl.Date(),
    "last": pl.Date(),
    "sessions": pl.Int64(),
    "bars": pl.Int64(),
    "missing": pl.Int64(),
    "suspect": pl.Int64(),
    "quarantined": pl.Int64(),
}
_GAP_SCHEMA: dict[str, pl.DataType] = {
    "symbol": pl.String(),
    "first": pl.Date(),
    "last": pl.Date(),
    "sessions": pl.Int64(),
    "where": pl.String(),
}


def ledger(
    bars: pl.DataFrame, assets: Sequence[Asset], start: dt.date, end: dt.date
) -> pl.DataFrame:
    """One row an asset: how many sessions of its calendar in [start, end] have a bar.

    ``first`` and ``last`` are the first and last bar in the range (null without any),
    ``missing`` the sessions without a bar, ``suspect`` the bars that were not believed on their
    own day but not refuted either, ``quarantined`` those refuted. Of revised bars the newest
    row counts.
    """
    newest = _newest(bars, start, end)
    rows = []
    for asset in sorted(assets, key=lambda asset: asset.symbol):
        mine = newest.filter(symbol=asset.symbol)
        states = mine["state"]
        expected = len(sessions(asset.asset_class, start, end))
        doubted = states.is_in([BarState.SUSPECT.value, BarState.CONFIRMED.value]).sum()
        refuted = (states == BarState.QUARANTINED.value).sum()
        spread = (mine["ds"].min(), mine["ds"].max())
        rows.append(
            (asset.symbol, *spread, expected, len(mine), expected - len(mine), doubted, refuted)
        )
    return pl.DataFrame(rows, schema=_LEDGER_SCHEMA, orient="row")


def gaps(bars: pl.DataFrame, assets: Sequence[Asset], start: dt.date, end: dt.date) -> pl.DataFrame:
    """One row a run of sessions without a bar: its first and last session and their number.

    ``where`` is ``before`` the first bar in the range, ``after`` the last, ``inside``, or
    ``all`` when there is none. Sorted by symbol, first.
    """
    newest = _newest(bars, start, end)
    rows = []
    for asset in sorted(assets, key=lambda asset: asset.symbol):
        expected = sessions(asset.asset_class, start, end)
        there = set(newest.filter(symbol=asset.symbol)["ds"])
        for first, last in _runs([ds not in there for ds in expected]):
            kind = {(True, True): "all", (True, False): "before", (False, True): "after"}.get(
                (first == 0, last == len(expected) - 1), "inside"
            )
            rows.append((asset.symbol, expected[first], expected[last], last - first + 1, kind))
    return pl.DataFrame(rows, schema=_GAP_SCHEMA, orient="row")


def _newest(bars: pl.DataFrame, start: dt.date, end: dt.date) -> pl.DataFrame:
    inside = bars.filter(pl.col("ds").is_between(start, end)).sort("symbol", "ds", "known_at")
    return inside.unique(["symbol", "ds"], keep="last", maintain_order=True)


def _runs(absent: list[bool]) -> list[tuple[int, int]]:
    """The first and last position of every unbroken stretch of True."""
    stretches = [(flag, list(at)) for flag, at in groupby(range(len(absent)), absent.__getitem__)]
    return [(at[0], at[-1]) for flag, at in stretches if flag]
