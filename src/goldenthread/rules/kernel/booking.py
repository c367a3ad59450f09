"""What an execution costs and changes: ``rules.fees`` on floats, and the sums of a ride."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from goldenthread.rules.kernel.state import Day, Desk, State, compiled
from goldenthread.rules.tape import ENTRY, EXIT
from goldenthread.rules.ticks import UNITS, coin_fee, share_cents, value_cents


class Fill(NamedTuple):
    """One execution of a ride in the session at hand; ``reason`` -1 opens it.

    ``part`` is the tranche it is of (-1: all). ``is_free`` ones pay no fee.
    """

    units: int
    price: float
    reason: int
    part: int
    maker: bool
    is_free: bool


@compiled
def book(desk: Desk, s: State, fill: Fill) -> None:
    """Take the execution into the ride: holding, sums and extremes, and the log if it has room."""
    enters = fill.reason < 0
    coin, fee = 0, 0.0
    if not fill.is_free:
        buys = enters == (s.sign > 0)
        if desk.terms.managed and buys:
            coin = coin_fee(fill.units, _crypto_rate(desk, fill))
        else:
            fee = _quote_fee(desk, fill, buys)
    shares, value = fill.units / UNITS / s.ratio, fill.units / UNITS * fill.price
    s.fees += fee + coin / UNITS * fill.price
    if enters:
        s.cost += value
        s.bought += shares
        s.held += fill.units - coin
    else:
        s.earned += value
        s.sold += shares
        s.held -= fill.units
        s.reason, s.left = fill.reason, desk.day.at
    seen = fill.price * s.ratio
    s.top = seen if s.executions == 0 else max(s.top, seen)
    s.bottom = seen if s.executions == 0 else min(s.bottom, seen)
    if s.logged + s.executions < len(desk.log):
        _record(desk, s, fill, coin, fee)
    s.executions += 1


@compiled
def receive_dividend(day: Day, s: State) -> None:
    """Take the dividend of what was held over the last close; a short owes it."""
    if day.dividend != 0.0:
        s.dividends += s.held / UNITS * day.dividend * s.sign


@compiled
def pay_borrow(day: Day, s: State, mark: float) -> None:
    """Pay for what is held short over the close of the session."""
    if s.sign < 0 and day.borrow > 0.0:
        s.fees += value_cents(s.held, mark, day.borrow) / 100.0


@compiled
def _crypto_rate(desk: Desk, fill: Fill) -> float:
    return desk.day.maker if fill.maker else desk.day.taker


@compiled
def _quote_fee(desk: Desk, fill: Fill, buys: bool) -> float:
    day = desk.day
    if desk.terms.managed:
        return value_cents(fill.units, fill.price, _crypto_rate(desk, fill)) / 100.0
    cents = share_cents(fill.units, day.cat, np.inf)
    if not buys:
        cents += value_cents(fill.units, fill.price, day.sec)
        cents += share_cents(fill.units, day.taf, day.taf_cap)
    return cents / 100.0


@compiled
def _record(desk: Desk, s: State, fill: Fill, coin: int, fee: float) -> None:
    row = desk.log[s.logged + s.executions]
    row.session = desk.day.at
    row.leg = ENTRY if fill.reason < 0 else EXIT
    row.price, row.units, row.maker = fill.price, fill.units, fill.maker
    row.coin_fee, row.fee = coin, fee
    row.reason, row.part, row.ratio = fill.reason, fill.part, s.ratio
