"""The JSON schema of a strategy file, for editors; ``python -m`` this module prints it.

The shipped ``strategy.schema.json`` is its output; a test holds the two together.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from goldenthread.domain.strategy import Strategy

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def strategy_schema() -> dict[str, Any]:
    """What a strategy file may hold, as JSON schema (draft 2020-12)."""
    plain = Strategy.model_json_schema()
    del (
        plain["properties"]["universes"],
        plain["properties"]["code"],
        plain["$defs"]["UniverseRule"],
    )
    plain["title"] = "Goldenthread strategy"
    plain["description"] = "One strategy: when to enter, what refuses it, how to leave, how much"
    schema: dict[str, Any] = {"$schema": _DRAFT, **_numbers_plain(plain)}
    return schema


def schema_text() -> str:
    """The schema as the text of the shipped file."""
    return json.dumps(strategy_schema(), indent=2, sort_keys=True) + "\n"


def _numbers_plain(part: Any) -> Any:  # noqa: ANN401  # any part of a JSON schema
    """The schema with each decimal as a plain number: TOML has no quoted ones."""
    if isinstance(part, list):
        return [_numbers_plain(item) for item in part]
    if not isinstance(part, dict):
        return part
    choices = part.get("anyOf", [])
    numeric = any(choice.get("type") == "number" for choice in choices)
    kept = [c for c in choices if not (numeric and c.get("type") == "string")]
    same = {key: _numbers_plain(value) for key, value in part.items() if key != "anyOf"}
    if len(kept) == 1:
        return {**same, **_numbers_plain(kept[0])}
    return {**same, "anyOf": _numbers_plain(kept)} if choices else same


if __name__ == "__main__":
    sys.stdout.write(schema_text())
