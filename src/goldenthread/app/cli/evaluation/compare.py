"""The command ``compare``."""

from __future__ import annotations

from typing import Annotated

import typer

from goldenthread.app.cli.options import HERE, From, Json, ProjectDir, To, date_of
from goldenthread.app.cli.output import emit

_SIDE = "A book, the folder of a saved backtest, or a version: breakout@3fa2, breakout@file."
SideA = Annotated[str, typer.Argument(metavar="A", help=_SIDE)]
SideB = Annotated[str, typer.Argument(metavar="B", help="The other; amounts are B less A.")]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(compare)


def compare(
    a: SideA,
    b: SideB,
    first: From = "",
    until: To = "",
    project: ProjectDir = HERE,
    as_json: Json = False,
) -> None:
    """Why B made other money than A of the same signals: causes that sum to the difference.

    Versions run by themselves on your bars: a tenth of 100000 a signal, cash not shared. --json
    has every signal that differs, and exact amounts.

    Example: goldenthread compare sim:main paper:PA3XYZ --from 2012-06-01

    Example: goldenthread compare breakout@3fa2 breakout@file
    """
    from goldenthread.app.api.evaluation.compare import compare as set_against
    from goldenthread.app.api.project import Project
    from goldenthread.app.cli.progress import working

    span = (
        date_of(first, "--from") if first else None,
        date_of(until, "--to") if until else None,
    )
    with working("comparing"):
        found = set_against(Project.open(project), a, b, span)
    emit(found.as_dict() if as_json else found.as_text(), as_json=as_json)
