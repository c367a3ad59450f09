"""The commands ``backup`` and ``restore``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from goldenthread.app.cli.options import HERE, Json, ProjectDir
from goldenthread.app.cli.output import emit


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(backup)
    app.command()(restore)


def backup(
    target: Annotated[
        Path, typer.Argument(metavar="FOLDER|FILE", help="A folder there is, or a new file.")
    ],
    project: ProjectDir = HERE,
    as_json: Json = False,
) -> None:
    """The whole project in one file: stores, exchange, bars, settings and strategies.

    A run at work is waited for, and none can begin while the stores are copied.

    Example: goldenthread backup /var/backups
    """
    from goldenthread.app.api.operations.backup import backup as back_up
    from goldenthread.app.api.project import Project
    from goldenthread.app.cli.progress import bar

    with bar("packing") as advance:
        kept = back_up(Project.open(project), target, advance)
    emit(kept, as_json=as_json, title="backup")


def restore(
    file: Annotated[Path, typer.Argument(help="What `backup` wrote.")],
    project: ProjectDir = HERE,
    as_json: Json = False,
) -> None:
    """The project of a backup in a new or empty folder; every file is compared with its digest.

    Example: goldenthread restore goldenthread-20240102T000700Z.zip --project desk2
    """
    from goldenthread.app.api.operations.backup import restore as restore_into
    from goldenthread.app.cli.progress import bar

    with bar("unpacking") as advance:
        kept = restore_into(file, project, advance)
    emit(kept, as_json=as_json, title="restored")
