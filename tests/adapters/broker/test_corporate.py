"""Splits, dividends, borrow and delistings, held long and short, with orders resting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.broker.market import D, HandMarket, bracket, day, exchange, order, stocks
from goldenthread.domain.order import OrderSide, OrderStatus, OrderType

if TYPE_CHECKING:
    from decimal import Decimal

    from goldenthread.adapters.broker.simulated import SimulatedBroker

SELL = OrderSide.SELL


def split_market(ratio: str, *prices: str) -> HandMarket:
    """Bars of AAPL with a split at the open of 4 January."""
    market = stocks(*prices)
    market.splits["AAPL", day(4)] = D(ratio)
    return market


def levels(broker: SimulatedBroker, key: str) -> list[tuple[Decimal, Decimal | None]]:
    reports = broker.find_order(key)
    return [(r.quantity, r.limit_price or r.stop_price) for r in reports[1:]]


def test_a_split_scales_the_stake_and_the_resting_legs() -> None:
    market = split_market("7", "700 701 699 700", "700 705 695 700", "100 101 99 101")
    broker = exchange(market)
    broker.submit(bracket("a", "10", take_profit="800.05", stop_loss="600.05"))
    broker.meet(day(3))
    before = broker.account().equity
    broker.meet(day(4))
    # 800.05 / 7 = 114.2928…, 600.05 / 7 = 85.7214…, each down to the cent
    assert levels(broker, "a") == [(D(70), D("114.29")), (D(70), D("85.72"))]
    (holding,) = broker.account().holdings
    assert (holding.quantity, holding.average_price) == (D(70), D(100))
    assert broker.account().equity == before + 70 * (101 - 100)


def test_a_short_is_scaled_and_its_stop_rounded_up() -> None:
    market = split_market("7", "700 701 699 700", "700 705 695 700", "100 101 99 100")
    broker = exchange(market)
    broker.submit(bracket("a", "10", side=SELL, take_profit="600.05", stop_loss="800.05"))
    broker.meet(day(4))
    assert levels(broker, "a") == [(D(70), D("85.73")), (D(70), D("114.30"))]
    assert broker.account().holdings[0].quantity == D(-70)
    assert broker.account().equity == D(100_000)


def test_a_reverse_split_pays_the_fraction_at_the_open() -> None:
    market = split_market("0.05", "5 5 5 5", "5 5 5 5", "100 101 99 101")
    broker = exchange(market)
    broker.submit(order("a", "150"))
    broker.meet(day(4))
    # 150 x 0.05 = 7.5: 7 are kept, 0.5 paid at 100
    fill = broker.fills(day(4))[0]
    assert (fill.side, fill.quantity, fill.price, fill.flags) == (
        SELL,
        D("0.5"),
        D(100),
        ("SPLIT_CASH",),
    )
    account = broker.account()
    assert account.cash == D(100_000) - 750 + 50
    assert account.holdings[0].quantity == D(7)


def test_without_a_bar_the_fraction_is_paid_at_the_scaled_close() -> None:
    market = split_market("0.05", "5 5 5 5", "5 5 5 6", "")
    broker = exchange(market)
    broker.submit(order("a", "150"))
    broker.meet(day(4))
    assert broker.fills(day(4))[0].price == D(120)  # 6 / 0.05
    assert broker.account().equity == D(100_000) + 150


def test_the_fraction_of_a_short_is_bought_back() -> None:
    market = split_market("0.05", "5 5 5 5", "5 5 5 5", "100 101 99 101")
    broker = exchange(market)
    broker.submit(order("a", "150", side=SELL))
    broker.meet(day(4))
    fill = broker.fills(day(4))[0]
    assert (fill.side, fill.quantity) == (OrderSide.BUY, D("0.5"))
    assert broker.account().holdings[0].quantity == D(-7)


def test_a_waiting_entry_is_scaled_and_one_too_small_is_canceled() -> None:
    market = split_market("0.05", "5 5 5 5", "5 5 5 5", "100 101 99 101")
    broker = exchange(market)
    limit = {"type": OrderType.LIMIT, "limit_price": "4.03"}
    broker.submit(order("a", "150", **limit))
    broker.submit(order("b", "19", **limit))
    broker.meet(day(4))
    (kept,) = broker.find_order("a")
    assert (kept.quantity, kept.limit_price) == (D(7), D("80.60"))
    assert broker.find_order("b")[0].status is OrderStatus.CANCELED
    # 7 x 80.60 are reserved: 2 x (100,000 - 564.2 / 2)
    assert broker.account().buying_power == D(200_000) - D("564.2")


def test_an_order_filled_in_part_keeps_its_share_of_the_split() -> None:
    market = split_market("2", "10 10 10 10", "10 10 10 10", "5 5 5 5")
    broker = exchange(market, seed=1, partial_probability=1.0)
    broker.submit(order("a", "1000"))
    broker.meet(day(3))
    done = broker.find_order("a")[0].filled_quantity
    broker.meet(day(4))
    (report,) = broker.find_order("a")
    today = sum((f.quantity for f in broker.fills(day(4))), D(0))
    assert report.quantity == D(2000)
    assert report.filled_quantity == 2 * done + today
    assert report.average_price == D(5)


@pytest.mark.parametrize(("side", "cash"), [(OrderSide.BUY, -1000 + 800), (SELL, 1000 - 800)])
def test_a_delisted_stake_is_paid_out_at_the_last_close(side: OrderSide, cash: int) -> None:
    market = stocks("99 101 98 100", "100 105 75 80", "")
    broker = exchange(market, delistings={"AAPL": day(3)})
    broker.submit(order("a", "10", side=side))
    broker.meet(day(3))
    assert broker.account().holdings[0].market_price == D(80)
    broker.submit(order("b", "1", type=OrderType.LIMIT, limit_price=50))
    broker.meet(day(4))
    assert broker.fills(day(4))[0].flags == ("DELISTED",)
    assert broker.account().holdings == ()
    assert broker.account().cash == D(100_000) + cash
    assert broker.find_order("b")[0].status is OrderStatus.CANCELED


def paying(*prices: str) -> HandMarket:
    """Bars of AAPL with a dividend of 0.24 a share on 4 January."""
    market = stocks(*prices)
    market.dividends["AAPL", day(4)] = D("0.24")
    return market


CALM = ("100 100 100 100",) * 4


@pytest.mark.parametrize(("side", "paid"), [(OrderSide.BUY, "2.40"), (SELL, "-2.40")])
def test_a_dividend_is_paid_to_a_long_and_by_a_short_at_the_open_of_its_ex_date(
    side: OrderSide, paid: str
) -> None:
    broker = exchange(paying(*CALM), profile="live_like")
    broker.submit(order("a", "10", side=side))
    broker.meet(day(3))
    before = broker.account()
    broker.meet(day(4))
    dividend, *borrow = broker.account().payments[len(before.payments) :]
    assert (dividend.symbol, dividend.kind, dividend.ds) == ("AAPL", "DIVIDEND", day(4))
    assert dividend.amount == D(paid)
    charged = sum((payment.amount for payment in borrow), D(0))
    assert broker.account().cash == before.cash + D(paid) + charged


def test_who_buys_at_the_open_of_the_ex_date_gets_nothing_and_who_sells_there_does() -> None:
    broker = exchange(paying(*CALM), profile="live_like")
    broker.submit(order("a", "10"))
    broker.meet(day(3))
    broker.submit(order("b", "10", side=SELL))
    broker.meet(day(4))
    assert broker.account().holdings == ()
    assert [payment.amount for payment in broker.account().payments] == [D("2.40")]  # 10 x 0.24
    late = exchange(paying(*CALM), profile="live_like")
    late.meet(day(3))
    late.submit(order("a", "10"))
    late.meet(day(4))
    assert late.account().holdings[0].quantity == 10
    assert late.account().payments == ()


def test_a_dividend_counts_the_shares_from_before_a_split_of_the_same_date() -> None:
    market = paying("700 701 699 700", "700 700 700 700", "100 100 100 100")
    market.splits["AAPL", day(4)] = D(7)
    broker = exchange(market, profile="live_like")
    broker.submit(order("a", "10"))
    broker.meet(day(4))
    assert broker.account().holdings[0].quantity == 70
    assert [payment.amount for payment in broker.account().payments] == [D("2.40")]


def test_a_short_pays_borrow_at_every_close_it_is_held_over() -> None:
    market = stocks(*CALM, "", "", "50 50 50 50")  # 2 to 5 January, a weekend, Monday the 8th
    broker = exchange(market, profile="live_like")
    broker.submit(order("a", "1000", side=SELL))
    broker.meet(day(8))
    broker.submit(order("b", "1000"))
    broker.meet(day(9))
    # 100,000 dollars short: 0.83333 a night up to 0.84; Friday 3 nights 2.50; Monday on 50,000
    # 0.41666 up to 0.42; the 9th has no bar, so the short stays and pays on Monday's close.
    paid = [(payment.ds, payment.amount) for payment in broker.account().payments]
    assert paid == [
        (day(3), D("-0.84")),
        (day(4), D("-0.84")),
        (day(5), D("-2.50")),
        (day(8), D("-0.42")),
        (day(9), D("-0.42")),
    ]
    assert {payment.kind for payment in broker.account().payments} == {"BORROW"}
    fees = sum((fill.fee for fill in broker.fills(day(2))), D(0))
    assert broker.account().cash == D(200_000) - fees - D("5.02")


def test_paper_pays_no_dividend_and_charges_no_borrow() -> None:
    for side in OrderSide:
        broker = exchange(paying(*CALM), profile="paper")
        broker.submit(order("a", "10", side=side))
        broker.meet(day(5))
        assert broker.account().payments == ()
        assert broker.account().equity == D(100_000)
