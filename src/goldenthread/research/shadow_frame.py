"""Millions of signals priced as a frame: the compiled rules without a record a signal."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from goldenthread.domain.errors import DataError
from goldenthread.rules import kernel
from goldenthread.rules.kernel.track import rooms
from goldenthread.rules.tape import (
    CLOSED,
    NOT_TRIGGERED,
    ORDERS,
    REASONS,
    UNPRICEABLE,
    Closes,
    FloatArray,
    IntArray,
    Rides,
    Tape,
    Terms,
    Tickets,
)
from goldenthread.rules.ticks import UNITS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray


_NEVER = np.iinfo(np.int64).min
_NAT = np.datetime64("NaT")
_DAY_BITS = 24
_SIGNS = {"long": 1, "short": -1}
_RESOLVED = {CLOSED: "RESOLVED", NOT_TRIGGERED: "RESOLVED", UNPRICEABLE: "UNPRICEABLE"}
_STATUS = tuple(_RESOLVED.get(code, "OPEN") for code in range(6))
_NOTES = tuple("not triggered" if code == NOT_TRIGGERED else "" for code in range(6))


class Lane(NamedTuple):
    """Where the signals of one symbol ride: tape, terms, exit rule, and the last known session."""

    tape: Tape
    terms: Terms
    closes: Closes
    upto: int


def price_frame(signals: pl.DataFrame, lanes: Mapping[str, Lane]) -> pl.DataFrame:
    """The theoretical outcomes of a frame of signals, row for row, money in float64.

    Args:
        signals: ``symbol, ds, side, order, entry, stop, trail, breakeven, valid_bars,
            max_bars, runner``, and for each target n ``target_n`` and ``part_n``. Levels as
            planned, in units of ``ds``; null where there is none. ``runner`` and ``part_n``
            are quantities in whole steps, as ``tranche_quantities`` divides them.
        lanes: What each symbol is priced with.

    Returns:
        ``status, note, entry_ds, entry_price, exit_ds, exit_price, exit_reason, bars_held,
        gross_pnl, fees, dividends, net_pnl, r_multiple, mfe, mae`` in the order of ``signals``;
        null where nothing is known or nothing was made. Equal to ``shadow.price``, money to 1e-9.

    Raises:
        DataError: A symbol has no lane.
    """
    if missing := set(signals["symbol"].unique()) - lanes.keys():
        message = f"no bars to price {', '.join(sorted(missing))} with: pull them, or leave it out"
        raise DataError(message)
    order = _by_lane(signals, sorted(lanes))
    ordered = signals if order is None else signals[order]
    tickets = _tickets(ordered)
    rides, dates = rooms(len(ordered)), np.full((2, len(ordered)), _NEVER)
    for first, last in pairwise(_edges(ordered["symbol"])):
        lane = lanes[ordered["symbol"][first]]
        own = Tickets._make(column[first:last] for column in tickets)
        placed = own._replace(session=np.searchsorted(lane.tape.day, own.session, "right") - 1)
        into = Rides._make(column[first:last] for column in rides)
        kernel.ride(lane.tape, lane.terms, placed, lane.closes, lane.upto, into)
        dates[:, first:last] = np.append(lane.tape.day, _NEVER)[np.stack([into.entered, into.left])]
    told = _told(rides, dates.view("datetime64[D]"))
    return told if order is None else told[np.argsort(order)]


def _by_lane(signals: pl.DataFrame, symbols: list[str]) -> IntArray | None:
    """The rows by symbol and date; None when they stand so already."""
    number = signals["symbol"].cast(pl.Enum(symbols)).to_physical().cast(pl.Int64).to_numpy()
    key = (number << _DAY_BITS) + signals["ds"].to_physical().to_numpy()
    return None if (key[1:] >= key[:-1]).all() else np.argsort(key, kind="stable")


def _edges(symbols: pl.Series) -> list[int]:
    """Where each symbol of a sorted column begins, and the end."""
    lengths = symbols.rle().struct.field("len")
    return [0, *lengths.cast(pl.Int64).cum_sum()]


def _told(rides: Rides, dates: NDArray[np.datetime64]) -> pl.DataFrame:
    """Rides as columns; null where nothing is known, or a ride does not tell it."""
    net, unknown = rides.net, rides.status == UNPRICEABLE
    entry, left = dates
    entry[unknown] = left[rides.status != CLOSED] = _NAT
    columns = {
        "status": _chosen(_STATUS, rides.status),
        "note": _chosen(_NOTES, rides.status),
        "entry_ds": entry,
        "entry_price": np.where(unknown, np.nan, rides.entry_price),
        "exit_ds": left,
        "exit_price": rides.exit_price,
        "exit_reason": _chosen((*(str(reason) for reason in REASONS), None), rides.reason),
        "bars_held": rides.bars_held,
        "gross_pnl": rides.gross,
        "fees": rides.fees,
        "dividends": rides.dividends,
        "net_pnl": net,
        "r_multiple": net / rides.risk,
        "mfe": rides.mfe,
        "mae": rides.mae,
    }
    held = pl.Series((rides.entered >= 0) & ~unknown)
    frame = pl.DataFrame(columns, nan_to_null=True)
    return frame.with_columns(pl.when(held).then(pl.col("bars_held")))


def _chosen(words: Sequence[str | None], codes: NDArray[np.int8]) -> pl.Series:
    """A word for each code; -1 is the last word."""
    return pl.Series(words, dtype=pl.String).gather(np.where(codes < 0, len(words) - 1, codes))


def _tickets(signals: pl.DataFrame) -> Tickets:
    """The signals as tickets; ``session`` still holds the day since 1970-01-01."""
    count = sum(name.startswith("target_") for name in signals.columns)
    targets = [_floats(signals, f"target_{n}") for n in range(1, count + 1)]
    parts = [_floats(signals, f"part_{n}") for n in range(1, count + 1)]
    quantities = np.stack([*parts, _floats(signals, "runner")], axis=1)
    return Tickets(
        session=signals["ds"].to_physical().cast(pl.Int64).to_numpy(),
        sign=signals["side"].replace_strict(_SIGNS, return_dtype=pl.Int8).to_numpy(),
        order=signals["order"].replace_strict(ORDERS, return_dtype=pl.Int8).to_numpy(),
        at_market=np.zeros(len(signals), np.bool_),
        entry=_floats(signals, "entry"),
        stop=_floats(signals, "stop"),
        trail=_floats(signals, "trail"),
        targets=np.stack(targets, axis=1) if targets else np.empty((len(signals), 0)),
        parts=np.rint(np.nan_to_num(quantities) * UNITS).astype(np.int64),
        breakeven=signals["breakeven"].fill_null(0).cast(pl.Int64).to_numpy(),
        valid_bars=signals["valid_bars"].cast(pl.Int64).to_numpy(),
        max_bars=signals["max_bars"].cast(pl.Int64).to_numpy(),
    )


def _floats(signals: pl.DataFrame, name: str) -> FloatArray:
    return signals[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
