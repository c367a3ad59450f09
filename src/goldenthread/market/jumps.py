"""The jump rule: which closes of one series moved too far to be believed at once.

A close that moves more than ``JUMP`` and more than ``TIMES_VOLATILITY`` recent volatilities
from the last believed close, splits taken out, is SUSPECT. The next bar decides: when its open
and its close both undo at least ``UNDONE`` of the move, the price never traded there and the
bar is QUARANTINED; otherwise it is CONFIRMED. Numbers chosen by measuring: docs/data/quality.md.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from goldenthread.domain.bar import BarState, FloatArray

if TYPE_CHECKING:
    from collections.abc import Sequence

IntArray = NDArray[np.int64]
StateArray = NDArray[np.int8]

STATES = (BarState.GOOD, BarState.SUSPECT, BarState.CONFIRMED, BarState.QUARANTINED)
"""The state each code of a ``StateArray`` stands for."""
GOOD, SUSPECT, CONFIRMED, QUARANTINED = range(4)

JUMP = 0.20
"""Smallest move worth doubting, as a log return (0.20: +22 % or -18 %)."""
TIMES_VOLATILITY = 4.0
"""How many recent daily volatilities the move must exceed as well."""
UNDONE = 0.5
"""Fraction of the move the next open and the next close must both undo."""
MEMORY = 60
"""Moves that make the recent volatility."""
SHORTEST_MEMORY = 10
"""With fewer earlier moves the volatility is unknown and ``JUMP`` alone decides."""
_MEDIAN_OF_NORMAL = 0.6745


class Split(NamedTuple):
    """One split: days since 1970 of its ex date, new shares per old share."""

    day: int
    ratio: Decimal


class Series(NamedTuple):
    """The raw bars of one symbol in force, one a day, oldest first (``day``: since 1970)."""

    day: IntArray
    open: FloatArray
    close: FloatArray


def judge_series(series: Series, splits: Sequence[Split]) -> StateArray:
    """The state code of every bar; each depends only on itself, earlier bars and the next one."""
    states = np.zeros(len(series.day), np.int8)
    growth = np.zeros(len(series.day))
    for split in splits:
        growth[series.day >= split.day] += float(split.ratio.ln())
    opens, closes = np.log(series.open) + growth, np.log(series.close) + growth
    # A bar after a quarantined one that itself moved less than JUMP undid at least half, so it
    # is within JUMP of the last believed close as well: only the steps need looking at.
    for here in (np.flatnonzero(np.abs(np.diff(closes)) > JUMP) + 1).tolist():
        states[here] = _verdict(here, opens, closes, states)
    return states


def _verdict(here: int, opens: FloatArray, closes: FloatArray, states: StateArray) -> int:
    """The state of the bar at ``here``, all earlier states being known."""
    believed = np.flatnonzero(states[max(0, here - 2 * MEMORY) : here] != QUARANTINED)
    if not len(believed):
        return GOOD
    past = closes[max(0, here - 2 * MEMORY) : here][believed]
    move = float(closes[here] - past[-1])
    moves = np.abs(np.diff(past))[-MEMORY:]
    known = len(moves) >= SHORTEST_MEMORY
    volatility = float(np.median(moves)) / _MEDIAN_OF_NORMAL if known else 0.0
    if abs(move) <= max(JUMP, TIMES_VOLATILITY * volatility):
        return GOOD
    if here + 1 == len(closes):
        return SUSPECT
    undone = min((closes[here] - opens[here + 1]) / move, (closes[here] - closes[here + 1]) / move)
    return QUARANTINED if undone >= UNDONE else CONFIRMED
