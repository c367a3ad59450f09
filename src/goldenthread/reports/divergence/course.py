"""What became of one signal on one side: a book, a backtest, a version, or the theory."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from goldenthread.domain.account import money

if TYPE_CHECKING:
    from goldenthread.domain.strategy import Side


class Cause(StrEnum):
    """Why one side made other money than the other, in the order it is told."""

    TIMING = "timing"
    PRICE = "price"
    SLIPPAGE = "slippage"
    FEES = "fees"
    SIZE = "size"
    INCOME = "income"
    MISSED_FILL = "missed fill"
    REJECTED = "rejected"
    MISSING_DATA = "missing data"
    STILL_OPEN = "still open"


class Leg(NamedTuple):
    """The way in, or the way out: its sessions and the average price of its executions.

    ``reference`` is the average price the bars offered before slippage: the open for a market
    order, the worse of open and stop, the better of open and limit. None where it is not known.
    """

    sessions: tuple[dt.date, ...]
    price: Decimal
    reference: Decimal | None


@dataclass(frozen=True)
class Course:
    """A signal that was traded: ``ordered`` and ``quantity`` filled, its way in and out, money.

    Prices and quantities of both sides are in the same split units, those of the signal's date.
    ``income`` are dividends, owed ones negative; borrow fees are part of ``fees``. What is still
    held may stand as left at a close: the mark is then its way out.
    """

    side: Side
    ordered: Decimal
    quantity: Decimal
    entry: Leg
    exit: Leg
    gross: Decimal
    fees: Decimal
    income: Decimal
    reason: str = ""

    @property
    def net(self) -> Decimal:
        """What it made, fees taken off and dividends added; nine decimals."""
        return money(self.gross) - money(self.fees) + money(self.income)

    @property
    def missed(self) -> Decimal:
        """What was ordered and not filled."""
        return self.ordered - self.quantity

    @property
    def per_unit(self) -> Decimal:
        """What one unit made before fees, of the average prices."""
        return (self.exit.price - self.entry.price) * self.side.sign

    def scaled(self, ratio: Decimal) -> Course:
        """The same course with ``ratio`` times the money, for accounts of different size."""
        sized = ("ordered", "quantity", "gross", "fees", "income")
        return replace(self, **{name: getattr(self, name) * ratio for name in sized})


class NoTrade(NamedTuple):
    """A signal that made no money on one side, and which cause that is."""

    cause: Cause
    reason: str = ""

    @property
    def net(self) -> Decimal:
        """Nothing."""
        return Decimal(0)


Taken = Course | NoTrade
"""How one side took a signal."""
