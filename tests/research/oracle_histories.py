"""Random small histories, each wholly given by its seed, that crowd the edges of the fill rules."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from random import Random
from typing import NamedTuple

from goldenthread.domain.asset import Asset, AssetClass
from goldenthread.domain.bar import Bar
from goldenthread.domain.policy import Policy
from goldenthread.domain.signal import Plan, TargetLevel
from goldenthread.domain.strategy import Side
from goldenthread.rules.calendar import add_sessions, next_session
from research.oracle import Day, History, floor_to, round_to

SELLS = (("1",), ("0.5", "0.5"), ("0.5",), ("0.3", "0.3"), ("0.33", "0.33", "0.34"), ("0.2", "0.8"))
RATIOS = ("2", "3", "1.5", "0.5", "0.1", "0.05", "4")
FIRST = dt.date(2004, 3, 1)
TOUCHING = 0.25
"""How often a price of a bar is put exactly on a level of the plan."""


class _Scene(NamedTuple):
    rng: Random
    asset: Asset
    side: Side
    close: Decimal
    noise: float


def history(seed: int, *, cancels: bool = False) -> History:
    """The history of this seed: one signal and the sessions after it."""
    rng = Random(seed)  # noqa: S311  # histories are to be repeated, not to be secret
    scene = _scene(rng)
    plan = _plan(scene)
    signal_ds = FIRST + dt.timedelta(days=rng.randrange(8300))
    signal_ds = next_session(scene.asset.asset_class, signal_ds)
    length = rng.randint(1, plan.valid_bars + plan.max_bars + 9)
    days = _days(scene, plan, signal_ds, length)
    quantity = _quantity(scene)
    policy = Policy(
        profile=rng.choice(("paper", "live_like")),
        slippage_bps=Decimal(rng.choice((0, 5, 20))),
    )
    delisted = None
    if rng.random() < 0.1:
        gone = rng.randrange(length)
        delisted = days[gone].ds
        days[gone:] = [day._replace(bar=None, ratio=Decimal(1)) for day in days[gone:]]
    if cancels:
        days = [day._replace(cancel=rng.random() < 0.1) for day in days]
    at_market = rng.random() < 0.15
    return History(
        scene.asset,
        scene.side,
        plan,
        quantity,
        policy,
        scene.close,
        tuple(days),
        at_market,
        delisted,
    )


def _scene(rng: Random) -> _Scene:
    if rng.random() < 0.6:
        asset = Asset(
            symbol="AAA",
            asset_class=AssetClass.EQUITY,
            price_tick=Decimal("0.01"),
            quantity_step=Decimal(1),
            min_notional=Decimal(1),
        )
        close = rng.choice((rng.uniform(0.6, 1.4), rng.uniform(4, 15), rng.uniform(20, 900)))
        side = rng.choice((Side.LONG, Side.SHORT))
    else:
        close = rng.choice((rng.uniform(3, 9), rng.uniform(100, 4000), rng.uniform(9000, 90000)))
        # Above 1e11 ticks a price is within the tolerance of every tick, and has no direction.
        finest = "0.000000001" if close < 90 else "0.01"
        asset = Asset(
            symbol="AAA/USD",
            asset_class=AssetClass.CRYPTO,
            price_tick=Decimal(rng.choice(("0.01", "0.0001", "0.5", finest))),
            quantity_step=Decimal(rng.choice(("0.000000001", "0.0001"))),
            min_notional=Decimal(1),
        )
        side = Side.LONG
    noise = rng.choice((0.004, 0.015, 0.04))
    price = round_to(Decimal(repr(close)), asset, up=True)
    return _Scene(rng, asset, side, price, noise)


def _plan(scene: _Scene) -> Plan:
    rng, asset, sign = scene.rng, scene.asset, scene.side.sign
    long = sign == 1
    order = rng.choice(("market", "limit", "stop"))

    def away(start: Decimal, noises: float, *, up: bool) -> Decimal:
        return round_to(start * Decimal(repr(1 + noises * scene.noise)), asset, up=up)

    entry = scene.close
    if order == "limit":
        entry = away(entry, -sign * rng.uniform(0, 1.5), up=not long)
    elif order == "stop":
        entry = away(entry, sign * rng.uniform(0, 1.5), up=long)
    while True:
        stop = away(
            entry, -sign * rng.choice((0.3, 1.0, 2.5, 4)) * rng.uniform(0.5, 1.5), up=not long
        )
        if stop > 0 and (entry - stop) * sign > 0:
            break
    sells = rng.choice(SELLS) if rng.random() < 0.75 else ()
    reach = 0.0
    targets = []
    for sell in sells:
        reach += rng.uniform(0.3, 2.5)
        price = away(entry, sign * reach, up=not long)
        if price > 0 and (price - entry) * sign > 0:
            targets.append(TargetLevel(price=price, sell=Decimal(sell)))
    if rng.random() < 0.1:
        rng.shuffle(targets)
    trail = scene.close * Decimal(repr(scene.noise * rng.uniform(0.5, 4)))
    return Plan(
        order=order,
        entry=entry,
        stop=stop,
        targets=tuple(targets),
        trail=round(trail, 9) if rng.random() < 0.4 else None,
        breakeven_after=rng.randint(1, len(targets)) if targets and rng.random() < 0.5 else None,
        valid_bars=rng.choice((1, 1, 2, 3, 6)),
        max_bars=rng.choice((1, 2, 3, 5, 8, 15)),
    )


def _quantity(scene: _Scene) -> Decimal:
    rng, asset = scene.rng, scene.asset
    if asset.asset_class is AssetClass.EQUITY:
        return Decimal(
            rng.choice(
                (1, 2, 3, 7, rng.randint(8, 40), rng.randint(5, 400), rng.randint(1000, 90000))
            )
        )
    quantity = Decimal(repr(rng.choice((rng.uniform(0.001, 0.01), rng.uniform(0.1, 30)))))
    return floor_to(quantity, asset.quantity_step)


def _days(scene: _Scene, plan: Plan, signal_ds: dt.date, length: int) -> list[Day]:
    rng, asset = scene.rng, scene.asset
    missing = rng.choice((0.0, 0.0, 0.1, 0.3))
    ruled = rng.random() < 0.3
    splitting = asset.asset_class is AssetClass.EQUITY and rng.random() < 0.3
    factor, close = Decimal(1), scene.close
    days: list[Day] = []
    silent = 0
    for number in range(length):
        ds = add_sessions(asset.asset_class, signal_ds, number + 1)
        ratio = Decimal(1)
        if splitting and rng.random() < 0.2:
            ratio = Decimal(rng.choice(RATIOS))
        factor *= ratio
        close = close / ratio
        if silent == 0 and rng.random() < missing:
            silent = rng.choice((1, 1, 2, 3, 8))
        bar = None
        if silent:
            silent -= 1
        else:
            bar = _bar(scene, plan, ds, (close, factor))
            close = bar.close
        days.append(Day(ds, bar, ratio, leave=ruled and rng.random() < 0.12))
    dice = Random(f"{signal_ds}|{length}")  # noqa: S311  # histories are to be repeated
    return [_with_income(dice, asset, day) for day in days]


def _with_income(dice: Random, asset: Asset, day: Day) -> Day:
    """The session with its nights, and now and then a dividend."""
    if asset.asset_class is not AssetClass.EQUITY:
        return day
    nights = (next_session(asset.asset_class, day.ds) - day.ds).days
    paid = dice.choice(("0.24", "0.0371", "3")) if dice.random() < 0.1 else "0"
    return day._replace(dividend=Decimal(paid), nights=nights)


def _bar(scene: _Scene, plan: Plan, ds: dt.date, before: tuple[Decimal, Decimal]) -> Bar:
    rng, asset = scene.rng, scene.asset
    last, factor = before

    def step(scale: float) -> Decimal:
        return Decimal(repr(max(1 + rng.gauss(0, scale), 0.05)))

    opened = last * step(scene.noise * rng.choice((0.1, 0.5, 0.5, 0.5, 3.0)))
    if rng.random() < 0.03:
        opened = last * Decimal(repr(rng.choice((0.55, 0.8, 0.9, 0.94, 1.08, 1.2, 1.6))))
    closed = opened * step(scene.noise)
    high = max(opened, closed) * (1 + abs(1 - step(scene.noise)))
    low = min(opened, closed) * (1 - min(abs(1 - step(scene.noise)), Decimal("0.9")))
    levels = [plan.entry, plan.stop, *(t.price for t in plan.targets)]

    def put(price: Decimal) -> Decimal:
        if rng.random() < TOUCHING:
            level = rng.choice(levels) / factor
            if abs(level - price) < price * Decimal(repr(2 * scene.noise)):
                price = level
        return max(round_to(price, asset, up=rng.random() < 0.5), asset.price_tick)

    prices = [put(price) for price in (opened, high, low, closed)]
    return Bar(asset.symbol, ds, prices[0], max(prices), min(prices), prices[3], Decimal(1000))
