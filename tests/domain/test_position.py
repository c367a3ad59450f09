"""The arithmetic of one position, by hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from goldenthread.domain.asset import AssetClass
from goldenthread.domain.order import Fill, OrderSide
from goldenthread.domain.position import Position, PositionStatus
from goldenthread.domain.strategy import Side

NOW = dt.datetime(2024, 1, 2, tzinfo=dt.UTC)


def _fill(side: OrderSide, quantity: str, price: str, **more: object) -> Fill:
    return Fill.model_validate(
        {
            "execution_id": f"{side}-{quantity}-{price}",
            "broker_order_id": "o",
            "fill_no": 1,
            "symbol": "AAPL",
            "side": side,
            "quantity": quantity,
            "price": price,
            "ds": "2024-01-02",
            "filled_at": NOW,
            **more,
        }
    )


def _position(side: Side, *fills: Fill) -> Position:
    return Position(
        book="sim:t",
        position_id="20240101-x",
        ds=dt.date(2024, 1, 1),
        strategy_id="s",
        version_key="v",
        policy_key="p",
        symbol="AAPL",
        asset_class=AssetClass.EQUITY,
        side=side,
        status=PositionStatus.OPEN,
        decided_at=NOW,
        quantity=Decimal(10),
        tranches=(),
        initial_stop=Decimal(90),
        stop=Decimal(90),
        max_bars=5,
        fills=fills,
    )


def test_a_partial_exit_realises_its_share_of_the_cost() -> None:
    position = _position(
        Side.LONG, _fill(OrderSide.BUY, "10", "100"), _fill(OrderSide.SELL, "4", "110")
    )
    assert position.open_quantity == 6
    assert position.realised_pnl == 40  # 4 * (110 - 100)
    assert position.unrealised_pnl(Decimal(95)) == -30  # 6 * (95 - 100)


def test_a_short_gains_when_the_price_falls() -> None:
    position = _position(
        Side.SHORT, _fill(OrderSide.SELL, "10", "100"), _fill(OrderSide.BUY, "10", "90")
    )
    assert position.realised_pnl == 100  # 10 * (100 - 90)
    assert position.open_quantity == 0


def test_a_split_changes_shares_and_average_but_no_money() -> None:
    position = _position(Side.LONG, _fill(OrderSide.BUY, "10", "700", split="7"))
    assert position.open_quantity == 70
    assert position.average_entry == 100
    assert position.unrealised_pnl(Decimal(101)) == 70  # 70 * (101 - 100)


def test_a_fee_in_coin_leaves_less_to_hold_and_counts_at_its_entry_price() -> None:
    position = _position(Side.LONG, _fill(OrderSide.BUY, "2", "100", fee_quantity="0.005"))
    assert position.open_quantity == Decimal("1.995")
    assert position.fees == Decimal("0.5")  # 0.005 * 100


amounts = st.decimals("0.000001", "100000", places=6)


@given(amounts, amounts, amounts, st.decimals("0", "1", places=3), st.sampled_from(list(Side)))
def test_money_is_conserved_by_every_split_of_realised_and_unrealised(
    quantity: Decimal, entry: Decimal, price: Decimal, part: Decimal, side: Side
) -> None:
    sold = (quantity * part).quantize(Decimal("0.000001"))
    opening = _fill(
        OrderSide.BUY if side is Side.LONG else OrderSide.SELL, str(quantity), str(entry)
    )
    closing = _fill(OrderSide.SELL if side is Side.LONG else OrderSide.BUY, str(sold), str(price))
    position = _position(side, opening, closing)
    total = position.realised_pnl + position.unrealised_pnl(price)
    exact = quantity * (price - entry) * side.sign
    assert abs(total - exact) <= Decimal("1e-8")
