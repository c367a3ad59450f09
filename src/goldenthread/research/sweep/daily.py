"""Compiled: what each ride adds to equity and exposure, day by day (numba; import lazily)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from goldenthread.rules.kernel.state import cached
from goldenthread.rules.tape import CLOSED, ENTRY, Executions, Rides, Tape, Tickets
from goldenthread.rules.ticks import UNITS

IntArray = NDArray[np.int64]


def daily(
    tape: Tape, tickets: Tickets, rides: Rides, log: Executions
) -> tuple[IntArray, IntArray, IntArray]:
    """The days of every ride, one ride after the other.

    Returns:
        offsets (n + 1): the days of ride i are rows ``offsets[i]`` to ``offsets[i + 1]``, from
        its entry to its last exit, or to the end of the tape while it is not closed;
        change: what the day added to the equity, at the close (before it at the last one there
        was), fees taken off; a closed ride adds exactly its gross P&L less its fees;
        exposure: what the day added to what was held at its close. Both in units of 1e-9 of the
        quote currency, and changes, as other assets have days on which this one has no session.
    """
    last = np.where(rides.status == CLOSED, rides.left, len(tape.day) - 1)
    counts = np.where(rides.entered >= 0, last - rides.entered + 1, 0)
    offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))
    starts = np.searchsorted(log.ticket, np.arange(len(rides.status) + 1))
    change = np.empty(offsets[-1], np.int64)
    exposure = np.empty(offsets[-1], np.int64)
    net = np.where(rides.status == CLOSED, rides.gross - rides.fees, np.nan)
    days = _Days(tape.close, tape.split, rides.entered, offsets, starts, net)
    fills = _Fills(log.session, log.leg, log.price, log.units, log.coin_fee, log.fee)
    _fill_days(days, fills, tickets.sign, change, exposure)
    return offsets, change, exposure


class _Days(NamedTuple):
    close: NDArray[np.float64]
    split: NDArray[np.float64]
    entered: IntArray
    offsets: IntArray
    starts: IntArray
    net: NDArray[np.float64]


class _Fills(NamedTuple):
    session: IntArray
    leg: NDArray[np.int8]
    price: NDArray[np.float64]
    units: IntArray
    coin_fee: IntArray
    fee: NDArray[np.float64]


@cached
def _fill_days(
    days: _Days, fills: _Fills, sign: NDArray[np.int8], change: IntArray, exposure: IntArray
) -> None:
    for ride in range(len(days.entered)):
        begin, end = days.offsets[ride], days.offsets[ride + 1]
        session, fill = days.entered[ride], days.starts[ride]
        cash, held, mark = 0.0, 0.0, 0.0
        before, exposed = np.int64(0), np.int64(0)
        for row in range(begin, end):
            ratio = days.split[session]
            if ratio != 1.0:
                held, mark = np.rint(held * ratio), mark / ratio
            while fill < days.starts[ride + 1] and fills.session[fill] == session:
                worth = fills.units[fill] / UNITS * fills.price[fill]
                way = 1.0 if fills.leg[fill] == ENTRY else -1.0
                cash -= sign[ride] * way * worth + fills.fee[fill]
                held += way * fills.units[fill] - fills.coin_fee[fill]
                fill += 1
            if not np.isnan(days.close[session]):
                mark = days.close[session]
            worth = held / UNITS * mark
            equity = np.int64(np.rint((cash + sign[ride] * worth) * UNITS))
            exposes = np.int64(np.rint(worth * UNITS))
            if row == end - 1 and not np.isnan(days.net[ride]):
                equity, exposes = np.int64(np.rint(days.net[ride] * UNITS)), np.int64(0)
            change[row], exposure[row] = equity - before, exposes - exposed
            before, exposed = equity, exposes
            session += 1
