"""Values as JSON has them, the same at the command line and in a browser."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import BaseModel


def plain(value: object) -> Any:  # noqa: ANN401  # any JSON value
    """The value in JSON types: exact numbers as strings, dates and instants as ISO text."""
    for kind, convert in _CONVERSIONS:
        if isinstance(value, kind):
            return convert(value)
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if hasattr(value, "to_dicts"):  # a polars frame, not imported for its name alone
        return [plain(row) for row in value.to_dicts()]
    return value


_CONVERSIONS: tuple[tuple[type | tuple[type, ...], Callable[[Any], Any]], ...] = (
    (BaseModel, lambda record: plain(record.model_dump())),
    (Mapping, lambda rows: {str(key): plain(item) for key, item in rows.items()}),
    (Decimal, lambda number: format(number, "f")),
    (dt.date, lambda date: date.isoformat()),
    (Path, str),
    (Enum, lambda member: member.value),
    ((list, tuple, set, frozenset), lambda items: [plain(item) for item in items]),
)
