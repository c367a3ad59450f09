from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import goldenthread.signals
from goldenthread.signals.strategy_file import strategy_text
from goldenthread.signals.strategy_schema import schema_text, strategy_schema

SHIPPED = Path(goldenthread.signals.__file__).parent / "strategy.schema.json"


def test_the_shipped_schema_is_generated_from_the_model() -> None:
    hint = "regenerate: python -m goldenthread.signals.strategy_schema > strategy.schema.json"
    assert SHIPPED.read_text(encoding="utf-8") == schema_text(), hint


def _resolved(part: dict[str, Any]) -> dict[str, Any]:
    name = part.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = strategy_schema()["$defs"][name] if name else part
    return found


def test_the_schema_knows_every_key_of_the_starter_and_no_other() -> None:
    schema = strategy_schema()
    table = tomllib.loads(strategy_text("starter"))
    assert set(table) <= set(schema["properties"])
    assert set(schema["required"]) == {"strategy_id", "assets", "entry", "exit"}
    assert "universes" not in schema["properties"]
    assert schema["additionalProperties"] is False
    for section in ("entry", "exit", "size"):
        assert set(table[section]) <= set(_resolved(schema["properties"][section])["properties"])


def test_decimals_are_plain_numbers() -> None:
    sell = strategy_schema()["$defs"]["Target"]["properties"]["sell"]
    assert (sell["type"], sell["exclusiveMinimum"], sell["maximum"]) == ("number", 0, 1)
    assert strategy_schema()["properties"]["params"]["additionalProperties"]["type"] == "number"
