"""What permutations may order of one asset: the sessions each entry set wants, every level.

Nothing here depends on other assets or on how the work is divided, so any division gives the
same numbers.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from goldenthread.domain.asset import Asset
from goldenthread.domain.bar import DateArray
from goldenthread.domain.errors import UsageError
from goldenthread.domain.policy import Policy
from goldenthread.market.bars import BarBook
from goldenthread.research.sweep.plan import ENTRY, STOP, TARGETS, TRAIL
from goldenthread.rules.rounding import round_quantity
from goldenthread.rules.tape import ORDERS, Closes, Tape, Terms, tape_of
from goldenthread.rules.ticks import UNITS
from goldenthread.signals.batch import Batch, Peers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from goldenthread.research.sweep.plan import Plan, Rungs
    from goldenthread.signals.compilation import CompiledStrategy

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_Scalar = TypeVar("_Scalar", bound=np.generic)

MODE = (
    "per strategy: a fixed fraction of the start capital a signal, cash not shared, gates of the"
    " account not asked"
)
"""What per-strategy mode is, in words."""

_CLOSE_CALL = 1e-9
_MOST_UNITS = 2**62 / UNITS


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


class Orders(NamedTuple):
    """Everything E entry sets and R ride sets may order on the S sessions of one asset.

    ``wanted`` (E, S) are the sessions on which an entry set has a candidate that passes.
    ``prices`` (K, S) are the distinct levels, NaN where there is none; ``rungs`` (R, 3 + T) says
    which of them each ride set has, -1 for no trail. ``steps`` (entries, S) is how many steps of
    quantity each planned entry buys.
    ``closes`` (G, S) are the distinct pairs of rules, ``rule`` (R) which of them each ride set has;
    ``sells`` (T, 2) the fractions the targets sell, ``rest`` the tranche that takes what is left.
    """

    tape: Tape
    trade: Terms
    wanted: BoolArray
    prices: FloatArray
    rungs: IntArray
    steps: IntArray
    closes: Closes
    rule: IntArray
    sells: IntArray
    rest: int
    sign: int
    order: int


def asset_orders(plan: Plan, asset: Asset, desks: Desks) -> Orders | None:
    """What the permutations may order of one asset; None when it has no bar in the span."""
    desk = desk_of(asset, desks)
    if desk is None:
        return None
    strategy, rungs = plan.rides[0].strategy, plan.rungs
    sells = [target.sell for target in strategy.exit.targets]
    prices = desk.prices(plan.rides, rungs)
    first, rule = plan.rules
    return Orders(
        tape=desk.tape,
        trade=desk.trade,
        wanted=desk.on_tape(np.array([desk.accepted(e) for e in plan.entries]), fill=False),
        prices=prices,
        rungs=rungs.of,
        steps=np.array(
            [steps_bought(entry, asset, desks.stakes) for entry in prices[: rungs.entries]]
        ),
        closes=desk.closes([plan.rides[number] for number in first]),
        rule=rule,
        sells=np.array([sell.as_integer_ratio() for sell in sells], np.int64).reshape(-1, 2),
        rest=len(sells) - (sum(sells) == 1),
        sign=strategy.side.sign,
        order=ORDERS[strategy.entry.order],
    )


class AssetDesk(NamedTuple):
    """One asset ready to decide on ``days``, those of its bars, and to trade on its ``tape``."""

    asset: Asset
    batch: Batch
    tape: Tape
    trade: Terms
    days: DateArray

    def accepted(self, compiled: CompiledStrategy) -> BoolArray:
        """On which bars there is a candidate that every filter passes."""
        found = self.batch.wanted(compiled)
        for filter_ in compiled.filters:
            found = found & self.batch.truth(filter_.expr)
        return found

    def prices(self, rides: Sequence[CompiledStrategy], rungs: Rungs) -> FloatArray:
        """Each distinct level on every session."""
        levels = [self._level(rides[ride], place) for ride, place in rungs.writers]
        return self.on_tape(np.array(levels), fill=np.nan)

    def closes(self, rides: Sequence[CompiledStrategy]) -> Closes:
        """What the strategies' own rules say on every session; nothing where there is no bar."""
        leave = np.array([self.batch.truth(compiled.exit) for compiled in rides])
        cancel = np.array([self.batch.truth(compiled.cancel) for compiled in rides])
        return Closes(self.on_tape(leave, fill=False), self.on_tape(cancel, fill=False))

    def on_tape(self, rows: NDArray[_Scalar], fill: float) -> NDArray[_Scalar]:
        """Rows of values by bar as rows by session."""
        at = np.searchsorted(self.tape.day, self.days.astype(np.int64))
        found = np.full((len(rows), len(self.tape.day)), fill, rows.dtype)
        found[:, at] = rows
        return found

    def _level(self, compiled: CompiledStrategy, place: int) -> FloatArray:
        if place >= TARGETS:
            return self.batch.target(compiled, place - TARGETS, self.asset)
        level = {ENTRY: self.batch.entry, STOP: self.batch.stop, TRAIL: self.batch.trail}[place]
        return level(compiled, self.asset)


def desk_of(asset: Asset, desks: Desks) -> AssetDesk | None:
    """The desk of one asset over the span of the stakes; None when it has no bar there."""
    book, peers, stakes = desks
    span = (stakes.first, stakes.last)
    columns = book.columns(asset.symbol, *span)
    if not len(columns[0]):
        return None
    tape, trade = tape_of(asset, columns, book.actions(asset.symbol), stakes.policy, span)
    batch = Batch(book.window, asset.symbol, columns[0], peers)
    return AssetDesk(asset, batch, tape, trade, columns[0])


def steps_bought(entry: FloatArray, asset: Asset, stakes: Stakes) -> IntArray:
    """How many whole steps of quantity the fixed fraction buys at each planned entry."""
    amount, wanted = stakes.capital * stakes.fraction, entry > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        exact = np.where(wanted, float(amount) / entry / float(asset.quantity_step), 0.0)
        nearest = np.rint(exact)
        close = np.flatnonzero(wanted & (np.abs(exact - nearest) <= _CLOSE_CALL * exact))
    if exact.max(initial=0.0) >= _MOST_UNITS / float(asset.quantity_step):
        msg = (
            f"{amount:,} of {asset.symbol} is more than can be counted in units of 1e-9: take a"
            " smaller --capital or --fraction, or leave it out with --symbols"
        )
        raise UsageError(msg)
    steps = np.floor(exact).astype(np.int64)
    for at in close:  # exact money says on which side of a whole step it lies
        price = Decimal(repr(float(entry[at])))
        steps[at] = int(round_quantity(amount / price, asset) / asset.quantity_step)
    return steps
