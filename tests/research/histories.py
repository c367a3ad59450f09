"""Random small histories of one asset with one signal, from a seed."""

from __future__ import annotations

import datetime as dt
import random
from typing import TYPE_CHECKING, NamedTuple

from adapters.broker.market import AAPL, BTC, D, HandMarket
from goldenthread.domain.asset import ActionKind, Asset, AssetClass, CorporateAction
from goldenthread.domain.bar import Bar
from goldenthread.domain.policy import Policy
from goldenthread.domain.signal import Plan, Signal, SignalStatus, TargetLevel
from goldenthread.domain.strategy import Side
from goldenthread.rules.calendar import add_sessions, sessions
from goldenthread.rules.rounding import round_entry, round_stop, round_target
from goldenthread.rules.splits import ratio_between

if TYPE_CHECKING:
    from decimal import Decimal

START = dt.date(2024, 1, 2)
NOW = dt.datetime(2024, 1, 3, 0, 5, tzinfo=dt.UTC)


class History(NamedTuple):
    """A signal, the bars after it, and everything needed to price or to trade it."""

    signal: Signal
    asset: Asset
    market: HandMarket
    actions: list[CorporateAction]
    policy: Policy
    rule_exits: frozenset[dt.date]
    upto: dt.date

    @property
    def bars(self) -> list[Bar]:
        """The bars after the signal, oldest first."""
        return sorted(
            (b for b in self.market.bars.values() if b.ds > self.signal.ds), key=lambda b: b.ds
        )


def plan_of(**fields: object) -> Plan:
    """A plan from plain values; a target is ``(price, sell)``."""
    levels = {"entry", "stop", "trail"}
    given = {k: D(str(v)) if k in levels and v is not None else v for k, v in fields.items()}
    targets = given.pop("targets", ())
    assert isinstance(targets, tuple | list)
    pairs = tuple(TargetLevel(price=D(str(p)), sell=D(str(s))) for p, s in targets)
    return Plan.model_validate({"order": "market", "max_bars": 10, **given, "targets": pairs})


def signal_of(asset: Asset, plan: Plan | None, quantity: Decimal, side: Side = Side.LONG) -> Signal:
    """A refused signal of 2 January 2024."""
    return Signal(
        book="sim:test",
        signal_id="20240102-1",
        ds=START,
        strategy_id="s",
        version_key="v",
        policy_key="p",
        symbol=asset.symbol,
        asset_class=asset.asset_class,
        side=side,
        status=SignalStatus.REJECTED,
        decided_at=NOW,
        engine_digest="e",
        bars_digest="b",
        close=D(100),
        plan=plan,
        planned_quantity=quantity,
        equity_at_decision=D(100_000),
        valid_until=START,
    )


def random_history(seed: int) -> History:
    """A walk of about 25 sessions, some without a bar, sometimes through a split."""
    rng = random.Random(seed)  # noqa: S311  # a test's dice
    asset = rng.choice([AAPL, BTC])
    is_equity = asset.asset_class is AssetClass.EQUITY
    side = rng.choice([Side.LONG, Side.SHORT]) if is_equity else Side.LONG
    plan = _random_plan(rng, asset, side)
    upto = add_sessions(asset.asset_class, START, rng.randint(4, 30))
    dates = sessions(asset.asset_class, START, upto)
    actions = _random_splits(rng, asset, dates, one_part=not plan.targets)
    quantity = D(rng.randint(1, 40)) if is_equity else D(rng.randint(10**5, 10**6)) / 10**5
    return History(
        signal=signal_of(asset, plan, quantity, side),
        asset=asset,
        market=_random_market(rng, asset, dates, actions),
        actions=actions,
        policy=Policy(
            profile=rng.choice(["paper", "live_like"]), slippage_bps=D(rng.choice([0, 5, 20]))
        ),
        rule_exits=frozenset(ds for ds in dates if rng.random() < 0.05),
        upto=upto,
    )


def _random_plan(rng: random.Random, asset: Asset, side: Side) -> Plan:
    sign = side.sign
    order = rng.choice(["market", "limit", "stop"])
    shift = {"market": 0.0, "limit": -2.0, "stop": 2.0}[order] * sign * rng.random()
    entry = round_entry(100 + shift, asset, side, order)  # type: ignore[arg-type]  # one of three
    away = float(entry) - sign * rng.uniform(0.5, 8)
    ats = sorted(float(entry) + sign * rng.uniform(0.5, 10) for _ in range(rng.randint(0, 2)))
    if side is Side.SHORT:
        ats.reverse()
    sells = rng.choice([["0.5", "0.5"], ["0.3", "0.2"], ["0.5", "0.25"]])
    targets = [
        (round_target(at, asset, side), sells[n] if len(ats) > 1 else rng.choice(["1", "0.5"]))
        for n, at in enumerate(ats)
    ]
    return plan_of(
        order=order,
        entry=entry,
        stop=round_stop(away, asset, side),
        targets=targets,
        trail=round(rng.uniform(1, 6), 2) if rng.random() < 0.5 else None,
        breakeven_after=rng.randint(1, len(ats)) if ats and rng.random() < 0.5 else None,
        valid_bars=rng.randint(1, 4),
        max_bars=rng.randint(1, 15),
    )


def _random_splits(
    rng: random.Random, asset: Asset, dates: list[dt.date], *, one_part: bool
) -> list[CorporateAction]:
    if asset.asset_class is AssetClass.CRYPTO or rng.random() < 0.6:
        return []
    ratios = ["2", "7", "1.5", "0.5", "0.05"] if one_part else ["2", "7"]
    return [
        CorporateAction(
            symbol=asset.symbol,
            kind=ActionKind.SPLIT,
            ex_ds=rng.choice(dates[1:10]),
            ratio=D(rng.choice(ratios)),
            source="test",
            known_at=NOW,
        )
    ]


def _random_market(
    rng: random.Random, asset: Asset, dates: list[dt.date], actions: list[CorporateAction]
) -> HandMarket:
    market = HandMarket()
    for action in actions:
        market.splits[asset.symbol, action.ex_ds] = action.ratio
    price = 100.0
    for ds in dates:
        ratio = float(ratio_between(actions, START, ds))
        opened = price * (1 + rng.gauss(0, 0.012)) * rng.choice([1.0] * 30 + [0.9, 1.1])
        price = opened * (1 + rng.gauss(0, 0.025)) if ds != START else 100.0
        high = max(opened, price) * (1 + abs(rng.gauss(0, 0.01)))
        low = min(opened, price) * (1 - abs(rng.gauss(0, 0.01)))
        if ds != START and rng.random() < 0.08:
            continue
        o, h, lo, c = (D(f"{value / ratio:.2f}") for value in (opened, high, low, price))
        market.add(Bar(asset.symbol, ds, o, max(o, h, c), min(o, lo, c), c, D(1000)))
    return market
