"""The commands ``strategy new | check | ls | diff | history | sync | promote``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from goldenthread.app.cli.options import HERE, Book, Json, ProjectDir
from goldenthread.app.cli.output import emit
from goldenthread.domain.strategy import StrategyStatus

app = typer.Typer(no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The strategy's id.")]


@app.command()
def new(name: Name, project: ProjectDir = HERE, as_json: Json = False) -> None:
    """Write a commented strategy file to start from.

    Example: goldenthread strategy new my_breakout
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.strategies import new_strategy

    found = new_strategy(Project.open(project), name)
    emit(found if as_json else [f"written: {found.written}", *found.next], as_json=as_json)


@app.command()
def check(
    files: Annotated[list[Path] | None, typer.Argument(help="Files; default: all.")] = None,
    project: ProjectDir = HERE,
    as_json: Json = False,
) -> None:
    """Whether the strategy files are right, and what they would do on your bars.

    Example: goldenthread strategy check strategies/breakout.toml
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.strategies import check_strategies
    from goldenthread.app.cli.progress import working

    with working("deciding on your bars"):
        rows = check_strategies(Project.open(project), files or [])
    emit(rows, as_json=as_json, title="strategies")
    raise typer.Exit(2 if any(row["error"] for row in rows) else 0)


@app.command("ls")
def ls(project: ProjectDir = HERE, as_json: Json = False) -> None:
    """The strategies of the folder with their versions.

    Example: goldenthread strategy ls --json
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.strategies import list_strategies

    emit(list_strategies(Project.open(project)), as_json=as_json, title="strategies")


@app.command()
def diff(name: Name, project: ProjectDir = HERE, book: Book = "", as_json: Json = False) -> None:
    """What the file changes against the version in force in the book.

    Example: goldenthread strategy diff breakout
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.strategies import diff_strategy

    emit(diff_strategy(Project.open(project), book, name), as_json=as_json, title=f"diff {name}")


@app.command()
def history(name: Name, project: ProjectDir = HERE, book: Book = "", as_json: Json = False) -> None:
    """Every version of a strategy the book has known, and when it was in force.

    Example: goldenthread strategy history breakout
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.strategies import strategy_history

    rows = strategy_history(Project.open(project), book, name)
    emit(rows, as_json=as_json, title=f"history of {name}")


@app.command()
def sync(project: ProjectDir = HERE, book: Book = "", as_json: Json = False) -> None:
    """Open and close versions so that the book matches the files; a run does it by itself.

    Example: goldenthread strategy sync
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.strategies import sync_strategies

    emit(sync_strategies(Project.open(project), book), as_json=as_json, title="versions")


@app.command()
def promote(
    name: Annotated[str, typer.Argument(help="The sweep's id, or its first letters.")],
    top: Annotated[int, typer.Option("--top", min=1, help="How many of the best.")] = 5,
    status: Annotated[
        StrategyStatus, typer.Option("--as", help="What the new strategies do at first.")
    ] = StrategyStatus.SHADOW,
    project: ProjectDir = HERE,
    as_json: Json = False,
) -> None:
    """Write the best permutations of a sweep as strategies that name their parent.

    Example: goldenthread strategy promote 3fa9 --top 5 --as shadow
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.research.sweeps import promote as promote_best

    rows = promote_best(Project.open(project), name, top, status)
    emit(rows, as_json=as_json, title="promoted")
