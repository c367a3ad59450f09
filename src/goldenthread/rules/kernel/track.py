"""What tickets are ridden over, and the records of a ride, laid out for compiled code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from goldenthread.rules.kernel.state import Day, Part, State, records
from goldenthread.rules.tape import (
    WAITING,
    BoolArray,
    Closes,
    FloatArray,
    IntArray,
    Rides,
    Tape,
    Terms,
)

_Arrays = TypeVar("_Arrays", bound=tuple[NDArray[np.generic], ...])


class Track(NamedTuple):
    """What a ride goes over: sessions, terms, what the rules said on closes, the last session."""

    days: Sequence[Day]
    terms: Sequence[Terms]
    leave: BoolArray
    cancel: BoolArray
    upto: int


class Seat(NamedTuple):
    """One ride's records, used again for the next."""

    states: Sequence[State]
    parts: Sequence[Part]


def track_of(tape: Tape, terms: Terms, closes: Closes, upto: int) -> Track:
    """The sessions as records; nothing after ``upto`` is met."""
    own = records(Terms, 1)
    own[0] = tuple(terms)
    days = records(Day, len(tape.day))
    days["at"] = np.arange(len(days))
    for name in Tape._fields[1:]:
        days[name] = getattr(tape, name)
    return Track(days, own, *frozen(closes), min(upto, len(days) - 1))


def seat_of(tranches: int) -> Seat:
    """Room for a ride in so many tranches."""
    return Seat(records(State, 1), records(Part, tranches))


def frozen(arrays: _Arrays) -> _Arrays:
    """The arrays contiguous and read-only, whatever they came as: the kernel is compiled once."""
    views = [np.ascontiguousarray(array).view() for array in arrays]
    for view in views:
        view.flags.writeable = False
    return type(arrays)(*views)


def rooms(count: int) -> Rides:
    """Where so many rides are written down."""

    def sessions() -> IntArray:
        return np.full(count, -1, np.int64)

    def figures() -> FloatArray:
        return np.full(count, np.nan)

    return Rides(
        status=np.full(count, WAITING, np.int8),
        entered=sessions(),
        left=sessions(),
        ended=sessions(),
        reason=np.full(count, -1, np.int8),
        bars_held=sessions(),
        entry_price=figures(),
        exit_price=figures(),
        gross=figures(),
        fees=figures(),
        dividends=figures(),
        risk=figures(),
        mfe=figures(),
        mae=figures(),
    )
