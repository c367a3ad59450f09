"""Python values as typed query parameters, and where a statement names them."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from google.cloud.bigquery import ArrayQueryParameter, ScalarQueryParameter

from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    Parameter = ScalarQueryParameter | ArrayQueryParameter

_NAMED = re.compile(r"@(\w+)")
_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "BOOL"),
    (int, "INT64"),
    (float, "FLOAT64"),
    (Decimal, "NUMERIC"),
    (dt.datetime, "TIMESTAMP"),
    (dt.date, "DATE"),
    (str, "STRING"),
)
"""In this order: a bool is an int, and an instant a date, to Python."""


def typed(sql: str, parameters: Mapping[str, Any]) -> list[Parameter]:
    """The parameters the statement names, each with BigQuery's type for its value.

    Raises:
        UsageError: A value of a type that has no equal in BigQuery.
    """
    named = set(_NAMED.findall(sql))
    return [_parameter(name, value) for name, value in parameters.items() if name in named]


def _parameter(name: str, value: Any) -> Parameter:  # noqa: ANN401  # any value a query may take
    if isinstance(value, list | tuple):
        kinds = {_type(name, item) for item in value} or {"STRING"}
        if len(kinds) > 1:
            msg = f"@{name}: the items are {', '.join(sorted(kinds))}; make them one type"
            raise UsageError(msg)
        return ArrayQueryParameter(name, kinds.pop(), list(value))
    return ScalarQueryParameter(name, "STRING" if value is None else _type(name, value), value)


def _type(name: str, value: Any) -> str:  # noqa: ANN401  # any value a query may take
    for kind, word in _TYPES:
        if isinstance(value, kind):
            return word
    allowed = ", ".join(kind.__name__ for kind, _ in _TYPES)
    msg = f"@{name}: got {type(value).__name__}; allowed: {allowed}, or a list of one of them"
    raise UsageError(msg)
