"""Compiled: which candidates are taken where one position a symbol is held (numba; lazily)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from goldenthread.rules.kernel.state import cached

if TYPE_CHECKING:
    from goldenthread.rules.tape import BoolArray

IntArray = NDArray[np.int64]

_ENDLESS = np.iinfo(np.int64).max


class Course(NamedTuple):
    """What became of n candidates, by symbol and session, had each been ordered alone.

    ``edges`` (symbols + 1) are the rows at which a symbol begins, and n. ``session`` is where each
    was decided, ``ended`` where its signal ended (-1: still going), ``left`` that of its last exit
    (-1: none), all counted on the calendar of its symbol; ``cooldown`` are the sessions its own
    version keeps away after an exit.
    """

    edges: IntArray
    session: IntArray
    ended: IntArray
    left: IntArray
    cooldown: IntArray


def taken(course: Course, passes: BoolArray) -> BoolArray:
    """Which of the passing candidates are ordered, as per-strategy mode chooses them.

    One position a symbol: the next order may be decided on the session the former one ended in,
    after an exit not before its cool-down has passed.
    """
    chosen = np.zeros(len(passes), np.bool_)
    _choose(course, passes, chosen)
    return chosen


@cached
def _choose(course: Course, passes: BoolArray, chosen: BoolArray) -> None:
    for symbol in range(course.edges.size - 1):
        free, exited = np.int64(0), np.int64(-1)
        for at in range(course.edges[symbol], course.edges[symbol + 1]):
            session = course.session[at]
            if not passes[at] or session < free:
                continue
            if exited >= 0 and session < exited + course.cooldown[at]:
                continue
            chosen[at] = True
            if course.ended[at] < 0:
                free = np.int64(_ENDLESS)
                continue
            free = max(np.int64(session + 1), course.ended[at])
            if course.left[at] >= 0:
                exited = course.left[at]
