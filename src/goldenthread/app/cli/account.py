"""The commands that look at a book: signals, orders, positions, trades, explain."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from goldenthread.app.cli.options import HERE, Book, From, Json, Last, ProjectDir, To, span_of
from goldenthread.app.cli.output import emit
from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    from goldenthread.app.api.project import Project

Outcome = Annotated[
    str,
    typer.Option(help="traded, open, waiting, rejected, expired or invalidated; default: all."),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for command in (signals, orders, positions, trades, explain):
        app.command()(command)


def signals(  # noqa: PLR0913  # one flag each
    outcome: Outcome = "",
    first: From = "",
    until: To = "",
    last: Last = "",
    book: Book = "",
    project: ProjectDir = HERE,
    as_json: Json = False,
) -> None:
    """Every signal and what became of it.

    net_pnl is what was made, or would have been; note says why it is missing or what it stands for.

    Example: goldenthread signals --outcome rejected --from 2012-01-01
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.records import signals as rows

    span, opened = span_of(first, until, last, project, book), Project.open(project)
    found = rows(opened, book, span, outcome)
    emit(found, as_json=as_json, title="signals", when_none=lambda: _advice(opened, book))


def orders(  # one flag each
    first: From = "",
    until: To = "",
    last: Last = "",
    book: Book = "",
    project: ProjectDir = HERE,
    as_json: Json = False,
) -> None:
    """Every order: what was asked, what the broker answered, where it stands.

    Example: goldenthread orders --from 2012-06-01 --to 2012-06-30
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.records import orders as rows

    span, opened = span_of(first, until, last, project, book), Project.open(project)
    found = rows(opened, book, span)
    emit(found, as_json=as_json, title="orders", when_none=lambda: _advice(opened, book))


def positions(book: Book = "", project: ProjectDir = HERE, as_json: Json = False) -> None:
    """What is held or waiting for its entry now.

    Example: goldenthread positions
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.records import positions as rows

    opened = Project.open(project)
    found = rows(opened, book)
    emit(found, as_json=as_json, title="positions", when_none=lambda: _advice(opened, book))


def trades(  # one flag each
    first: From = "",
    until: To = "",
    last: Last = "",
    book: Book = "",
    project: ProjectDir = HERE,
    as_json: Json = False,
) -> None:
    """Closed trades with their P&L after fees.

    Example: goldenthread trades --last 90d --to 2012-12-31
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.records import trades as rows

    span, opened = span_of(first, until, last, project, book), Project.open(project)
    found = rows(opened, book, span)
    emit(found, as_json=as_json, title="trades", when_none=lambda: _advice(opened, book))


def explain(
    what: Annotated[str, typer.Argument(help="A signal id (a unique prefix is enough) or symbol.")],
    date: Annotated[str, typer.Argument(help="With a symbol: the date.")] = "",
    html: Annotated[
        Path | None, typer.Option("--html", help="Write it as a page with its candles.")
    ] = None,
    book: Book = "",
    project: ProjectDir = HERE,
    as_json: Json = False,
) -> None:
    """Why a signal ended as it did, or why there was none.

    The page is one file without links; it can be sent to someone.

    Example: goldenthread explain 20120629-7de1 --html signal.html

    Example: goldenthread explain AAPL 2012-06-29
    """
    from goldenthread.app.api.explain import decisions, write_page
    from goldenthread.app.api.explain import explain as explain_it
    from goldenthread.app.api.project import Project

    opened = Project.open(project)
    if html is not None and date:
        msg = "--html draws one signal, got a symbol and a date; give a signal's id instead"
        raise UsageError(msg)
    if date:
        emit(decisions(opened, book, what, date), as_json=as_json)
    elif html is not None:
        emit({"page": write_page(opened, book, what, html)}, as_json=as_json)
    else:
        told = explain_it(opened, book, what)
        emit(told.as_dict() if as_json else told.as_text(), as_json=as_json)


def _advice(project: Project, book: str) -> str:
    """What to do where a table is empty because the book never ran."""
    from goldenthread.app.api.days import next_step

    return next_step(project, book)
