"""Cash, stakes and what they allow, worked out by hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from goldenthread.domain.asset import AssetClass
from goldenthread.domain.order import Fill, OrderRequest, OrderSide, OrderType
from goldenthread.rules.ledger import Ledger, reserve_price

D = Decimal
EQUITY, CRYPTO = AssetClass.EQUITY, AssetClass.CRYPTO


def fill(symbol: str, side: OrderSide, quantity: str, price: str) -> Fill:
    return Fill(
        execution_id="1",
        broker_order_id="1",
        fill_no=1,
        symbol=symbol,
        side=side,
        quantity=D(quantity),
        price=D(price),
        ds=dt.date(2024, 1, 3),
        filled_at=dt.datetime(2024, 1, 3, 21, tzinfo=dt.UTC),
    )


def test_an_equity_binds_half_its_worth_and_a_coin_all_of_it() -> None:
    ledger = Ledger(D(10_000))
    ledger.book(fill("AAPL", OrderSide.BUY, "20", "100"), EQUITY)
    ledger.book(fill("BTC/USD", OrderSide.BUY, "2", "1000"), CRYPTO)
    power = ledger.buying_power([], D(2))
    assert power.of(EQUITY) == 14_000  # (10,000 - 2,000 / 2 - 2,000) x 2
    assert power.of(CRYPTO) == 6_000  # the cash that is left


def test_a_waiting_entry_binds_what_it_reserves() -> None:
    power = Ledger(D(10_000)).buying_power([(EQUITY, D(4_000)), (CRYPTO, D(1_000))], D(2))
    assert power == (D(14_000), D(5_000))  # (10,000 - 2,000 - 1,000) x 2; 10,000 - 5,000


def test_the_proceeds_of_a_short_sale_buy_no_coins() -> None:
    ledger = Ledger(D(1_000))
    ledger.book(fill("AAPL", OrderSide.SELL, "5", "100"), EQUITY)
    assert (ledger.cash, ledger.equity) == (D(1_500), D(1_000))
    assert ledger.buying_power([], D(2)) == (D(1_500), D(750))  # excess 1,000 - 500 / 2


@pytest.mark.parametrize(("side", "sign"), [(OrderSide.BUY, 1), (OrderSide.SELL, -1)])
def test_a_split_keeps_whole_shares_and_hands_back_the_rest(side: OrderSide, sign: int) -> None:
    ledger = Ledger(D(1_000))
    ledger.book(fill("AAPL", side, "7", "100"), EQUITY)
    left = ledger.split("AAPL", D("0.5"), D(1))
    assert left is not None
    assert (left.quantity, left.mark) == (sign * D("0.5"), D(200))
    assert ledger.stakes["AAPL"].quantity == sign * D("3.5")  # until the rest is paid out
    assert ledger.split("AAPL", D(2), D(1)) is None
    assert ledger.split("IBM", D(2), D(1)) is None


def test_a_short_sale_reserves_three_percent_more_than_the_higher_price() -> None:
    order = OrderRequest(
        client_order_id="1",
        symbol="AAPL",
        asset_class=EQUITY,
        side=OrderSide.BUY,
        type=OrderType.LIMIT,
        quantity=D(1),
        limit_price=D(90),
    )
    assert reserve_price(order, D(100)) == 90
    assert reserve_price(order.model_copy(update={"side": OrderSide.SELL}), D(100)) == 103
    at_market = order.model_copy(update={"type": OrderType.MARKET, "limit_price": None})
    assert reserve_price(at_market, D(100)) == 100
