"""Compiled: permutations as chains of rides, each ridden once for all (numba; import lazily)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from goldenthread.domain.position import ExitReason
from goldenthread.research.sweep.daily import Held, write_days
from goldenthread.rules.kernel.riding import begin, note, run
from goldenthread.rules.kernel.state import Row, State, cached, compiled, records
from goldenthread.rules.kernel.track import Seat, Track, rooms, seat_of, track_of
from goldenthread.rules.tape import CLOSED, REASONS, Rides, Tickets
from goldenthread.rules.ticks import UNITS

if TYPE_CHECKING:
    from goldenthread.research.sweep.orders import Orders
    from goldenthread.research.sweep.plan import Plan

IntArray = NDArray[np.int64]

TRADES, WINS, WON, LOST, GROSS, COSTS, HOLD, R_SUM, R_COUNT = range(9)
"""Columns of ``Books.trades``; money and R multiples in units of 1e-9."""

_BY_CHANCE = tuple(
    REASONS.index(reason)
    for reason in (ExitReason.TIME, ExitReason.DELISTED, ExitReason.SPLIT_CASH)
)
_ENDLESS = np.iinfo(np.int64).max
_ROOM = 1 << 15


class Books(NamedTuple):
    """What P permutations have made so far: sums in whole units of 1e-9, in any order the same.

    ``days`` (P, 2 D) are the daily changes of the equity and of the gross exposure on the D days of
    the sweep's calendar, side by side, ``trades`` (P, 9) sums over closed trades.
    """

    days: IntArray
    trades: IntArray


class Known:
    """What became of the order of one session, as a record; it counts while ``stamp`` is current.

    It was learned for a ride set, and would be the same under any max_bars from ``lasting`` on.
    Money and R multiple are in units of 1e-9, dividends are in ``gross``; ``has_multiple`` is False
    when the initial stop risked nothing. Its days are ``days`` rows of the ledger from ``at`` on.
    """

    stamp: int
    ride: int
    lasting: int
    is_order: bool
    is_closed: bool
    has_multiple: bool
    entered: int
    left: int
    ended: int
    bars_held: int
    gross: int
    fees: int
    multiple: int
    at: int
    days: int


class Choices(NamedTuple):
    """What the permutations choose from on one asset; arrays as in ``Plan`` and ``Orders``.

    ``coming`` (E, S + 1) is the first session from each on that an entry set wants, S for none.
    ``column`` is the day of the sweep's calendar of each session; the days of a ride lie side
    by side when ``is_dense``.
    """

    entry: IntArray
    ride: IntArray
    cooldown: IntArray
    family: IntArray
    coming: NDArray[np.int32]
    prices: NDArray[np.float64]
    rungs: IntArray
    steps: IntArray
    terms: IntArray
    rule: IntArray
    sells: IntArray
    column: IntArray
    is_dense: bool
    rest: int
    step: int
    sign: int
    order: int


class Bench(NamedTuple):
    """What one thread works with, used again for each ride."""

    seat: Seat
    ticket: Tickets
    outcome: Rides
    log: Sequence[Row]
    known: Sequence[Known]
    ledger: IntArray
    found: IntArray


def new_books(permutations: int, days: int) -> Books:
    """Empty books."""
    return Books(
        np.zeros((permutations, 2 * days), np.int64), np.zeros((permutations, 9), np.int64)
    )


class Chains:
    """The permutations of a plan on one asset, ready to be chained; threads may share it."""

    def __init__(self, plan: Plan, orders: Orders, days: IntArray) -> None:
        column = np.searchsorted(days, orders.tape.day)
        last = len(column) - 1
        self._track = track_of(orders.tape, orders.trade, orders.closes, last)
        coming = np.empty((len(orders.wanted), last + 2), np.int32)
        _look_ahead(orders.wanted, coming)
        self._splits = int((orders.tape.split != 1.0).sum())
        self._choices = Choices(
            *(plan.entry, plan.ride, plan.cooldown, plan.family, coming, orders.prices),
            *(orders.rungs, orders.steps, plan.terms, orders.rule, orders.sells, column),
            is_dense=bool(column[-1] - column[0] == last),
            rest=orders.rest,
            step=orders.trade.step,
            sign=orders.sign,
            order=orders.order,
        )

    def add_to(self, books: Books, first: int, last: int) -> None:
        """Add the trades of permutations ``first`` to ``last`` (exclusive) to the books."""
        _chain(self._track, self._choices, books, (first, last), self._bench())

    def add_alone(self, books: Books) -> Tickets:
        """Add the trades of the only permutation; its orders, oldest first."""
        bench = self._bench()
        taken = bench.found[: _chain(self._track, self._choices, books, (0, 1), bench)]
        tickets = _no_tickets(len(taken), len(self._choices.sells))
        _write_all(self._choices, taken, tickets)
        return tickets

    def _bench(self) -> Bench:
        sessions, targets = len(self._choices.column), len(self._choices.sells)
        room = max(_ROOM, 8 * sessions)
        return Bench(
            seat=seat_of(targets + 1),
            ticket=_no_tickets(1, targets),
            outcome=rooms(1),
            log=records(Row, 2 * (targets + 2) + 3 * self._splits),
            known=records(Known, sessions),
            ledger=np.empty(2 * room, np.int64),
            found=np.empty(sessions, np.int64),
        )


def _no_tickets(count: int, targets: int) -> Tickets:
    """Room for so many tickets; none is to enter at the market whatever its order says."""

    def codes() -> NDArray[np.int8]:
        return np.zeros(count, np.int8)

    def whole() -> IntArray:
        return np.zeros(count, np.int64)

    def prices() -> NDArray[np.float64]:
        return np.full(count, np.nan)

    return Tickets(
        session=whole(),
        sign=codes(),
        order=codes(),
        at_market=np.zeros(count, np.bool_),
        entry=prices(),
        stop=prices(),
        trail=prices(),
        targets=np.full((count, targets), np.nan),
        parts=np.zeros((count, targets + 1), np.int64),
        breakeven=whole(),
        valid_bars=whole(),
        max_bars=whole(),
    )


@cached
def _look_ahead(wanted: NDArray[np.bool_], coming: NDArray[np.int32]) -> None:
    entries, sessions = wanted.shape
    for entry in range(entries):
        first = coming[entry, sessions] = sessions
        for session in range(sessions - 1, -1, -1):
            first = session if wanted[entry, session] else first
            coming[entry, session] = first


@cached
def _chain(
    track: Track, choices: Choices, books: Books, rows: tuple[int, int], bench: Bench
) -> int:
    """Book the permutations; how many orders the last of them chose, which are in ``found``.

    What is known of a family of ride sets is kept while permutations are of it and the ledger
    has room.
    """
    stamp, used, family, count = 0, 0, -1, 0
    for row in range(rows[0], rows[1]):
        own = choices.family[choices.ride[row]]
        if own != family or 2 * (used + 2 * choices.column.size) > bench.ledger.size:
            family, used = own, 0
            stamp += 1
        count, used = _choose(track, choices, row, (stamp, used), bench)
        for at in range(count):
            known = bench.known[bench.found[at]]
            _book_days(choices, books.days[row], known, bench.ledger)
            if known.is_closed:
                _book_trade(books.trades[row], known)
    return count


@compiled
def _choose(
    track: Track, choices: Choices, row: int, state: tuple[int, int], bench: Bench
) -> tuple[int, int]:
    """How many orders a permutation chooses, and the rows of the ledger used by then.

    One position a permutation and symbol: the next order may be decided on the session the
    former one ended in, after an exit not before the cool-down has passed.
    """
    stamp, used = state
    ride = choices.ride[row]
    coming, sessions = choices.coming[choices.entry[row]], choices.column.size
    session, count = coming[0], 0
    while session < sessions:
        known = bench.known[session]
        holds = known.ride == ride or known.lasting <= choices.terms[ride, 2]
        if known.stamp != stamp or not holds:
            known.stamp, known.ride = stamp, ride
            _learn(track, choices, (ride, session, used), bench)
            used += known.days
        free = session + 1
        if known.is_order:
            bench.found[count] = session
            count += 1
            if known.ended < 0:
                break
            free = max(free, known.ended)
            if known.left >= 0:
                free = max(free, known.left + choices.cooldown[row])
        session = coming[min(free, sessions)]
    return count, used


@compiled
def _learn(track: Track, choices: Choices, order: tuple[int, int, int], bench: Bench) -> None:
    """What becomes of the order of a ride set and session; its days from a row of the ledger on."""
    ride, session, at = order
    known, parts, rides, s = (
        bench.known[session],
        bench.seat.parts,
        bench.outcome,
        bench.seat.states[0],
    )
    known.is_order = _write(choices, ride, session, bench.ticket, 0)
    known.days, known.at, known.lasting = 0, at, 0
    if not known.is_order:
        return
    rule = choices.rule[ride]
    own = Track(track.days, track.terms, track.leave[rule], track.cancel[rule], track.upto)
    begin(s, parts, track.terms[0], bench.ticket, 0)
    rides.status[0] = run(own, s, parts, bench.log)
    rides.gross[0], rides.risk[0] = np.nan, np.nan
    note(rides, s, 0)
    known.entered, known.left, known.ended = s.entered, s.left, s.ended
    known.is_closed = rides.status[0] == CLOSED
    known.lasting = _lasting(s, known.is_closed)
    if known.is_closed:
        _know_trade(known, rides)
    if s.entered >= 0:
        last = s.left if known.is_closed else track.upto
        net = rides.gross[0] - rides.fees[0] + rides.dividends[0] if known.is_closed else np.nan
        known.days = last - s.entered + 1
        held = Held(s.entered, last, at, s.executions, s.sign, net)
        write_days(track.days, bench.log, held, bench.ledger)


@compiled
def _lasting(s: State, is_closed: bool) -> int:
    """From which max_bars on all this would be the same; endless where time had a say in it."""
    if s.entered < 0 and s.ended >= 0:
        return 0
    if not is_closed or s.reason in _BY_CHANCE:
        return _ENDLESS
    return s.bars_held


@compiled
def _know_trade(known: Known, rides: Rides) -> None:
    gross = np.rint((rides.gross[0] + rides.dividends[0]) * UNITS)
    fees = np.rint(rides.fees[0] * UNITS)
    known.gross, known.fees, known.bars_held = int(gross), int(fees), rides.bars_held[0]
    known.has_multiple = rides.risk[0] > 0.0
    if known.has_multiple:
        known.multiple = int(np.rint((gross - fees) / rides.risk[0]))


@compiled
def _book_days(choices: Choices, sums: IntArray, known: Known, ledger: IntArray) -> None:
    at, count = 2 * known.at, 2 * known.days
    if choices.is_dense:
        first = 2 * choices.column[known.entered]
        _add(sums[first : first + count], ledger[at : at + count])
        return
    for day in range(known.days):
        first = 2 * choices.column[known.entered + day]
        _add(sums[first : first + 2], ledger[at + 2 * day : at + 2 * day + 2])


@compiled
def _add(sums: IntArray, added: IntArray) -> None:
    for at in range(sums.size):
        sums[at] += added[at]


@compiled
def _book_trade(sums: IntArray, known: Known) -> None:
    net = known.gross - known.fees
    sums[TRADES] += 1
    if net > 0:
        sums[WINS] += 1
        sums[WON] += net
    else:
        sums[LOST] -= net
    sums[GROSS] += known.gross
    sums[COSTS] += known.fees
    sums[HOLD] += known.bars_held
    if known.has_multiple:
        sums[R_SUM] += known.multiple
        sums[R_COUNT] += 1


@cached
def _write_all(choices: Choices, sessions: IntArray, tickets: Tickets) -> None:
    for at in range(sessions.size):
        _write(choices, choices.ride[0], sessions[at], tickets, at)


@compiled
def _write(choices: Choices, ride: int, session: int, tickets: Tickets, at: int) -> bool:
    """Write the order of a ride set and session; whether its levels are sound and it buys any."""
    rungs, sign = choices.rungs[ride], choices.sign
    entry, stop = choices.prices[rungs[0], session], choices.prices[rungs[1], session]
    steps = choices.steps[rungs[0], session]
    sound = entry > 0.0 and stop > 0.0 and (entry - stop) * sign > 0.0
    tickets.trail[at] = np.nan
    if rungs[2] >= 0:
        tickets.trail[at] = choices.prices[rungs[2], session]
        sound = sound and tickets.trail[at] > 0.0
    for target in range(len(choices.sells)):
        price = choices.prices[rungs[3 + target], session]
        tickets.targets[at, target] = price
        sound = sound and price > 0.0 and (price - entry) * sign > 0.0
    if not sound or steps == 0:
        return False
    tickets.session[at], tickets.sign[at], tickets.order[at] = session, sign, choices.order
    tickets.entry[at], tickets.stop[at] = entry, stop
    terms = choices.terms[ride]
    tickets.breakeven[at], tickets.valid_bars[at], tickets.max_bars[at] = (
        terms[0],
        terms[1],
        terms[2],
    )
    _divide(choices, steps, tickets.parts[at])
    return True


@compiled
def _divide(choices: Choices, steps: int, parts: IntArray) -> None:
    """The tranches in units of 1e-9, as ``rounding.tranche_quantities``; the runner last."""
    left = steps
    for target in range(len(choices.sells)):
        above, below = choices.sells[target]
        share = steps // below * above + steps % below * above // below  # no product overflows
        parts[target] = share * choices.step
        left -= share
    parts[len(choices.sells)] = 0
    parts[choices.rest] += left * choices.step
