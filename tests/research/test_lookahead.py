"""What looks ahead is found, with the expression that did it; what does not is not blamed."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pytest

from goldenthread.domain.bar import Steps
from goldenthread.domain.ids import text_digest
from goldenthread.domain.strategy import Entry, Exit, Strategy, Target, UniverseRule
from goldenthread.research.lookahead import Findings, Known, Subject, look
from goldenthread.signals import indicators
from goldenthread.signals.compilation import compile_strategy
from goldenthread.signals.functions import FUNCTIONS
from goldenthread.signals.strategy_file import with_code
from signals.factors.files import folder_of, marked
from signals.windows import asset, closes, random_market

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from faults.chaos import Tally
    from goldenthread.domain.bar import FloatArray
    from goldenthread.signals.indicators import Bound
    from signals.windows import Market

PRICES = [100.0, 101.0, 102.0, 103.0, 104.0, 105.0]
TUESDAY, WEDNESDAY = dt.date(2024, 1, 2), dt.date(2024, 1, 3)


@pytest.fixture
def leaky(monkeypatch: pytest.MonkeyPatch) -> None:
    """A catalogue with PEEK, the next bar's value, and WAIT, its own once the next is known."""
    honest = indicators._own

    def own(bound: Bound, inputs: Sequence[FloatArray]) -> FloatArray:
        following = np.append(inputs[0][1:], inputs[0][-1:])
        if bound.function.name == "PEEK":
            return following
        if bound.function.name == "WAIT":
            return np.where(np.isnan(following), np.nan, inputs[0])
        return honest(bound, inputs)

    monkeypatch.setattr(indicators, "_own", own)
    for name in ("PEEK", "WAIT"):
        monkeypatch.setitem(FUNCTIONS, name, replace(FUNCTIONS["ABS"], name=name))


def asked(strategy: Strategy, market: Market, dates: Sequence[dt.date]) -> Findings:
    subject = Subject(compile_strategy(strategy), asset())
    return look([subject], dates, Known(market.window), lambda _: Known(market.nightly))


def strategy_with(**parts: object) -> Strategy:
    given: dict[str, object] = {"strategy_id": "test", "assets": ("AAPL",)}
    given["entry"] = Entry(when="close > 0")
    given["exit"] = Exit(stop="entry - 10", max_bars=10)
    return Strategy.model_validate({**given, **parts})


@pytest.mark.usefixtures("leaky")
def test_a_factor_that_reads_the_next_bar_is_named_with_both_values() -> None:
    peeking = strategy_with(factors={"calm": "SMA(close, 2)", "hope": "2 * PEEK(close)"})
    found = asked(peeking, closes(PRICES), [TUESDAY, WEDNESDAY])
    assert [change.words for change in found.changes] == [
        "test AAPL 2024-01-02 factors.hope: PEEK(close) is 102, with the future cut off 101"
    ]
    assert found.decisions == 2


@pytest.mark.usefixtures("leaky")
def test_a_factor_that_only_passes_over_the_future_is_found_by_the_poison() -> None:
    found = asked(strategy_with(factors={"late": "WAIT(close)"}), closes(PRICES), [TUESDAY])
    assert [change.words for change in found.changes] == [
        "test AAPL 2024-01-02 factors.late: WAIT(close) is 101, with the future poisoned null"
    ]


@pytest.mark.usefixtures("leaky")
def test_every_place_of_a_strategy_is_looked_at() -> None:
    peek = "PEEK(close) > 101.5"
    everywhere = strategy_with(
        entry=Entry(
            when=peek, order="limit", price="PEEK(close)", cancel_if=peek, priority="PEEK(volume)"
        ),
        reject_unless={"LATER": peek, "NOW": "close > 0 and PEEK(close) > 0"},
        exit=Exit(
            stop="entry - PEEK(close) / 10",
            targets=(Target(at="PEEK(close) + 5", sell=Decimal(1)),),
            trail="PEEK(close)",
            when=peek,
            max_bars=3,
        ),
    )
    found = asked(everywhere, closes([100, 101, 102, 103]), [TUESDAY])
    assert {change.key for change in found.changes} == {
        *("entry.when", "entry.price", "entry.priority", "entry.cancel_if", "exit.when"),
        *("reject_unless.LATER", "reject_unless.NOW"),
        *("exit.stop", "exit.targets[1].at", "exit.trail"),
    }


@pytest.mark.usefixtures("leaky")
def test_each_expression_is_told_once_on_its_first_date() -> None:
    found = asked(
        strategy_with(factors={"hope": "PEEK(close)"}), closes(PRICES), [WEDNESDAY, TUESDAY]
    )
    assert [(c.ds, c.key) for c in found.changes] == [(WEDNESDAY, "factors.hope")]


def test_a_bar_that_is_there_only_with_the_future_is_told() -> None:
    market = closes(PRICES)
    subject = Subject(compile_strategy(strategy_with()), asset())
    found = look([subject], [TUESDAY], Known(market.window), lambda _: Known(lambda *_: None))
    assert [(c.key, c.known, c.alone) for c in found.changes] == [("bars", 1.0, 0.0)]


@pytest.mark.fault("F21")
def test_honest_expressions_of_every_kind_differ_nowhere(tally: Tally) -> None:
    market = random_market()
    honest = strategy_with(
        factors={
            "fast": "EMA(close, 5)",
            "flow": "OBV(close, 60)",
            "lead": "LAG(close, 3)",
            "other": "ref('IBM', close > SMA(close, 20))",
            "band": "BBANDS(close, 20, 2, 2).upperband",
        },
        entry=Entry(when="fast > lead or CDLDOJI() > 0"),
        reject_unless={"WILD": "ATR(5) < close / 10", "ALONE": "other and close < band"},
    )
    dates = [dt.date(2024, 1, 1) + dt.timedelta(days=at) for at in range(0, 200, 3)]
    found = asked(honest, market, dates)
    assert found.changes == ()
    assert found.decisions > 40
    assert found.values == found.decisions * 18
    tally("values decided with the future cut off and poisoned", found.values)


def table(*days: int) -> Steps:
    """The value of a day is the day, known when it is decided."""
    since = np.array([dt.date(2024, 1, day) for day in days], "datetime64[D]")
    return Steps(since, since, np.array(days, np.float64))


def comparing(when: str = "close > 0") -> Strategy:
    """A strategy with every expression that reads other bars, members by rule, and a table."""
    rule = UniverseRule(rule="rank(ROC(close, 60)) <= 3", among=("AAPL", "CCC", "BTC/USD"))
    return strategy_with(
        assets=("IBM", "@strong"),
        universes={"strong": rule},
        inputs={"score": {"table": "scores", "max_age_days": 30}},
        factors={
            "strength": "LAG(rank(ROC(close, 20)), 2)",
            "apart": "zscore(ref('IBM', ROC(close, 3)) + ROC(close, 5))",
            "place": "pct_rank(score + close)",
            "weekly": "on('1W', close > SMA(close, 10))",
        },
        entry=Entry(when=when),
    )


@pytest.mark.fault("F21")
def test_honest_members_weeks_and_tables_differ_nowhere(tally: Tally) -> None:
    market = random_market()
    compiled = compile_strategy(comparing())
    subjects = [Subject(compiled, asset(symbol)) for symbol in ("AAPL", "IBM", "BTC/USD")]
    dates = [dt.date(2023, 12, 20) + dt.timedelta(days=at) for at in range(0, 60, 3)]
    whole = Known(market.window, lambda *_: table(2, 10, 25))

    def cut(ds: dt.date) -> Known:
        known = [day for day in (2, 10, 25) if dt.date(2024, 1, day) <= ds]
        return Known(market.nightly, lambda *_: table(*known))

    found = look(subjects, dates, whole, cut)
    assert found.changes == ()
    assert found.decisions > 40
    tally("values of ranks, weeks and tables, decided without their future", found.values)


@pytest.mark.usefixtures("leaky")
def test_a_member_that_looks_ahead_moves_the_rank_of_another() -> None:
    found = asked(
        strategy_with(assets=("AAPL", "IBM"), factors={"first": "rank(PEEK(close))"}),
        two(),
        [WEDNESDAY],
    )
    assert [(c.key, c.known, c.alone) for c in found.changes] == [("factors.first", 2.0, 1.0)]


def two() -> Market:
    """AAPL falls behind IBM on 4 January."""
    low, high = closes([10, 10, 10, 5, 5]), closes([9, 9, 9, 9, 9], "IBM")
    return replace(low, bars={**low.bars, **high.bars})


def test_a_value_of_a_table_that_was_not_known_yet_is_named() -> None:
    market, early = closes(PRICES), table(2)
    subject = Subject(
        compile_strategy(strategy_with(inputs={"score": "scores"}, factors={"f": "score + 1"})),
        asset(),
    )
    whole = Known(market.window, lambda *_: early)
    alone = Known(market.nightly, lambda *_: table())
    found = look([subject], [TUESDAY], whole, lambda _: alone)
    assert [(c.key, c.expression, c.known) for c in found.changes] == [
        ("factors.f", "input('scores', 7)", 2.0)
    ]


def written(tmp_path: Path, body: str, lookback: int) -> Strategy:
    """A strategy that reads a factor ``f(price)`` written in Python."""
    text = marked(body, str(lookback), "price")
    return with_code(
        strategy_with(factors={"calm": "SMA(close, 2)", "own": "f(close) + 1"}),
        folder_of(tmp_path, own=text),
    )


LATE = [dt.date(2024, 5, day) for day in (13, 14, 15)]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("return np.append(price[1:], price[-1])", "the next bar"),
        ("return price - price.mean()", "a mean of everything"),
        ("return np.interp(np.arange(len(price)), [0, len(price)], [0, 1])", "how many there are"),
    ],
)
def test_a_factor_written_in_python_that_reads_later_bars_is_found(
    tmp_path: Path, body: str, told: str
) -> None:
    found = asked(written(tmp_path, body, 5), random_market(), LATE)
    assert [(c.key, c.asked) for c in found.changes] == [
        ("factors.own", "with the future cut off")
    ], told
    assert found.changes[0].expression.startswith("f(close of ")


def test_a_factor_written_in_python_that_reads_more_than_it_declares_is_found(
    tmp_path: Path,
) -> None:
    body = "return np.concatenate([np.full(5, np.nan), price[:-5]])[: len(price)]"
    enough = asked(written(tmp_path, body, 5), closes(PRICES * 3), [dt.date(2024, 1, 11)])
    assert enough.changes == ()
    short = asked(written(tmp_path, body, 4), closes(PRICES * 3), [dt.date(2024, 1, 11)])
    key = written(tmp_path, body, 4).code["own.py"]
    expression = f"f(close of {text_digest(key)[:12]})"
    # the ninth bar is 102, the fourth, five bars before, 103
    asked_again = "given only the 5 bars it declares null"
    assert [change.words for change in short.changes] == [
        f"test AAPL 2024-01-11 factors.own: {expression} is 103, {asked_again}"
    ]


def test_bars_before_the_new_year_show_it_in_january_too(tmp_path: Path) -> None:
    short = written(tmp_path, "return np.maximum.accumulate(price)", 30)
    found = asked(short, random_market(), [dt.date(2024, 1, 3)])
    assert [c.asked for c in found.changes] == ["given only the 31 bars it declares"]


def test_rounding_is_no_look_back(tmp_path: Path) -> None:
    sums = "sums = np.cumsum(price); return np.append(sums[:3], sums[3:] - sums[:-3]) / 3"
    found = asked(written(tmp_path, sums, 2), random_market(), LATE)
    assert found.changes == ()
    assert found.decisions == 3


def test_a_python_factor_inside_a_rule_or_a_rank_is_looked_at_too(tmp_path: Path) -> None:
    short = marked("return np.maximum.accumulate(price)", "3", "price")
    rule = UniverseRule(rule="f(close) > 0", among=("AAPL", "IBM"))
    strategy = strategy_with(
        assets=("@all",), universes={"all": rule}, factors={"place": "rank(f(volume))"}
    )
    coded = with_code(strategy, folder_of(tmp_path, own=short))
    found = asked(coded, random_market(), LATE)
    assert {c.key for c in found.changes} == {"universe", "factors.place"}
