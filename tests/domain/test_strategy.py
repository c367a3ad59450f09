"""Canonical configurations: what is a new version, and what is not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from goldenthread.domain.strategy import Strategy

CONFIG: dict[str, Any] = {
    "strategy_id": "breakout",
    "assets": ("AAPL",),
    "params": {"rsi_max": Decimal("70.0")},
    "factors": {"b": "close", "a": "open"},
    "entry": {"when": "close > 1"},
    "reject_unless": {"Z": "close > 1", "A": "close > 2"},
    "exit": {
        "stop": "entry * 0.9",
        "targets": [{"at": "entry * 2", "sell": "0.50"}],
        "max_bars": 5,
    },
}


def _strategy(**changes: object) -> Strategy:
    return Strategy.model_validate({**CONFIG, **changes})


def test_a_description_and_the_spelling_of_a_number_make_no_new_version() -> None:
    same = _strategy(description="words", params={"rsi_max": Decimal(70)})
    assert same.version_key == _strategy().version_key


def test_the_order_of_filters_and_factors_is_content() -> None:
    swapped = _strategy(reject_unless={"A": "close > 2", "Z": "close > 1"})
    assert swapped.version_key != _strategy().version_key
    assert _strategy(factors={"a": "open", "b": "close"}).version_key != _strategy().version_key


def test_a_canonical_configuration_leads_back_to_the_same_version() -> None:
    strategy = _strategy()
    again = Strategy.from_canonical(strategy.canonical())
    assert again.version_key == strategy.version_key
    assert list(again.factors) == ["b", "a"]
    assert again.exit.targets[0].sell == Decimal("0.5")


def test_of_code_the_configuration_holds_the_digest_and_without_code_nothing() -> None:
    plain, coded = _strategy(), _strategy(code={"a.py": "print(1)\n"})
    digest = "cc42155088fca5730758db72b2a5bca33112a941dfaa2d43098ec422ce4ea213"  # sha256sum's
    assert coded.canonical()["code"] == {"a.py": digest}
    assert "code" not in plain.canonical()
    before = "9e213299a339042d1421dce207a1f75751251f1b81ddd7fd7b1a45906070aeb0"
    assert plain.version_key == before  # what it was when there was no code yet
    again = Strategy.from_canonical(coded.canonical(), coded.code)
    assert again.version_key == coded.version_key != plain.version_key


def test_every_expression_is_told_by_its_place() -> None:
    told = _strategy(
        universes={"top": {"rule": "close > 5", "among": ("AAPL",)}, "fix": ("IBM",)}
    ).expressions
    assert told == {
        "universes.toml, top": "close > 5",
        "factors.b": "close",
        "factors.a": "open",
        "entry.when": "close > 1",
        "reject_unless.Z": "close > 1",
        "reject_unless.A": "close > 2",
        "exit.targets[1].at": "entry * 2",
        "exit.stop": "entry * 0.9",
    }
