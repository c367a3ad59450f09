from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from goldenthread.domain.order import OrderSide
from goldenthread.rules.slippage import slipped
from rules.market import D


@pytest.mark.parametrize(
    ("price", "side", "bps", "expected"),
    [
        ("100", OrderSide.BUY, "5", "100.05"),  # 100 * 1.0005
        ("100", OrderSide.SELL, "5", "99.95"),  # 100 * 0.9995
        ("3.333333", OrderSide.BUY, "5", "3.335"),  # 3.3349996665 up
        ("3.333333", OrderSide.SELL, "5", "3.331666"),  # 3.3316663335 down
        ("1.0000001", OrderSide.BUY, "0", "1.000001"),  # no slippage, still six decimals up
        ("0.00021300", OrderSide.BUY, "5", "0.000213107"),  # 0.0002131065 up
        ("0.00021300", OrderSide.SELL, "5", "0.000212893"),  # 0.0002128935 down
        ("100", OrderSide.BUY, "2.5", "100.025"),
    ],
)
def test_slippage_and_its_rounding_are_against_the_order(
    price: str, side: OrderSide, bps: str, expected: str
) -> None:
    assert slipped(D(price), side, D(bps)) == D(expected)


@given(
    st.decimals("0.00001", "100000", places=5),
    st.sampled_from(OrderSide),
    st.decimals(0, 500, places=1),
)
@example(D("1661.00316"), OrderSide.BUY, D("53.8"))
def test_slippage_never_helps_and_costs_at_most_its_rate_and_one_step(
    price: D, side: OrderSide, bps: D
) -> None:
    cost = (slipped(price, side, bps) - price) * side.sign
    step = D("0.000001") if price >= 1 else D("0.000000001")
    exact, noise = price * bps / 10_000, price * D("2e-12")  # so near a step it is on it
    assert exact - noise <= cost < exact + step
