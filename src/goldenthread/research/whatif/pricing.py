"""Recorded decisions priced at one stake, by the rules and the rounding of per-strategy mode."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from goldenthread.domain.errors import DataError
from goldenthread.research.sweep.orders import Desks, desk_of, steps_bought
from goldenthread.research.whatif.candidates import Candidates
from goldenthread.rules.tape import (
    CLOSED,
    ORDERS,
    BoolArray,
    Closes,
    FloatArray,
    IntArray,
    Tickets,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from goldenthread.domain.strategy import Strategy
    from goldenthread.research.sweep.orders import AssetDesk, Stakes
    from goldenthread.research.sweep.work import Bars
    from goldenthread.signals.compilation import CompiledStrategy

DECIDED: dict[str, pl.DataType] = {
    "symbol": pl.String(),
    "signal_ds": pl.Date(),
    "version_key": pl.String(),
    "entry": pl.Float64(),
    "stop": pl.Float64(),
    "trail": pl.Float64(),
    "targets": pl.List(pl.Float64),
    "failed": pl.List(pl.String),
}
"""Columns of recorded decisions: levels as planned, null where there is none, and the filters
that failed."""


class _Levels(NamedTuple):
    """The levels of n decisions, NaN where there is none; ``targets`` is (n, T)."""

    entry: FloatArray
    stop: FloatArray
    trail: FloatArray
    targets: FloatArray

    def at(self, rows: IntArray) -> _Levels:
        return _Levels(*(column[rows] for column in self))

    def is_sound(self, sign: int) -> BoolArray:
        """Whether stop and targets are there and on their sides of a positive entry."""
        with np.errstate(invalid="ignore"):
            good = (self.entry > 0) & (self.stop > 0) & ((self.entry - self.stop) * sign > 0)
            beyond = (self.targets > 0) & ((self.targets - self.entry[:, None]) * sign > 0)
        found: BoolArray = good & beyond.all(axis=1)
        return found


class _Fates(NamedTuple):
    """What became of n decisions, to be written into; as in ``Candidates`` and ``Course``."""

    session: IntArray
    ended: IntArray
    left: IntArray
    cooldown: IntArray
    orderable: BoolArray
    net: FloatArray
    exit_day: IntArray


def desks_of(bars: Bars, stakes: Stakes) -> dict[str, AssetDesk]:
    """The desk of every asset of the bars that has one in the span, by symbol.

    ``bars`` are those of the symbols decided on, and of all that exit rules read.
    """
    book = bars.book()
    shared = Desks(book, bars.peers(book), stakes)
    found = ((asset.symbol, desk_of(asset, shared)) for asset in bars.assets)
    return {symbol: desk for symbol, desk in found if desk is not None}


def price_decisions(
    decided: pl.DataFrame,
    versions: Mapping[str, CompiledStrategy],
    desks: Mapping[str, AssetDesk],
    stakes: Stakes,
) -> Candidates:
    """The decisions of one strategy with what became of each, at equal stakes.

    Args:
        decided: Columns ``DECIDED``, one row a symbol and date, in any order.
        versions: Every version named, by its key: order, side, exits, cool-down are its own.
        desks: The symbols' desks, as ``desks_of`` gives them for the same stakes.
        stakes: What each takes, and the span; decisions outside it are left out.

    Raises:
        DataError: A symbol has no bars.
    """
    from goldenthread.research.whatif.holding import Course  # noqa: PLC0415  # numba, when needed

    inside = pl.col("signal_ds").is_between(stakes.first, stakes.last)
    rows = decided.filter(inside).sort("symbol", "signal_ds")
    if missing := set(rows["symbol"].unique()) - desks.keys():
        message = f"no bars to price {', '.join(sorted(missing))} with: pull them, or leave it out"
        raise DataError(message)
    edges, fates, levels = _edges(rows["symbol"]), _no_fates(len(rows)), _levels(rows)
    number = rows["version_key"].cast(pl.Enum(list(versions))).to_physical().to_numpy()
    days, compiled = rows["signal_ds"].to_physical().to_numpy(), list(versions.values())
    for first, last in pairwise(edges.tolist()):
        desk, own = desks[rows["symbol"][first]], slice(first, last)
        fates.session[own] = np.searchsorted(desk.tape.day, days[own], "right") - 1
        for version in np.unique(number[own]):
            at = first + np.flatnonzero(number[own] == version)
            _price(desk, compiled[version], stakes, (at, levels), fates)
    course = Course(edges, *fates[:4])
    names = {name for version in versions.values() for name in version.strategy.reject_unless}
    return Candidates(
        rows=rows.select("symbol", "signal_ds", "version_key"),
        course=course,
        orderable=fates.orderable,
        net=fates.net,
        exit_day=fates.exit_day,
        failed={name: _failed(rows, name) for name in sorted(names)},
        capital=float(stakes.capital),
    )


def _price(
    desk: AssetDesk,
    version: CompiledStrategy,
    stakes: Stakes,
    found: tuple[IntArray, _Levels],
    fates: _Fates,
) -> None:
    """Write down what became of the decisions of one version on one asset."""
    from goldenthread.rules.kernel import ride  # noqa: PLC0415  # numba, when needed

    strategy, (at, all_levels) = version.strategy, found
    levels = all_levels.at(at)._replace(targets=all_levels.targets[at, : len(version.targets)])
    steps = steps_bought(levels.entry, desk.asset, stakes)
    good = levels.is_sound(strategy.side.sign) & (steps > 0)
    if version.trail:
        good &= levels.trail > 0
    fates.cooldown[at], fates.orderable[at] = strategy.size.cooldown_bars, good
    at, kept = at[good], np.flatnonzero(good)
    parts = _parts(strategy, steps[kept], desk.trade.step)
    tickets = _tickets(strategy, levels.at(kept), fates.session[at], parts)
    leave, cancel = desk.closes([version])
    closes, upto = Closes(leave[0], cancel[0]), len(desk.tape.day) - 1
    rides = ride(desk.tape, desk.trade, tickets, closes, upto)
    closed = rides.status == CLOSED
    fates.ended[at], fates.left[at] = rides.ended, rides.left
    fates.net[at[closed]] = rides.net[closed]
    fates.exit_day[at[closed]] = desk.tape.day[rides.left[closed]]


def _tickets(strategy: Strategy, levels: _Levels, sessions: IntArray, parts: IntArray) -> Tickets:
    entry, leave, count = strategy.entry, strategy.exit, len(sessions)
    return Tickets(
        session=sessions,
        sign=np.full(count, strategy.side.sign, np.int8),
        order=np.full(count, ORDERS[entry.order], np.int8),
        at_market=np.zeros(count, np.bool_),
        entry=levels.entry,
        stop=levels.stop,
        trail=levels.trail,
        targets=levels.targets,
        parts=parts,
        breakeven=np.full(count, leave.breakeven_after or 0),
        valid_bars=np.full(count, entry.valid_bars),
        max_bars=np.full(count, leave.max_bars),
    )


def _parts(strategy: Strategy, steps: IntArray, step: int) -> IntArray:
    """The tranches in units of 1e-9, as ``rounding.tranche_quantities``; the runner last."""
    sells = [target.sell for target in strategy.exit.targets]
    parts, left = np.zeros((len(steps), len(sells) + 1), np.int64), steps.copy()
    for at, sell in enumerate(sells):
        above, below = sell.as_integer_ratio()
        share = steps // below * above + steps % below * above // below  # no product overflows
        parts[:, at] = share * step
        left -= share
    parts[:, len(sells) - (sum(sells) == 1)] += left * step
    return parts


def _levels(rows: pl.DataFrame) -> _Levels:
    width = rows["targets"].list.len().max()
    count = width if isinstance(width, int) else 0
    prices = [_floats(rows["targets"].list.get(n, null_on_oob=True)) for n in range(count)]
    return _Levels(
        entry=_floats(rows["entry"]),
        stop=_floats(rows["stop"]),
        trail=_floats(rows["trail"]),
        targets=np.stack(prices, axis=1) if prices else np.empty((len(rows), 0)),
    )


def _floats(column: pl.Series) -> FloatArray:
    return column.cast(pl.Float64).fill_null(np.nan).to_numpy()


def _no_fates(count: int) -> _Fates:
    """Nothing known yet of so many decisions."""

    def sessions(value: int) -> IntArray:
        return np.full(count, value, np.int64)

    return _Fates(
        session=sessions(-1),
        ended=sessions(-1),
        left=sessions(-1),
        cooldown=sessions(0),
        orderable=np.zeros(count, np.bool_),
        net=np.full(count, np.nan),
        exit_day=sessions(0),
    )


def _edges(symbols: pl.Series) -> IntArray:
    """Where each symbol of a sorted column begins, and the end."""
    lengths = symbols.rle().struct.field("len").cast(pl.Int64).to_numpy()
    return np.append(0, np.cumsum(lengths))


def _failed(rows: pl.DataFrame, name: str) -> BoolArray:
    return rows["failed"].list.contains(name).to_numpy()
