"""Random judged bars of several assets, a strategy that uses every rule, and a slow telling."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from adapters.broker.market import AAPL, BTC
from goldenthread.domain.asset import ActionKind, Asset, AssetClass, CorporateAction
from goldenthread.domain.policy import Policy
from goldenthread.domain.signal import Candidate, Signal, SignalStatus
from goldenthread.domain.strategy import Entry, Exit, Side, Size, Strategy, Target
from goldenthread.domain.trade import OutcomeStatus
from goldenthread.market.quality import judge
from goldenthread.research.shadow import PriceQuery, price
from goldenthread.research.sweep.orders import Stakes
from goldenthread.research.sweep.work import Bars
from goldenthread.rules.calendar import count_sessions, sessions
from goldenthread.rules.rounding import round_quantity
from goldenthread.signals.engine import Evaluator, compile_strategy
from goldenthread.signals.evaluation import no_inputs
from signals.windows import random_bars

if TYPE_CHECKING:
    from goldenthread.domain.trade import Outcome
    from goldenthread.market.bars import BarBook

KNOWN = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
FIRST, LAST = dt.date(2021, 3, 1), dt.date(2022, 12, 30)
SPLIT = dt.date(2022, 2, 15)
STAKES = Stakes(
    Decimal(100_000),
    Decimal("0.07"),
    Policy(profile="live_like"),
    dt.date(2021, 9, 1),
    dt.date(2022, 12, 20),
)


def bars_of(count: int, seed: int = 1) -> Bars:
    """``count`` assets, the first of them a coin, the second split 2:1; some sessions missing.

    Every share pays a dividend a week, one of them on the date of the split.
    """
    assets = [_asset(number) for number in range(count)]
    frames = [_frame(asset, seed + number) for number, asset in enumerate(assets)]
    split = _action("S1", ActionKind.SPLIT, SPLIT, ratio=2)
    paid = [
        _action(asset.symbol, ActionKind.DIVIDEND, ds, amount="0.23")
        for asset in assets[1:]
        for ds in sessions(asset.asset_class, FIRST, LAST)
        if ds.weekday() == SPLIT.weekday()
    ]
    judged = judge(pl.concat(frames).sort("symbol", "ds"), [split]).bars
    return Bars(judged, (split, *paid), tuple(assets), ("S1",))


def _action(symbol: str, kind: ActionKind, ex_ds: dt.date, **values: object) -> CorporateAction:
    given = {"symbol": symbol, "kind": kind, "ex_ds": ex_ds, **values}
    return CorporateAction.model_validate({**given, "source": "t", "known_at": KNOWN})


def _asset(number: int) -> Asset:
    if number == 0:
        return BTC
    return AAPL.model_copy(update={"symbol": f"S{number}"})


def _frame(asset: Asset, seed: int) -> pl.DataFrame:
    days = sessions(asset.asset_class, FIRST, LAST)
    columns = random_bars(len(days), seed)
    kept = np.random.default_rng(seed).random(len(days)) > 0.01
    frame = pl.DataFrame({"ds": days, **columns}).filter(pl.Series(kept))
    if asset.symbol == "S1":
        old = pl.col("ds") < SPLIT
        prices = [pl.when(old).then(pl.col(n) * 2).otherwise(pl.col(n)) for n in columns]
        frame = frame.with_columns(p for p in prices[:4])
    return frame.select(
        pl.lit(asset.symbol).alias("symbol"),
        *("ds", "open", "high", "low", "close", "volume"),
        pl.lit("test").alias("source"),
        pl.lit(KNOWN).dt.cast_time_unit("us").alias("known_at"),
        pl.lit("GOOD").alias("state"),
    )


STRATEGY = Strategy(
    strategy_id="all_rules",
    assets=("BTC/USD", "S1"),
    params={
        "rsi_max": Decimal(45),
        "stop_atr": Decimal(2),
        "gain": Decimal("1.5"),
        "quick": Decimal(10),
    },
    factors={"atr": "SMA(TRANGE(), 10)", "lead": "ref('S1', ROC(close, 5))"},
    entry=Entry(
        when="RSI(close, 3) < rsi_max",
        order="limit",
        price="close - 0.2 * atr",
        valid_bars=2,
        cancel_if="close > LAG(close, 1)",
        priority="volume",
    ),
    reject_unless={"LEAD_FALLS": "lead > -6", "QUIET": "atr / close > 0.005"},
    exit=Exit(
        stop="entry - stop_atr * atr",
        targets=(Target(at="entry + gain * atr", sell=Decimal("0.5")),),
        breakeven_after=1,
        trail="3 * atr",
        when="close > SMA(close, quick) * 1.03",
        max_bars=12,
    ),
    size=Size(mode="fraction", fraction=Decimal("0.1"), cooldown_bars=1),
)


def still(side: Side) -> Strategy:
    """A strategy that is always in the market, four sessions at a time."""
    stop = "entry * 0.9" if side is Side.LONG else "entry * 1.1"
    return Strategy(
        strategy_id="still",
        assets=("S1",),
        side=side,
        entry=Entry(when="close > 0"),
        exit=Exit(stop=stop, max_bars=4),
        size=Size(mode="fraction", fraction=Decimal("0.1")),
    )


def still_bars(days: list[dt.date]) -> Bars:
    """One share at 100 on every day, with a dividend of 0.24 on the fourth."""
    prices = dict.fromkeys(("open", "high", "low", "close"), 100.0)
    frame = pl.DataFrame({"symbol": "S1", "ds": days}).with_columns(
        **{name: pl.lit(price) for name, price in prices.items()},
        volume=pl.lit(1000.0),
        source=pl.lit("test"),
        known_at=pl.lit(KNOWN).dt.cast_time_unit("us"),
        state=pl.lit("GOOD"),
    )
    paid = _action("S1", ActionKind.DIVIDEND, days[3], amount="0.24")
    return Bars(frame, (paid,), (_asset(1),), ("S1",))


class Told(NamedTuple):
    """A closed trade as the slow telling has it."""

    symbol: str
    signal_ds: dt.date
    entry_ds: dt.date
    exit_ds: dt.date
    exit_reason: str
    net_pnl: float
    bars_held: int


def slowly(strategy: Strategy, bars: Bars, stakes: Stakes = STAKES) -> list[Told]:
    """The closed trades of per-strategy mode, date by date: single decisions, exact prices.

    Without ``cancel_if``, which shadow pricing leaves out.
    """
    book = bars.book()
    evaluator = Evaluator(book.window, inputs=bars.inputs.steps if bars.inputs else no_inputs)
    known = (book, stakes)
    told = [t for asset in bars.assets for t in _slow_asset(strategy, asset, evaluator, known)]
    return sorted(told, key=lambda t: (t.exit_ds, t.entry_ds, t.symbol))


def _slow_asset(
    strategy: Strategy, asset: Asset, evaluator: Evaluator, known: tuple[BarBook, Stakes]
) -> list[Told]:
    compiled, (book, stakes) = compile_strategy(strategy), known
    days = sessions(asset.asset_class, stakes.first, stakes.last)
    leaves = frozenset(
        ds for ds in days if evaluator.holds(compiled, "exit", asset.symbol, ds) is True
    )
    told, free, left = [], stakes.first, None
    for ds in days:
        if ds < free or (left and _since(asset, left, ds) < strategy.size.cooldown_bars):
            continue
        found = evaluator.decide(compiled, asset.symbol, ds, asset)
        if found is None or found.failed or not _sound(found):
            continue
        signal = _signal(found, asset, stakes)
        query = PriceQuery(asset, book.actions(asset.symbol), stakes.policy, stakes.last, leaves)
        outcome = price(signal, book.bars_since(asset.symbol, ds, stakes.last), query)
        if outcome.status is OutcomeStatus.OPEN:
            break
        free = outcome.revision
        if outcome.exit_ds:
            free = left = outcome.exit_ds
            told.append(_told(signal, outcome))
    return told


def _since(asset: Asset, left: dt.date, ds: dt.date) -> int:
    return count_sessions(asset.asset_class, left, ds)


def _sound(candidate: Candidate) -> bool:
    return candidate.plan is not None and candidate.plan.is_sound(candidate.side)


def _signal(candidate: Candidate, asset: Asset, stakes: Stakes) -> Signal:
    plan = candidate.plan
    assert plan is not None
    quantity = round_quantity(stakes.capital * stakes.fraction / plan.entry, asset)
    return Signal(
        book="b",
        signal_id=candidate.signal_id,
        ds=candidate.ds,
        strategy_id=candidate.strategy_id,
        version_key="v",
        policy_key="p",
        symbol=candidate.symbol,
        asset_class=AssetClass(candidate.asset_class),
        side=candidate.side,
        status=SignalStatus.REJECTED,
        decided_at=KNOWN,
        engine_digest="e",
        bars_digest="b",
        close=candidate.close,
        plan=plan,
        quantity=quantity,
        planned_quantity=quantity,
        equity_at_decision=stakes.capital,
        valid_until=candidate.ds,
    )


def _told(signal: Signal, outcome: Outcome) -> Told:
    assert outcome.entry_ds
    assert outcome.exit_ds
    return Told(
        signal.symbol,
        signal.ds,
        outcome.entry_ds,
        outcome.exit_ds,
        str(outcome.exit_reason),
        float(outcome.net_pnl or 0),
        outcome.bars_held or 0,
    )
