from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenthread.domain.errors import UsageError
from goldenthread.signals.expressions import Node, names, nearest, parse, walk


def test_python_precedence_holds() -> None:
    tree = parse("1 + 2 * 3 ** 2 > 4 and not a")
    assert tree.op == "and"
    compared, negated = tree.parts
    assert (compared.op, negated.op) == (">", "not")
    plus = compared.parts[0]
    assert (plus.op, plus.parts[1].op, plus.parts[1].parts[1].op) == ("+", "*", "**")


def test_a_chained_comparison_is_the_and_of_its_links() -> None:
    tree = parse("30 < rsi <= 70")
    rsi = Node("name", "rsi")
    first = Node("<", parts=(Node("number", value=30.0), rsi))
    second = Node("<=", parts=(rsi, Node("number", value=70.0)))
    assert tree == Node("and", parts=(first, second))


def test_names_are_what_is_read_not_what_is_called() -> None:
    text = "SMA(close, n) > ref('SPY', low) if a else MACD(b).macd"
    assert names(parse(text)) == {"close", "n", "low", "a", "b"}


def test_an_expression_may_run_over_several_lines() -> None:
    assert parse("\n  close > 1\n  and volume > 2\n") == parse("close > 1 and volume > 2")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "column 1: the expression is empty"),
        ("close >", "column 8: cannot read 'close >'"),
        ("close > 1 # up", "column 11: character '#' is not part of the language"),
        ("close\n  > lows[1]", "line 2 of it, column 9: character '['"),
        ("close + True", "column 9: 'True' is not a number"),
        ("close + 1j", "column 9: '1j' is not a number"),
        ("1e999", "column 1: number '1e999' is too large"),
        ("close is low", "column 1: 'close is low': comparison not allowed"),
        ("close // 2", "column 1: 'close // 2': operator not allowed"),
        ("close @ low", "column 1: 'close @ low': operator not allowed"),
        ("close, low", "column 1: 'close, low' is not part of the language"),
        ("SMA(*close)", "column 5: '*close' is not part of the language"),
        ("SMA(close, timeperiod=3)", "column 1: SMA: arguments go by position, leave out"),
        ("close.real", "column 1: 'close.real': only a function has outputs"),
        ("__import__('os')", "column 12: text may only stand first in ref('SPY', ...) or on"),
        ("(1)(2)", "column 1: '1' is not a function name"),
        ("a + 'b'", "column 5: text 'b' may only stand first"),
        ("-" * 60 + "1", "column 51: nested more than 50 levels deep"),
        ("1 " * 1001, "column 2000: 2002 characters; at most 2000"),
    ],
)
def test_what_is_outside_the_language_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(text)
    assert str(refused.value).startswith(message)


def test_odd_but_legal_spelling_is_read_without_a_warning() -> None:
    assert parse("1if close>2else 3") == parse("1 if close > 2 else 3")


def test_the_nearest_words_are_offered() -> None:
    assert nearest("clse", ["close", "open", "volume"]) == "; did you mean close?"
    assert nearest("sma", ["SMA", "EMA"]) == "; did you mean SMA or EMA?"
    assert nearest("zzz", ["close"]) == ""


@given(st.text(max_size=80) | st.text("acloseSMA()., +-*/<>=!'\"andornt0123456789if", max_size=120))
def test_any_text_is_a_tree_or_a_usage_error(text: str) -> None:
    with suppress(UsageError):
        assert all(part.op for part in walk(parse(text)))
