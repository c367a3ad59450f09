"""Universes by rule: members of a month by its eve, whoever ended later included."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from goldenthread.domain.errors import UsageError
from goldenthread.domain.strategy import Strategy, UniverseRule
from goldenthread.signals.engine import Evaluator, compile_strategy
from signals.windows import COLUMNS, Market, asset, days, strategy

D = dt.date


def market() -> Market:
    """AAA closes at 10, in February at 30; BBB at 20 until it ends on 16 February; CCC at 5."""
    dates = days(D(2024, 1, 2), 64)
    february = dates >= np.datetime64(D(2024, 2, 1))
    closes = {"AAA": np.where(february, 30.0, 10.0), "BBB": np.full(64, 20.0)}
    closes["CCC"] = np.full(64, 5.0)
    found = {s: (dates, dict.fromkeys(COLUMNS, column)) for s, column in closes.items()}
    ended = dates <= np.datetime64(D(2024, 2, 16))
    found["BBB"] = (dates[ended], dict.fromkeys(COLUMNS, closes["BBB"][ended]))
    return Market(found)


def by_rule(rule: str, **parts: object) -> Strategy:
    universes = {"rich": UniverseRule(rule=rule, among=("AAA", "BBB", "CCC"))}
    return strategy(assets=("@rich",), universes=universes, **parts)


def members(plan: Strategy, ds: dt.date, bars: Market | None = None) -> list[str]:
    """Whom a strategy decides on."""
    compiled = compile_strategy(plan)
    windows = (bars or market()).window
    together, nightly = Evaluator(windows), Evaluator(market().nightly)
    found = [s for s in ("AAA", "BBB", "CCC") if together.decide(compiled, s, ds, asset(s))]
    alone = [s for s in ("AAA", "BBB", "CCC") if nightly.decide(compiled, s, ds, asset(s))]
    assert found == alone
    return found


def test_members_of_a_month_are_those_of_its_eve() -> None:
    plan = by_rule("close > 15")
    assert members(plan, D(2024, 1, 31)) == []  # nothing is known before the first month
    assert members(plan, D(2024, 2, 1)) == ["BBB"]
    assert members(plan, D(2024, 2, 16)) == ["BBB"]  # AAA has qualified since the 1st: too late
    assert members(plan, D(2024, 2, 19)) == []
    assert members(plan, D(2024, 3, 1)) == ["AAA"]  # BBB has ended


def test_the_best_of_many_may_be_chosen() -> None:
    assert members(by_rule("rank(close) <= 2"), D(2024, 2, 5)) == ["AAA", "BBB"]
    assert members(by_rule("rank(close) <= 1"), D(2024, 3, 5)) == ["AAA"]


def test_ranks_are_among_the_members_of_the_month() -> None:
    plan = by_rule("close < 15", when="rank(close) <= 1")
    assert members(plan, D(2024, 2, 5)) == ["AAA"]  # of AAA and CCC; BBB is no member


def test_what_comes_later_changes_no_member() -> None:
    dates, columns = market().bars["CCC"]
    later = dates > np.datetime64(D(2024, 2, 15))
    rigged = {name: np.where(later, 99.0, column) for name, column in columns.items()}
    other = Market({**market().bars, "CCC": (dates, rigged)})
    plan = by_rule("close > 15")
    compiled = compile_strategy(plan)
    evaluator = Evaluator(other.window)
    assert evaluator.decide(compiled, "CCC", D(2024, 2, 20), asset("CCC")) is None
    assert evaluator.decide(compiled, "CCC", D(2024, 3, 1), asset("CCC")) is not None


def test_a_rule_is_part_of_the_version_and_comes_back_from_it() -> None:
    plan = by_rule("close > 15")
    assert plan.version_key != by_rule("close > 16").version_key
    assert Strategy.from_canonical(plan.canonical()).universes == plan.universes


def test_a_wrong_rule_is_told_with_its_universe() -> None:
    with pytest.raises(
        UsageError, match=r"universes.toml, rich: rule, column 1: unknown name 'cls'"
    ):
        compile_strategy(by_rule("cls > 1"))
    with pytest.raises(UsageError, match=r"rich: rule, column 1: 'close' is a number"):
        compile_strategy(by_rule("close"))
