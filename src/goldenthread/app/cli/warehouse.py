"""The commands ``warehouse …`` and ``quarantine …``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from goldenthread.app.cli.options import HERE, Book, From, Json, Last, ProjectDir, To, span_of
from goldenthread.app.cli.output import emit

app = typer.Typer(no_args_is_help=True)
quarantine = typer.Typer(no_args_is_help=True)


@app.command()
def init(project: ProjectDir = HERE, as_json: Json = False) -> None:
    """Create every table and view that is missing.

    Example: goldenthread warehouse init
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.store import migrate

    emit(migrate(Project.open(project)), as_json=as_json, title="changed")


@app.command("migrate")
def migrate_(project: ProjectDir = HERE, as_json: Json = False) -> None:
    """Add nullable columns the models gained; anything else is refused before it starts.

    Example: goldenthread warehouse migrate
    """
    init(project, as_json)


@app.command()
def query(  # one flag each
    sql: Annotated[str, typer.Argument(help="A SELECT in BigQuery's dialect.")],
    first: From = "",
    until: To = "",
    last: Last = "",
    project: ProjectDir = HERE,
    as_json: Json = False,
) -> None:
    """The rows of a SELECT; tables it leaves without dates are held to the range of the flags.

    @from and @to stand for its two dates.

    Example: goldenthread warehouse query "SELECT * FROM fact_trades" --last 90d
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.store import query as run_query

    emit(
        run_query(Project.open(project), sql, span_of(first, until, last, project)), as_json=as_json
    )


@app.command()
def digest(project: ProjectDir = HERE, book: Book = "", as_json: Json = False) -> None:
    """One hash over every decided column of a book: equal decisions, equal digest.

    Example: goldenthread warehouse digest --book sim:main
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.store import digest as book_digest

    emit(book_digest(Project.open(project), book), as_json=as_json, title="digest")


@app.command()
def cost(project: ProjectDir = HERE, as_json: Json = False) -> None:
    """The bytes each query read, from the ledger.

    Example: goldenthread warehouse cost
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.store import cost as query_cost

    emit(query_cost(Project.open(project)), as_json=as_json, title="bytes read")


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="A new folder.")],
    project: ProjectDir = HERE,
    as_json: Json = False,
) -> None:
    """Every published row as Parquet, a file each table and partition, with a manifest.

    Example: goldenthread warehouse export exported
    """
    from goldenthread.app.api.operations.exports import export as export_tables
    from goldenthread.app.api.project import Project
    from goldenthread.app.cli.progress import bar

    with bar("exporting tables") as advance:
        made = export_tables(Project.open(project), folder, advance)
    emit(made, as_json=as_json, title="exported")


@app.command()
def rebuild(
    source: Annotated[Path, typer.Option("--from", help="What `warehouse export` wrote.")],
    project: ProjectDir = HERE,
    as_json: Json = False,
) -> None:
    """Bring back the rows of an export; those that are there already stay.

    Exit code 1 when a book then differs from the export, which in an empty warehouse none does.

    Example: goldenthread warehouse rebuild --from exported
    """
    from goldenthread.app.api.operations.exports import rebuild as rebuild_tables
    from goldenthread.app.api.project import Project
    from goldenthread.app.cli.progress import bar

    with bar("rebuilding tables") as advance:
        tables, differ = rebuild_tables(Project.open(project), source, advance)
    emit({"differ": differ, "tables": tables}, as_json=as_json, title="rebuilt")
    if differ:
        raise typer.Exit(1)


@quarantine.command("ls")
def ls(project: ProjectDir = HERE, book: Book = "", as_json: Json = False) -> None:
    """Rows the guardian refused, with field, value and reason.

    Example: goldenthread quarantine ls
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.store import quarantined

    emit(quarantined(Project.open(project), book), as_json=as_json, title="quarantine")


@quarantine.command()
def replay(project: ProjectDir = HERE, book: Book = "", as_json: Json = False) -> None:
    """Load the refused rows that are right now, after a fix.

    Example: goldenthread quarantine replay
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.store import replay_quarantine

    emit(replay_quarantine(Project.open(project), book), as_json=as_json, title="replayed")
