"""A table's values in expressions: by name, not too old, the same in every way of running."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest

from goldenthread.domain.bar import Steps
from goldenthread.domain.errors import UsageError
from goldenthread.signals.engine import Evaluator, compile_strategy
from goldenthread.signals.strategy_file import parse_strategy
from signals.windows import asset, closes, strategy

D = dt.date
MARKET = closes([10] * 15)  # sessions from Monday 1 January 2024 on


def steps(_: str, symbol: str) -> Steps:
    """A 1 on 2 January, a 2 on 4 January, both of AAPL only."""
    days = np.array([D(2024, 1, 2), D(2024, 1, 4)] if symbol == "AAPL" else [], "datetime64[D]")
    return Steps(days, days, np.arange(1.0, len(days) + 1))


def values(expression: str, *days: int, **inputs: object) -> list[float]:
    named = {"score": "scores", **inputs}
    compiled = compile_strategy(strategy(inputs=named, factors={"f": expression}))
    evaluator = Evaluator(MARKET.window, inputs=steps)
    found = []
    for day in days:
        candidate = evaluator.decide(compiled, "AAPL", D(2024, 1, day), asset())
        assert candidate is not None
        value = candidate.factors["f"]
        found.append(math.nan if value is None else float(value))
    return found


def test_the_last_value_holds_until_the_next_and_a_week_at_most() -> None:
    assert values("score", 2, 3, 4, 11) == [1, 1, 2, 2]
    assert np.isnan(values("score", 1, 12)).all()


def test_how_old_a_value_may_be_is_the_strategys_to_say() -> None:
    table = {"table": "scores", "max_age_days": 1}
    assert values("score", 5, score=table) == [2]
    assert np.isnan(values("score", 8, score=table)).all()
    assert values("score", 15, score={**table, "max_age_days": 30}) == [2]


def test_a_value_is_a_series_like_any_other() -> None:
    assert values("SMA(score, 2)", 4) == [1.5]
    assert values("LAG(score, 1) + close", 4) == [11]
    assert values("rank(score)", 4) == [1]
    assert np.isnan(values("ref('MSFT', score)", 4)).all()


def test_inputs_are_part_of_the_version_and_without_them_it_is_the_old_one() -> None:
    plain, scored = strategy(), strategy(inputs={"score": "scores"})
    assert "inputs" not in plain.canonical()
    assert plain.version_key != scored.version_key
    assert type(scored).from_canonical(scored.canonical()) == scored


def test_without_values_a_table_cannot_be_read() -> None:
    compiled = compile_strategy(strategy(inputs={"score": "scores"}, when="score > 0"))
    with pytest.raises(UsageError, match="table 'scores' is read, and nobody gave its values"):
        Evaluator(MARKET.window).decide(compiled, "AAPL", D(2024, 1, 2), asset())


FILE = """strategy_id = "scored"
assets = ["AAPL"]
[inputs]
score = {}
[entry]
when = "score > 0.5"
[exit]
stop = "entry * 0.9"
max_bars = 5
"""


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("7", r"line 4: inputs.score: must be text in quotes, got 7"),
        ('"My Scores"', r"line 4: inputs.score"),
        ('{ table = "x", max_age = 3 }', r"line 4: inputs.score.max_age: unknown key 'max_age'"),
        ("{ max_age_days = 3 }", r"inputs.score.table: 'table' is missing"),
    ],
)
def test_an_input_that_is_not_right_is_told_with_its_line(written: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_strategy(FILE.format(written), "scored.toml")


def test_both_ways_of_writing_an_input_are_read() -> None:
    assert parse_strategy(FILE.format('"scores"')).tables["score"].max_age_days == 7
    longer = parse_strategy(FILE.format('{ table = "scores", max_age_days = 100 }'))
    assert longer.tables["score"].max_age_days == 100
