from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from goldenthread.signals.functions import FUNCTIONS, Function, LookbackKind
from goldenthread.signals.indicators import Bound, compute, lookback_of, talib_lookback
from signals.test_functions import TALIB, bound, inputs_of

abstract: Any = import_module("talib.abstract")
talib: Any = import_module("talib")
NULL = float("nan")
Array = np.ndarray[Any, np.dtype[np.float64]]


def call(name: str, *numbers: float, window: int = 0, output: int = 0) -> Bound:
    function = FUNCTIONS[name]
    return Bound(function, numbers, window, output, lookback_of(function, numbers, window))


def series(*values: float) -> Array:
    return np.array(values, dtype=np.float64)


def same(left: Array, *right: float) -> bool:
    return bool(np.array_equal(left, series(*right), equal_nan=True))


@pytest.mark.parametrize("function", TALIB, ids=lambda f: f.name)
def test_values_are_talibs_own_on_the_same_window(function: Function) -> None:
    for one in bound(function):
        inputs = inputs_of(function, 2_000, 3_250)
        if function.kind is LookbackKind.ANCHORED:
            inputs = [column[-one.window :] for column in inputs]
        numbers = [
            int(n) if p.whole else n for p, n in zip(function.parameters, one.numbers, strict=True)
        ]
        theirs = getattr(talib, function.name)(*inputs, *numbers)
        theirs = theirs[one.output] if len(function.outputs) > 1 else theirs
        last = float(theirs[-1])
        if function.rule == "position":  # TA-Lib counts from the start of the array
            last -= len(theirs) - 1 - one.lookback
        assert compute(one, inputs)[-1] == last


def test_moving_average_by_hand() -> None:
    # the means of 1 2 3 and of 2 3 7
    assert same(compute(call("SMA", 3), [series(1, 2, 3, 7)]), NULL, NULL, 2, 4)


def test_a_null_costs_the_values_that_would_read_it_and_no_others() -> None:
    values = series(NULL, 1, 2, 3, NULL, 5, 6, 7)
    assert same(compute(call("SMA", 2), [values]), NULL, NULL, 1.5, 2.5, NULL, NULL, 5.5, 6.5)
    assert same(compute(call("HIGHEST", 2), [values]), NULL, NULL, 2, 3, NULL, NULL, 6, 7)
    assert same(compute(call("SQRT"), [series(4, NULL, -1, 9)]), 2, NULL, NULL, 3)
    assert same(compute(call("LN"), [series(1, 0, NULL)]), 0, NULL, NULL)  # ln 0 is no number


def test_a_recursive_value_waits_for_its_whole_look_back_after_a_null() -> None:
    one = call("EMA", 3)  # 2 bars of TA-Lib, then (1 - 2/4)^n < 1e-12: 40 bars
    assert one.lookback == 42
    values = np.arange(100, dtype=np.float64)
    values[50] = NULL
    result = compute(one, [values])
    assert np.flatnonzero(~np.isnan(result)).tolist() == [*range(42, 50), *range(93, 100)]


def test_an_anchored_value_is_null_while_its_window_holds_a_null() -> None:
    values = series(1, 2, 3, NULL, 5, 6, 7)
    assert same(compute(call("CUMSUM", window=2), [values]), NULL, 3, 5, NULL, NULL, 11, 13)


def test_an_anchored_value_reads_the_last_window_bars_and_nothing_before() -> None:
    bars = inputs_of(FUNCTIONS["SAR"], 0, 400)
    one = call("SAR", 0.02, 0.2, window=60)
    late = [column[200:] for column in bars]
    assert np.array_equal(compute(one, bars)[260:], compute(one, late)[60:])
    assert one.lookback == 59


def test_an_index_is_the_place_inside_its_look_back() -> None:
    values = series(5, 1, 2, 9, 3, 2, 4)
    # of the last 3: (5 1 2) at 0, (1 2 9) at 2, (2 9 3) at 1, (9 3 2) at 0, (3 2 4) at 2
    assert same(compute(call("MAXINDEX", 3), [values]), NULL, NULL, 0, 2, 1, 0, 2)


def test_our_own_functions_by_hand() -> None:
    values = series(3, 1, NULL, 4)
    assert same(compute(call("LAG", 1), [values]), NULL, 3, 1, NULL)
    assert same(compute(call("LAG", 0), [values]), 3, 1, NULL, 4)
    assert same(compute(call("LAG", 9), [values]), NULL, NULL, NULL, NULL)
    assert same(compute(call("LOWEST", 1), [values]), 3, 1, NULL, 4)
    assert same(compute(call("LOWEST", 2), [series(3, 1, 2)]), NULL, 1, 1)
    assert same(compute(call("ABS"), [series(-3, NULL)]), 3, NULL)
    assert same(compute(call("MIN2"), [values, series(2, 2, 2, NULL)]), 2, 1, NULL, NULL)
    assert same(compute(call("MAX2"), [values, series(2, 2, 2, 2)]), 3, 2, NULL, 4)


def test_look_backs() -> None:
    assert talib_lookback(FUNCTIONS["RSI"], (14.0,)) == 14
    assert call("RSI", 14).lookback == 14 + 373
    assert call("LAG", 5).lookback == 5
    assert call("HIGHEST", 20).lookback == 19
    assert call("OBV", window=100).lookback == 99
    assert call("AVGPRICE").lookback == 0
    assert call("CDLHAMMER").lookback == abstract.Function("CDLHAMMER").lookback


def test_a_window_of_nulls_gives_nulls() -> None:
    empty = np.full(300, NULL)
    for function in TALIB:
        for one in bound(function):
            count = len(function.series) + len(function.prices)
            assert np.isnan(compute(one, [empty] * count)).all()


def test_talib_is_loaded_without_pandas_and_leaves_both_usable() -> None:
    code = """
import sys
import numpy as np
from goldenthread.signals.functions import FUNCTIONS
from goldenthread.signals.indicators import talib_lookback
assert "talib" not in sys.modules
assert talib_lookback(FUNCTIONS["RSI"], (14.0,)) == 14
assert "pandas" not in sys.modules
import pandas, talib
assert talib.SMA(pandas.Series([1.0, 2.0]), 2).iloc[1] == 1.5
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
