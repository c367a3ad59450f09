"""Factors written in Python: how they are called, what they get, what is wrong with them."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import numpy as np
import pytest

import goldenthread as gt
from goldenthread.domain.errors import UsageError
from goldenthread.signals.binding import ENTRY, bind, number
from goldenthread.signals.factors import python
from goldenthread.signals.factors.python import functions_in
from goldenthread.signals.indicators import compute
from signals.factors.files import SPREAD, marked

if TYPE_CHECKING:
    from goldenthread.domain.bar import FloatArray
    from goldenthread.signals.calls import Expr


def bound(text: str, source: str = SPREAD) -> Expr:
    return bind(text, {"n": number(2)}, functions=functions_in("spread.py", source))


def computed(text: str, source: str, *inputs: list[float]) -> list[float]:
    found = bound(text, source).bound
    assert found is not None
    return list(compute(found, [np.array(series, np.float64) for series in inputs]))


def test_columns_are_implied_and_numbers_follow() -> None:
    spread = bound("spread(n)")
    assert [part.text for part in spread.parts] == ["high", "low"]
    assert spread.bound is not None
    assert spread.bound.numbers == (2.0,)
    assert bound("spread()").text == bound("spread(high, low, 3)").text


def test_the_look_back_counts_the_bars_before_and_may_follow_from_the_numbers() -> None:
    assert bound("spread(5)").lookback == 4
    assert bound("change(spread(5))").lookback == 1 + 4
    assert bound("LAG(change(close), 3)").lookback == 3 + 1


def test_a_value_is_null_until_the_look_back_is_filled_and_a_null_costs_what_reads_it() -> None:
    nan = float("nan")
    high, low = [3.0, 4, 5, 6, nan, 8, 9, 10], [1.0] * 8
    # ranges 2 3 4 5 null 7 8 9; means of three: (2+3+4)/3, (3+4+5)/3, and (7+8+9)/3 after the null
    expected = [nan, nan, 3.0, 4.0, nan, nan, nan, 8.0]
    np.testing.assert_array_equal(computed("spread()", SPREAD, high, low), expected)


def test_what_is_given_back_before_the_look_back_and_what_is_not_finite_is_null() -> None:
    source = marked("return 1 / (close - 2)", lookback="1")
    nan = float("nan")
    np.testing.assert_array_equal(computed("f()", source, [1, 2, 3, 4]), [nan, nan, 1.0, 0.5])


def test_any_series_goes_where_the_argument_is_called_price() -> None:
    nan = float("nan")
    np.testing.assert_array_equal(computed("change(volume)", SPREAD, [1, 4, 9]), [nan, 3, 5])
    two = marked("return price0 - price1", takes="price0, price1")
    assert computed("f(close, open)", two, [3, 3], [1, 2]) == [2.0, 1.0]


def test_whole_numbers_are_whole_and_others_are_not() -> None:
    for takes in ("close, bars: int", "close, bars=2"):
        source = marked("return np.concatenate([close[bars:], close[:bars]])", takes=takes)
        assert computed("f(2)", source, [1, 2, 3]) == [3, 1, 2]  # a float could not cut
        with pytest.raises(UsageError, match="f: bars is a whole number from -1e"):
            bound("f(2.5)", source)
    assert computed("f(2.5)", marked("return close * k", takes="close, k"), [2]) == [5.0]
    assert computed("f()", marked("return close * k", takes="close, *, k=0.5"), [2]) == [1.0]


def test_two_texts_of_one_function_are_two_series() -> None:
    other = SPREAD.replace("sums / n", "sums / n * 2")
    one, two = bound("spread()"), bound("spread()", other)
    assert one.text != two.text
    assert one.text.startswith("spread(high, low, 3.0 of ")
    highs, lows = [3.0, 3, 3], [1.0, 1, 1]
    assert computed("spread()", SPREAD, highs, lows)[2] == 2.0
    assert computed("spread()", other, highs, lows)[2] == 4.0


def test_a_factor_cannot_change_the_bars() -> None:
    column: FloatArray = np.array([1.0, 2.0])
    found = bound("f()", marked("close[0] = 7; return close")).bound
    assert found is not None
    with pytest.raises(UsageError, match="assignment destination is read-only"):
        compute(found, [column])
    forced = bound("f()", marked("close.flags.writeable = True; close[0] = 7; return close")).bound
    assert forced is not None
    compute(forced, [column])
    assert column.tolist() == [1.0, 2.0]


def test_it_travels_to_another_process_as_text() -> None:
    packed = pickle.dumps(bound("spread()").bound)
    python._marked.cache_clear()
    again = pickle.loads(packed)  # noqa: S301  # ours
    assert compute(again, [np.array([3.0, 3, 3]), np.ones(3)])[2] == 2.0


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return close[:-1]", r"f: it gave back an array of shape \(2,\); give one float a bar"),
        ("return (close > 1)", "f: it gave back an array of bool, no floats"),
        ("return close.astype(int)", "f: it gave back an array of int64, no floats"),
        ("return 1.0", "f: it gave back float, no array"),
        ("pass", "f: it gave back NoneType, no array"),
        ("return close / nothing", r"factors/spread.py, line 5: f, given 3 bars, raised NameError"),
        ("raise SystemExit", "line 5: f, given 3 bars, raised SystemExit"),
        ("return np.linalg.inv(close)", "line 5: f, given 3 bars, raised LinAlgError"),
    ],
)
def test_a_factor_that_fails_names_file_line_and_function(body: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        computed("f()", marked(body), [1, 2, 3])


@pytest.mark.parametrize(
    ("lookback", "message"),
    [
        ("-1", "f: its look-back is -1; lookback= is how many bars"),
        ("2.5", "f: its look-back is 2.5"),
        ("True", "f: its look-back is True"),
        ("2001", "f: its look-back is 2001"),
        ("lambda n: n / 2", r"f: its look-back is 1.0"),
        ("lambda: 5", "factors/spread.py: the look-back of f raised TypeError"),
    ],
)
def test_a_look_back_that_is_none_is_told(lookback: str, message: str) -> None:
    source = marked("return close", lookback, "close, n=2")
    with pytest.raises(UsageError, match=message):
        bound("f()", source)


@pytest.mark.parametrize(
    "takes",
    ["n=3", "", "close, price", "n, close", "*close", "close, **more", "close, /", "k=2, *close"],
)
def test_arguments_are_arrays_then_numbers(takes: str) -> None:
    with pytest.raises(UsageError, match=r"factors/spread.py, f: it takes \(.*\); write arrays"):
        functions_in("spread.py", marked("return close", takes=takes))


@pytest.mark.parametrize("default", ["'x'", "True", "[1]"])
def test_a_default_is_a_number(default: str) -> None:
    with pytest.raises(UsageError, match=r"n=.* is no number"):
        functions_in("spread.py", marked("return close", takes=f"close, n={default}"))


def test_a_file_that_fails_while_it_is_read_is_told_with_its_line() -> None:
    with pytest.raises(UsageError, match=r"factors/a.py, line 2: reading it raised ZeroDivision"):
        functions_in("a.py", "x = 1\nx / 0\n")
    with pytest.raises(UsageError, match=r"factors/b.py, line 1: reading it raised SyntaxError"):
        functions_in("b.py", "return 1\n")
    with pytest.raises(UsageError, match=r"line 2: reading it raised TypeError"):
        functions_in("c.py", "import goldenthread as gt\n@gt.factor\ndef f(close): return close\n")


def test_in_a_notebook_it_is_the_plain_function() -> None:
    @gt.factor(lookback=1)
    def doubled(close: FloatArray) -> FloatArray:
        return close * 2

    assert doubled(np.array([1.5])).tolist() == [3.0]
    assert doubled.lookback == 1


def test_a_name_that_is_a_python_function_is_told_how_to_write_it() -> None:
    with pytest.raises(UsageError, match=r"spread is a function; write spread\(n=3\)"):
        bound("spread > 1")
    with pytest.raises(UsageError, match="unknown function 'spraed'; did you mean spread"):
        bound("spraed()")
    with pytest.raises(UsageError, match=r"spread takes at most 1 number, got 2; write spread\(n"):
        bound("spread(1, 2)")


def test_the_planned_price_is_no_series_for_it() -> None:
    functions = functions_in("spread.py", SPREAD)
    with pytest.raises(UsageError, match="entry is one price, not a series: change reads bars"):
        bind("change(entry)", {"entry": ENTRY}, functions=functions)
