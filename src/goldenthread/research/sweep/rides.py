"""One asset's part of a sweep: its candidates, what became of each, and what they made daily.

Nothing here depends on other assets or on how the work is divided, so any division gives the
same numbers. Daily money is counted in whole units of 1e-9, whose sums do not depend on order.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from goldenthread.domain.asset import Asset
from goldenthread.domain.policy import Policy
from goldenthread.market.bars import BarBook
from goldenthread.rules.rounding import round_quantity
from goldenthread.rules.tape import (
    ORDERS,
    Closes,
    Executions,
    Rides,
    Tape,
    Terms,
    Tickets,
    tape_of,
)
from goldenthread.signals.batch import Batch, Peers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from goldenthread.research.sweep.plan import Plan
    from goldenthread.signals.compilation import CompiledStrategy

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
SlotArray = NDArray[np.int32]

_CLOSE_CALL = 1e-9


class Stakes(NamedTuple):
    """Per-strategy mode: every signal takes ``fraction`` of ``capital``, whatever else is held.

    Cash is not shared and the gates of an account are not asked. Dates are those of the first
    and the last decision; later bars are not read.
    """

    capital: Decimal
    fraction: Decimal
    policy: Policy
    first: dt.date
    last: dt.date


class Desks(NamedTuple):
    """What the assets of a chunk have in common: bars, members, stakes."""

    book: BarBook
    peers: Peers
    stakes: Stakes


class AssetRides(NamedTuple):
    """What an asset gives to permutations.

    ``sessions`` holds the sessions each entry set has a candidate in, one after the other from
    ``starts[e]`` on. ``slots`` (ride sets, S) is the ride of a session, -1 where none can be.
    The days of ride i are ``offsets[i]`` to ``offsets[i + 1]``, from its entry on: the ``change``
    of the equity and of the gross ``exposure`` in 1e-9.
    """

    tape: Tape
    tickets: Tickets
    rides: Rides
    starts: IntArray
    sessions: IntArray
    slots: SlotArray
    offsets: IntArray
    change: IntArray
    exposure: IntArray


def asset_rides(plan: Plan, asset: Asset, desks: Desks) -> AssetRides | None:
    """Everything the permutations need of one asset; None when it has no bar in the span."""
    from goldenthread.research.sweep.daily import daily  # noqa: PLC0415  # numba, when needed

    book, peers, stakes = desks
    symbol, span = asset.symbol, (stakes.first, stakes.last)
    columns = book.columns(symbol, *span)
    if not len(columns[0]):
        return None
    tape, terms = tape_of(asset, columns, book.actions(symbol), stakes.policy, span)
    at = np.searchsorted(tape.day, columns[0].astype(np.int64))
    desk = _Desk(asset, terms, stakes, Batch(book.window, symbol, columns[0], peers), at)
    masks = np.array([desk.accepted(compiled) for compiled in plan.entries])
    parts, groups = _parts(desk, plan, masks), _groups(plan)
    ordered = [number for numbers in groups for number in numbers]
    slots = np.full((len(plan.rides), len(tape.day)), -1, np.int32)
    first = 0
    for number in ordered:
        session = parts[number].session
        slots[number, session] = np.arange(first, first + len(session))
        first += len(session)
    grouped = [(numbers[0], _joined([parts[n] for n in numbers])) for numbers in groups]
    tickets = _joined([members for _, members in grouped])
    rides, executions = _ridden(desk, plan, tape, grouped)
    offsets, change, exposure = daily(tape, tickets, rides, executions)
    return AssetRides(
        tape=tape,
        tickets=tickets,
        rides=rides,
        starts=np.concatenate(([0], np.cumsum(masks.sum(axis=1)))),
        sessions=at[np.nonzero(masks)[1]],
        slots=slots,
        offsets=offsets,
        change=change,
        exposure=exposure,
    )


class _Desk(NamedTuple):
    """One asset ready to decide; ``at`` is the session on the tape of each of its bars."""

    asset: Asset
    terms: Terms
    stakes: Stakes
    batch: Batch
    at: IntArray

    def accepted(self, compiled: CompiledStrategy) -> BoolArray:
        """On which bars there is a candidate that every filter passes."""
        found = self.batch.wanted(compiled)
        for filter_ in compiled.filters:
            found &= self.batch.truth(filter_.expr)
        return found

    def tickets(self, compiled: CompiledStrategy, wanted: BoolArray) -> Tickets:
        """The orders of the wanted bars that have sound levels and buy at least one step."""
        levels = self.batch.levels(compiled, self.asset)
        steps = _steps(levels.entry, wanted & levels.is_sound, self.asset, self.stakes)
        rows = np.flatnonzero(steps)
        strategy, count = compiled.strategy, len(rows)
        order = ORDERS[strategy.entry.order]
        return Tickets(
            session=self.at[rows],
            sign=np.full(count, strategy.side.sign, np.int8),
            order=np.full(count, order, np.int8),
            at_market=np.zeros(count, np.bool_),
            entry=levels.entry[rows],
            stop=levels.stop[rows],
            trail=levels.trail[rows],
            targets=levels.targets[rows],
            parts=_tranches(steps[rows], [sell for _, sell in compiled.targets], self.terms.step),
            breakeven=np.full(count, strategy.exit.breakeven_after or 0, np.int64),
            valid_bars=np.full(count, strategy.entry.valid_bars, np.int64),
            max_bars=np.full(count, strategy.exit.max_bars, np.int64),
        )

    def closes(self, compiled: CompiledStrategy, sessions: int) -> Closes:
        """What the strategy's own rules say on every session; nothing where there is no bar."""
        leave, cancel = np.zeros(sessions, np.bool_), np.zeros(sessions, np.bool_)
        leave[self.at] = self.batch.truth(compiled.exit)
        cancel[self.at] = self.batch.truth(compiled.cancel)
        return Closes(leave, cancel)


def _parts(desk: _Desk, plan: Plan, masks: BoolArray) -> list[Tickets]:
    """The tickets of each ride set: the bars any entry set paired with it wants."""
    pairs = np.zeros((len(plan.rides), len(plan.entries)), np.bool_)
    pairs[plan.ride, plan.entry] = True
    unions: dict[bytes, BoolArray] = {}
    found = []
    for compiled, entries in zip(plan.rides, pairs, strict=True):
        key = entries.tobytes()
        if key not in unions:
            unions[key] = np.asarray(masks[entries].any(axis=0))
        found.append(desk.tickets(compiled, unions[key]))
    return found


def _groups(plan: Plan) -> list[list[int]]:
    """The ride sets that leave and cancel by the same rules: they are ridden at once."""
    groups: dict[tuple[str, str], list[int]] = {}
    for number, compiled in enumerate(plan.rides):
        leave, cancel = (expr.text if expr else "" for expr in (compiled.exit, compiled.cancel))
        groups.setdefault((leave, cancel), []).append(number)
    return list(groups.values())


def _ridden(
    desk: _Desk, plan: Plan, tape: Tape, groups: Sequence[tuple[int, Tickets]]
) -> tuple[Rides, Executions]:
    """What became of the tickets of each group, in order; a group is led by its first ride set."""
    from goldenthread.rules.kernel import execute  # noqa: PLC0415  # numba, when needed

    rides, logs, first = [], [], 0
    for leader, tickets in groups:
        closes = desk.closes(plan.rides[leader], len(tape.day))
        ridden, log = execute(tape, desk.terms, tickets, closes, len(tape.day) - 1)
        rides.append(ridden)
        logs.append(log._replace(ticket=log.ticket + first))
        first += len(tickets.session)
    return (
        Rides._make(np.concatenate(column) for column in zip(*rides, strict=True)),
        Executions._make(np.concatenate(column) for column in zip(*logs, strict=True)),
    )


def _joined(parts: Sequence[Tickets]) -> Tickets:
    return Tickets._make(np.concatenate(column) for column in zip(*parts, strict=True))


def _steps(entry: FloatArray, wanted: BoolArray, asset: Asset, stakes: Stakes) -> IntArray:
    """How many whole steps of quantity the fixed fraction buys at each planned entry."""
    amount = stakes.capital * stakes.fraction
    with np.errstate(invalid="ignore"):
        exact = np.where(wanted, float(amount) / entry / float(asset.quantity_step), 0.0)
        nearest = np.rint(exact)
        close = np.flatnonzero(wanted & (np.abs(exact - nearest) <= _CLOSE_CALL * exact))
    steps = np.floor(exact).astype(np.int64)
    for at in close:  # exact money says on which side of a whole step it lies
        price = Decimal(repr(float(entry[at])))
        steps[at] = int(round_quantity(amount / price, asset) / asset.quantity_step)
    return steps


def _tranches(steps: IntArray, sells: Sequence[Decimal], step: int) -> IntArray:
    """The tranches in units of 1e-9, as ``rounding.tranche_quantities``; the runner last."""
    parts = np.zeros((len(steps), len(sells) + 1), np.int64)
    for at, sell in enumerate(sells):
        above, below = sell.as_integer_ratio()
        whole, rest = np.divmod(steps, below)  # in two parts, so that no product overflows
        parts[:, at] = whole * above + rest * above // below
    left = steps - parts.sum(axis=1)
    parts[:, len(sells) - 1 if sells and sum(sells) == 1 else len(sells)] += left
    return parts * step
