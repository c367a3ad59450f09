"""The digest of what a decision read: other values, another digest, however they are read."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from goldenthread.domain.bar import Steps
from goldenthread.domain.strategy import Entry, UniverseRule
from goldenthread.signals.engine import Evaluator, compile_strategy
from signals.windows import asset, random_market, strategy

if TYPE_CHECKING:
    from goldenthread.domain.signal import Candidate
    from goldenthread.domain.strategy import Strategy
    from signals.windows import Market

D = dt.date
DAY = D(2024, 6, 12)
PLAIN = strategy(assets=("AAPL", "IBM", "CCC"), when="SMA(close, 5) > 0")
REFERS = strategy(assets=PLAIN.assets, when="close > 0 and ref('IBM', SMA(close, 5) > 0)")
COMPARES = strategy(assets=PLAIN.assets, when="rank(SMA(close, 5)) > 0")
READS = strategy(assets=PLAIN.assets, when="score > -9", inputs={"score": "scores"})
EVERYTHING = strategy(
    assets=("IBM", "@strong"),
    universes={"strong": UniverseRule(rule="rank(close) <= 2", among=("AAPL", "CCC", "BTC/USD"))},
    inputs={"score": "scores"},
    factors={
        "lead": "ref('BTC/USD', ROC(close, 60))",
        "place": "LAG(pct_rank(close / SMA(close, 50)), 2)",
        "apart": "zscore(ref('IBM', ROC(close, 30)) + ROC(close, 5))",
        "weekly": "on('1W', SMA(close, 10))",
        "slow": "EMA(close, 20)",
    },
    entry=Entry(when="close > 0", priority="apart"),
)


def decided(
    market: Market, plan: Strategy, symbol: str = "AAPL", ds: dt.date = DAY, late: float = 0
) -> Candidate | None:
    """The candidate; ``late`` is added to the value of the table known after the decision."""

    def inputs(table: str, of: str) -> Steps:
        since = np.array([DAY - dt.timedelta(4), DAY + dt.timedelta(1)], "datetime64[D]")
        return Steps(since, since, np.array([len(table + of) * 1.0, late]))

    return Evaluator(market.window, inputs=inputs).decide(
        compile_strategy(plan), symbol, ds, asset(symbol)
    )


def revised(market: Market, symbol: str, at: int, by: float = 1.01) -> Market:
    """The market with another close of one bar."""
    dates, columns = market.bars[symbol]
    close = columns["close"].copy()
    close[at] *= by
    return replace(market, bars={**market.bars, symbol: (dates, {**columns, "close": close})})


def place(market: Market, symbol: str, ds: dt.date) -> int:
    return int(np.searchsorted(market.bars[symbol][0], np.datetime64(ds), side="right")) - 1


@pytest.mark.parametrize(
    ("plan", "seen"),
    [(PLAIN, ()), (REFERS, ("IBM",)), (COMPARES, ("CCC", "IBM")), (READS, ())],
    ids=["plain", "refers", "compares", "reads"],
)
def test_a_revised_bar_is_seen_where_it_was_read(plan: Strategy, seen: tuple[str, ...]) -> None:
    market = random_market()
    told = digest_of(market, plan)
    for symbol in market.bars:
        today = place(market, symbol, DAY)
        assert (digest_of(revised(market, symbol, today), plan) != told) == (
            symbol in {"AAPL", *seen}
        ), symbol
        assert digest_of(revised(market, symbol, today + 1), plan) == told  # not known yet
        if symbol != "CCC":  # which begins in 2023
            long_ago = place(market, symbol, D(2023, 11, 1))
            assert digest_of(revised(market, symbol, long_ago), plan) == told


def digest_of(market: Market, plan: Strategy, late: float = 0) -> str:
    found = decided(market, plan, late=late)
    assert found is not None
    return found.bars_digest


def test_a_table_is_seen_as_far_as_it_was_known() -> None:
    market = random_market()
    told = digest_of(market, READS)
    assert told != digest_of(market, PLAIN)
    assert digest_of(market, READS, late=5) == told
    other = READS.model_copy(update={"inputs": {"score": "stores"}})  # as long: the same values
    assert digest_of(market, other) == told


def test_whatever_changes_a_decision_changes_its_digest() -> None:
    market, random = random_market(), np.random.default_rng(3)
    changed = 0
    for _ in range(400):
        symbol, other = random.choice(["AAPL", "IBM", "BTC/USD"]), random.choice([*market.bars])
        year = place(market, symbol, D(2023, 12, 31)) + 1  # reads on both sides of new year
        ds = market.bars[symbol][0][year + int(random.integers(0, 60))].item()
        before = decided(market, EVERYTHING, symbol, ds)
        if before is None:
            continue
        back = max(0, place(market, other, ds) - int(random.integers(0, 120)))
        after = decided(revised(market, other, back, 0.9), EVERYTHING, symbol, ds)
        if after is None or said(after) == said(before):
            continue
        changed += 1
        assert after.bars_digest != before.bars_digest, (symbol, other, ds, back)
    assert changed > 50


def test_another_calendar_is_covered_as_far_back_as_our_bars_reach() -> None:
    # 60 sessions before 2 January are some 87 days, and 39 more: further than 99 bars of a coin.
    plan = strategy(
        assets=("AAPL",), when="close > 0", factors={"f": "LAG(ref('BTC/USD', SMA(close, 40)), 60)"}
    )
    market, ds = random_market(), D(2024, 1, 2)
    before = decided(market, plan, ds=ds)
    after = decided(revised(market, "BTC/USD", place(market, "BTC/USD", ds) - 118), plan, ds=ds)
    assert before is not None
    assert after is not None
    assert said(after) != said(before)
    assert after.bars_digest != before.bars_digest


def test_what_another_symbol_looks_back_to_is_covered() -> None:
    plan = strategy(assets=("AAPL",), when="close > 0", factors={"f": "ref('IBM', ROC(close, 40))"})
    market, ds = random_market(), D(2024, 1, 2)
    before = decided(market, plan, ds=ds)
    after = decided(revised(market, "IBM", place(market, "IBM", ds) - 40), plan, ds=ds)
    assert before is not None
    assert after is not None
    assert said(after) != said(before)
    assert after.bars_digest != before.bars_digest


def said(candidate: Candidate) -> dict[str, object]:
    return candidate.model_dump(exclude={"bars_digest"})


def test_a_night_and_a_whole_year_have_the_same_digest() -> None:
    market = random_market()
    compiled = compile_strategy(EVERYTHING)

    def none(_table: str, _symbol: str) -> Steps:
        return Steps(*(np.empty(0, "datetime64[D]"),) * 2, np.empty(0))

    whole = Evaluator(market.window, inputs=none)
    seen = 0
    for ds in market.bars["AAPL"][0][-180:].tolist():
        night = Evaluator(market.nightly, inputs=none)
        for symbol in ("AAPL", "IBM"):
            ours = whole.decide(compiled, symbol, ds, asset(symbol))
            assert ours == night.decide(compiled, symbol, ds, asset(symbol))
            seen += ours is not None
    assert seen > 150
