"""Assets, signals and their outcomes as arrays: what the kernel reads and what it gives back.

A *tape* is one asset's sessions, a *ticket* one signal, a *ride* what became of it, an
*execution* one fill of a ride. Prices are float64, always the float nearest to an exact decimal,
so that ``Decimal(repr(price))`` is that decimal. Quantities are whole units of 1e-9.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from goldenthread.domain.account import MONEY_STEP
from goldenthread.domain.asset import ActionKind, Asset, AssetClass, ExitMode
from goldenthread.domain.errors import DataError
from goldenthread.domain.position import ExitReason
from goldenthread.domain.signal import Plan
from goldenthread.domain.strategy import Side
from goldenthread.rules.calendar import session_days
from goldenthread.rules.fees import FeeRates, rates_on
from goldenthread.rules.rounding import SUB_DOLLAR_TICK, tranche_quantities
from goldenthread.rules.slippage import slippage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from goldenthread.domain.asset import CorporateAction
    from goldenthread.domain.policy import Policy, Profile

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
CodeArray = NDArray[np.int8]
BoolArray = NDArray[np.bool_]

WAITING, OPEN, CLOSED, NOT_TRIGGERED, CANCELLED, UNPRICEABLE = range(6)
"""``Rides.status``."""

MARKET, LIMIT, STOP = range(3)
"""``Tickets.order``."""

ORDERS = {"market": MARKET, "limit": LIMIT, "stop": STOP}

ENTRY, EXIT = range(2)
"""``Executions.leg``."""

REASONS = tuple(ExitReason)
"""``Rides.reason`` and ``Executions.reason`` are indices into it; -1 is no reason."""

PATIENCE = 5
"""Sessions beyond ``max_bars`` after which an outcome without bars is UNPRICEABLE."""

_EPOCH = dt.date(1970, 1, 1)
_PLACES = 9
_NEVER = (dt.date(1971, 1, 3), dt.date(1971, 1, 2))
_GRIDS_KEPT = 64
_MOST = np.iinfo(np.int64).max


class Tape(NamedTuple):
    """The S sessions of one asset's calendar, oldest first, in the raw units of each date.

    ``day`` counts days since 1970-01-01; prices have nine decimals and are NaN in a session
    without a tradable bar. ``split`` is new shares per old share from this session's open on.
    ``dividend`` is what a share held over the close before is paid (0 under ``paper``). ``taker``
    and ``maker`` are the crypto fee rates in force (0 for equities); ``sec`` (a fraction of the
    sale), ``taf`` and ``cat`` (dollars a share), ``taf_cap`` (infinite without) and ``borrow`` (of
    a short's value, until the next session) those of equities (0 for crypto and under ``paper``).
    """

    day: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    split: FloatArray
    dividend: FloatArray
    taker: FloatArray
    maker: FloatArray
    sec: FloatArray
    taf: FloatArray
    taf_cap: FloatArray
    cat: FloatArray
    borrow: FloatArray


class Terms(NamedTuple):
    """What one asset trades by under one policy.

    ``managed`` exits are crypto's, resting ones equities'. The tick is ``tick_num / tick_den``,
    below one dollar 0.0001 when ``sub_dollar``. ``step`` is the quantity step in units of 1e-9,
    ``slippage`` a fraction, ``delisted`` the first session in which a delisting is in effect
    (S when none).
    """

    managed: bool
    tick_num: int
    tick_den: int
    sub_dollar: bool
    step: int
    slippage: float
    delisted: int


class Tickets(NamedTuple):
    """n signals of one asset, best in order of ``session``; levels in units of that session.

    ``session`` is where the signal was decided (-1: before the tape); its first possible fill
    is one later. ``sign`` is +1 long, -1 short. ``at_market`` enters at the first open there
    is, whatever ``order`` says. ``trail`` and unused ``targets`` (n, T) are NaN. ``parts``
    (n, T + 1) are the tranche quantities, the runner in the last column. ``breakeven`` is the
    number of the target that moves the stop, 0 for none.
    """

    session: IntArray
    sign: CodeArray
    order: CodeArray
    at_market: BoolArray
    entry: FloatArray
    stop: FloatArray
    trail: FloatArray
    targets: FloatArray
    parts: IntArray
    breakeven: IntArray
    valid_bars: IntArray
    max_bars: IntArray


class Closes(NamedTuple):
    """What the strategy's own rules said on each of the S closes; False where unknown."""

    leave: BoolArray
    cancel: BoolArray


class Rides(NamedTuple):
    """What became of n tickets, in their order.

    ``entered`` and ``left`` are the sessions of the first entry and the last exit (-1: none),
    ``ended`` the one the signal ended in (-1: still going). Prices are averages in units of the
    signal's date, NaN where there is none. ``gross``, ``fees`` (borrow among them) and
    ``dividends`` (those a short owes negative) are quote money, ``risk`` the money the initial
    stop risked (NaN unless positive), ``mfe`` and ``mae`` the best and worst moves as fractions
    of the average entry; all NaN unless CLOSED.
    """

    status: CodeArray
    entered: IntArray
    left: IntArray
    ended: IntArray
    reason: CodeArray
    bars_held: IntArray
    entry_price: FloatArray
    exit_price: FloatArray
    gross: FloatArray
    fees: FloatArray
    dividends: FloatArray
    risk: FloatArray
    mfe: FloatArray
    mae: FloatArray

    @property
    def net(self) -> FloatArray:
        """What each made: gross P&L less fees, and dividends."""
        return self.gross - self.fees + self.dividends


class Executions(NamedTuple):
    """The m fills of rides, ordered by ticket, then time, in units of their session.

    ``ticket`` is an index into the tickets, ``part`` the tranche from 0 (-1: of all).
    ``coin_fee`` is in units of 1e-9 coins. ``ratio`` is shares then per share at the signal.
    """

    ticket: IntArray
    session: IntArray
    leg: CodeArray
    price: FloatArray
    units: IntArray
    coin_fee: IntArray
    fee: FloatArray
    reason: CodeArray
    maker: BoolArray
    part: CodeArray
    ratio: FloatArray


class Wanted(NamedTuple):
    """One signal to ride: its plan, the quantity to order, and whether simply at the market."""

    ds: dt.date
    side: Side
    plan: Plan
    quantity: Decimal
    at_market: bool = False


def tape_of(
    asset: Asset,
    bars: Sequence[NDArray[np.generic]],
    actions: Sequence[CorporateAction],
    policy: Policy,
    span: tuple[dt.date, dt.date] | None = None,
) -> tuple[Tape, Terms]:
    """The tape of one asset, and its terms under a policy.

    Args:
        asset: The asset; its class gives calendar, fees and exit mode.
        bars: Days (datetime64 or days since 1970-01-01), open, high, low, close of the tradable
            raw bars, equally long, oldest first.
        actions: The corporate actions of its symbol; a change of its name is not used.
        policy: Slippage and fee profile.
        span: First and last date of the tape; by default those of the bars.

    Raises:
        DataError: A bar lies on a day that is no session of the calendar.
    """
    given = np.asarray(bars[0]).astype("datetime64[D]").astype(np.int64)
    if span is None:
        span = (_date(given[0]), _date(given[-1])) if len(given) else _NEVER
    day, rates = _grid(asset.asset_class, policy.profile, span)
    opened, high, low, close = _on_sessions(asset, day, given, bars[1:])
    paid = _dividends(actions if policy.profile == "live_like" else (), day)
    tape = Tape(day, opened, high, low, close, _splits(actions, day), paid, *rates)
    delistings = [_number(a.ex_ds) for a in actions if a.kind is ActionKind.DELISTING]
    delisted = int(np.searchsorted(day, min(delistings))) if delistings else len(day)
    return tape, _terms(asset, policy, delisted)


def tickets_of(wanted: Sequence[Wanted], tape: Tape, terms: Terms) -> Tickets:
    """The signals as arrays, in the order given; as many target columns as the longest has.

    Quantities are divided by ``tranche_quantities`` in steps of the asset, in 1e-9 when the
    quantity is not a whole number of them.

    Raises:
        DataError: A quantity is larger than 64 bits can count in units of 1e-9.
    """
    count, width = len(wanted), max((len(w.plan.targets) for w in wanted), default=0)
    targets, parts = np.full((count, width), np.nan), np.zeros((count, width + 1), np.int64)
    for row, (_, _, plan, quantity, _) in enumerate(wanted):
        targets[row, : len(plan.targets)] = [float(t.price) for t in plan.targets]
        *sold, runner = _divided(plan, quantity, terms.step)
        parts[row, : len(sold)], parts[row, width] = sold, runner
    days = np.array([_number(w.ds) for w in wanted], np.int64)
    return Tickets(
        session=np.searchsorted(tape.day, days, side="right") - 1,
        sign=np.array([w.side.sign for w in wanted], np.int8),
        order=np.array([ORDERS[w.plan.order] for w in wanted], np.int8),
        at_market=np.array([w.at_market for w in wanted], np.bool_),
        entry=np.array([w.plan.entry for w in wanted], np.float64),
        stop=np.array([w.plan.stop for w in wanted], np.float64),
        trail=np.array([np.nan if (d := w.plan.trail) is None else d for w in wanted], np.float64),
        targets=targets,
        parts=parts,
        breakeven=np.array([w.plan.breakeven_after or 0 for w in wanted], np.int64),
        valid_bars=np.array([w.plan.valid_bars for w in wanted], np.int64),
        max_bars=np.array([w.plan.max_bars for w in wanted], np.int64),
    )


def _divided(plan: Plan, quantity: Decimal, step: int) -> list[int]:
    """The tranches in units of 1e-9: one a target, then the runner."""
    units = int(quantity.scaleb(_PLACES))
    if units > _MOST:
        message = (
            f"a quantity of {quantity} is more than the kernel can count ({_MOST} units of "
            f"{MONEY_STEP}): size it smaller"
        )
        raise DataError(message)
    tick = MONEY_STEP * (1 if units % step else step)
    sells = [target.sell for target in plan.targets]
    return [int(part.scaleb(_PLACES)) for part in tranche_quantities(quantity, sells, tick)]


@lru_cache(_GRIDS_KEPT)
def _grid(
    asset_class: AssetClass, profile: Profile, span: tuple[dt.date, dt.date]
) -> tuple[IntArray, FeeRates]:
    """The sessions of a span and the fees of each, read-only: made once for all its assets."""
    day = session_days(asset_class, *span)
    rates = rates_on(asset_class, profile, day)
    for column in rates:
        column.flags.writeable = False
    return day, rates


def _on_sessions(
    asset: Asset, day: IntArray, given: IntArray, columns: Sequence[NDArray[np.generic]]
) -> list[FloatArray]:
    """Each column on its session, at nine decimals; bars outside the tape are left out."""
    inside = (given >= day[0]) & (given <= day[-1]) if len(day) else np.zeros(len(given), np.bool_)
    place = np.searchsorted(day, given[inside])
    if len(stray := given[inside][day[place] != given[inside]]):
        message = (
            f"{asset.symbol} has a bar on {_date(stray[0])}, which is no session of "
            f"{asset.asset_class}: set the row aside or correct its date"
        )
        raise DataError(message)
    prices = []
    for column in columns:
        price = np.full(len(day), np.nan)
        price[place] = np.asarray(column, np.float64)[inside].round(_PLACES)
        prices.append(price)
    return prices


def _splits(actions: Sequence[CorporateAction], day: IntArray) -> FloatArray:
    """The product of the ratios that take effect at each session's open."""
    ratios: dict[int, Decimal] = {}
    for action in actions:
        place = int(np.searchsorted(day, _number(action.ex_ds)))
        if action.kind is ActionKind.SPLIT and place < len(day):
            ratios[place] = ratios.get(place, Decimal(1)) * action.ratio
    found = np.ones(len(day))
    for place, ratio in ratios.items():
        found[place] = float(ratio)
    return found


def _dividends(actions: Sequence[CorporateAction], day: IntArray) -> FloatArray:
    """The sum of the dividends a share that take effect up to each session's open."""
    amounts: dict[int, Decimal] = {}
    for action in actions:
        place = int(np.searchsorted(day, _number(action.ex_ds)))
        if action.kind is ActionKind.DIVIDEND and place < len(day):
            amounts[place] = amounts.get(place, Decimal(0)) + action.amount
    found = np.zeros(len(day))
    for place, amount in amounts.items():
        found[place] = float(amount)
    return found


def _terms(asset: Asset, policy: Policy, delisted: int) -> Terms:
    num, den = asset.price_tick.as_integer_ratio()
    is_equity = asset.asset_class is AssetClass.EQUITY
    return Terms(
        managed=asset.exit_mode is ExitMode.MANAGED,
        tick_num=num,
        tick_den=den,
        sub_dollar=is_equity and asset.price_tick > SUB_DOLLAR_TICK,
        step=int(asset.quantity_step.scaleb(_PLACES)),
        slippage=slippage(policy.slippage_bps),
        delisted=delisted,
    )


def _number(ds: dt.date) -> int:
    return (ds - _EPOCH).days


def _date(number: np.int64) -> dt.date:
    return _EPOCH + dt.timedelta(days=int(number))
