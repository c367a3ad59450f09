"""Options that many commands share, spelled once."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer

from goldenthread.domain.errors import UsageError

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Book = Annotated[
    str,
    typer.Option(
        "--book",
        help="The book, e.g. sim:main (default: that of the settings; to look at: the only one).",
    ),
]
ProjectDir = Annotated[
    Path, typer.Option("--project", help="The folder that holds goldenthread.toml.")
]
From = Annotated[str, typer.Option("--from", help="First date, YYYY-MM-DD.")]
To = Annotated[str, typer.Option("--to", help="Last date, YYYY-MM-DD.")]
Last = Annotated[
    str,
    typer.Option(
        "--last", help="Instead of --from: 90d, 12w or 1y back from --to (default: the last run)."
    ),
]

HERE = Path()
_DAYS = {"d": 1, "w": 7, "y": 365}


def date_of(text: str, flag: str) -> dt.date:
    """The date a flag was given.

    Raises:
        UsageError: It is not a calendar date in ISO form.
    """
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        msg = f"{flag} got {text!r}, no date of the calendar; one looks like 2024-01-31"
        raise UsageError(msg) from error


def number_of(text: str, flag: str) -> Decimal:
    """The exact number a flag was given.

    Raises:
        UsageError: It is none.
    """
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        msg = f"{flag} got {text!r}, which is no number; one looks like 0.1 or 100000"
        raise UsageError(msg)
    return value


def span_of(
    first: str, until: str, last: str = "", project: Path = HERE, book: str = ""
) -> tuple[dt.date, dt.date]:
    """The date range the flags ask for; all of history where they say nothing.

    Raises:
        UsageError: A flag is not a date, the range is empty, or both --from and --last are given.
    """
    end = date_of(until, "--to") if until else dt.date(9999, 12, 31)
    if first and last:
        msg = "--from and --last were both given; use one of them"
        raise UsageError(msg)
    if last:
        end = end if until else _newest(project, book)
        return _back(end, last), end
    start = date_of(first, "--from") if first else dt.date(1900, 1, 1)
    if start > end:
        msg = f"--from {start} is after --to {end}; swap them"
        raise UsageError(msg)
    return start, end


def _newest(project: Path, book: str) -> dt.date:
    from goldenthread.app.api.days import status
    from goldenthread.app.api.project import Project

    found = status(Project.open(project), book)
    newest = found["last_run"] or found["last_bar"]
    if not isinstance(newest, dt.date):
        msg = (
            "--last counts back from the last date there is, and there is none yet; bring bars with"
            " `goldenthread data import FILE.csv|.parquet`, or give --to as well"
        )
        raise UsageError(msg)
    return newest


def _back(end: dt.date, last: str) -> dt.date:
    number, unit = last[:-1], last[-1:]
    if not number.isdigit() or unit not in _DAYS:
        msg = f"--last got {last!r}; allowed are days, weeks or years, e.g. 90d, 12w, 1y"
        raise UsageError(msg)
    try:
        return end - dt.timedelta(days=int(number) * _DAYS[unit])
    except (OverflowError, ValueError) as error:
        msg = f"--last {last} goes back before the first year; give fewer, or --from"
        raise UsageError(msg) from error
