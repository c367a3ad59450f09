"""The strategies that are shipped: readable, of every kind the README promises, and alive."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import goldenthread.app
from goldenthread.domain.strategy import Side, Strategy, StrategyStatus
from goldenthread.signals.engine import Evaluator, compile_strategy
from goldenthread.signals.strategy_file import read_strategy
from signals.windows import COLUMNS, Market, asset

TEMPLATES = Path(goldenthread.app.__file__).parent / "templates"
FILES = sorted((TEMPLATES / "strategies").glob("*.toml"))
DEMO = {"AAPL", "FB", "GOOG", "IBM", "MSFT", "DAWN/USD", "DUSK/USD"}


def shipped() -> list[Strategy]:
    return [read_strategy(path) for path in FILES]


def universes() -> dict[str, list[str]]:
    found = tomllib.loads((TEMPLATES / "universes.toml").read_text(encoding="utf-8"))
    return {name: [str(symbol) for symbol in symbols] for name, symbols in found.items()}


def members(strategy: Strategy) -> set[str]:
    named = [universes()[a[1:]] if a.startswith("@") else [a] for a in strategy.assets]
    return {symbol for symbols in named for symbol in symbols}


def test_every_file_is_named_like_its_strategy_and_described() -> None:
    for path, strategy in zip(FILES, shipped(), strict=True):
        assert strategy.strategy_id == path.stem
        assert len(strategy.description) > 30
        assert 2 <= len(strategy.reject_unless) <= 4


def test_every_kind_of_strategy_is_there() -> None:
    strategies = shipped()
    assert len(strategies) >= 7
    assert {s.entry.order for s in strategies} == {"market", "limit", "stop"}
    assert any(s.side is Side.SHORT and "@crypto" not in s.assets for s in strategies)
    assert any(s.exit.targets and s.exit.trail for s in strategies)
    assert any(s.exit.when for s in strategies)
    assert any(s.entry.cancel_if for s in strategies)
    assert any(s.assets == ("@crypto",) for s in strategies)
    assert any(s.status is StrategyStatus.SHADOW for s in strategies)
    assert {s.size.mode for s in strategies} == {"risk", "fraction", "equal", "vol_target"}


def test_other_symbols_are_stocks_of_the_demo_and_each_strategy_has_members_there() -> None:
    read = {symbol for s in shipped() for symbol in compile_strategy(s).refs}
    assert read == {"IBM"}
    for strategy in shipped():
        assert members(strategy) & DEMO


def test_look_backs_are_short_enough_for_a_stock_listed_last_year() -> None:
    assert all(compile_strategy(strategy).lookback < 200 for strategy in shipped())


@pytest.mark.shared
def test_each_strategy_finds_and_refuses_candidates_on_real_bars(shared_data: Path) -> None:
    bars = pl.read_parquet(shared_data / "daily_bars.parquet").filter(
        pl.col("ds").is_between(dt.date(2012, 1, 1), dt.date(2017, 12, 31))
    )
    found = {}
    for (name,), rows in bars.sort("ds").group_by("symbol", maintain_order=True):
        columns = {column: rows[column].to_numpy() for column in COLUMNS}
        dates = rows["ds"].to_numpy().astype("datetime64[D]")
        found[str(name).replace("-", "/")] = (dates, columns)
    evaluator = Evaluator(Market(found).window)
    for strategy in shipped():
        compiled = compile_strategy(strategy)
        outcomes = set()
        for symbol in members(strategy) & set(found):
            for day in found[symbol][0][-500::3]:
                ds = day.astype(object)
                candidate = evaluator.decide(compiled, symbol, ds, asset(symbol))
                if candidate is not None:
                    assert candidate.plan is not None
                    outcomes.add(bool(candidate.failed))
        assert outcomes == {True, False}, strategy.strategy_id
    assert np.datetime64("2017-12-29") in found["IBM"][0]
