"""The commands ``data import``, ``data import-factors``, ``data ls`` and ``data pull``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from goldenthread.app.cli.options import HERE, From, Json, ProjectDir, date_of
from goldenthread.app.cli.output import emit
from goldenthread.domain.errors import UsageError

app = typer.Typer(no_args_is_help=True)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A .csv or .parquet file of daily bars.")],
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--map", help="OURS=THEIRS, e.g. close=Adj_Close, or symbol==AAPL for all rows."
        ),
    ] = None,
    actions: Annotated[
        list[Path] | None,
        typer.Option("--actions", help="A CSV of corporate actions, or a folder of LEAN files."),
    ] = None,
    project: ProjectDir = HERE,
    as_json: Json = False,
) -> None:
    """Bring your own daily bars; bad rows are set aside and listed, never repaired.

    Example: goldenthread data import bars.csv --map ds=Date --map close="Close Price"
    """
    from goldenthread.app.api.bars import import_bars
    from goldenthread.app.api.project import Project
    from goldenthread.app.cli.progress import working

    mapping = dict(_pair(text) for text in columns or [])
    with working("reading and judging bars"):
        result = import_bars(Project.open(project), file, mapping, actions or [])
    emit(result, as_json=as_json, title="imported")
    raise typer.Exit(int(result.refused > 0))


@app.command("import-factors")
def import_factors(
    file: Annotated[
        Path, typer.Argument(help="A .csv or .parquet file: symbol, ds, known_at, value.")
    ],
    name: Annotated[str, typer.Option("--name", help="What [inputs] of a strategy calls it.")],
    project: ProjectDir = HERE,
    as_json: Json = False,
) -> None:
    """Bring a point-in-time table, a model's score for example, that strategies may read.

    Example: goldenthread data import-factors scores.csv --name score
    """
    from goldenthread.app.api.bars import import_factors as bring
    from goldenthread.app.api.project import Project
    from goldenthread.app.cli.progress import working

    with working("reading the table"):
        result = bring(Project.open(project), file, name)
    emit(result, as_json=as_json, title="imported")
    raise typer.Exit(int(result["refused"] != 0))


@app.command("ls")
def ls(project: ProjectDir = HERE, as_json: Json = False) -> None:
    """What bars there are: first, last, missing, suspect and quarantined, a line a symbol.

    Example: goldenthread data ls
    """
    from goldenthread.app.api.bars import coverage
    from goldenthread.app.api.project import Project

    emit(coverage(Project.open(project)), as_json=as_json, title="bars")


@app.command()
def pull(
    symbols: Annotated[
        list[str] | None,
        typer.Argument(help="Symbols (default: those with bars and those of the strategies)."),
    ] = None,
    first: From = "",
    project: ProjectDir = HERE,
    as_json: Json = False,
) -> None:
    """Bring the bars up to date from the market data engine of the settings.

    Example: goldenthread data pull AAPL BTC/USD --from 2020-01-01
    """
    from goldenthread.app.api.bars import PULL_SINCE, pull_bars
    from goldenthread.app.api.project import Project
    from goldenthread.app.cli.progress import bar

    since = date_of(first, "--from") if first else PULL_SINCE
    with bar("pulling symbols") as advance:
        result = pull_bars(Project.open(project), symbols or [], since, advance)
    emit(result, as_json=as_json, title="pulled")
    raise typer.Exit(int(bool(result.refused or result.unknown)))


def _pair(text: str) -> tuple[str, str]:
    ours, equals, theirs = text.partition("=")
    if not (ours and equals and theirs):
        msg = f"--map got {text!r}; it takes OURS=THEIRS, e.g. --map close=Adj_Close"
        raise UsageError(msg)
    return ours.strip(), theirs.strip()
