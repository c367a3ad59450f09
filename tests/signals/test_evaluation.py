from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace

import numpy as np
import pytest

from goldenthread.signals.binding import ENTRY, bind
from goldenthread.signals.evaluation import Calculator, Memo
from signals.windows import NEW_YEAR, Market, closes, days, random_bars, random_market

D = dt.date


def at(market: Market, expression: str, ds: dt.date, symbol: str = "AAPL") -> float:
    window = market.window(symbol, ds)
    assert window is not None
    calculator = Calculator(lambda other: market.window(other, ds), Memo())
    return calculator.at(bind(expression, {}), window)


def test_an_expression_is_read_at_the_decision_not_at_the_end_of_the_columns() -> None:
    market = closes([10, 11, 12, 13, 14])  # 1 to 5 January
    assert at(market, "close + 1", D(2024, 1, 3)) == 13
    assert at(market, "LAG(close, 2)", D(2024, 1, 3)) == 10
    assert math.isnan(at(market, "LAG(close, 3)", D(2024, 1, 3)))


def test_series_start_their_look_back_before_new_year_and_nowhere_else() -> None:
    first = D(2023, 12, 25)  # five sessions before 1 January 2024
    market = closes([1, 2, 3, 4, 5, 6, 7], first=first)
    assert at(market, "SMA(close, 3)", D(2024, 1, 1)) == 5  # (4 + 5 + 6) / 3
    window = market.window("AAPL", D(2024, 1, 1))
    assert window is not None
    memo = Memo()
    Calculator(lambda _: None, memo).at(bind("SMA(close, 3)", {}), window)
    # 1 January stands at 5; the look-back is 2 bars, so every series starts at 3.
    assert {start for start, _, _ in memo.of(window)} == {3}


def test_a_series_starts_alike_whatever_it_stands_beside() -> None:
    market = closes([1, 2, 3, 4, 5, 6, 7], first=D(2023, 12, 25))
    window = market.window("AAPL", D(2024, 1, 1))
    assert window is not None
    memo = Memo()
    Calculator(lambda _: None, memo).at(bind("SMA(close, 3) + 1 > SMA(close, 5)", {}), window)
    # 1 January stands at 5: one average looks back 2 bars, one 4; signs begin at the new year.
    assert sorted((start, text) for start, text, _ in memo.of(window)) == [
        (1, "SMA(close, 5.0)"),
        (3, "SMA(close, 3.0)"),
        (5, "((SMA(close, 3.0) + 1.0) > SMA(close, 5.0))"),
        (5, "(SMA(close, 3.0) + 1.0)"),
    ]


def test_a_constant_condition_holds_on_every_bar() -> None:
    assert at(closes([10]), "1 < 2", NEW_YEAR) == 1


def test_a_level_may_mix_the_planned_price_with_series() -> None:
    market = closes([10, 11, 12])
    window = market.window("AAPL", D(2024, 1, 3))
    assert window is not None
    calculator = Calculator(lambda _: None, Memo())
    expr = bind("MIN2(entry - 1, LAG(close, 1)) if entry > 5 else -entry", {"entry": ENTRY})
    assert calculator.level(expr, window, 20.0) == 11
    assert calculator.level(expr, window, 7.5) == 6.5
    assert calculator.level(expr, window, 5.0) == -5
    missing = bind("entry - LAG(close, 9)", {"entry": ENTRY})
    assert math.isnan(calculator.level(missing, window, 20.0))


def two(spy_days: list[int], aapl_days: list[int]) -> Market:
    """SPY closes at 100 + day, AAPL at the day, on the given days of January 2024."""
    found = {}
    for symbol, base, listed in (("SPY", 100, spy_days), ("AAPL", 0, aapl_days)):
        dates = np.array([np.datetime64(D(2024, 1, day)) for day in listed])
        column = np.array([base + day for day in listed], dtype=np.float64)
        values = dict.fromkeys(("open", "high", "low", "close", "volume"), column)
        found[symbol] = (dates, values)
    return Market(found)


def test_ref_reads_the_last_bar_of_the_other_up_to_the_same_date() -> None:
    market = two([2, 3, 5], [2, 3, 4, 5])
    assert [at(market, "ref('SPY', close)", D(2024, 1, d)) for d in (2, 3, 4, 5)] == [
        *(102, 103, 103, 105)
    ]
    # On our bars: SPY of the 3rd stands on the 3rd and the 4th.
    assert at(market, "LAG(ref('SPY', close), 1)", D(2024, 1, 5)) == 103
    # On its bars: one bar of SPY before the 5th is the 3rd.
    assert at(market, "ref('SPY', LAG(close, 1))", D(2024, 1, 5)) == 103


def test_ref_is_null_before_the_others_first_bar_and_without_it() -> None:
    assert math.isnan(at(two([4], [2, 3, 4]), "ref('SPY', close)", D(2024, 1, 3)))
    assert math.isnan(at(two([4], [2, 3, 4]), "ref('QQQ', close)", D(2024, 1, 3)))


def test_ref_is_null_when_the_other_has_not_traded_for_more_than_a_week() -> None:
    market = two([2], [2, 9, 10])
    assert at(market, "ref('SPY', close)", D(2024, 1, 9)) == 102
    assert math.isnan(at(market, "ref('SPY', close)", D(2024, 1, 10)))


def test_a_bar_of_the_other_that_is_not_yet_believed_is_not_read() -> None:
    market = two([2, 3, 4], [2, 3, 4])
    late = replace(market, lag=frozenset({("SPY", D(2024, 1, 3))}))
    assert at(late, "ref('SPY', close)", D(2024, 1, 3)) == 102
    assert at(late, "SMA(ref('SPY', close), 2)", D(2024, 1, 3)) == 102
    assert at(late, "LAG(ref('SPY', close), 1)", D(2024, 1, 4)) == 103  # confirmed by then


def test_a_change_in_the_others_columns_is_seen_while_our_own_stay() -> None:
    market = two([2, 3], [2, 3])
    window = market.window("AAPL", D(2024, 1, 3))
    spy = market.window("SPY", D(2024, 1, 3))
    assert window is not None
    assert spy is not None
    shown = spy
    calculator = Calculator(lambda _: shown, Memo())
    expr = bind("ref('SPY', close) + 1 + close", {})
    assert calculator.at(expr, window) == 103 + 1 + 3
    shown = replace(spy, key="after a split", close=spy.close / 2)
    assert calculator.at(expr, window) == 51.5 + 1 + 3


def test_a_series_is_computed_once_and_old_windows_are_dropped() -> None:
    market = random_market()
    memo = Memo()
    expr = bind("SMA(close, 20) > SMA(close, 50)", {})

    def decide(ds: dt.date) -> None:
        window = market.window("AAPL", ds)
        assert window is not None
        Calculator(lambda _: None, memo).at(expr, window)

    decide(D(2024, 2, 1))
    once = len(memo)  # two averages, the comparison
    assert once == 3
    decide(D(2024, 6, 3))
    assert len(memo) == once
    for year in (2021, 2022, 2023, 2024):
        decide(D(year, 6, 3))
    assert len(memo) == 2 * once


def test_a_memo_of_two_symbols_forgets_the_one_asked_longest_ago() -> None:
    market, memo = random_market(), Memo(most=2)
    first, second, third = (market.window(s, D(2024, 2, 1)) for s in ("AAPL", "IBM", "CCC"))
    assert first
    assert second
    assert third
    for at_place, window in enumerate((first, second, first, third)):
        memo.of(window)[at_place, "close", ""] = window.close
    assert list(memo.of(first)) == [(0, "close", ""), (2, "close", "")]
    assert list(memo.of(third)) == [(3, "close", "")]
    assert list(memo.of(second)) == []


@pytest.mark.parametrize("bars", [1, 2, 60])
def test_short_history_gives_nulls_never_errors(bars: int) -> None:
    values = random_bars(bars, 3)
    market = Market({"AAPL": (days(NEW_YEAR, bars), values)})
    last = days(NEW_YEAR, bars)[-1].astype(object)
    for text in ("EMA(close, 50)", "OBV(close, 100)", "SMA(close, 200)", "LAG(close, 90)"):
        assert math.isnan(at(market, text, last))
