"""Compiled: what a ride adds to equity and exposure, day by day (numba; import lazily)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from goldenthread.rules.kernel.state import compiled
from goldenthread.rules.tape import ENTRY
from goldenthread.rules.ticks import UNITS, value_cents

if TYPE_CHECKING:
    from collections.abc import Sequence

    from goldenthread.rules.kernel.state import Day, Row

IntArray = NDArray[np.int64]


CHANGE, EXPOSURE = range(2)
"""The two numbers of a day in a ledger, which has one after the other, in units of 1e-9.

What a day added to the equity, at the close (before it at the last one there was), dividends
added and fees taken off; a closed ride adds exactly its net P&L. And what it added to what was
held at its close. Both are changes, as other assets have days on which this one has no session.
They lie side by side: adding days to a permutation's waits for memory more than for sums.
"""


class Held(NamedTuple):
    """The sessions a ride has in the ledger, from ``first`` to ``last``, written from row ``at``.

    ``fills`` is how many executions it had, ``net`` what it made in money, NaN while it is not
    closed.
    """

    first: int
    last: int
    at: int
    fills: int
    sign: int
    net: float


@compiled
def write_days(days: Sequence[Day], log: Sequence[Row], held: Held, ledger: IntArray) -> None:
    """Write a ride's days; ``log`` starts with its executions, oldest first."""
    cash, units, mark = 0.0, 0.0, 0.0
    before, exposed = np.int64(0), np.int64(0)
    fill, at = 0, held.at
    for session in range(held.first, held.last + 1):
        day = days[session]
        cash += held.sign * units / UNITS * day.dividend
        if day.split != 1.0:
            units, mark = np.rint(units * day.split), mark / day.split
        while fill < held.fills and log[fill].session == session:
            row = log[fill]
            worth = row.units / UNITS * row.price
            way = 1.0 if row.leg == ENTRY else -1.0
            cash -= held.sign * way * worth + row.fee
            units += way * row.units - row.coin_fee
            fill += 1
        if not np.isnan(day.close):
            mark = day.close
        if held.sign < 0 and units > 0.0:
            cash -= value_cents(int(units), mark, day.borrow) / 100.0
        worth = units / UNITS * mark
        equity = np.int64(np.rint((cash + held.sign * worth) * UNITS))
        exposes = np.int64(np.rint(worth * UNITS))
        if session == held.last and not np.isnan(held.net):
            equity, exposes = np.int64(np.rint(held.net * UNITS)), np.int64(0)
        ledger[2 * at + CHANGE] = equity - before
        ledger[2 * at + EXPOSURE] = exposes - exposed
        before, exposed = equity, exposes
        at += 1
