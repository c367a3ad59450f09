"""Money is conserved (promise P8): the account agrees with a slow ledger of its executions."""

from __future__ import annotations

from decimal import ROUND_CEILING
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from adapters.broker.market import D
from adapters.broker.random_days import RandomDays, random_days, trade
from goldenthread.adapters.broker.simulated import SimulatedBroker
from goldenthread.domain.asset import AssetClass
from goldenthread.domain.order import OrderSide, OrderStatus
from goldenthread.rules.calendar import is_session, next_session

if TYPE_CHECKING:
    import datetime as dt
    from decimal import Decimal

    from faults.chaos import Tally


class SlowLedger:
    """Cash, holdings and worth, added up from the first execution each time it is asked."""

    def __init__(self, days: RandomDays, broker: SimulatedBroker, upto: dt.date) -> None:
        self.cash = days.terms.start_cash
        self.held: dict[str, Decimal] = {}
        self.marks: dict[str, Decimal] = {}
        for ds in [d for d in days.dates if d <= upto]:
            live = days.terms.profile == "live_like"
            paid = days.market.dividends if live else {}
            self.cash += sum(self.held.get(s, D(0)) * paid[s, on] for s, on in paid if on == ds)
            for (symbol, ex_ds), ratio in days.market.splits.items():
                if ex_ds == ds:
                    self.held[symbol] = self.held.get(symbol, D(0)) * ratio
                    self.marks[symbol] = self.marks.get(symbol, D(0)) / ratio
            for fill in broker.fills(ds):
                if fill.ds == ds:
                    sign = 1 if fill.side is OrderSide.BUY else -1
                    self.cash -= sign * fill.quantity * fill.price + fill.fee
                    change = sign * fill.quantity - fill.fee_quantity
                    self.held[fill.symbol] = self.held.get(fill.symbol, D(0)) + change
                    self.marks.setdefault(fill.symbol, fill.price)
            bars = days.market.bars
            self.marks.update({s: bars[s, on].close for s, on in bars if on == ds})
            if live and is_session(AssetClass.EQUITY, ds):
                self.borrow(ds)

    def borrow(self, ds: dt.date) -> None:
        """Take what is short at the close: 0.30 % / 360 of it a night, whole cents, up."""
        nights = (next_session(AssetClass.EQUITY, ds) - ds).days
        for symbol, held in self.held.items():
            if held < 0:
                cents = -held * self.marks[symbol] * D("0.30") * nights / 360
                self.cash -= cents.to_integral_value(ROUND_CEILING) / 100

    @property
    def equity(self) -> Decimal:
        return self.cash + sum((q * self.marks[s] for s, q in self.held.items() if q), D(0))


@pytest.mark.fault("F24")
def test_the_account_agrees_with_a_slow_ledger_every_day(tally: Tally) -> None:
    snapshots: list[dt.date] = []

    @given(st.integers(0, 10**9))
    @given_settings(max_examples=60, deadline=None)
    def trade_days(seed: int) -> None:
        snapshots.extend(assert_conserved(random_days(seed)))

    trade_days()
    tally("daily accounts of random days beside a slow ledger, within 1e-9", len(snapshots))


def assert_conserved(days: RandomDays) -> list[dt.date]:
    """The dates on which account and ledger were compared."""
    broker = SimulatedBroker(days.terms, days.market)
    for ds in trade(broker, days):
        slow, account = SlowLedger(days, broker, ds), broker.account()
        holdings = {h.symbol: h.quantity for h in account.holdings}
        assert holdings == {s: q for s, q in slow.held.items() if q}
        assert abs(account.cash - slow.cash) <= D("1e-9") * abs(account.equity)
        assert abs(account.equity - slow.equity) <= D("1e-9") * abs(account.equity)
        assert account.equity == account.cash + account.long_value + account.short_value
        assert account.buying_power >= 0
        assert account.crypto_buying_power >= 0
    return days.dates


@given(st.integers(0, 10**9))
@given_settings(max_examples=30, deadline=None)
def test_orders_end_once_and_hold_exactly_their_executions(seed: int) -> None:
    days = random_days(seed)
    broker = SimulatedBroker(days.terms, days.market)
    ended: dict[str, OrderStatus] = {}
    for _ in trade(broker, days):
        for report in broker.orders(days.dates[0]):
            assert ended.get(report.broker_order_id, report.status) is report.status
            if not report.status.is_open:
                ended[report.broker_order_id] = report.status
    for report in broker.orders(days.dates[0]):
        fills = [
            f for f in broker.fills(days.dates[0]) if f.broker_order_id == report.broker_order_id
        ]
        assert [f.fill_no for f in fills] == list(range(1, len(fills) + 1))
        if not any(symbol == report.symbol for symbol, _ in days.market.splits):
            assert report.filled_quantity == sum((f.quantity for f in fills), D(0))
            assert (report.status is OrderStatus.FILLED) == (
                report.filled_quantity == report.quantity
            )


@given(st.integers(0, 10**9))
@given_settings(max_examples=15, deadline=None)
def test_equal_seeds_give_equal_runs(seed: int) -> None:
    days = random_days(seed)
    runs = []
    for _ in range(2):
        broker = SimulatedBroker(days.terms, days.market)
        accounts = [broker.account() for _ in trade(broker, days)]
        runs.append((accounts, broker.fills(days.dates[0]), broker.orders(days.dates[0])))
    assert runs[0] == runs[1]
