"""Tickets ridden from their first session to their end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from goldenthread.rules.kernel.quiet import next_session
from goldenthread.rules.kernel.session import meet
from goldenthread.rules.kernel.state import Desk, Part, Row, State, cached, compiled, records
from goldenthread.rules.kernel.track import Seat, Track, frozen, rooms, seat_of, track_of
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
    IntArray,
    Rides,
    Tape,
    Terms,
    Tickets,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_USUALLY = 2
"""Executions a ride mostly has; when there are more, everything is ridden again."""


def ride(
    tape: Tape,
    terms: Terms,
    tickets: Tickets,
    closes: Closes,
    upto: int,
    into: Rides | None = None,
) -> Rides:
    """What became of each ticket, each as if it alone had been in the market.

    Args:
        tape: The asset's sessions.
        terms: What it trades by.
        tickets: n signals on it, in any order, fastest in order of session.
        closes: What the strategy's own rules said on each close.
        upto: The last session that is known, inclusive.
        into: Where to write them, as ``rooms`` makes it; by default made for them.

    Returns:
        n rides. Nothing is random and nothing rounded but what the rules round: the same
        tickets ride the same way alone, together, and in any process.
    """
    track, rides = track_of(tape, terms, closes, upto), into or rooms(len(tickets.session))
    _ride(track, tickets, rides, records(Row, 0))
    return rides


def execute(
    tape: Tape, terms: Terms, tickets: Tickets, closes: Closes, upto: int
) -> tuple[Rides, Executions]:
    """What ``ride`` gives, and every execution of every ride."""
    count, track = len(tickets.session), track_of(tape, terms, closes, upto)
    rides, log = rooms(count), records(Row, _USUALLY * count)
    counts = _ride(track, tickets, rides, log)
    if counts.sum() > len(log):
        rides, log = rooms(count), records(Row, int(counts.sum()))
        counts = _ride(track, tickets, rides, log)
    log = log[: counts.sum()]
    columns = {name: np.ascontiguousarray(log[name]) for name in Executions._fields[1:]}
    codes = {name: columns[name].astype(np.int8) for name in ("leg", "reason", "part")}
    return rides, Executions(np.repeat(np.arange(len(counts)), counts), **columns | codes)


def _ride(track: Track, tickets: Tickets, rides: Rides, log: Sequence[Row]) -> IntArray:
    """How many executions each ride had; those the ``log`` has room for are in it."""
    counts = np.zeros(len(tickets.session), np.int64)
    seat = seat_of(tickets.parts.shape[1])
    _ride_all(track, frozen(tickets), rides, counts, log, seat)
    return counts


@cached
def _ride_all(
    track: Track, tickets: Tickets, rides: Rides, counts: IntArray, log: Sequence[Row], seat: Seat
) -> None:
    s, row = seat.states[0], 0
    for i in range(counts.size):
        begin(s, seat.parts, track.terms[0], tickets, i)
        s.logged = row
        rides.status[i] = run(track, s, seat.parts, log)
        note(rides, s, i)
        counts[i] = s.executions
        row += s.executions


@compiled
def run(track: Track, s: State, parts: Sequence[Part], log: Sequence[Row]) -> int:
    """Ride to its end what was begun; what became of it, as in ``Rides.status``."""
    terms, status, t = track.terms[0], WAITING, s.session + 1
    while t <= track.upto:
        leaves = track.leave[t]
        meet(Desk(track.days[t], terms, log), s, parts, leaves)
        status = _status(s, track.cancel[t] and s.last_bar == t)
        if status != WAITING and status != OPEN:  # noqa: PLR1714  # a tuple costs time here
            s.ended = t
            break
        t = next_session(track.days, s, parts, track.leave, track.upto)
    return status


@compiled
def begin(s: State, parts: Sequence[Part], terms: Terms, tickets: Tickets, i: int) -> None:
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
    s.cost, s.earned, s.bought, s.sold, s.fees, s.dividends = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    s.logged = 0


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
def note(rides: Rides, s: State, i: int) -> None:
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
    rides.fees[i], rides.dividends[i] = s.fees, s.dividends
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
