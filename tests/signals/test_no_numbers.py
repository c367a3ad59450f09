"""Holes, infinities and impossible prices in bars become nulls, never figures (fault F12)."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldenthread.domain.asset import AssetClass
from goldenthread.domain.bar import BAR_SCHEMA
from goldenthread.domain.strategy import Entry, Exit, Target
from goldenthread.market.bars import BarBook
from goldenthread.market.quality import judge
from goldenthread.rules.calendar import sessions
from goldenthread.signals.engine import Evaluator, compile_strategy
from goldenthread.signals.functions import FUNCTIONS
from goldenthread.signals.indicators import Bound, compute, lookback_of
from signals import windows as wild
from signals.test_functions import TALIB, bound, inputs_of
from signals.windows import COLUMNS, asset, strategy

if TYPE_CHECKING:
    from faults.chaos import Tally
    from goldenthread.domain.bar import FloatArray

OIL = -37.63
"""What a barrel settled at on 20 April 2020."""
HOSTILE = (math.nan, math.inf, -math.inf, OIL, 0.0, 1e300, -1e300)
HOLES = (math.nan, OIL, 0.0, 1e300, -1e300)
"""What our own functions may meet: infinities end where they arise, in arithmetic and TA-Lib."""
VAST = 1e18
BARS = 600
FIRST, LAST = dt.date(2022, 6, 1), dt.date(2024, 12, 31)
EXAMPLES = 12
OWN = {"LAG": (3.0,), "HIGHEST": (5.0,), "LOWEST": (5.0,)}


def spoiled(
    columns: list[FloatArray], seed: int, values: tuple[float, ...] = HOSTILE
) -> list[FloatArray]:
    """The columns with a few values that no price is, here and there or in a row."""
    rng = np.random.default_rng(seed)
    copies = [column.copy() for column in columns]
    for _ in range(int(rng.integers(1, 6))):
        column = copies[rng.integers(len(copies))]
        start, length = int(rng.integers(len(column))), int(rng.integers(1, 4))
        column[start : start + length] = values[rng.integers(len(values))]
    return copies


def own(name: str) -> Bound:
    """One of our own functions with numbers."""
    function, numbers = FUNCTIONS[name], OWN.get(name, ())
    return Bound(function, numbers, 0, 0, lookback_of(function, numbers, 0))


@pytest.mark.fault("F12")
def test_every_function_of_spoiled_bars_gives_numbers_or_nulls(tally: Tally) -> None:
    every = {function.name: bound(function) for function in TALIB}
    for function in TALIB:
        inputs = inputs_of(function, 2_000, 2_000 + BARS)
        assert_finite_or_null(every[function.name], inputs)
    ours = [own(function.name) for function in FUNCTIONS.values() if function.is_own]
    for one in ours:
        close = np.linspace(90, 110, BARS)
        assert_finite_or_null([one], [close] * len(one.function.series), HOLES)
    series = sum(len(outputs) for outputs in every.values()) + len(ours)
    tally("spoiled bars under every function of the catalogue", series * EXAMPLES)


def assert_finite_or_null(
    every: list[Bound], columns: list[FloatArray], values: tuple[float, ...] = HOSTILE
) -> None:
    for seed in range(EXAMPLES):
        inputs = spoiled(columns, seed, values)
        for one in every:
            found = compute(one, inputs)
            assert len(found) == BARS
            assert not np.isinf(found).any(), (one.function.name, seed)


BOUNDARY = strategy(
    factors={
        "atr": "ATR(14)",
        "rsi": "RSI(close, 14)",
        "ratio": "volume / SMA(volume, 20)",
        "flow": "OBV(close, 60)",
        "wild": "(high - low) / (close - LAG(close, 1))",
    },
    entry=Entry(when="close >= HIGHEST(close, 3) or rsi < 45", priority="ratio"),
    reject_unless={"CALM": "atr < close / 10", "BUSY": "ratio > 1 and wild < 5"},
    exit=Exit(
        stop="entry - 2 * atr",
        targets=(Target(at="entry + 2 * atr", sell=1),),
        trail="3 * atr",
        max_bars=10,
    ),
)


def spoiled_bars(seed: int) -> tuple[pl.DataFrame, set[dt.date]]:
    """Bars with hostile values among the last sixty, and the dates of these."""
    calm = [column[-BARS:] for column in wild.random_bars(BARS, seed).values()]
    tails = spoiled([column[-60:] for column in calm], seed)
    joined = [np.append(column[:-60], tail) for column, tail in zip(calm, tails, strict=True)]
    dates = np.array(sessions(AssetClass.EQUITY, FIRST, LAST)[:BARS], "datetime64[D]")
    *prices, volume = joined
    fit = [(price > 0) & (price < VAST) for price in prices]
    hurt = ~np.logical_and.reduce([*fit, (volume >= 0) & (volume < VAST)])
    frame = pl.DataFrame({"ds": dates, **dict(zip(COLUMNS, joined, strict=True))}).with_columns(
        symbol=pl.lit("AAPL"),
        known_at=pl.col("ds").cast(BAR_SCHEMA["known_at"]) + pl.duration(hours=22),
        state=pl.lit("GOOD"),
        source=pl.lit("test"),
    )
    typed = frame.select(pl.col(name).cast(kind) for name, kind in BAR_SCHEMA.items())
    return typed, set(dates[hurt].tolist())


@pytest.mark.fault("F12")
def test_no_bar_with_a_value_that_is_no_price_is_decided_on(tally: Tally) -> None:
    compiled, traded = compile_strategy(BOUNDARY), asset()
    seen: Counter[str] = Counter()

    @given(st.integers(0, 10**9))
    @settings(max_examples=100, deadline=None, derandomize=True)
    def decide(seed: int) -> None:
        bars, hurt = spoiled_bars(seed)
        book = BarBook(judge(bars, []).bars, [], [traded])
        evaluator = Evaluator(book.window)
        for ds in bars["ds"].to_list()[-60:]:
            found = evaluator.decide(compiled, "AAPL", ds, traded)
            seen["decisions"] += 1
            if found is None or found.plan is None:
                continue
            seen["planned"] += 1
            levels = [found.plan.entry, found.plan.stop, found.plan.trail]
            assert ds not in hurt, found
            assert all(level is not None and level.is_finite() for level in levels), found

    decide()
    assert seen["planned"] > 500
    tally("decisions on bars with values that are no prices among them", seen["decisions"])
