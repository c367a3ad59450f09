"""Random trading days on the exchange, from a seed, one call after the other."""

from __future__ import annotations

import datetime as dt
import random
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from adapters.broker.market import AAPL, BTC, IBM, D, HandMarket, bar, order, settings
from goldenthread.adapters.broker.simulated import SimulatedSettings
from goldenthread.domain.asset import AssetClass
from goldenthread.domain.errors import EngineRefusedError
from goldenthread.domain.order import OrderClass, OrderSide, OrderType
from goldenthread.rules.calendar import sessions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from goldenthread.adapters.broker.simulated import SimulatedBroker
    from goldenthread.domain.asset import Asset
    from goldenthread.domain.order import OrderRequest

ASSETS = (AAPL, IBM, BTC)
_START = dt.date(2024, 1, 2)


class RandomDays(NamedTuple):
    """A market, the account's terms, and the dates to trade."""

    seed: int
    market: HandMarket
    terms: SimulatedSettings
    dates: list[dt.date]


def random_days(seed: int, days: int = 15) -> RandomDays:
    """Three symbols with gaps, splits, dividends and missing bars; partial fills, all fees."""
    rng = random.Random(seed)  # noqa: S311  # a test's dice
    market = HandMarket()
    dates = sessions(AssetClass.CRYPTO, _START, _START.replace(day=1 + days))
    for asset in ASSETS:
        _add_bars(rng, market, asset, dates)
    dice = random.Random(f"{seed}|dividends")  # noqa: S311  # a test's dice
    for symbol in (AAPL.symbol, IBM.symbol):
        for ds in dice.sample(dates, 2):
            market.dividends[symbol, ds] = D(dice.choice(["0.24", "1.5", "0.0371"]))
    terms = settings(
        profile=rng.choice(["paper", "live_like"]),
        slippage_bps=D(rng.choice([0, 7])),
        seed=seed,
        partial_probability=rng.choice([0.0, 0.3, 0.9]),
    )
    return RandomDays(seed, market, terms, dates)


def trade(broker: SimulatedBroker, days: RandomDays) -> Iterator[dt.date]:
    """Every date, met and acted on: orders, cancels and moved stops at random."""
    for ds in days.dates:
        broker.meet(ds)
        rng = random.Random(f"{days.seed}|{ds}")  # noqa: S311  # a test's dice
        for number in range(rng.randint(0, 3)):
            _try(broker, _request(rng, broker, days.market, f"{ds}-{number}"))
        for listed in broker.orders(ds):
            report = broker.find_order(listed.client_order_id)[0]
            if not report.status.is_open or rng.random() > 0.15:
                continue
            if report.stop_price is not None and rng.random() < 0.5:
                tighter = report.stop_price + report.side.sign * -D("0.05")
                broker.replace(report.broker_order_id, f"{report.client_order_id}r", tighter)
            else:
                broker.cancel(report.broker_order_id)
        yield ds


def trade_repeatably(broker: SimulatedBroker, days: RandomDays) -> None:
    """Trade from the last date met on; doing a date again, in whole or in part, adds nothing."""
    met = broker.account().as_of.date() - dt.timedelta(days=1)
    for ds in (d for d in days.dates if d >= met):
        broker.meet(ds)
        for asset in ASSETS:
            close = days.market.last_close(asset.symbol, ds)
            if close is None:
                continue
            fields: dict[str, object] = {"symbol": asset.symbol}
            if asset is not BTC:
                legs = {
                    "take_profit": round(close * D("1.04"), 2),
                    "stop_loss": round(close / 2, 2),
                }
                fields |= {"order_class": OrderClass.BRACKET, **legs}
            broker.submit(order(f"{ds}-{asset.symbol}", "2", **fields))
            for old in broker.find_order(f"{ds - dt.timedelta(days=4)}-{asset.symbol}"):
                broker.cancel(old.broker_order_id)


def _add_bars(rng: random.Random, market: HandMarket, asset: Asset, dates: list[dt.date]) -> None:
    price = rng.uniform(20, 200)
    traded = set(sessions(asset.asset_class, dates[0], dates[-1]))
    for ds in dates:
        if ds not in traded:
            continue
        if asset.asset_class is AssetClass.EQUITY and rng.random() < 0.1:
            ratio = D(rng.choice(["2", "1.5", "0.5", "0.1"]))
            market.splits[asset.symbol, ds] = ratio
            price /= float(ratio)
        opened = price * rng.uniform(0.94, 1.06)
        price = opened * rng.uniform(0.92, 1.08)
        high, low = max(opened, price) * 1.02, min(opened, price) * 0.98
        if rng.random() > 0.12:
            prices = (round(value, 2) for value in (opened, high, low, price))
            market.add(bar(asset.symbol, ds, " ".join(str(p) for p in prices)))


def _request(
    rng: random.Random, broker: SimulatedBroker, market: HandMarket, key: str
) -> OrderRequest | None:
    asset = rng.choice(ASSETS)
    close = market.last_close(asset.symbol, broker.account().as_of.date())
    held = {h.symbol: h.quantity for h in broker.account().holdings}.get(asset.symbol, D(0))
    if close is None:
        return None
    side = rng.choice(list(OrderSide))
    if held and rng.random() < 0.5:
        closing = OrderSide.SELL if held > 0 else OrderSide.BUY
        return order(key, str(abs(held)), symbol=asset.symbol, side=closing)
    quantity = str(rng.randint(1, 60)) if asset is not BTC else f"{rng.uniform(0.5, 5):.6f}"
    fields: dict[str, object] = {"symbol": asset.symbol, "side": side}
    kind = rng.choice([OrderType.MARKET, OrderType.LIMIT])
    if kind is OrderType.LIMIT:
        fields |= {"type": kind, "limit_price": round(close * D("0.99"), 2)}
    if asset is not BTC and rng.random() < 0.6:
        up, down = round(close * D("1.04"), 2), round(close * D("0.95"), 2)
        gain, loss = (up, down) if side is OrderSide.BUY else (down, up)
        fields |= {"order_class": OrderClass.BRACKET, "take_profit": gain, "stop_loss": loss}
    return order(key, quantity, **fields)


def _try(broker: SimulatedBroker, request: OrderRequest | None) -> None:
    if request is None:
        return
    with suppress(EngineRefusedError):
        broker.submit(request)
