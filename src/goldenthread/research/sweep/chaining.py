"""Compiled: permutations as chains of rides, (numba; import lazily)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from goldenthread.rules.kernel.state import cached, compiled
from goldenthread.rules.tape import CLOSED

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

TRADES, WINS, WON, LOST, GROSS, COSTS, HOLD, R_SUM, R_COUNT = range(9)
"""Columns of ``Books.trades``; money and R multiples in units of 1e-9."""

NONE = np.iinfo(np.int64).min
"""The R multiple of a ride whose initial stop risked nothing."""


class Books(NamedTuple):
    """What P permutations have made so far: sums in whole units of 1e-9, in any order the same.

    ``change`` and ``exposure`` (P, D) are the daily changes of the equity and of the gross exposure
    on the D days of the sweep's calendar, ``trades`` (P, 9) sums over closed trades.
    """

    change: IntArray
    exposure: IntArray
    trades: IntArray


class Chains(NamedTuple):
    """What is chained for one asset: the pairs of permutations, and the arrays of its rides.

    ``column`` is the day of the sweep's calendar of each session.
    """

    entry: IntArray
    ride: IntArray
    cooldown: IntArray
    column: IntArray
    starts: IntArray
    sessions: IntArray
    slots: NDArray[np.int32]
    offsets: IntArray
    change: IntArray
    exposure: IntArray
    status: NDArray[np.int8]
    entered: IntArray
    left: IntArray
    ended: IntArray
    bars_held: IntArray
    gross: IntArray
    fees: IntArray
    multiple: IntArray


def new_books(permutations: int, days: int) -> Books:
    """Empty books."""
    shape = (permutations, days)
    return Books(
        np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros((permutations, 9), np.int64)
    )


@cached
def chosen(work: Chains, row: int, found: IntArray) -> int:
    """How many rides one permutation takes; they are written to ``found`` in order.

    One position a permutation and symbol: the next order may be decided on the session the
    former one ended in, after an exit not before the cool-down has passed.
    """
    entry, rides = work.entry[row], work.slots[work.ride[row]]
    free, count = 0, 0
    for at in range(work.starts[entry], work.starts[entry + 1]):
        session = work.sessions[at]
        ride = rides[session]
        if session < free or ride < 0:
            continue
        found[count] = ride
        count += 1
        if work.ended[ride] < 0:
            break
        free = work.ended[ride]
        if work.left[ride] >= 0:
            free = max(free, work.left[ride] + work.cooldown[row])
    return count


@compiled
def _book(work: Chains, books: Books, row: int, ride: int) -> None:
    start = work.offsets[ride]
    count = work.offsets[ride + 1] - start
    entered = work.entered[ride]
    for day in range(count):
        column = work.column[entered + day]
        books.change[row, column] += work.change[start + day]
        books.exposure[row, column] += work.exposure[start + day]
    if work.status[ride] != CLOSED:
        return
    sums = books.trades[row]
    net = work.gross[ride] - work.fees[ride]
    sums[TRADES] += 1
    if net > 0:
        sums[WINS] += 1
        sums[WON] += net
    else:
        sums[LOST] -= net
    sums[GROSS] += work.gross[ride]
    sums[COSTS] += work.fees[ride]
    sums[HOLD] += work.bars_held[ride]
    if work.multiple[ride] != NONE:
        sums[R_SUM] += work.multiple[ride]
        sums[R_COUNT] += 1


def chain(work: Chains, books: Books, first: int, last: int) -> None:
    """Add an asset's trades to the books of permutations ``first`` to ``last`` (exclusive)."""
    _chain(work, books, (first, last), np.empty(work.slots.shape[1], np.int64))


@cached
def _chain(work: Chains, books: Books, rows: tuple[int, int], found: IntArray) -> None:
    for row in range(rows[0], rows[1]):
        for at in range(chosen(work, row, found)):
            _book(work, books, row, found[at])
