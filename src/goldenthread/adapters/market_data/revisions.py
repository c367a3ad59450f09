"""What an arriving bar or action is to a store: new, the same, or a revision."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from goldenthread.domain.asset import AssetClass, CorporateAction
from goldenthread.domain.bar import BAR_SCHEMA
from goldenthread.rules.calendar import is_session, session_close

if TYPE_CHECKING:
    from collections.abc import Sequence

_DAY = ["symbol", "ds"]
_ROW = [*_DAY, "known_at"]
_VALUES = ["open", "high", "low", "close", "volume"]
_INSTANT = BAR_SCHEMA["known_at"]
_TICK = dt.timedelta(microseconds=1)


class Merged(NamedTuple):
    """The bars to store, sorted, and how many of the arriving ones were what."""

    bars: pl.DataFrame
    new: int
    same: int
    revised: int


def merge_bars(stored: pl.DataFrame, arriving: pl.DataFrame, now: dt.datetime) -> Merged:
    """The stored bars with the arriving ones added; both in BAR_SCHEMA.

    A row of a day not stored is new. One with the values of the newest stored row of its day is
    the same, and so is an older row of a history stored before. Any other is a revision, known
    from its own ``known_at``; from ``now`` when that is just the close of its session (nobody
    gave one) or taken by other values.
    """
    marked = _marked(stored, arriving.select(list(BAR_SCHEMA)).unique(maintain_order=True))
    fresh = marked.filter(~pl.col("_there"))
    met = marked.filter("_there", ~pl.col("_equal"))
    given = pl.Series([known != _close(*row) for *row, known in met.select(_ROW).iter_rows()])
    met = met.with_columns(given.cast(pl.Boolean).alias("_given"))
    same = (pl.col("_taken") & ~pl.col("_newest")) | (pl.col("_exact") & pl.col("_given"))
    later = pl.max_horizontal(
        pl.lit(now, BAR_SCHEMA["known_at"]), pl.col("known_at_stored") + _TICK
    )
    revised = met.filter(~same).with_columns(
        known_at=pl.when(pl.col("_given") & ~pl.col("_taken")).then("known_at").otherwise(later)
    )
    parts = [stored, *(part.select(list(BAR_SCHEMA)) for part in (fresh, revised))]
    bars = pl.concat(parts).sort(_ROW)
    return Merged(bars, len(fresh), len(arriving) - len(fresh) - len(revised), len(revised))


def merge_inputs(stored: pl.DataFrame, arriving: pl.DataFrame, now: dt.datetime) -> Merged:
    """The stored point-in-time values with the arriving ones added; both in INPUT_SCHEMA.

    A row of a day not stored is new and known as it says. One that is stored, or has the value
    of the newest stored row of its day, is the same. Any other is a revision, known from its own
    ``known_at`` but not before ``now``; of several of one day the last.
    """
    day = ["table", *_DAY]
    newest = stored.unique(day, keep="last", maintain_order=True)
    there = stored.with_columns(_same=True)
    marked = (
        arriving.join(newest.select(*day, pl.col("value").alias("_old")), on=day, how="left")
        .join(there, on=list(stored.columns), how="left")
        .with_columns(_same=pl.col("_same").fill_null(pl.col("_old") == pl.col("value")))
    )
    fresh = marked.filter(pl.col("_old").is_null())
    revised = (
        marked.filter(pl.col("_old").is_not_null(), ~pl.col("_same"))
        .sort("known_at")
        .unique(day, keep="last", maintain_order=True)
        .with_columns(known_at=pl.max_horizontal("known_at", pl.lit(now, _INSTANT)))
    )
    parts = [stored, *(part.select(stored.columns) for part in (fresh, revised))]
    bars = pl.concat(parts).sort("table", *_ROW)
    return Merged(bars, len(fresh), len(arriving) - len(fresh) - len(revised), len(revised))


def merge_actions(
    stored: Sequence[CorporateAction], arriving: Sequence[CorporateAction], now: dt.datetime
) -> list[CorporateAction]:
    """The arriving actions that say something new; a revision is known later than the old one."""
    newest = {(a.symbol, a.kind, a.ex_ds): a for a in sorted(stored, key=lambda a: a.known_at)}
    added = []
    for action in arriving:
        key = (action.symbol, action.kind, action.ex_ds)
        old = newest.get(key)
        if old is not None and _content(old) == _content(action):
            continue
        if old is not None and action.known_at <= old.known_at:
            later = max(now, old.known_at + _TICK)
            action = action.model_copy(update={"known_at": later})  # noqa: PLW2901  the same action, known later
        newest[key] = action
        added.append(action)
    return added


def _marked(stored: pl.DataFrame, arriving: pl.DataFrame) -> pl.DataFrame:
    """Arriving rows with what is known of them in the store.

    ``_there``: their day is stored; ``_equal``: with these values as the newest; ``_taken``:
    with this known_at; ``_exact``: with both; ``_newest``: the last of their day to arrive.
    """
    newest = stored.unique(_DAY, keep="last", maintain_order=True)
    columns = [*_VALUES, "known_at"]
    joined = arriving.join(
        newest.select(*_DAY, pl.col(columns).name.suffix("_stored")),
        on=_DAY,
        how="left",
        maintain_order="left",
    )
    equal = [pl.col(name) == pl.col(f"{name}_stored") for name in _VALUES]
    taken = stored.select(*_ROW, pl.lit(value=True).alias("_taken"))
    exact = stored.select(*_ROW, *_VALUES, pl.lit(value=True).alias("_exact"))
    flags = ["_taken", "_exact"]
    return (
        joined.join(taken, on=_ROW, how="left", maintain_order="left")
        .join(exact, on=[*_ROW, *_VALUES], how="left", maintain_order="left")
        .with_columns(
            pl.col(flags).fill_null(value=False),
            pl.col("known_at_stored").is_not_null().alias("_there"),
            pl.all_horizontal(equal).fill_null(value=False).alias("_equal"),
            (pl.col("known_at") == pl.col("known_at").max().over(_DAY)).alias("_newest"),
        )
    )


def _close(symbol: str, ds: dt.date) -> dt.datetime | None:
    kind = AssetClass.CRYPTO if "/" in symbol else AssetClass.EQUITY
    return session_close(kind, ds) if is_session(kind, ds) else None


def _content(action: CorporateAction) -> tuple[object, ...]:
    return (action.ratio, action.amount, action.new_symbol)
