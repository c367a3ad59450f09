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

_PIPED_CELL = 100
"""The widest a column gets in a file or pipe; a longer text goes on in the next line."""
_LONG_ID = re.compile(r"(\d{8}-[0-9a-f]{8})[0-9a-f]{24}")
_LONG_NUMBER = re.compile(r"^(-?\d+\.\d{6})\d+$")
_TRAILING_ZEROS = re.compile(r"^(-?\d+)(?:\.0+|(\.\d*?[1-9])0*)$")


def emit(
    result: object,
    *,
    as_json: bool,
    title: str = "",
    when_none: Callable[[], str] = str,
) -> None:
    """Print a result: one JSON document, or a table (a list of words, a line each).

    ``when_none`` tells people what to do where there are no rows; empty when nothing.
    """
    value = plain(result)
    if as_json:
        typer.echo(json.dumps(value, ensure_ascii=False))
    elif isinstance(value, str):
        typer.echo(value)
    elif isinstance(value, Mapping):
        _print_record(value, title)
    elif isinstance(value, Sequence):
        _print_table(value, title)
        if not value and (advice := when_none()):
            typer.echo(advice)
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


def _print_record(record: Mapping[str, Any], title: str) -> None:
    """One thing: its plain values as a table, each list of records as a table of its own."""
    tables = {name: rows for name, rows in record.items() if _is_table(rows)}
    nested = {name: value for name, value in record.items() if isinstance(value, Mapping) and value}
    plain_values = {k: v for k, v in record.items() if k not in tables and k not in nested}
    flat = [
        *({"name": name, "value": value} for name, value in plain_values.items()),
        *(
            {"name": f"{name}.{key}", "value": v}
            for name in nested
            for key, v in nested[name].items()
        ),
    ]
    _print_table(flat, title)
    for name, rows in tables.items():
        _print_table(rows, name.replace("_", " "))


def _is_table(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _print_table(rows: Sequence[Any], title: str) -> None:
    from rich.console import Console
    from rich.table import Table

    if not rows:
        typer.echo(f"{title}: none" if title else "none")
        return
    if not isinstance(rows[0], Mapping):
        for row in rows:
            typer.echo(str(row))
        return
    piped = not sys.stdout.isatty()
    table = Table(title=title or None, title_justify="left", header_style="bold")
    for column in rows[0]:
        table.add_column(str(column), overflow="fold", max_width=_PIPED_CELL if piped else None)
    for row in rows:
        table.add_row(*(_cell(item) for item in row.values()))
    widest = (_PIPED_CELL + 3) * len(rows[0]) + 1
    Console(width=widest if piped else None).print(table)


def _cell(value: object) -> str:
    from rich.markup import escape

    if value is None or value in ([], {}):
        return "-"
    if isinstance(value, list) and not _is_table(value):
        return escape("\n".join(str(item) for item in value))
    if isinstance(value, list | dict):
        return escape(json.dumps(value, ensure_ascii=False))
    if isinstance(value, float):
        return f"{value:.6g}"
    text = _LONG_ID.sub(r"\1", str(value))  # a unique prefix is enough to name a signal
    if _LONG_NUMBER.match(text):
        text = f"{Decimal(text):.6f}"  # a person reads six decimals, --json has all
    return escape(_TRAILING_ZEROS.sub(r"\1\2", text))
