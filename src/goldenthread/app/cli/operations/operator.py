"""The commands of an operator: halt, resume, pause, freeze, thaw, flatten."""

from __future__ import annotations

from typing import Annotated

import typer

from goldenthread.app.cli.options import HERE, Book, Json, ProjectDir
from goldenthread.app.cli.output import emit

Reason = Annotated[str, typer.Option("--reason", help="Why, for the log.")]
StrategyId = Annotated[str, typer.Argument(metavar="STRATEGY", help="The id of a strategy.")]
Symbol = Annotated[str, typer.Argument(metavar="SYMBOL", help="AAPL, BTC/USD …")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for command in (halt, resume, pause, freeze, thaw, flatten):
        app.command()(command)


def halt(
    reason: Reason = "operator",
    book: Book = "",
    project: ProjectDir = HERE,
    as_json: Json = False,
) -> None:
    """Stop every new entry at once; exits go on.

    Example: goldenthread halt --reason "broker maintenance"
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.safety import halt as halt_book

    emit(halt_book(Project.open(project), book, reason), as_json=as_json)


def resume(
    strategy: StrategyId = "",
    book: Book = "",
    project: ProjectDir = HERE,
    as_json: Json = False,
) -> None:
    """Allow new entries again: of the book, or of the one strategy named.

    Without a strategy every pause and freeze stays as it is.

    Example: goldenthread resume

    Example: goldenthread resume breakout
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.safety import resume as resume_book

    emit(resume_book(Project.open(project), book, strategy), as_json=as_json)


def pause(
    strategy: StrategyId,
    reason: Reason = "operator",
    book: Book = "",
    project: ProjectDir = HERE,
    as_json: Json = False,
) -> None:
    """Have a strategy's signals refused (STRATEGY_PAUSED) and priced; its exits go on.

    Example: goldenthread pause breakout --reason "earnings week"
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.safety import pause as pause_strategy

    emit(pause_strategy(Project.open(project), book, strategy, reason), as_json=as_json)


def freeze(
    symbol: Symbol,
    reason: Reason = "operator",
    book: Book = "",
    project: ProjectDir = HERE,
    as_json: Json = False,
) -> None:
    """Have every signal in a symbol refused (SYMBOL_FROZEN) and priced; its exits go on.

    Example: goldenthread freeze AAPL --reason "takeover rumours"
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.safety import freeze as freeze_symbol

    emit(freeze_symbol(Project.open(project), book, symbol, reason), as_json=as_json)


def thaw(
    symbol: Symbol, book: Book = "", project: ProjectDir = HERE, as_json: Json = False
) -> None:
    """Allow entries into a symbol that an operator froze.

    What a run froze, because the broker holds something else than we, a run thaws.

    Example: goldenthread thaw AAPL
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.safety import thaw as thaw_symbol

    emit(thaw_symbol(Project.open(project), book, symbol), as_json=as_json)


def flatten(
    confirm: Annotated[str, typer.Option("--confirm", help="The book's name, typed out.")] = "",
    book: Book = "",
    project: ProjectDir = HERE,
    as_json: Json = False,
) -> None:
    """Have the next run close every position and cancel every waiting entry.

    Example: goldenthread flatten --confirm sim:main
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.safety import flatten as flatten_book

    emit(flatten_book(Project.open(project), book, confirm), as_json=as_json)
