"""The commands ``check thread | broker | data | lookahead | parity``."""

from __future__ import annotations

from typing import Annotated

import typer

from goldenthread.app.cli.options import HERE, Book, Json, ProjectDir, To, date_of
from goldenthread.app.cli.output import emit

app = typer.Typer(no_args_is_help=True)


@app.command()
def thread(project: ProjectDir = HERE, book: Book = "", as_json: Json = False) -> None:
    """Whether every signal has exactly one end and every fill exactly one trade.

    Example: goldenthread check thread --json
    """
    from goldenthread.app.api.checks import check_thread
    from goldenthread.app.api.project import Project

    found = check_thread(Project.open(project), book)
    emit(found, as_json=as_json, title="thread")
    raise typer.Exit(int(not found["ok"]))


@app.command()
def broker(project: ProjectDir = HERE, book: Book = "", as_json: Json = False) -> None:
    """Whether broker and ledger agree on every holding and the cash.

    Example: goldenthread check broker
    """
    from goldenthread.app.api.checks import check_broker
    from goldenthread.app.api.project import Project

    found = check_broker(Project.open(project), book)
    emit(found, as_json=as_json, title="broker")
    raise typer.Exit(int(not found["ok"]))


@app.command()
def data(project: ProjectDir = HERE, as_json: Json = False) -> None:
    """Suspect and quarantined bars and gaps, listed one by one.

    Example: goldenthread check data
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.proofs import check_data

    rows = check_data(Project.open(project))
    emit(rows, as_json=as_json, title="bars to look at")
    raise typer.Exit(int(len(rows) > 0))


@app.command()
def lookahead(
    strategies: Annotated[
        list[str] | None, typer.Argument(help="Which strategies; all without any.")
    ] = None,
    days: Annotated[int, typer.Option("--days", min=1, help="How many dates to try.")] = 40,
    until: To = "",
    project: ProjectDir = HERE,
    as_json: Json = False,
) -> None:
    """Whether anything your strategies see or decide depends on later bars.

    Every expression is computed again with later bars cut off, and again with them null.

    Example: goldenthread check lookahead momentum --days 365 --to 2017-12-29
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.proofs import check_lookahead
    from goldenthread.app.cli.progress import bar

    upto = date_of(until, "--to") if until else None
    with bar("looking") as advance:
        found = check_lookahead(Project.open(project), days, strategies or (), upto, advance)
    emit(found, as_json=as_json, title="look-ahead")
    raise typer.Exit(int(not found["ok"]))


@app.command()
def parity(project: ProjectDir = HERE, book: Book = "", as_json: Json = False) -> None:
    """Whether rules, exchange and backtest agree: on each trade, signal, fill and daily account.

    Example: goldenthread check parity --book sim:main
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.proofs import check_parity
    from goldenthread.app.cli.progress import bar

    with bar("deciding again") as advance:
        found = check_parity(Project.open(project), book, advance)
    emit(found, as_json=as_json, title="parity")
    raise typer.Exit(int(not found["ok"]))
