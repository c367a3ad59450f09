from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenthread.domain.asset import AssetClass
from goldenthread.domain.order import OrderSide
from goldenthread.rules import fees, ticks
from goldenthread.rules.calendar import sessions
from goldenthread.rules.fees import Fee, FeeQuery, Rate, borrow_fee, fee_for
from rules.market import D

if TYPE_CHECKING:
    from goldenthread.domain.policy import Profile

BUY, SELL = OrderSide.BUY, OrderSide.SELL
PROFILES: tuple[Profile, ...] = ("paper", "live_like")
MAY_2026 = dt.date(2026, 5, 4)


def crypto(side: OrderSide, quantity: str, price: str, *, maker: bool = False) -> FeeQuery:
    return FeeQuery(AssetClass.CRYPTO, side, D(quantity), D(price), MAY_2026, "paper", maker)


def equity(side: OrderSide, quantity: str, price: str, ds: dt.date) -> FeeQuery:
    return FeeQuery(AssetClass.EQUITY, side, D(quantity), D(price), ds, "live_like")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        # 0.25 % of 0.123456789 coins is 0.0003086419725, up to 1e-9.
        (crypto(BUY, "0.123456789", "60000"), Fee(D(0), D("0.000308642"))),
        # 0.15 % of 2 coins.
        (crypto(BUY, "2", "3000", maker=True), Fee(D(0), D("0.003"))),
        # 0.25 % of 0.5 * 60001 = 30000.5 dollars is 75.00125, up to the cent.
        (crypto(SELL, "0.5", "60001"), Fee(D("75.01"), D(0))),
        # 0.15 % of 30000.5 dollars is 45.00075.
        (crypto(SELL, "0.5", "60001", maker=True), Fee(D("45.01"), D(0))),
    ],
)
def test_crypto_buys_pay_in_coin_and_sells_in_dollars_rounded_up(
    query: FeeQuery, expected: Fee
) -> None:
    assert fee_for(query) == expected
    assert fee_for(query._replace(profile="live_like")) == expected


@pytest.mark.parametrize(
    ("query", "quote"),
    [
        # SEC 1000 * 150 * 20.60 / 1e6 = 3.09, TAF 1000 * 0.000195 = 0.195 -> 0.20,
        # CAT 1000 * 0.000003 = 0.003 -> 0.01.
        (equity(SELL, "1000", "150", MAY_2026), "3.30"),
        (equity(BUY, "1000", "150", MAY_2026), "0.01"),  # CAT alone
        # TAF is capped at 9.79: 100000 * 0.000195 = 19.50; SEC 2.06, CAT 0.30.
        (equity(SELL, "100000", "1", MAY_2026), "12.15"),
        # June 2014: SEC 100 * 92 * 22.10 / 1e6 = 0.20332 -> 0.21, TAF 0.0119 -> 0.02, no CAT.
        (equity(SELL, "100", "92", dt.date(2014, 6, 9)), "0.23"),
        (equity(BUY, "100", "92", dt.date(2014, 6, 9)), "0"),
        # TAF of October 2004: SEC 100 * 92 * 23.40 / 1e6 = 0.21528 -> 0.22, TAF 0.01.
        (equity(SELL, "100", "92", dt.date(2004, 10, 29)), "0.23"),
        # capped at 10 dollars then: 200000 * 0.0001 = 20; SEC 200000 * 1 * 23.40 / 1e6 = 4.68.
        (equity(SELL, "200000", "1", dt.date(2004, 10, 29)), "14.68"),
        # and at 3.75 from November on: 200000 * 0.000075 = 15.
        (equity(SELL, "200000", "1", dt.date(2004, 11, 1)), "8.43"),
        # The SEC charged nothing in 2025: TAF 1000 * 0.000166 = 0.166 -> 0.17, CAT 0.01.
        (equity(SELL, "1000", "150", dt.date(2025, 8, 1)), "0.18"),
    ],
)
def test_live_like_equities_pay_the_regulators_each_rounded_up_to_the_cent(
    query: FeeQuery, quote: str
) -> None:
    assert fee_for(query) == Fee(D(quote), D(0))


def test_paper_equities_pay_nothing() -> None:
    for side in OrderSide:
        query = equity(side, "1000", "150", MAY_2026)._replace(profile="paper")
        assert fee_for(query) == Fee(D(0), D(0))


def test_a_rate_holds_from_its_date_on() -> None:
    # SEC: 22.10 from 18 March 2014, 17.40 before; of one million dollars.
    before, after = (
        fee_for(equity(SELL, "10000", "100", ds)).quote
        for ds in (dt.date(2014, 3, 17), dt.date(2014, 3, 18))
    )
    assert after - before == D("4.70")


@pytest.mark.parametrize(
    "table",
    [
        fees.CRYPTO_TAKER,
        fees.CRYPTO_MAKER,
        fees.SEC_PER_MILLION,
        fees.TAF_PER_SHARE,
        fees.CAT_PER_SHARE,
        fees.BORROW_A_YEAR,
    ],
)
def test_the_tables_are_in_order_of_date(table: tuple[Rate, ...]) -> None:
    assert all(a.since < b.since for a, b in pairwise(table))


@pytest.mark.parametrize(
    ("ds", "fee"),
    [
        # 100 shares at 150 are 15,000 dollars: 0.30 % / 360 of it is 0.125 a night.
        (dt.date(2024, 1, 2), "0.13"),  # a Tuesday
        (dt.date(2024, 1, 5), "0.38"),  # a Friday: 3 nights, 0.375
        (dt.date(2024, 1, 12), "0.50"),  # the Friday before Martin Luther King's day: 4 nights
    ],
)
def test_a_short_pays_for_every_night_to_the_next_session_rounded_up_to_the_cent(
    ds: dt.date, fee: str
) -> None:
    assert borrow_fee(D(100), D(150), ds) == D(fee)


@given(
    st.dates(dt.date(1999, 1, 1), dt.date(2040, 12, 1)),
    st.integers(1, 10**6),
    st.decimals("0.01", "100000", places=2),
)
def test_a_tape_charges_a_short_what_the_exchange_does(
    start: dt.date, quantity: int, mark: D
) -> None:
    days = sessions(AssetClass.EQUITY, start, start + dt.timedelta(days=9))
    number = np.array(days, "datetime64[D]").astype(np.int64)
    rates = fees.rates_on(AssetClass.EQUITY, "live_like", number).borrow
    for ds, rate in zip(days, rates, strict=True):
        cents = ticks.value_cents(quantity * ticks.UNITS, float(mark), float(rate))
        assert cents * D("0.01") == borrow_fee(D(quantity), mark, ds)
    assert not fees.rates_on(AssetClass.EQUITY, "paper", number).borrow.any()
    assert not fees.rates_on(AssetClass.CRYPTO, "live_like", number).borrow.any()


@given(
    st.sampled_from(AssetClass),
    st.sampled_from(OrderSide),
    st.decimals("0.000000001", "10000000", places=9),
    st.decimals("0.01", "100000", places=2),
    st.dates(dt.date(1971, 1, 1), dt.date(2060, 12, 31)),
    st.sampled_from(PROFILES),
)
def test_fees_are_never_negative_and_fit_their_currency(
    asset_class: AssetClass,
    side: OrderSide,
    quantity: D,
    price: D,
    ds: dt.date,
    profile: Profile,
) -> None:
    fee = fee_for(FeeQuery(asset_class, side, quantity, price, ds, profile))
    assert fee.quote >= 0
    assert fee.quote % D("0.01") == 0
    assert fee.coin >= 0
    assert fee.coin % D("0.000000001") == 0
    assert not (fee.coin and asset_class is AssetClass.EQUITY)
