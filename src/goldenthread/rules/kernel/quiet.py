"""Sessions in which nothing can happen to what is held: they are counted, not told."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from goldenthread.rules.kernel.booking import pay_borrow
from goldenthread.rules.kernel.state import State, compiled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from goldenthread.rules.kernel.state import Day, Part
    from goldenthread.rules.tape import BoolArray


class _Calm(NamedTuple):
    """Between which prices a bar meets no order and moves no stop."""

    above: float
    below: float


@compiled
def next_session(
    days: Sequence[Day], s: State, parts: Sequence[Part], leave: BoolArray, upto: int
) -> int:
    """The first session after the last one met in which something may happen.

    The bars before it lie between stop and targets, have no split and no dividend, and leave the
    exit rule and the time exit alone: they count, show how far prices went, and cost a short
    its borrow.
    """
    t = s.session + s.sessions + 1
    if s.held == 0 or s.due >= 0 or np.isnan(s.best):
        return t
    calm, first = _calm(s, parts), t
    best, worst, is_long = s.best, s.worst, s.sign > 0
    end = min(upto + 1, t + s.max_bars - s.bars_held - 1)
    while t < end:
        day = days[t]
        inside = calm.below < day.low and day.high < calm.above  # never of a bar that is missing
        if not inside or day.split != 1.0 or day.dividend != 0.0 or leave[t]:
            break
        gain, loss = (day.high, day.low) if is_long else (day.low, day.high)
        best = max(best, gain) if is_long else min(best, gain)
        worst = min(worst, loss) if is_long else max(worst, loss)
        pay_borrow(day, s, day.close)
        t += 1
    if t > first:
        s.best, s.worst = best, worst
        s.sessions += t - first
        s.bars_held += t - first
        s.last_bar, s.last_close = t - 1, days[t - 1].close
    return t


@compiled
def _calm(s: State, parts: Sequence[Part]) -> _Calm:
    """From the stop to the nearest target; with a trail no further than the best price."""
    gain = np.inf if np.isnan(s.trail) else s.best * s.sign
    for part in range(len(parts)):
        if parts[part].units > 0 or not parts[part].touched:
            target = parts[part].target * s.sign
            gain = min(gain, np.inf if np.isnan(target) else target)
    if s.sign > 0:
        return _Calm(above=gain, below=s.stop)
    return _Calm(above=s.stop, below=-gain)
