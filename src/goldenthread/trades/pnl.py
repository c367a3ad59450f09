"""What a closed position made: prices, risk multiple and excursions, by hand-checkable sums."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from goldenthread.domain.account import money
from goldenthread.domain.strategy import Side

if TYPE_CHECKING:
    from goldenthread.domain.position import Position

_ZERO = Decimal(0)
_FRACTION = Decimal("1e-12")


class Excursion(NamedTuple):
    """The best and worst price moves as fractions of the average entry, signed for the side."""

    mfe: Decimal
    mae: Decimal


def exit_price(position: Position) -> Decimal:
    """The average price of all exits in today's split units, fees apart."""
    quantity = sum((f.shares for f in position.exits), _ZERO)
    return money(sum((f.notional for f in position.exits), _ZERO) / quantity)


def r_multiple(position: Position, net: Decimal) -> Decimal | None:
    """Net P&L over what the initial stop risked; null when the entry was beyond the stop.

    Source: Van Tharp (1998), Trade Your Way to Financial Freedom, ch. 6.
    """
    entry = position.average_entry
    if entry is None:
        return None
    risk = (entry - position.initial_stop) * position.side.sign * position.bought
    return _fraction(net / risk) if risk > 0 else None


def excursion(position: Position) -> Excursion | None:
    """The largest move for and against the position; null without an entry.

    Executions count besides the bars met: the bar of the exit is seen through its fills only.
    """
    entry = position.average_entry
    if entry is None:
        return None
    seen = [f.price / f.split for f in position.fills]
    seen += [price for price in (position.best, position.worst) if price is not None]
    high, low = max(seen), min(seen)
    best, worst = (high, low) if position.side is Side.LONG else (low, high)
    sign = position.side.sign
    return Excursion(
        _fraction((best - entry) * sign / entry), _fraction((worst - entry) * sign / entry)
    )


def return_fraction(position: Position, net: Decimal) -> Decimal:
    """Net P&L as a fraction of what the entries cost, fees apart."""
    return _fraction(net / position.entry_cost)


def _fraction(value: Decimal) -> Decimal:
    return value.quantize(_FRACTION)
