from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from goldenthread.domain.errors import UsageError
from goldenthread.domain.strategy import UniverseRule
from goldenthread.market.universe import load_universes, resolve

if TYPE_CHECKING:
    from pathlib import Path

UNIVERSES = {"large": ("AAPL", "MSFT"), "coins": ("BTC/USD",)}


def test_a_universe_file_names_lists_of_symbols(tmp_path: Path) -> None:
    path = tmp_path / "universes.toml"
    path.write_text('large = ["AAPL", "MSFT"]\ncoins = ["BTC/USD"]\n')
    assert load_universes(path) == UNIVERSES


def test_without_a_file_there_are_no_universes(tmp_path: Path) -> None:
    assert load_universes(tmp_path / "universes.toml") == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("large = [", "cannot be read"),
        ('large = "AAPL"', "universe large is 'AAPL'"),
        ("large = []", "must be a list of symbols"),
        ('large = ["AAPL", 7]', "must be a list of symbols"),
        ('large = ["@coins"]', "must be a list of symbols"),
        ('[large]\nsymbols = ["AAPL"]', "one by rule is written large"),
    ],
)
def test_a_universe_that_is_no_list_of_symbols_is_a_usage_error(
    tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "universes.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=words):
        load_universes(path)


def test_universes_open_in_place_and_each_symbol_comes_once() -> None:
    assert resolve(["SPY", "@large", "AAPL", "@coins"], UNIVERSES) == (
        "SPY",
        "AAPL",
        "MSFT",
        "BTC/USD",
    )


def test_an_unknown_universe_is_a_usage_error_that_lists_what_exists() -> None:
    with pytest.raises(UsageError, match=r"'@small' does not exist; .* has @large, @coins"):
        resolve(["@small"], UNIVERSES)
    with pytest.raises(UsageError, match="none so far"):
        resolve(["@small"], {})


def test_a_universe_by_rule_names_whom_it_chooses_among(tmp_path: Path) -> None:
    path = tmp_path / "universes.toml"
    path.write_text('[liquid]\nrule = "close > 5"\namong = ["@large", "BTC/USD"]\n')
    with pytest.raises(UsageError, match="'@large' does not exist"):
        load_universes(path)
    path.write_text('large = ["AAPL"]\n' + path.read_text())
    found = load_universes(path)
    assert found["liquid"] == UniverseRule(rule="close > 5", among=("AAPL", "BTC/USD"))
    assert resolve(["@liquid"], found) == ("AAPL", "BTC/USD")
    path.write_text('liquid = { rule = "close > 5" }\n')
    with pytest.raises(UsageError, match=r"universe liquid is .* one by rule is written liquid = "):
        load_universes(path)
