"""Cash and holdings: what every execution does to them, and what they are worth."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from goldenthread.domain.account import money
from goldenthread.domain.asset import AssetClass

if TYPE_CHECKING:
    from goldenthread.domain.order import Fill

_MAINTENANCE_LONG = Decimal("0.25")
_MAINTENANCE_SHORT = Decimal("0.30")
_INITIAL = Decimal("0.50")


class Stake(NamedTuple):
    """What is held of one symbol: negative when short, marked at the last close met."""

    symbol: str
    asset_class: AssetClass
    quantity: Decimal
    average_price: Decimal
    mark: Decimal

    @property
    def value(self) -> Decimal:
        """Its worth at the mark, negative when short."""
        return money(self.quantity * self.mark)

    @property
    def initial_margin(self) -> Decimal:
        """Half of an equity's worth; all of a coin's, which knows no margin."""
        return abs(self.value) * (_INITIAL if self.asset_class is AssetClass.EQUITY else 1)

    @property
    def maintenance_margin(self) -> Decimal:
        """25 % of a long equity, 30 % of a short one, all of a coin's worth."""
        if self.asset_class is AssetClass.CRYPTO:
            return abs(self.value)
        return abs(self.value) * (_MAINTENANCE_LONG if self.quantity > 0 else _MAINTENANCE_SHORT)


def cash_effect(fill: Fill) -> Decimal:
    """What an execution adds to cash: its notional, against the side, less the fee."""
    return -fill.side.sign * fill.notional - fill.fee


@dataclass
class Ledger:
    """Cash and stakes; every movement of cash is an execution's notional and fee."""

    cash: Decimal
    stakes: dict[str, Stake] = field(default_factory=dict)

    def book(self, fill: Fill, asset_class: AssetClass) -> None:
        """Take one execution: cash by its notional and fee, coins less the fee in coin."""
        self.cash += cash_effect(fill)
        held = self.stakes.get(fill.symbol)
        if held is None:
            held = Stake(fill.symbol, asset_class, Decimal(0), fill.price, fill.price)
        change = fill.side.sign * fill.quantity - fill.fee_quantity
        quantity = held.quantity + change
        if quantity == 0:
            self.stakes.pop(fill.symbol, None)
            return
        average = _average(held, fill, change)
        self.stakes[fill.symbol] = held._replace(quantity=quantity, average_price=average)

    def mark(self, symbol: str, price: Decimal) -> None:
        """Value a symbol at ``price`` from now on."""
        held = self.stakes.get(symbol)
        if held is not None and held.mark != price:
            self.stakes[symbol] = held._replace(mark=price)

    def copy(self) -> Ledger:
        """A ledger of its own with the same content."""
        return Ledger(self.cash, dict(self.stakes))

    @property
    def long_value(self) -> Decimal:
        """The worth of everything held long."""
        return sum((s.value for s in self.stakes.values() if s.quantity > 0), Decimal(0))

    @property
    def short_value(self) -> Decimal:
        """The worth of everything held short, negative."""
        return sum((s.value for s in self.stakes.values() if s.quantity < 0), Decimal(0))

    @property
    def equity(self) -> Decimal:
        """Cash and the worth of all stakes."""
        return self.cash + self.long_value + self.short_value


def _average(held: Stake, fill: Fill, change: Decimal) -> Decimal:
    """The average price after ``change``: moved by what adds, kept by what closes."""
    quantity = held.quantity + change
    if held.quantity * change < 0:
        return held.average_price if held.quantity * quantity > 0 else fill.price
    cost = abs(held.quantity) * held.average_price + abs(change) * fill.price
    return money(cost / abs(quantity))
