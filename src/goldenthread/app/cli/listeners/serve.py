"""The command ``serve``: what a book did and why, in a browser."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from goldenthread.app.cli.options import HERE, Book, Json, ProjectDir
from goldenthread.app.cli.output import emit


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(serve)


def serve(  # one flag each
    port: Annotated[int, typer.Option("--port", help="0 is a free one.")] = 8190,
    host: Annotated[
        str, typer.Option("--host", help="Any but 127.0.0.1 wants GOLDENTHREAD_SERVE__TOKEN.")
    ] = "127.0.0.1",
    name: Annotated[
        list[str] | None,
        typer.Option("--name", help="What browsers call this machine; more than once for more."),
    ] = None,
    book: Book = "",
    project: ProjectDir = HERE,
    as_json: Json = False,
) -> None:
    """Show a book in the browser, with its JSON under /api, until Ctrl-C.

    It reads the published copy and writes nothing. With GOLDENTHREAD_SERVE__TOKEN set, it asks
    for that token.

    Example: goldenthread serve
    Example: goldenthread serve --book sim:main --port 9000
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.web.server import DashboardServer
    from goldenthread.app.web.terms import ServeTerms

    opened = Project.open(project)
    token = opened.settings.serve.token.get_secret_value()
    if book:
        opened.book(book)
    server = DashboardServer(ServeTerms(opened, book, host, port, tuple(name or ()), token))
    shown = {
        "url": server.url,
        "book": book or "the one begun",
        "asks": "for the token" if token else "nothing",
    }
    emit(shown, as_json=as_json, title="dashboard")
    sys.stdout.flush()
    try:
        server.run()
    except KeyboardInterrupt:
        typer.echo("dashboard: closed", err=True)
