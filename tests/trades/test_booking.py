"""What a closed position is booked as, by hand."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenthread.domain.errors import DataError
from goldenthread.domain.order import OrderSide
from goldenthread.domain.position import ExitReason, Position, PositionStatus
from goldenthread.domain.strategy import Side
from goldenthread.trades.booking import book
from trades.closed import NAME, D, closed, fill, signal_of

if TYPE_CHECKING:
    from decimal import Decimal

    from goldenthread.domain.trade import Trade

BUY, SELL = OrderSide.BUY, OrderSide.SELL


def booked(position: Position, entry: str = "100") -> Trade:
    return book(position, signal_of(position, entry))


def test_a_long_in_two_parts() -> None:
    position = closed(
        Side.LONG,
        fill(BUY, "10", "101", 3, flags=("AT_OPEN",)),
        fill(SELL, "4", "111", 4),
        fill(SELL, "6", "95", 8, fee="1.50", flags=("GAPPED",)),
        best=D(112),
        worst=D(96),
    )
    trade = booked(position)
    # 4 x (111 - 101) + 6 x (95 - 101) = 40 - 36 = 4; less 1.50 of fees
    assert (trade.gross_pnl, trade.fees, trade.net_pnl) == (D(4), D("1.50"), D("2.50"))
    assert trade.exit_price == D("101.4")  # (4 x 111 + 6 x 95) / 10
    assert trade.entry_price == 101
    assert trade.planned_entry == 100
    assert trade.r_multiple == D("0.022727272727")  # 2.50 / (10 x (101 - 90))
    assert trade.return_fraction == D("0.002475247525")  # 2.50 / 1010
    assert trade.mfe == D("0.108910891089")  # (112 - 101) / 101
    assert trade.mae == D("-0.059405940594")  # (95 - 101) / 101: the exit is below the worst bar
    assert (trade.ds, trade.signal_ds) == (dt.date(2024, 1, 8), dt.date(2024, 1, 2))
    assert (trade.entry_ds, trade.exit_ds) == (dt.date(2024, 1, 3), dt.date(2024, 1, 8))
    assert (trade.bars_held, trade.exit_reason) == (4, ExitReason.STOP)
    assert trade.flags == ("GAPPED",)
    assert trade.trade_id == NAME
    assert trade.is_final


def test_what_was_held_earned_and_cost_is_in_the_net() -> None:
    ends = (fill(SELL, "10", "100", 3, fee="0.03"), fill(BUY, "10", "96", 8))
    paid = {"dividends": D("-2.40"), "borrow_fees": D("0.11")}
    trade = booked(closed(Side.SHORT, *ends, **paid))
    assert (trade.gross_pnl, trade.fees) == (D(40), D("0.14"))  # 10 x (100 - 96); 0.03 + 0.11
    assert (trade.dividends, trade.borrow_fees) == (D("-2.40"), D("0.11"))
    assert trade.net_pnl == D("37.46")  # 40 - 0.14 - 2.40
    assert trade.r_multiple == D("0.3746")  # over 10 x (110 - 100)
    told = booked(closed(Side.SHORT, *ends, book="paper:PA1"))
    assert (told.dividends, told.borrow_fees) == (None, None)  # nobody told: it may not be 0


def test_a_short_is_signed_for_its_side() -> None:
    position = closed(
        Side.SHORT,
        fill(SELL, "10", "100", 3),
        fill(BUY, "10", "92", 5),
        best=D(91),
        worst=D(104),
        exit_reason=ExitReason.TARGET,
    )
    trade = booked(position)
    assert (trade.gross_pnl, trade.net_pnl) == (D(80), D(80))
    assert trade.r_multiple == D("0.8")  # 80 / (10 x (110 - 100))
    assert (trade.mfe, trade.mae) == (D("0.09"), D("-0.04"))


def test_a_split_in_between_is_booked_in_the_units_of_the_exit() -> None:
    position = closed(
        Side.LONG,
        fill(BUY, "10", "700", 3, split="7"),
        fill(SELL, "70", "110", 9),
        initial_stop=D(90),
        split_factor=D(7),
    )
    trade = booked(position, "693")
    assert (trade.quantity, trade.entry_price, trade.exit_price) == (D(70), D(100), D(110))
    assert trade.planned_entry == 99  # 693 / 7
    assert trade.gross_pnl == 700
    assert trade.r_multiple == 1  # 700 / (70 x 10)
    assert trade.mfe == D("0.1")


def test_a_coin_fee_is_a_fee_at_the_entry_price() -> None:
    position = closed(
        Side.LONG,
        fill(BUY, "10", "100", 3, fee_quantity="0.025"),
        fill(SELL, "9.975", "110", 4, fee="2.75"),
        asset_class="CRYPTO",
        symbol="BTC/USD",
    )
    trade = booked(position)
    assert trade.gross_pnl == D("99.75")  # 9.975 x 10
    assert trade.fees == D("5.25")  # 0.025 x 100 + 2.75
    # in cash: 9.975 x 110 - 2.75 - 1000 = 94.50
    assert trade.net_pnl == D("94.50")


def test_an_entry_beyond_its_stop_has_no_r_multiple() -> None:
    position = closed(Side.LONG, fill(BUY, "10", "89", 3), fill(SELL, "10", "88", 3))
    assert booked(position).r_multiple is None


def test_fees_of_a_real_account_are_not_final_at_once() -> None:
    position = closed(
        Side.LONG, fill(BUY, "1", "100", 3), fill(SELL, "1", "100", 4), book="paper:1"
    )
    assert not booked(position).is_final


def test_only_a_closed_position_with_its_own_signal_is_booked() -> None:
    position = closed(Side.LONG, fill(BUY, "1", "100", 3), fill(SELL, "1", "100", 4))
    with pytest.raises(DataError, match="only a CLOSED position"):
        booked(position.model_copy(update={"status": PositionStatus.OPEN}))
    stranger = signal_of(position).model_copy(update={"signal_id": "20240102-other"})
    with pytest.raises(DataError, match="own signal"):
        book(position, stranger)


prices = st.decimals("0.01", 10_000, places=2)
quantities = st.integers(1, 10_000)


@given(
    st.lists(st.tuples(quantities, prices), min_size=1, max_size=4),
    prices,
    st.sampled_from(Side),
    st.decimals(0, 100, places=2),
)
def test_net_pnl_is_the_cash_that_came_in(
    entries: list[tuple[int, Decimal]], out: Decimal, side: Side, fee: Decimal
) -> None:
    total = sum(quantity for quantity, _ in entries)
    opening, closing = (BUY, SELL) if side is Side.LONG else (SELL, BUY)
    fills = [fill(opening, str(q), str(p), 3, fill_no=n) for n, (q, p) in enumerate(entries, 1)]
    fills.append(fill(closing, str(total), str(out), 4, fee=str(fee)))
    trade = booked(closed(side, *fills))
    cash = sum((-f.side.sign * f.quantity * f.price - f.fee for f in fills), D(0))
    assert trade.net_pnl == cash
