from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenthread.domain.errors import DataError
from goldenthread.domain.strategy import Side
from goldenthread.rules.rounding import (
    price_tick,
    round_entry,
    round_quantity,
    round_stop,
    round_target,
    significant,
    tranche_quantities,
)
from rules.market import AAPL, BTC, D

if TYPE_CHECKING:
    from goldenthread.domain.asset import Asset

LONG, SHORT = Side.LONG, Side.SHORT
PRICES = st.decimals("0.01", "99999", places=6)
ASSETS = st.sampled_from([AAPL, BTC, BTC.model_copy(update={"price_tick": D("0.000001")})])
SIDES = st.sampled_from(Side)


def test_equities_have_a_finer_tick_below_one_dollar_and_crypto_its_own() -> None:
    assert price_tick(AAPL, D("1.00")) == D("0.01")
    assert price_tick(AAPL, D("0.9999")) == D("0.0001")
    assert price_tick(AAPL, 0.9999) == D("0.0001")
    assert price_tick(BTC, D("0.5")) == D("0.01")


@pytest.mark.parametrize(
    ("side", "stop", "target", "limit", "stop_entry"),
    [
        # 10.123 lies between the ticks 10.12 and 10.13.
        (LONG, "10.12", "10.12", "10.13", "10.13"),
        (SHORT, "10.13", "10.13", "10.12", "10.12"),
    ],
)
def test_levels_go_to_their_own_side_of_the_tick(
    side: Side, stop: str, target: str, limit: str, stop_entry: str
) -> None:
    for price in (D("10.123"), 10.123):
        assert round_stop(price, AAPL, side) == D(stop)
        assert round_target(price, AAPL, side) == D(target)
        assert round_entry(price, AAPL, side, "limit") == D(limit)
        assert round_entry(price, AAPL, side, "stop") == D(stop_entry)


def test_a_market_entry_keeps_nine_decimals() -> None:
    assert round_entry(33.869998931884766, AAPL, LONG, "market") == D("33.869998932")
    assert round_entry(D("10.123"), AAPL, SHORT, "market") == D("10.123")


def test_float_noise_does_not_move_a_level_off_its_tick() -> None:
    noisy = 0.1 + 0.2  # 0.30000000000000004
    three = 3 * 1.1  # 3.3000000000000003
    assert round_stop(noisy, AAPL, SHORT) == D("0.3000")
    assert round_entry(three, AAPL, LONG, "limit") == D("3.30")
    assert round_stop(4.35 * 100 / 100, AAPL, LONG) == D("4.35")  # 4.35 * 100 is 434.99999999999994


def test_below_one_dollar_the_stop_uses_the_finer_tick() -> None:
    assert round_stop(D("0.123456"), AAPL, LONG) == D("0.1234")
    assert round_stop(D("0.123456"), AAPL, SHORT) == D("0.1235")


@pytest.mark.parametrize("price", [math.nan, math.inf, -math.inf, D("NaN")])
def test_a_price_that_is_no_number_is_refused(price: float | D) -> None:
    with pytest.raises(DataError, match="cannot be rounded"):
        round_stop(price, AAPL, LONG)
    with pytest.raises(DataError, match="cannot be rounded"):
        round_entry(price, AAPL, LONG, "market")


@given(PRICES, ASSETS, SIDES)
def test_decimal_and_float_give_the_same_levels(price: D, asset: Asset, side: Side) -> None:
    value = float(price)
    assert round_stop(price, asset, side) == round_stop(value, asset, side)
    assert round_target(price, asset, side) == round_target(value, asset, side)
    for order in ("market", "limit", "stop"):
        exact = round_entry(price, asset, side, order)
        assert exact == round_entry(value, asset, side, order)


@given(PRICES, PRICES, st.integers(1, 20), SIDES)
def test_a_level_made_of_floats_is_the_level_made_of_decimals(
    entry: D, width: D, factor: int, side: Side
) -> None:
    exact = entry + side.sign * factor * width
    floating = float(entry) + side.sign * factor * float(width)
    if abs(exact) > entry / 1000:  # else the difference has lost its digits
        assert round_stop(floating, AAPL, side) == round_stop(exact, AAPL, side)


@given(PRICES, ASSETS, SIDES)
def test_levels_lie_on_the_tick_on_their_side_and_less_than_a_tick_away(
    price: D, asset: Asset, side: Side
) -> None:
    tick = price_tick(asset, price)
    stop = round_stop(price, asset, side)
    limit = round_entry(price, asset, side, "limit")
    assert stop % tick == 0
    assert 0 <= (price - stop) * side.sign < tick
    assert 0 <= (limit - price) * side.sign < tick
    assert round_stop(stop, asset, side) == stop


def test_quantities_go_down_to_the_step() -> None:
    assert round_quantity(D("12.999"), AAPL) == 12
    assert round_quantity(D("0.999"), AAPL) == 0
    assert round_quantity(D("0.1234567899"), BTC) == D("0.123456789")
    assert round_quantity(D("123456789012.1234567899"), BTC) == D("123456789012.123456789")


@pytest.mark.parametrize(
    ("quantity", "sells", "parts"),
    [
        ("10", ["0.5"], ["5", "5"]),
        ("11", ["0.5"], ["5", "6"]),  # 5.5 down to 5
        ("11", ["0.5", "0.5"], ["5", "6", "0"]),  # sums to 1: the last takes 11 - 5
        ("10", ["0.33", "0.33"], ["3", "3", "4"]),  # 3.3 and 3.3 down to 3
        ("1", ["0.5"], ["0", "1"]),  # one share is one tranche
        ("7", ["1"], ["7", "0"]),
        ("7", [], ["7"]),
    ],
)
def test_tranches_are_whole_and_the_runner_keeps_the_rest(
    quantity: str, sells: list[str], parts: list[str]
) -> None:
    expected = tuple(D(part) for part in parts)
    assert tranche_quantities(D(quantity), [D(sell) for sell in sells], D(1)) == expected


@given(
    st.integers(0, 10**6),
    st.lists(st.integers(1, 100), min_size=1, max_size=5),
    st.sampled_from([D(1), D("0.001"), D("0.000000001")]),
    st.booleans(),
)
def test_tranches_sum_to_the_quantity_and_none_is_negative(
    steps: int, weights: list[int], step: D, sells_all: bool
) -> None:
    total = sum(weights) if sells_all else sum(weights) + 1
    cuts = [round_quantity(D(sum(weights[:n])) / total, BTC) for n in range(len(weights) + 1)]
    sells = [b - a for a, b in pairwise(cuts)]
    quantity = steps * step
    parts = tranche_quantities(quantity, sells, step)
    assert sum(parts) == quantity
    assert min(parts) >= 0
    assert all(part % step == 0 for part in parts)
    assert len(parts) == len(sells) + 1
    assert parts[-1] == 0 or not sells_all


def test_significant_keeps_twelve_digits_and_turns_what_is_no_number_into_none() -> None:
    assert significant(1 / 3) == D("0.333333333333")
    assert significant(123456.7890123456) == D("123456.789012")
    assert str(significant(-0.0)) == "0"
    assert significant(math.nan) is None
    assert significant(-math.inf) is None


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_significant_is_within_half_a_unit_of_the_twelfth_digit(value: float) -> None:
    kept = significant(value)
    assert kept is not None
    assert len(kept.as_tuple().digits) <= 12
    assert abs(kept - D(value)) <= abs(D(value)) * D("5e-12")
