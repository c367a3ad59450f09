"""What a command prints: a Rich table for people, JSON for programs."""

from __future__ import annotations

import datetime as dt
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel

_PIPED_WIDTH = 180
_LONG_ID = re.compile(r"(\d{8}-[0-9a-f]{8})[0-9a-f]{24}")
_TRAILING_ZEROS = re.compile(r"^(-?\d+)(?:\.0+|(\.\d*?[1-9])0*)$")


def emit(result: object, *, as_json: bool, title: str = "") -> None:
    """Print a result: one JSON document, or a table (a list of words, a line each)."""
    value = plain(result)
    if as_json:
        typer.echo(json.dumps(value, ensure_ascii=False))
    elif isinstance(value, str):
        typer.echo(value)
    elif isinstance(value, Mapping):
        _print_table([{"name": k, "value": v} for k, v in value.items()], title)
    elif isinstance(value, Sequence):
        _print_table(value, title)
    else:
        typer.echo(str(value))


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


def _print_table(rows: Sequence[Any], title: str) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else _PIPED_WIDTH)
    if not rows:
        console.print(f"{title}: none" if title else "none", markup=False)
        return
    if not isinstance(rows[0], Mapping):
        for row in rows:
            console.print(str(row), markup=False)
        return
    table = Table(title=title or None, title_justify="left", header_style="bold")
    for column in rows[0]:
        table.add_column(str(column), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(item) for item in row.values()))
    console.print(table)


def _cell(value: object) -> str:
    from rich.markup import escape

    if value is None:
        return "-"
    if isinstance(value, list | dict):
        return escape(json.dumps(value, ensure_ascii=False))
    if isinstance(value, float):
        return f"{value:.6g}"
    text = _LONG_ID.sub(r"\1", str(value))  # a unique prefix is enough to name a signal
    return escape(_TRAILING_ZEROS.sub(r"\1\2", text))
