"""What a command prints: a Rich table for people, JSON for programs."""

from __future__ import annotations

import json
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from itertools import zip_longest
from typing import Any

import typer

from goldenthread.app.api.browsing.plain import plain

_PIPED_CELL = 100
"""The widest a column gets in a file or pipe; a longer text goes on in the next line."""
_LONG_ID = re.compile(r"(\d{8}-[0-9a-f]{8})[0-9a-f]{24}")
_LONG_NUMBER = re.compile(r"^(-?\d+\.\d{6})\d+$")
_AMOUNT = re.compile(r"(pnl|equity|cash|fees|dividends)$")
"""The names of columns that hold money in dollars."""
_NUMBER = re.compile(r"^(-?[\d,]+(\.\d+)?|-)$")
_SPACE = re.compile(r"\s+")
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
        say(value)
    elif isinstance(value, Mapping):
        _print_record(value, title)
    elif isinstance(value, Sequence):
        _print_table(value, title)
        if not value and (advice := when_none()):
            say(advice)
    else:
        typer.echo(str(value))


def say(words: str) -> None:
    """Print sentences; in a terminal a long one goes on in the next line, between words.

    What is one word, a path for example, stays whole.
    """
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize
    for line in words.split("\n"):
        told = [line]
        if len(line) > width:
            told = textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False)
        typer.echo("\n".join(told))


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
    from rich.markup import escape
    from rich.table import Table

    if not rows:
        say(f"{title}: none" if title else "none")
        return
    if not isinstance(rows[0], Mapping):
        for row in rows:
            say(str(row))
        return
    cells = [[_cell(item, _named(key, row)) for key, item in row.items()] for row in rows]
    piped, names = not sys.stdout.isatty(), [str(name) for name in rows[0]]
    widest = (_PIPED_CELL + 3) * len(names) + 1
    width = widest if piped else None
    console = Console(width=width)
    if console.no_color:  # it asks the environment for NO_COLOR; bold and italic go as well
        console = Console(width=width, color_system=None)
    if not piped and _narrowest(names, cells) > console.width:
        typer.echo("\n".join(_stacked(names, cells, console.width, title)))
        return
    table = Table(title=title or None, title_justify="left", header_style="bold")
    for place, name in enumerate(names):
        whole = not piped and not any(_SPACE.search(row[place]) for row in cells)
        width = _PIPED_CELL if piped else None
        numbers = all(_NUMBER.match(row[place]) for row in cells)
        table.add_column(
            name,
            overflow="fold",
            max_width=width,
            no_wrap=whole,
            justify="right" if numbers else "left",
        )
    for row in cells:
        table.add_row(*(escape(cell) for cell in row))
    console.print(table)


def _narrowest(names: Sequence[str], cells: Sequence[Sequence[str]]) -> int:
    """The width a table needs that breaks no word."""
    columns = zip(names, *cells, strict=True)
    words = (max(len(w) for cell in column for w in _SPACE.split(cell)) for column in columns)
    return sum(words) + 3 * len(names) + 1


def _stacked(
    names: Sequence[str], cells: Sequence[Sequence[str]], width: int, title: str
) -> list[str]:
    """A table too wide for the terminal: each row on several lines, columns still aligned."""
    places = [
        min(max(len(line) for cell in column for line in cell.split("\n")), width - 2)
        for column in zip(names, *cells, strict=True)
    ]
    storeys: list[list[int]] = [[]]
    for place, size in enumerate(places):
        used = sum(places[other] + 2 for other in storeys[-1])
        if storeys[-1] and used + size > width - 2:
            storeys.append([])
        storeys[-1].append(place)
    lines = _folded(title, width) if title else []
    for row in (names, *cells):
        for number, storey in enumerate(storeys):
            folded = [_folded(row[place], places[place]) for place in storey]
            for parts in zip_longest(*folded, fillvalue=""):
                padded = (f"{p:<{places[place]}}" for p, place in zip(parts, storey, strict=True))
                lines.append(f"{'  ' * bool(number)}{'  '.join(padded)}".rstrip())
        if row is names:
            lines.append("-" * width)
    return lines


def _folded(text: str, width: int) -> list[str]:
    lines = (textwrap.wrap(line, width, break_on_hyphens=False) for line in text.split("\n"))
    return [part for line in lines for part in line or [""]]


def _named(key: str, row: Mapping[str, Any]) -> str:
    """What a cell is called: its column, or the name beside it in a list of names and values."""
    return str(row["name"]) if key == "value" and "name" in row else key


def _cell(value: object, name: str = "") -> str:
    if value is None or value in ([], {}):
        return "-"
    if isinstance(value, list) and not _is_table(value):
        return "\n".join(str(item) for item in value)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float):
        return f"{value:.6g}"
    text = _LONG_ID.sub(r"\1", str(value))  # a unique prefix is enough to name a signal
    if _AMOUNT.search(name) and _NUMBER.match(text):
        return f"{Decimal(text):,.2f}"  # --json has every digit
    if _LONG_NUMBER.match(text):
        short = f"{Decimal(text):.6f}"  # a person reads six decimals, --json has all
        text = short if Decimal(short) else text  # but something is not shown as nothing
    return _TRAILING_ZEROS.sub(r"\1\2", text)
