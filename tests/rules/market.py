"""Assets and bars the rule tests share."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from goldenthread.domain.asset import Asset, AssetClass
from goldenthread.domain.bar import Bar

D = Decimal

AAPL = Asset(
    symbol="AAPL",
    asset_class=AssetClass.EQUITY,
    price_tick=D("0.01"),
    quantity_step=D(1),
    min_notional=D(1),
    fractionable=True,
)
BTC = Asset(
    symbol="BTC/USD",
    asset_class=AssetClass.CRYPTO,
    price_tick=D("0.01"),
    quantity_step=D("0.000000001"),
    min_notional=D(10),
    shortable=False,
)


def bar(opened: str, high: str, low: str, close: str) -> Bar:
    """One bar of AAPL."""
    prices = (D(opened), D(high), D(low), D(close))
    return Bar("AAPL", dt.date(2024, 5, 6), *prices, volume=D(1000))
