"""Closed positions written by hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from goldenthread.domain.asset import AssetClass
from goldenthread.domain.order import Fill, OrderSide
from goldenthread.domain.position import ExitReason, Position, PositionStatus
from goldenthread.domain.signal import Plan, Signal, SignalStatus
from goldenthread.domain.strategy import Side

D = Decimal
NAME = "20240102-9f8e"


def fill(side: OrderSide, quantity: str, price: str, ds: int, **more: object) -> Fill:
    """An execution on January ``ds``."""
    return Fill.model_validate(
        {
            "execution_id": f"{side}-{quantity}-{price}-{ds}",
            "broker_order_id": "o",
            "fill_no": 1,
            "symbol": "AAPL",
            "side": side,
            "quantity": quantity,
            "price": price,
            "ds": dt.date(2024, 1, ds),
            "filled_at": dt.datetime(2024, 1, ds, 14, 30, tzinfo=dt.UTC),
            **more,
        }
    )


def closed(side: Side, *fills: Fill, **more: object) -> Position:
    """A closed position of 10 with an initial stop at 90 (short: 110) unless told."""
    return Position.model_validate(
        {
            "book": "sim:t",
            "position_id": NAME,
            "ds": dt.date(2024, 1, 2),
            "strategy_id": "s",
            "version_key": "v",
            "policy_key": "p",
            "symbol": "AAPL",
            "asset_class": AssetClass.EQUITY,
            "side": side,
            "status": PositionStatus.CLOSED,
            "decided_at": dt.datetime(2024, 1, 3, tzinfo=dt.UTC),
            "quantity": D(10),
            "tranches": (),
            "initial_stop": D(90 if side is Side.LONG else 110),
            "stop": D(95),
            "max_bars": 5,
            "fills": fills,
            "bars_held": 4,
            "exit_reason": ExitReason.STOP,
            **more,
        }
    )


def signal_of(position: Position, entry: str = "100") -> Signal:
    """The signal the position came from."""
    plan = Plan(order="market", entry=D(entry), stop=position.initial_stop, max_bars=5)
    return Signal(
        book=position.book,
        signal_id=position.position_id,
        ds=position.ds,
        strategy_id="s",
        version_key="v",
        policy_key="p",
        symbol=position.symbol,
        asset_class=position.asset_class,
        side=position.side,
        status=SignalStatus.CLOSED,
        decided_at=position.decided_at,
        engine_digest="e",
        bars_digest="b",
        close=D(entry),
        plan=plan,
        quantity=position.quantity,
        planned_quantity=position.quantity,
        equity_at_decision=D(100_000),
        valid_until=dt.date(2024, 1, 3),
    )
