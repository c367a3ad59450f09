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


def dividend(ex_ds: dt.date, amount: str, asset: Asset = AAPL) -> CorporateAction:
    """A dividend a share."""
    return CorporateAction(
        symbol=asset.symbol,
        kind=ActionKind.DIVIDEND,
        ex_ds=ex_ds,
        amount=D(amount),
        source="test",
        known_at=NOW,
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
    actions += _random_dividends(seed, asset, upto)
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


def _random_dividends(seed: int, asset: Asset, upto: dt.date) -> list[CorporateAction]:
    """Two dividends on any dates, sessions or not, of every second share."""
    dice = random.Random(f"{seed}|dividends")  # noqa: S311  # a test's dice
    if asset.asset_class is AssetClass.CRYPTO or dice.random() < 0.5:
        return []
    later = range(1, (upto - START).days + 1)
    amounts = ["0.24", "0.0371", "3"]
    dates = [START + dt.timedelta(days=number) for number in dice.sample(later, 2)]
    return [dividend(ex_ds, dice.choice(amounts), asset) for ex_ds in dates]


def _random_market(
    rng: random.Random, asset: Asset, dates: list[dt.date], actions: list[CorporateAction]
) -> HandMarket:
    market = HandMarket()
    for action in actions:
        if action.kind is ActionKind.SPLIT:
            market.splits[asset.symbol, action.ex_ds] = action.ratio
        else:
            market.dividends[asset.symbol, action.ex_ds] = action.amount
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


CHEAP = AAPL.model_copy(update={"symbol": "PENNY"})
GRAIN = BTC.model_copy(
    update={"symbol": "GRAIN/USD", "price_tick": D("0.00000001"), "quantity_step": D("0.01")}
)
ODD_ASSETS = [(AAPL, 100.0), (AAPL, 2345.0), (CHEAP, 1.02), (BTC, 43_210.0), (GRAIN, 0.000213)]


def odd_history(seed: int) -> History:
    """A history that goes where a usual one seldom does.

    Prices below and around a dollar and far above, levels exactly on bars, gaps through stop
    and target, several splits, a delisting, long halts, orders of one share or less than one.
    """
    rng = random.Random(seed)  # noqa: S311  # a test's dice
    asset, price = rng.choice(ODD_ASSETS)
    is_equity = asset.asset_class is AssetClass.EQUITY
    side = rng.choice([Side.LONG, Side.SHORT]) if is_equity else Side.LONG
    upto = add_sessions(asset.asset_class, START, rng.randint(2, 40))
    dates = sessions(asset.asset_class, START, upto)
    actions = _odd_actions(rng, asset, dates) if is_equity else []
    actions += _random_dividends(seed, asset, upto)
    market = _odd_market(rng, asset, dates, actions, price)
    plan = _odd_plan(rng, asset, side, [b for b in market.bars.values() if b.ds > START], price)
    many = D(rng.choice([1, 2, 3, rng.randint(1, 400)]))
    part = D(rng.randint(1, 10**9)) / 10**9
    quantity = many if is_equity and rng.random() < 0.9 else many * part
    quantity = quantity.quantize(D("0.000000001")) or D(1)
    return History(
        signal=signal_of(asset, plan, quantity, side),
        asset=asset,
        market=market,
        actions=actions,
        policy=Policy(
            profile=rng.choice(["paper", "live_like"]), slippage_bps=D(rng.choice([0, 3, 5, 250]))
        ),
        rule_exits=frozenset(ds for ds in dates if rng.random() < 0.04),
        upto=upto,
    )


def _odd_actions(rng: random.Random, asset: Asset, dates: list[dt.date]) -> list[CorporateAction]:
    kinds = [ActionKind.SPLIT] * rng.choice([0, 0, 0, 1, 1, 2, 3])
    if rng.random() < 0.1:
        kinds.append(ActionKind.DELISTING)
    ratios = ["2", "7", "1.5", "0.5", "0.05", "0.333333333", "1.1"]
    return [
        CorporateAction(
            symbol=asset.symbol,
            kind=kind,
            ex_ds=rng.choice(dates[1:]),
            ratio=D(rng.choice(ratios) if kind is ActionKind.SPLIT else 1),
            source="test",
            known_at=NOW,
        )
        for kind in kinds
    ]


def _odd_market(
    rng: random.Random,
    asset: Asset,
    dates: list[dt.date],
    actions: list[CorporateAction],
    price: float,
) -> HandMarket:
    market = HandMarket()
    gone = [a.ex_ds for a in actions if a.kind is ActionKind.DELISTING]
    places = 9 if price < 0.01 else rng.choice([2, 2, 4])
    silence = rng.choice([0.0, 0.08, 0.5])
    for ds in dates:
        ratio = float(ratio_between(actions, START, ds))
        opened = price * (1 + rng.gauss(0, 0.012)) * rng.choice([1.0] * 12 + [0.85, 1.15])
        price = opened * (1 + rng.gauss(0, 0.025))
        high = max(opened, price) * (1 + abs(rng.gauss(0, 0.01)))
        low = min(opened, price) * (1 - abs(rng.gauss(0, 0.01)))
        if ds != START and (rng.random() < silence or any(ds >= on for on in gone)):
            continue
        o, h, lo, c = (D(f"{v / ratio:.{places}f}") for v in (opened, high, low, price))
        market.add(Bar(asset.symbol, ds, o, max(o, h, c), min(o, lo, c), c, D(1000)))
    return market


def _odd_plan(rng: random.Random, asset: Asset, side: Side, bars: list[Bar], price: float) -> Plan:
    """Levels around ``price``, some of them exactly a price of a bar to come."""
    sign = side.sign
    met = [float(getattr(b, k)) for b in bars[:6] for k in ("open", "high", "low", "close")]

    def level(distance: float) -> float:
        near = [p for p in met if (p - entry_at) * sign * distance > 0]
        return rng.choice(near) if near and rng.random() < 0.3 else entry_at * (1 + sign * distance)

    order = rng.choice(["market", "limit", "stop"])
    entry_at = price
    shift = {"market": 0.0, "limit": -0.02, "stop": 0.02}[order] * rng.random()
    entry = round_entry(level(shift) if shift else price, asset, side, order)  # type: ignore[arg-type]  # one of three
    entry_at = float(entry)
    ats = sorted(
        (level(rng.uniform(0.005, 0.1)) for _ in range(rng.randint(0, 3))), reverse=sign < 0
    )
    sells = rng.choice([["0.5", "0.25", "0.25"], ["0.3", "0.2", "0.1"], ["0.6", "0.4", "0.0"]])
    wide = rng.choice([0.02, 0.06, 0.2])
    return plan_of(
        order=order,
        entry=entry,
        stop=round_stop(level(-rng.uniform(0.002, wide)), asset, side),
        targets=[
            (round_target(at, asset, side), sell) for at, sell in zip(ats, sells, strict=False)
        ],
        trail=round_entry(entry_at * rng.uniform(0.005, 0.06), asset, side, "market")
        if rng.random() < 0.5
        else None,
        breakeven_after=rng.randint(1, len(ats)) if ats and rng.random() < 0.6 else None,
        valid_bars=rng.randint(1, 4),
        max_bars=rng.choice([1, 2, 5, 15]),
    )
