"""Cash and holdings: what executions, splits and payments do to them; worth and power."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from goldenthread.domain.account import Payment, money
from goldenthread.domain.asset import AssetClass
from goldenthread.domain.order import OrderSide
from goldenthread.rules.fees import borrow_fee
from goldenthread.rules.splits import split_price, split_quantity

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from goldenthread.domain.order import Fill, OrderRequest

_MAINTENANCE_LONG = Decimal("0.25")
_MAINTENANCE_SHORT = Decimal("0.30")
_SHORT_RESERVE = Decimal("1.03")
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


class BuyingPower(NamedTuple):
    """What new orders may cost; crypto knows no margin."""

    equities: Decimal
    crypto: Decimal

    def of(self, asset_class: AssetClass) -> Decimal:
        """What an order for an asset of that class may cost."""
        return self.crypto if asset_class is AssetClass.CRYPTO else self.equities


def reserve_price(request: OrderRequest, close: Decimal) -> Decimal:
    """What a unit of an entry reserves of buying power: its limit, its stop, or the last close.

    A short sale reserves 103 % of that or of the close, whichever is higher. Source: Alpaca,
    "Margin and short selling".
    """
    price = request.limit_price or request.stop_price or close
    is_short = request.side is OrderSide.SELL
    return max(price, close) * _SHORT_RESERVE if is_short else price


def cash_effect(fill: Fill) -> Decimal:
    """What an execution adds to cash: its notional, against the side, less the fee."""
    return -fill.side.sign * fill.notional - fill.fee


@dataclass
class Ledger:
    """Cash and stakes; cash moves by an execution's notional and fee, and by payments."""

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

    def pay_dividend(self, symbol: str, ds: dt.date, amount: Decimal) -> Payment | None:
        """The dividend of ``amount`` a share on what was held over the close before ``ds``.

        A short owes it. None when nothing is held; call before a split of the same date.
        """
        held = self.stakes.get(symbol)
        if held is None or not amount:
            return None
        paid = money(held.quantity * amount)
        return self._pay(Payment(symbol=symbol, kind="DIVIDEND", ds=ds, amount=paid))

    def charge_borrow(self, symbol: str, ds: dt.date) -> Payment | None:
        """The fee for what is short over the close of the session ``ds``, as marked there.

        None when nothing is short.
        """
        held = self.stakes.get(symbol)
        if held is None or held.quantity > 0:
            return None
        fee = borrow_fee(-held.quantity, held.mark, ds)
        return self._pay(Payment(symbol=symbol, kind="BORROW", ds=ds, amount=-fee))

    def _pay(self, payment: Payment) -> Payment:
        self.cash += payment.amount
        return payment

    def mark(self, symbol: str, price: Decimal) -> None:
        """Value a symbol at ``price`` from now on."""
        held = self.stakes.get(symbol)
        if held is not None and held.mark != price:
            self.stakes[symbol] = held._replace(mark=price)

    def split(self, symbol: str, ratio: Decimal, step: Decimal) -> Stake | None:
        """Scale the stake of a symbol; what of it is no whole step, to be paid out in cash.

        None when nothing is left over. The leftover is still held until its payment is booked.
        """
        held = self.stakes.get(symbol)
        if held is None:
            return None
        kept, left = split_quantity(abs(held.quantity), ratio, step)
        left, sign = money(left), 1 if held.quantity > 0 else -1
        scaled = held._replace(
            quantity=sign * (kept + left),
            average_price=split_price(held.average_price, ratio),
            mark=split_price(held.mark, ratio),
        )
        self.stakes[symbol] = scaled
        return scaled._replace(quantity=sign * left) if left else None

    def buying_power(
        self, waiting: Iterable[tuple[AssetClass, Decimal]], multiplier: Decimal
    ) -> BuyingPower:
        """What stakes and waiting entries leave: equity times the multiplier, or free cash.

        ``waiting`` holds the class and the reserved worth of each open order that enters. An
        equity binds its worth over the multiplier, a coin all of it. The proceeds of short
        sales are not free cash.
        """
        free, bound = self.cash + self.short_value, Decimal(0)
        for stake in self.stakes.values():
            bound += _bound(stake.asset_class, abs(stake.value), multiplier)
        for asset_class, worth in waiting:
            bound += _bound(asset_class, worth, multiplier)
            free -= worth
        excess = max(Decimal(0), self.equity - bound)
        return BuyingPower(excess * multiplier, max(Decimal(0), min(free, excess)))

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


def _bound(asset_class: AssetClass, worth: Decimal, multiplier: Decimal) -> Decimal:
    return worth / multiplier if asset_class is AssetClass.EQUITY else worth


def _average(held: Stake, fill: Fill, change: Decimal) -> Decimal:
    """The average price after ``change``: moved by what adds, kept by what closes."""
    quantity = held.quantity + change
    if held.quantity * change < 0:
        return held.average_price if held.quantity * quantity > 0 else fill.price
    cost = abs(held.quantity) * held.average_price + abs(change) * fill.price
    return money(cost / abs(quantity))
