from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenthread.domain.bar import Bar
from goldenthread.domain.order import OrderSide
from goldenthread.domain.strategy import Side
from goldenthread.rules import fills
from goldenthread.rules.fills import StopMove, StopQuery, Touch
from rules.market import AAPL, D, bar

BUY, SELL = OrderSide.BUY, OrderSide.SELL
LONG, SHORT = Side.LONG, Side.SHORT
BPS = D(5)


def touch(price: str, *flags: str) -> Touch:
    return Touch(D(price), "AT_OPEN" in flags, "GAPPED" in flags)


# One bar and its mirror image around 100: what happens to longs on the first happens to shorts on
# the second. open 100, high 104, low 97, close 102.
UP = bar("100", "104", "97", "102")
DOWN = bar("100", "103", "96", "98")


@pytest.mark.parametrize(("side", "price"), [(BUY, "100.05"), (SELL, "99.95")])
def test_a_market_order_fills_at_the_open_slipped_against_it(side: OrderSide, price: str) -> None:
    assert fills.market_fill(UP, side, BPS) == touch(price, "AT_OPEN")


@pytest.mark.parametrize(
    ("on", "side", "limit", "expected"),
    [
        (UP, BUY, "98", touch("98")),  # the low of 97 is below it
        (UP, BUY, "97", touch("97")),  # touched exactly
        (UP, BUY, "96.99", None),
        (UP, BUY, "101", touch("100", "AT_OPEN")),  # the open is better
        (UP, BUY, "100", touch("100", "AT_OPEN")),
        (DOWN, SELL, "102", touch("102")),
        (DOWN, SELL, "103", touch("103")),
        (DOWN, SELL, "103.01", None),
        (DOWN, SELL, "99", touch("100", "AT_OPEN")),
        (DOWN, SELL, "100", touch("100", "AT_OPEN")),
    ],
)
def test_a_limit_order_fills_at_the_better_of_open_and_limit_when_touched(
    on: Bar, side: OrderSide, limit: str, expected: Touch | None
) -> None:
    assert fills.limit_fill(on, side, D(limit)) == expected


def test_a_limit_fill_at_a_long_open_price_is_cut_to_nine_decimals_against_the_order() -> None:
    opened = bar("33.869998931884766", "34", "33", "33.5")
    bought, sold = (
        fills.limit_fill(opened, side, D(34 if side is BUY else 33)) for side in OrderSide
    )
    assert bought == touch("33.869998932", "AT_OPEN")
    assert sold == touch("33.869998931", "AT_OPEN")


@pytest.mark.parametrize(
    ("on", "side", "stop", "expected"),
    [
        (UP, SELL, "98", touch("97.951")),  # 98 * 0.9995
        (UP, SELL, "97", touch("96.9515")),  # crossed exactly, 97 * 0.9995
        (UP, SELL, "96.99", None),
        (UP, SELL, "101", touch("99.95", "AT_OPEN", "GAPPED")),  # opened below: the open
        (UP, SELL, "100", touch("99.95", "AT_OPEN")),  # opened on the stop: no gap
        (DOWN, BUY, "102", touch("102.051")),  # 102 * 1.0005
        (DOWN, BUY, "103", touch("103.0515")),
        (DOWN, BUY, "103.01", None),
        (DOWN, BUY, "99", touch("100.05", "AT_OPEN", "GAPPED")),
        (DOWN, BUY, "100", touch("100.05", "AT_OPEN")),
    ],
)
def test_a_stop_order_fills_at_the_worse_of_open_and_stop_slipped_when_crossed(
    on: Bar, side: OrderSide, stop: str, expected: Touch | None
) -> None:
    assert fills.stop_fill(on, side, D(stop), BPS) == expected


@pytest.mark.parametrize(
    ("on", "side", "stop", "limit", "expected"),
    [
        (UP, SELL, "96", "91", (False, None)),  # not crossed
        (UP, SELL, "98", "93.10", (True, touch("97.951"))),  # like a stop
        (UP, SELL, "98", "97.98", (True, touch("97.98"))),  # slips at most to its limit
        (UP, SELL, "101", "96", (True, touch("99.95", "AT_OPEN", "GAPPED"))),  # gapped, inside
        (UP, SELL, "106", "103", (True, touch("103", "GAPPED"))),  # gapped through, traded back
        (UP, SELL, "110", "104.50", (True, None)),  # gapped through, high 104 too low
        (DOWN, BUY, "104", "109", (False, None)),
        (DOWN, BUY, "102", "106.90", (True, touch("102.051"))),
        (DOWN, BUY, "102", "102.02", (True, touch("102.02"))),
        (DOWN, BUY, "99", "104", (True, touch("100.05", "AT_OPEN", "GAPPED"))),
        (DOWN, BUY, "94", "97", (True, touch("97", "GAPPED"))),
        (DOWN, BUY, "90", "95.50", (True, None)),  # low 96 too high
    ],
)
def test_a_stop_limit_order_before_it_is_triggered(
    on: Bar, side: OrderSide, stop: str, limit: str, expected: tuple[bool, Touch | None]
) -> None:
    assert fills.stop_limit_fill(on, side, D(stop), D(limit), BPS, triggered=False) == expected


def test_a_stop_limit_gapped_through_and_not_traded_back_rests_as_a_limit_order() -> None:
    # Stop 110, limit 104.50: the first bar stays below 104.50, the second reaches 105.
    first = fills.stop_limit_fill(UP, SELL, D(110), D("104.50"), BPS, triggered=False)
    again = fills.stop_limit_fill(UP, SELL, D(110), D("104.50"), BPS, first.triggered)
    assert (first, again) == ((True, None), (True, None))
    next_day = bar("101", "105", "100", "104")
    last = fills.stop_limit_fill(next_day, SELL, D(110), D("104.50"), BPS, again.triggered)
    assert last == (True, touch("104.50", "GAPPED"))


def test_a_triggered_stop_limit_sells_at_the_open_when_the_market_is_back_above_its_stop() -> None:
    recovered = bar("112", "115", "111", "113")
    untouched = fills.stop_limit_fill(recovered, SELL, D(110), D("104.50"), BPS, triggered=False)
    resting = fills.stop_limit_fill(recovered, SELL, D(110), D("104.50"), BPS, triggered=True)
    assert untouched == (False, None)
    assert resting == (True, touch("112", "AT_OPEN", "GAPPED"))


def test_a_stop_limit_whose_limit_is_better_than_its_stop_needs_the_close_beyond_the_limit() -> (
    None
):
    # Sell stop 98 elected inside the bar. The high of 104 may have been before; the close of 102
    # was after, so a limit of 101 was met and one of 103 perhaps not.
    met = fills.stop_limit_fill(UP, SELL, D(98), D(101), BPS, triggered=False)
    unproved = fills.stop_limit_fill(UP, SELL, D(98), D(103), BPS, triggered=False)
    assert met == (True, touch("101", "GAPPED"))
    assert unproved == (True, None)


def test_a_protective_limit_is_five_percent_beyond_its_stop() -> None:
    assert fills.protective_limit(D(200), SELL) == 190
    assert fills.protective_limit(D(200), BUY) == 210


def query(side: Side, stop: str, **moves: str) -> StopQuery:
    levels = {
        name: D(moves[name]) if name in moves else None for name in ("best", "trail", "breakeven")
    }
    return StopQuery(side, D(stop), "STOP", **levels)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (query(LONG, "90"), ("90", "STOP")),
        (query(LONG, "90", best="110", trail="12.345"), ("97.65", "TRAIL")),  # 97.655 down
        (query(LONG, "90", best="95", trail="12"), ("90", "STOP")),  # 83 would loosen
        (query(LONG, "90", best="102", trail="12"), ("90", "STOP")),  # equal: nothing moved
        (query(LONG, "90", trail="12"), ("90", "STOP")),  # no bar yet
        (query(LONG, "90", breakeven="100.005"), ("100.00", "BREAKEVEN")),  # down
        (query(LONG, "90", best="110", trail="12", breakeven="100"), ("100", "BREAKEVEN")),
        (query(LONG, "90", best="115", trail="12", breakeven="100"), ("103", "TRAIL")),
        (query(LONG, "90", best="112", trail="12", breakeven="100"), ("100", "TRAIL")),
        (query(SHORT, "110"), ("110", "STOP")),
        (query(SHORT, "110", best="90", trail="12.345"), ("102.35", "TRAIL")),  # 102.345 up
        (query(SHORT, "110", best="105", trail="12"), ("110", "STOP")),  # 117 would loosen
        (query(SHORT, "110", breakeven="99.995"), ("100.00", "BREAKEVEN")),  # up
        (query(SHORT, "110", best="85", trail="12", breakeven="100"), ("97", "TRAIL")),
    ],
)
def test_trail_and_breakeven_move_the_stop_to_the_tighter_level(
    asked: StopQuery, expected: tuple[str, str]
) -> None:
    assert fills.tightened_stop(asked, AAPL) == (D(expected[0]), expected[1])


def test_every_fill_rule_has_its_own_name_and_one_sentence() -> None:
    names = [name for name, _ in fills.FILL_RULES]
    assert len(set(names)) == len(names)
    assert all(text.endswith(".") and text.count(". ") == 0 for _, text in fills.FILL_RULES)


PRICES = st.decimals("1", "2000", places=2)
SLIPPAGES = st.sampled_from([D(0), D(5), D("12.5"), D(100)])
SIDES = st.sampled_from(OrderSide)
STEP = D("0.000001")


@st.composite
def bars(draw: st.DrawFn) -> Bar:
    opened, closed, *reach = (draw(PRICES) for _ in range(4))
    high, low = max(opened, closed, *reach), min(opened, closed, *reach)
    return Bar("AAPL", dt.date(2024, 5, 6), opened, high, low, closed, D(1))


def mirrored(one: Bar) -> Bar:
    """The bar turned over around 2001, so that highs become lows."""
    return one._replace(
        open=D(2001) - one.open,
        high=D(2001) - one.low,
        low=D(2001) - one.high,
        close=D(2001) - one.close,
    )


@given(bars(), SIDES, PRICES, PRICES, SLIPPAGES)
def test_no_fill_is_outside_the_bar_widened_by_slippage(
    on: Bar, side: OrderSide, price: D, limit: D, bps: D
) -> None:
    touches = [
        fills.market_fill(on, side, bps),
        fills.limit_fill(on, side, price),
        fills.stop_fill(on, side, price, bps),
        *(fills.stop_limit_fill(on, side, price, limit, bps, t).touch for t in (False, True)),
    ]
    low = on.low * (1 - bps / 10_000) - STEP
    high = on.high * (1 + bps / 10_000) + STEP
    assert all(low <= t.price <= high for t in touches if t)


@given(bars(), SIDES, PRICES, SLIPPAGES)
def test_a_stop_is_never_filled_better_than_itself_and_a_limit_never_worse(
    on: Bar, side: OrderSide, price: D, bps: D
) -> None:
    stopped = fills.stop_fill(on, side, price, bps)
    limited = fills.limit_fill(on, side, price)
    assert stopped is None or (stopped.price - price) * side.sign >= 0
    assert limited is None or (price - limited.price) * side.sign >= 0


@given(bars(), SIDES, PRICES, st.decimals("0.01", "0.2", places=2), SLIPPAGES)
def test_a_stop_limit_is_a_stop_unless_its_limit_is_in_the_way(
    on: Bar, side: OrderSide, stop: D, distance: D, bps: D
) -> None:
    limit = stop * (1 + side.sign * distance)
    triggered, touched = fills.stop_limit_fill(on, side, stop, limit, bps, triggered=False)
    stopped = fills.stop_fill(on, side, stop, bps)
    assert triggered == (stopped is not None)
    if stopped and (limit - stopped.price) * side.sign >= 0:
        assert touched == stopped
    elif touched:
        assert touched.price == limit


@given(bars(), SIDES, PRICES, PRICES)
def test_what_a_bar_does_to_buys_its_mirror_does_to_sells(
    on: Bar, side: OrderSide, price: D, limit: D
) -> None:
    other = SELL if side is BUY else BUY
    turned, turned_price, turned_limit = mirrored(on), D(2001) - price, D(2001) - limit
    pairs = [
        (fills.limit_fill(on, side, price), fills.limit_fill(turned, other, turned_price)),
        (
            fills.stop_fill(on, side, price, D(0)),
            fills.stop_fill(turned, other, turned_price, D(0)),
        ),
        *(
            (
                fills.stop_limit_fill(on, side, price, limit, D(0), t).touch,
                fills.stop_limit_fill(turned, other, turned_price, turned_limit, D(0), t).touch,
            )
            for t in (False, True)
        ),
    ]
    for one, two in pairs:
        assert one == (two and two._replace(price=D(2001) - two.price))


@given(
    st.sampled_from(Side),
    PRICES,
    st.none() | PRICES,
    st.none() | PRICES,
    st.none() | st.decimals("0.5", "2000", places=9),
)
def test_a_stop_is_only_ever_tightened_and_a_second_look_changes_nothing(
    side: Side, stop: D, best: D | None, trail: D | None, breakeven: D | None
) -> None:
    before = StopQuery(side, stop, "STOP", best, trail, breakeven)
    move = fills.tightened_stop(before, AAPL)
    assert (move.stop - stop) * side.sign >= 0
    assert (move.source == "STOP") == (move.stop == stop)
    assert fills.tightened_stop(before._replace(stop=move.stop, source=move.source), AAPL) == move


def test_a_mirrored_position_has_the_mirrored_stop() -> None:
    # Long: 110 - 12 = 98 over a stop of 90. Short, turned over around 100: 90 + 12 = 102.
    long = fills.tightened_stop(query(LONG, "90", best="110", trail="12"), AAPL)
    short = fills.tightened_stop(query(SHORT, "110", best="90", trail="12"), AAPL)
    assert (long, short) == (StopMove(D(98), "TRAIL"), StopMove(D(102), "TRAIL"))
