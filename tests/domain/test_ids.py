from __future__ import annotations

from goldenthread.domain.ids import changed_settings


def test_settings_that_differ_are_named_by_their_path() -> None:
    before = {"entry": {"when": "a", "valid_bars": 5}, "params": {"stop": "2"}}
    after = {"entry": {"when": "a", "valid_bars": 3}, "params": {"trail": "1"}}
    assert changed_settings(before, after) == {
        "entry.valid_bars": (5, 3),
        "params.stop": ("2", None),
        "params.trail": (None, "1"),
    }
    assert changed_settings(before, before) == {}


def test_pairs_are_compared_by_name_and_by_their_order() -> None:
    before = {"factors": [["rsi", "RSI(close, 14)"], ["atr", "ATR(14)"]]}
    edited = {"factors": [["rsi", "RSI(close, 7)"], ["atr", "ATR(14)"]]}
    turned = {"factors": [["atr", "ATR(14)"], ["rsi", "RSI(close, 14)"]]}
    assert changed_settings(before, edited) == {"factors.rsi": ("RSI(close, 14)", "RSI(close, 7)")}
    assert changed_settings(before, turned) == {"factors": (["rsi", "atr"], ["atr", "rsi"])}
