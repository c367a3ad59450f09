from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldenthread.domain.errors import UsageError
from goldenthread.domain.strategy import Side, Strategy, StrategyStatus
from goldenthread.signals.strategy_file import parse_strategy, read_strategy, strategy_text

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """strategy_id = "breakout"
description = "Buy a 20-day high"
assets = ["BTC/USD", "@stocks"]
timeframe = "1D"
side = "short"
status = "shadow"

[params]
rsi_max = 70
stop_atr = 2.50

[factors]
rsi = "RSI(close, 14)"

[entry]
when = "close >= HIGHEST(close, 20)"
order = "limit"
price = "close * 0.99"
valid_bars = 2

[reject_unless]
RSI_TOO_HIGH = "rsi < rsi_max"

[exit]
stop = "entry + stop_atr"
targets = [
    { at = "entry - 2", sell = 0.5 },
]
max_bars = 40

[size]
mode = "cash"
cash = 1000
"""


def test_a_file_is_read_into_values(tmp_path: Path) -> None:
    path = tmp_path / "breakout.toml"
    path.write_text(TEXT, encoding="utf-8")
    strategy = read_strategy(path)
    assert strategy.strategy_id == "breakout"
    assert strategy.assets == ("BTC/USD", "@stocks")
    assert (strategy.side, strategy.status) == (Side.SHORT, StrategyStatus.SHADOW)
    assert strategy.params == {"rsi_max": Decimal(70), "stop_atr": Decimal("2.5")}
    assert list(strategy.reject_unless) == ["RSI_TOO_HIGH"]
    assert strategy.entry.valid_bars == 2
    assert strategy.exit.targets[0].sell == Decimal("0.5")
    assert strategy.size.cash == Decimal(1000)


def test_comments_spacing_and_trailing_zeros_are_no_new_version() -> None:
    spaced = TEXT.replace("stop_atr = 2.50", "stop_atr   = 2.5   # wider").replace("Buy", "Get")
    assert parse_strategy(spaced).version_key == parse_strategy(TEXT).version_key
    other = TEXT.replace("2.50", "2.51")
    assert parse_strategy(other).version_key != parse_strategy(TEXT).version_key


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("breakout", "Breakout", "line 1: strategy_id: must be a letter followed by"),
        ('"1D"', '"1H"', "line 4: timeframe: '1H' is not allowed; allowed: 1D (daily bars only)"),
        ('"short"', '"shrt"', "line 5: side: 'shrt' is not allowed; did you mean short?"),
        ("rsi_max = 70", 'rsi_max = "70"', "line 9: params.rsi_max: must be a number, got '70'"),
        ("rsi_max = 70", "rsi_max = true", "line 9: params.rsi_max: must be a number, got True"),
        ("rsi_max = 70", "rsi_max = inf", "line 9: params.rsi_max: Infinity is out of range"),
        ("rsi_max = 70", "rsi_max = 1e400", "line 9: params.rsi_max: 1E+400 is out of range"),
        ("rsi_max = 70", "rsi_max = 1e-400", "line 9: params.rsi_max: 1E-400 is out of range"),
        ("rsi_max = 70", "# rsi_max = 70\nrsi_max = true", "line 10: params.rsi_max: must be"),
        ("rsi_max = 70", "rsi = 70", "line 13: factors.rsi: 'rsi' is a parameter too"),
        ("RSI(close", "RSY(close", "line 13: factors.rsi, column 1: unknown function 'RSY'; did"),
        ("valid_bars", "valid_bar", "line 19: entry.valid_bar: unknown key 'valid_bar'; did you"),
        ("valid_bars = 2", "valid_bars = 2.5", "line 19: entry.valid_bars: must be a whole number"),
        ("valid_bars = 2", "valid_bars = 0", "line 19: entry.valid_bars: input should be greater"),
        ('price = "close * 0.99"\n', "", "line 17: entry.order: order"),
        ("rsi < rsi_max", "rsi < rs_max", "line 22: reject_unless.RSI_TOO_HIGH, column 7: unknown"),
        ("entry - 2", "entri - 2", "line 27: exit.targets[1].at, column 1: unknown name 'entri'"),
        ("sell = 0.5", "sell = 1.5", "line 27: exit.targets[1].sell: input should be less than or"),
        ("max_bars = 40", "", "line 24: exit.max_bars: 'max_bars' is missing; it is mandatory, so"),
        ('"cash"\n', '"all_in"\n', "line 32: size.mode: 'all_in' is not allowed; allowed: risk, "),
        ("cash = 1000", "cash = 0", "line 33: size.cash: input should be greater than 0, got 0"),
        ("[params]", "[params", "strategy.toml: not TOML: Expected ']'"),
        ("[exit]", "[exits]", "line 24: exits: unknown key 'exits'; did you mean exit?"),
        ('["BTC/USD", "@stocks"]', '"AAPL"', "line 3: assets: must be a list, got 'AAPL'"),
        ('"@stocks"', "5", "line 3: assets[2]: must be text in quotes, got 5"),
        ('["BTC/USD", "@stocks"]', "[]", "line 3: assets: tuple should have at least 1 item"),
    ],
)
def test_errors_name_line_key_value_and_what_is_allowed(old: str, new: str, message: str) -> None:
    assert old in TEXT
    with pytest.raises(UsageError) as refused:
        parse_strategy(TEXT.replace(old, new, 1), "strategy.toml")
    said = str(refused.value)
    assert said.removeprefix("strategy.toml, ").startswith(message), said


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"a = " + b"[" * 20_000, b"x = 1" + b"1" * 5_000, b"\x00"],
)
def test_a_file_that_is_no_strategy_is_a_usage_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"bad\.toml"):
        read_strategy(path)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.toml"
    path.write_text(TEXT + "#" * 70_000, encoding="utf-8")
    with pytest.raises(UsageError, match=r"large\.toml is larger than 65536 bytes"):
        read_strategy(path)


def test_a_missing_file_or_a_folder_is_a_usage_error(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(UsageError, match="cannot be read"):
            read_strategy(path)


def test_a_new_strategy_is_a_commented_file_that_reads_back() -> None:
    text = strategy_text("my_idea")
    assert parse_strategy(text).strategy_id == "my_idea"
    assert text.count("#") > 10
    copied = strategy_text("copy_of_it", TEXT)
    assert copied == TEXT.replace("breakout", "copy_of_it", 1)
    with pytest.raises(UsageError, match="strategy_id: must be"):
        strategy_text("Mine!")


LINES = TEXT.splitlines()
VALUES = st.one_of(
    st.sampled_from(["nan", "1e999", "-1", "true", '"close > 1"', "[]", "{}", "1979-05-27", '""']),
    st.text('close()+-*/<>. "5[]{}=,', max_size=20),
)


@st.composite
def mangled(draw: st.DrawFn) -> str:
    """The file with lines dropped, doubled, or given another value."""
    lines = []
    for line in LINES:
        fate = draw(st.sampled_from(["keep"] * 12 + ["drop", "double", "value", "text"]))
        key = line.partition("=")[0]
        changed = {
            "keep": [line],
            "drop": [],
            "double": [line, line],
            "value": [f"{key}= {draw(VALUES)}"],
            "text": [draw(st.text(max_size=20))],
        }
        lines += changed[fate]
    return "\n".join(lines)


@settings(max_examples=300, deadline=None)
@given(mangled() | st.text(max_size=200))
def test_any_text_is_a_strategy_or_a_usage_error(text: str) -> None:
    with suppress(UsageError):
        assert isinstance(parse_strategy(text), Strategy)


@settings(max_examples=100, deadline=None)
@given(st.text("close open()><=+-*/.,0123456789 SMARSILAGandornotifelse'_", max_size=60))
def test_any_expression_is_taken_or_refused_with_its_place(expression: str) -> None:
    text = TEXT.replace("close >= HIGHEST(close, 20)", expression)
    refused = ""
    try:
        parse_strategy(text)
    except UsageError as error:
        refused = str(error)
    assert not refused or "line 16: entry.when, column" in refused
