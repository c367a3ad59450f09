"""Tickets ridden from their first session to their end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from goldenthread.rules.kernel.quiet import next_session
from goldenthread.rules.kernel.session import meet
from goldenthread.rules.kernel.state import Day, Desk, Part, Row, State, cached, compiled, records
from goldenthread.rules.tape import (
    CANCELLED,
    CLOSED,
    MARKET,
    NOT_TRIGGERED,
    OPEN,
    PATIENCE,
    UNPRICEABLE,
    WAITING,
    Closes,
    Executions,
    FloatArray,
    IntArray,
    Rides,
    Tape,
    Terms,
    Tickets,
)

_Arrays = TypeVar("_Arrays", bound=tuple[NDArray[np.generic], ...])


def ride(tape: Tape, terms: Terms, tickets: Tickets, closes: Closes, upto: int) -> Rides:
    """What became of each ticket, each as if it alone had been in the market.

    Args:
        tape: The asset's sessions.
        terms: What it trades by.
        tickets: n signals on it, in any order, fastest in order of session.
        closes: What the strategy's own rules said on each close.
        upto: The last session that is known, inclusive.

    Returns:
        n rides. Nothing is random and nothing rounded but what the rules round: the same
        tickets ride the same way alone, together, and in any process.
    """
    rides, _ = _ride(tape, terms, tickets, closes, upto)
    return rides


def execute(
    tape: Tape, terms: Terms, tickets: Tickets, closes: Closes, upto: int
) -> tuple[Rides, Executions]:
    """What ``ride`` gives, and every execution of every ride."""
    rides, counts = _ride(tape, terms, tickets, closes, upto)
    log = records(Row, int(counts.sum()))
    if len(log):
        _walk(tape, terms, _work(tape, tickets, closes, upto), _new_rides(len(counts)), counts, log)
    columns = {name: np.ascontiguousarray(log[name]) for name in Executions._fields[1:]}
    codes = {name: columns[name].astype(np.int8) for name in ("leg", "reason", "part")}
    return rides, Executions(np.repeat(np.arange(len(counts)), counts), **columns | codes)


class _Work(NamedTuple):
    tickets: Tickets
    closes: Closes
    upto: int


class _Memory(NamedTuple):
    """One ride's records, used again for the next."""

    states: Sequence[State]
    days: Sequence[Day]
    terms: Sequence[Terms]
    parts: Sequence[Part]


def _ride(
    tape: Tape, terms: Terms, tickets: Tickets, closes: Closes, upto: int
) -> tuple[Rides, IntArray]:
    """The rides, and how many executions each had."""
    count = len(tickets.session)
    rides, counts = _new_rides(count), np.zeros(count, np.int64)
    _walk(tape, terms, _work(tape, tickets, closes, upto), rides, counts, records(Row, 0))
    return rides, counts


def _walk(
    tape: Tape, terms: Terms, work: _Work, rides: Rides, counts: IntArray, log: Sequence[Row]
) -> None:
    own = records(Terms, 1)
    own[0] = tuple(terms)
    days = records(Day, len(tape.day))
    days["at"] = np.arange(len(days))
    for name in Tape._fields[1:]:
        days[name] = getattr(tape, name)
    parts = records(Part, work.tickets.parts.shape[1])
    _ride_all(work, rides, counts, log, _Memory(records(State, 1), days, own, parts))


def _work(tape: Tape, tickets: Tickets, closes: Closes, upto: int) -> _Work:
    last = min(upto, len(tape.day) - 1)
    return _Work(_frozen(tickets), _frozen(closes), last)


def _frozen(arrays: _Arrays) -> _Arrays:
    """The arrays contiguous and read-only, whatever they came as: the kernel is compiled once."""
    views = [np.ascontiguousarray(array).view() for array in arrays]
    for view in views:
        view.flags.writeable = False
    return type(arrays)(*views)


def _new_rides(count: int) -> Rides:
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
        risk=figures(),
        mfe=figures(),
        mae=figures(),
    )


@cached
def _ride_all(
    work: _Work, rides: Rides, counts: IntArray, log: Sequence[Row], memory: _Memory
) -> None:
    s, parts, row = memory.states[0], memory.parts, 0
    terms = memory.terms[0]
    leave, cancel = work.closes.leave, work.closes.cancel
    for i in range(counts.size):
        _begin(s, parts, terms, work.tickets, i)
        s.logged, status = row, WAITING
        t = s.session + 1
        while t <= work.upto:
            meet(Desk(memory.days[t], terms, log), s, parts, leave[t])
            status = _status(s, cancel[t] and s.last_bar == t)
            if status != WAITING and status != OPEN:  # noqa: PLR1714  # a tuple costs time here
                s.ended = t
                break
            t = next_session(memory.days, s, parts, leave, work.upto)
        rides.status[i] = status
        _end(rides, s, i)
        counts[i] = s.executions
        row += s.executions


@compiled
def _begin(s: State, parts: Sequence[Part], terms: Terms, tickets: Tickets, i: int) -> None:
    """Forget the ride before, and take ticket ``i``."""
    s.session, s.sign = tickets.session[i], tickets.sign[i]
    s.at_market = tickets.at_market[i]
    s.order = MARKET if s.at_market else tickets.order[i]
    s.breakeven = tickets.breakeven[i]
    s.valid_bars, s.max_bars = tickets.valid_bars[i], tickets.max_bars[i]
    s.planned, s.trail = tickets.entry[i], tickets.trail[i]
    s.stop, s.initial = tickets.stop[i], tickets.stop[i]
    s.last_part, total = 0, 0
    for part in range(len(parts)):
        parts[part].units = tickets.parts[i, part]
        parts[part].target = tickets.targets[i, part] if part < tickets.targets.shape[1] else np.nan
        parts[part].touched = False
        parts[part].size = parts[part].units
        total += parts[part].units
        if parts[part].units > 0 or not np.isnan(parts[part].target):
            s.last_part = part
    s.step = terms.step if total % terms.step == 0 else 1
    s.ratio, s.best, s.worst, s.last_close = 1.0, np.nan, np.nan, 0.0
    s.sessions, s.bars_held, s.held, s.executions = 0, 0, 0, 0
    s.last_bar, s.entered, s.left, s.ended, s.due, s.reason = -1, -1, -1, -1, -1, -1
    s.is_trailed, s.entry_triggered, s.stop_triggered = False, False, False
    s.cost, s.earned, s.bought, s.sold, s.fees = 0.0, 0.0, 0.0, 0.0, 0.0


@compiled
def _status(s: State, cancels: bool) -> int:
    patience = s.max_bars + PATIENCE
    if s.entered >= 0:
        if s.held == 0:
            return CLOSED
        return UNPRICEABLE if s.bars_held >= patience else OPEN
    if s.at_market:
        return UNPRICEABLE if s.sessions >= patience else WAITING
    if cancels:
        return CANCELLED
    return NOT_TRIGGERED if s.sessions >= s.valid_bars else WAITING


@compiled
def _end(rides: Rides, s: State, i: int) -> None:
    """Write down what became of the ride; prices in the units of the signal's date."""
    rides.entered[i], rides.left[i], rides.ended[i] = s.entered, s.left, s.ended
    rides.bars_held[i] = s.bars_held
    if s.entered < 0:
        return
    entry = s.entry_price * s.entry_ratio
    rides.entry_price[i] = entry
    if rides.status[i] != CLOSED:
        return
    rides.reason[i] = s.reason
    rides.exit_price[i] = s.earned / s.sold
    rides.gross[i] = (s.earned - s.cost * (s.sold / s.bought)) * s.sign
    rides.fees[i] = s.fees
    risk = (entry - s.initial * s.ratio) * s.sign * s.bought
    if risk > 0.0:
        rides.risk[i] = risk
    high, low = s.top, s.bottom
    if not np.isnan(s.best):
        high, low = max(high, s.best * s.ratio), min(low, s.best * s.ratio)
    if not np.isnan(s.worst):
        high, low = max(high, s.worst * s.ratio), min(low, s.worst * s.ratio)
    best, worst = (high, low) if s.sign > 0 else (low, high)
    rides.mfe[i], rides.mae[i] = (best / entry - 1.0) * s.sign, (worst / entry - 1.0) * s.sign
