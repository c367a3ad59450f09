from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from goldenthread.domain.asset import ActionKind, CorporateAction
from goldenthread.domain.ids import order_key, signal_id
from goldenthread.reports.explain.execution import fills, stops

DAY = dt.date(2024, 1, 2)
NAME = signal_id(DAY, "breakout", "AAPL")
SIGNAL = {"signal_ds": DAY, "planned_entry": Decimal(100)}
SPLIT = CorporateAction(
    symbol="AAPL",
    kind=ActionKind.SPLIT,
    ex_ds=dt.date(2024, 1, 3),
    ratio=Decimal(2),
    source="test",
    known_at=dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
)


def fill(leg: str, side: str, price: str) -> dict[str, Any]:
    return {
        "order_key": order_key(NAME, leg, 1),
        "fill_no": 1,
        "ds": dt.date(2024, 1, 4),
        "order_side": side,
        "quantity": Decimal(2),
        "price": Decimal(price),
        "notional": 2 * Decimal(price),
        "fee": Decimal(0),
        "fee_quantity": Decimal(0),
        "filled_at": dt.datetime(2024, 1, 4, 15, tzinfo=dt.UTC),
        "flags": [],
    }


def order(leg: str, stop: str | None, limit: str | None) -> dict[str, Any]:
    prices = {"stop_price": stop, "limit_price": limit}
    levels = {name: None if text is None else Decimal(text) for name, text in prices.items()}
    return {"order_key": order_key(NAME, leg, 1), "ds": DAY, **levels}


def said(leg: str, side: str, price: str, actions: tuple[CorporateAction, ...] = ()) -> str:
    asked = pl.DataFrame(
        [order("stop1", "95", "90"), order("tp1", None, "110"), order("exit1", None, None)],
        schema_overrides={"stop_price": pl.Decimal(38, 9), "limit_price": pl.Decimal(38, 9)},
    )
    executed = pl.DataFrame([fill(leg, side, price)])
    ((_, text),) = fills(executed, asked, SIGNAL, actions).lines
    return text.partition("; ")[2]


@pytest.mark.parametrize(
    ("leg", "side", "price", "words"),
    [
        # 101.50 - 100 = 1.50, of 100
        ("entry1", "buy", "101.5", "planned 100.00: 1.50 a unit (1.50%) worse"),
        ("entry1", "sell", "101.5", "planned 100.00: 1.50 a unit (1.50%) better"),
        ("entry1", "buy", "99", "planned 100.00: 1.00 a unit (1.00%) better"),
        ("stop1", "sell", "95", "as planned"),  # the trigger, not the limit below it
        ("tp1", "sell", "112.2", "planned 110.00: 2.20 a unit (2.00%) better"),
        ("exit1", "sell", "104", ""),  # at market
    ],
)
def test_a_fill_stands_beside_the_price_it_was_meant_to_have(
    leg: str, side: str, price: str, words: str
) -> None:
    assert said(leg, side, price) == words


def test_prices_of_different_units_are_not_compared() -> None:
    assert said("entry1", "buy", "50", (SPLIT,)) == ""
    assert said("stop1", "sell", "47.5", (SPLIT,)) == ""


def test_the_stop_is_listed_where_it_moved() -> None:
    days = [("95", "STOP"), ("95", "STOP"), ("97.5", "TRAIL"), ("97.5", "TRAIL"), ("100", "TRAIL")]
    rows = [
        {"ds": dt.date(2024, 1, 4 + n), "stop": Decimal(stop), "stop_source": source}
        for n, (stop, source) in enumerate(days)
    ]
    assert stops(pl.DataFrame(rows)).lines == (
        ("2024-01-04", "95.00 (STOP)"),
        ("2024-01-06", "97.50 (TRAIL)"),
        ("2024-01-08", "100.00 (TRAIL)"),
    )
    assert stops(pl.DataFrame()).lines == ()
