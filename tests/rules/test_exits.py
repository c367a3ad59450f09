from __future__ import annotations

from goldenthread.domain.order import OrderSide
from goldenthread.rules.exits import FirstExit, bar_after_entry, first_exit
from goldenthread.rules.fills import Touch, limit_fill, market_fill, stop_fill
from rules.market import D, bar

BUY, SELL = OrderSide.BUY, OrderSide.SELL
NO_SLIPPAGE = D(0)


def test_a_bar_that_holds_stop_and_target_is_stopped_and_flagged() -> None:
    wide = bar("100", "110", "90", "100")
    stop = stop_fill(wide, SELL, D(95), NO_SLIPPAGE)
    target = limit_fill(wide, SELL, D(105))
    assert first_exit(stop, target) == FirstExit(
        Touch(D(95), at_open=False, gapped=False), is_stop=True, ambiguous=True
    )


def test_a_target_met_by_the_open_comes_before_a_stop_later_in_the_bar() -> None:
    # Opens at 107, above the target of 105: sold at 107 before the fall to 90.
    gapped_up = bar("107", "110", "90", "100")
    stop = stop_fill(gapped_up, SELL, D(95), NO_SLIPPAGE)
    target = limit_fill(gapped_up, SELL, D(105))
    assert first_exit(stop, target) == FirstExit(
        Touch(D(107), at_open=True, gapped=False), is_stop=False, ambiguous=False
    )


def test_an_open_past_stop_and_target_alike_is_stopped() -> None:
    # A stop raised to 105, above a target of 103; opens at 104.
    opened = bar("104", "106", "103", "105")
    stop = stop_fill(opened, SELL, D(105), NO_SLIPPAGE)
    target = limit_fill(opened, SELL, D(103))
    assert first_exit(stop, target) == FirstExit(
        Touch(D(104), at_open=True, gapped=True), is_stop=True, ambiguous=False
    )


def test_one_exit_alone_is_that_exit() -> None:
    touch = Touch(D(95), at_open=False, gapped=False)
    assert first_exit(touch, None) == FirstExit(touch, is_stop=True, ambiguous=False)
    assert first_exit(None, touch) == FirstExit(touch, is_stop=False, ambiguous=False)
    assert first_exit(None, None) is None


def test_an_entry_opening_beyond_its_stop_is_filled_then_stopped_at_the_same_open() -> None:
    # Planned near 100 with a stop of 95; opens at 93: in and out at 93, less slippage.
    gapped_down = bar("93", "99", "92", "98")
    entry = market_fill(gapped_down, BUY, D(10))
    stopped = stop_fill(bar_after_entry(gapped_down, entry), SELL, D(95), D(10))
    assert entry == Touch(D("93.093"), at_open=True, gapped=False)  # 93 * 1.001
    assert stopped == Touch(D("92.907"), at_open=True, gapped=True)  # 93 * 0.999


def test_a_stop_entry_after_the_open_is_stopped_at_its_stop_not_at_the_earlier_open() -> None:
    # Opens at 100, bought at 105, protected at 102: the open of 100 was before the position.
    rally = bar("100", "106", "99", "104")
    entry = stop_fill(rally, BUY, D(105), NO_SLIPPAGE)
    assert entry is not None
    stopped = stop_fill(bar_after_entry(rally, entry), SELL, D(102), NO_SLIPPAGE)
    assert stopped == Touch(D(102), at_open=False, gapped=False)


def test_the_mirrored_short_is_stopped_at_its_stop_too() -> None:
    # Opens at 100, sold short at 95, protected at 98.
    fall = bar("100", "101", "94", "96")
    entry = stop_fill(fall, SELL, D(95), NO_SLIPPAGE)
    assert entry is not None
    stopped = stop_fill(bar_after_entry(fall, entry), BUY, D(98), NO_SLIPPAGE)
    assert stopped == Touch(D(98), at_open=False, gapped=False)


def test_a_limit_entry_below_the_open_is_stopped_when_the_bar_falls_on() -> None:
    dip = bar("100", "101", "90", "96")
    entry = limit_fill(dip, BUY, D(95))
    assert entry is not None
    stopped = stop_fill(bar_after_entry(dip, entry), SELL, D(92), NO_SLIPPAGE)
    assert stopped == Touch(D(92), at_open=False, gapped=False)
