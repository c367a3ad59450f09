from __future__ import annotations

import pytest

from goldenthread.domain.errors import UsageError
from goldenthread.signals.binding import ENTRY, bind, number

SCOPE = {"n": number(10), "half": number(0.5), "up": bind("close > open", {})}


def text(expression: str) -> str:
    return bind(expression, SCOPE).text


def test_names_and_implied_prices_are_written_out() -> None:
    assert text("SMA(close, n)") == "SMA(close, 10.0)"
    assert text("ATR()") == "ATR(high, low, close, 14.0)"
    assert text("ATR(7)") == text("ATR(high, low, close, 7)")
    assert text("VWMA(close, 20)") == text("VWMA(close, volume, 20)")
    assert text("BBANDS(close, 20).upperband") == text("BBANDS(close, 20, 2, 2, 0).upperband")
    assert text("CDLHAMMER()") == "CDLHAMMER(open, high, low, close)"
    assert text("SMA(RSI(close, 5), 3)") == "SMA(RSI(close, 5.0), 3.0)"
    assert text("ADX(high + 1, low, close, 5)") == "ADX((high + 1.0), low, close, 5.0)"


def test_constants_are_folded_and_may_be_parameters_of_a_function() -> None:
    assert text("2 * n + 1") == "21.0"
    assert text("SMA(close, n * 2)") == "SMA(close, 20.0)"
    assert text("-n") == "-10.0"


def test_look_backs_add_along_a_chain_and_the_longest_branch_counts() -> None:
    assert bind("close", {}).lookback == 0
    assert bind("LAG(SMA(close, 20), 5)", {}).lookback == 24
    assert bind("SMA(close, 20) > HIGHEST(high, 50)", {}).lookback == 49
    assert bind("ref('SPY', SMA(close, 200)) > 0", {}).lookback == 0  # its own window
    assert bind("LAG(ref('SPY', SMA(close, 200)), 3) > 0", {}).lookback == 3


def test_other_symbols_are_told() -> None:
    assert bind("ref('SPY', close) > ref('BTC/USD', close) + close", {}).refs == ("BTC/USD", "SPY")


def test_conditions_are_told_from_numbers() -> None:
    conditions = ["close > 1", "up", "not up", "up and close > 1", "LAG(up, 1)", "ref('A', up)"]
    conditions += ["up if up else close > 1", "1 < close < 3"]
    assert all(bind(c, SCOPE, condition=True).is_condition for c in conditions)
    numbers = ["close", "up + up", "close if up else 1", "SMA(close, 2)", "CDLHAMMER()"]
    assert not any(bind(n, SCOPE).is_condition for n in numbers)


def test_the_planned_price_may_stand_in_arithmetic_only() -> None:
    scope = {"entry": ENTRY}
    assert bind("MIN2(entry - 1, LOWEST(low, 5))", scope).uses_entry
    for expression in ("SMA(entry, 5)", "LAG(entry, 1)", "SQRT(entry)", "HIGHEST(entry, 2)"):
        with pytest.raises(UsageError, match="entry is one price, not a series"):
            bind(expression, scope)
    with pytest.raises(UsageError, match="ref cannot hold entry"):
        bind("ref('SPY', entry)", scope)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("clos > 1", "column 1: unknown name 'clos'; did you mean close"),
        ("close > SMAA(close, 3)", "column 9: unknown function 'SMAA'; did you mean SMA"),
        ("eval(1)", "column 1: unknown function 'eval'"),
        ("SMA > 1", "column 1: SMA is a function; write SMA(price, timeperiod=30)"),
        ("ref > 1", "column 1: ref is a function; write ref("),
        ("RSI(14)", "column 1: RSI got (14.0); write RSI(price, timeperiod=14)"),
        ("SMA(close, close)", "column 1: SMA got (close, close); write SMA("),
        ("SMA(close, 2.5)", "column 1: SMA: timeperiod is a whole number from 1 to 2000, got 2.5"),
        ("RSI(close, 1)", "column 1: RSI: timeperiod is a whole number from 2 to 2000, got 1"),
        ("SMA(close, 5000)", "column 1: SMA: timeperiod is a whole number from 1 to 2000"),
        ("LAG(close, -1)", "column 1: LAG: n is a whole number from 0 to 2000, got -1"),
        ("LAG(close)", "column 1: LAG: n is a whole number from 0 to 2000, got nothing"),
        ("SMA(close, 3, 4)", "column 1: SMA takes at most 1 number, got 2"),
        ("ATR(close)", "column 1: ATR got (close); write ATR(timeperiod=14)"),
        ("ABS(close, 1)", "column 1: ABS takes at most 0 numbers, got 1"),
        ("BBANDS(close)", "column 1: BBANDS has several outputs; add .upperband or .middleband"),
        ("BBANDS(close).top", "column 1: BBANDS has no output .top; add .upperband"),
        ("SMA(close).real", "column 1: SMA has one output; leave out .real"),
        ("KAMA(close)", "column 1: KAMA depends on where it starts, so its last argument is a w"),
        ("OBV(close, 1)", "column 1: OBV depends on where it starts"),
        ("OBV(close, 99999)", "column 1: OBV depends on where it starts"),
        ("HT_SINE(close, 50).sine", "column 1: HT_SINE has no value over a window of 50 bars; use"),
        ("MA(close, 5, 6)", "column 1: MA: matype 6 has no fixed look-back; allowed: 0 SMA"),
        ("MAVP(close, volume, 9, 3)", "column 1: MAVP: minperiod is above maxperiod"),
        ("ref(SPY, close)", "column 1: ref takes a quoted symbol and one expression"),
        ("ref('SPY')", "column 1: ref takes a quoted symbol and one expression"),
        ("ref('A', ref('B', close))", "column 1: ref cannot hold another ref: it reads the bars"),
        ("1 / 0 > 1", "column 1: (1.0 / 0.0) has no value (division by zero or overflow)"),
        ("close and up", "column 1: 'and' takes conditions, but close is a number; compare it"),
        ("up or CDLDOJI()", "column 7: 'or' takes conditions, but CDLDOJI(open, high, low, close)"),
        ("not close", "column 5: 'not' takes conditions"),
        ("1 if close else 2", "column 6: 'if' takes conditions"),
        ("EMA(close, 2000)", "column 1: it needs 29"),
    ],
)
def test_what_does_not_fit_is_refused_with_place_and_remedy(expression: str, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        bind(expression, SCOPE)
    assert str(refused.value).startswith(message)


def test_a_condition_is_asked_for_with_a_hint() -> None:
    with pytest.raises(UsageError, match=r"'CDLHAMMER\(\)' is a number; write a condition such as"):
        bind("CDLHAMMER()", {}, condition=True)


def test_factors_that_multiply_out_are_refused() -> None:
    doubled = bind("close + open", {})
    for _ in range(8):
        doubled = bind("f + f", {"f": doubled})  # 3, 7, 15 ... 1,023 parts
    with pytest.raises(UsageError, match=r"2047 parts on 11 levels once factors are written out"):
        bind("f + f", {"f": doubled})
