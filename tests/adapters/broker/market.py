"""A market of hand-written bars, and requests against it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal

from goldenthread.adapters.broker.simulated import SimulatedBroker, SimulatedSettings
from goldenthread.domain.asset import Asset, AssetClass
from goldenthread.domain.bar import Bar
from goldenthread.domain.order import (
    OrderClass,
    OrderRequest,
    OrderSide,
    OrderType,
)
from goldenthread.rules.splits import split_price

D = Decimal

AAPL = Asset(
    symbol="AAPL",
    asset_class=AssetClass.EQUITY,
    price_tick=D("0.01"),
    quantity_step=D(1),
    min_notional=D(1),
    fractionable=True,
)
IBM = AAPL.model_copy(update={"symbol": "IBM", "shortable": False})
BTC = Asset(
    symbol="BTC/USD",
    asset_class=AssetClass.CRYPTO,
    price_tick=D("0.01"),
    quantity_step=D("0.000000001"),
    min_notional=D(10),
    shortable=False,
)
ASSETS = {asset.symbol: asset for asset in (AAPL, IBM, BTC)}


def day(number: int) -> dt.date:
    """The date ``number`` of January 2024; the 2nd to the 5th, 8th to 12th are NY sessions."""
    return dt.date(2024, 1, number)


def bar(symbol: str, ds: dt.date, prices: str) -> Bar:
    """A bar of ``open high low close``."""
    opened, high, low, close = (D(price) for price in prices.split())
    return Bar(symbol, ds, opened, high, low, close, D(1000))


@dataclass
class HandMarket:
    """Bars, splits and dividends written by hand."""

    bars: dict[tuple[str, dt.date], Bar] = field(default_factory=dict)
    splits: dict[tuple[str, dt.date], Decimal] = field(default_factory=dict)
    dividends: dict[tuple[str, dt.date], Decimal] = field(default_factory=dict)
    assets: dict[str, Asset] = field(default_factory=lambda: dict(ASSETS))

    def add(self, *bars: Bar) -> HandMarket:
        """Itself, with more bars."""
        self.bars.update({(b.symbol, b.ds): b for b in bars})
        return self

    def bar(self, symbol: str, ds: dt.date) -> Bar | None:
        """The bar of that date."""
        return self.bars.get((symbol, ds))

    def next_open(self, symbol: str, ds: dt.date) -> tuple[dt.date, Decimal] | None:
        """The open after that date."""
        later = sorted(d for s, d in self.bars if s == symbol and d > ds)
        return (later[0], self.bars[symbol, later[0]].open) if later else None

    def ratio(self, symbol: str, ds: dt.date) -> Decimal:
        """The split of that date."""
        return self.splits.get((symbol, ds), D(1))

    def dividend(self, symbol: str, ds: dt.date) -> Decimal:
        """The dividend of that date."""
        return self.dividends.get((symbol, ds), D(0))

    def asset(self, symbol: str) -> Asset:
        """The asset."""
        return self.assets[symbol]

    def last_close(self, symbol: str, ds: dt.date) -> Decimal | None:
        """The last close up to that date, in the units of that date."""
        earlier = sorted(d for s, d in self.bars if s == symbol and d <= ds)
        if not earlier:
            return None
        close = self.bars[symbol, earlier[-1]].close
        for (split, on), ratio in sorted(self.splits.items()):
            if split == symbol and earlier[-1] < on <= ds:
                close = split_price(close, ratio)
        return close


def stocks(*prices: str, symbol: str = "AAPL") -> HandMarket:
    """Bars from 2 January on: one a date, an empty text for a date without one."""
    return HandMarket().add(
        *(bar(symbol, day(2 + n), text) for n, text in enumerate(prices) if text)
    )


def coins(*prices: str) -> HandMarket:
    """The same for BTC/USD."""
    return stocks(*prices, symbol="BTC/USD")


def settings(**terms: object) -> SimulatedSettings:
    """An account of 100,000 without slippage."""
    return SimulatedSettings(
        **{"account_id": "A1", "start_cash": D(100_000), "slippage_bps": D(0), **terms}  # type: ignore[arg-type]  # the tests name real fields
    )


def exchange(market: HandMarket, **terms: object) -> SimulatedBroker:
    """An exchange in memory that has met 2 January 2024."""
    broker = SimulatedBroker(settings(**terms), market)
    broker.meet(day(2))
    return broker


def order(key: str, quantity: str, **fields: object) -> OrderRequest:
    """A market order to buy AAPL, unless ``fields`` say otherwise."""
    symbol = str(fields.get("symbol", "AAPL"))
    prices = {"limit_price", "stop_price", "take_profit", "stop_loss"}
    exact = {k: D(str(v)) if k in prices else v for k, v in fields.items()}
    given: dict[str, object] = {
        "client_order_id": key,
        "symbol": symbol,
        "asset_class": ASSETS[symbol].asset_class,
        "side": OrderSide.BUY,
        "type": OrderType.MARKET,
        "quantity": D(quantity),
        **exact,
    }
    return OrderRequest.model_validate(given)


def bracket(key: str, quantity: str, **fields: object) -> OrderRequest:
    """A bracket to buy AAPL at the open, with ``take_profit`` and ``stop_loss``."""
    return order(key, quantity, order_class=OrderClass.BRACKET, **fields)
