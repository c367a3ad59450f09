"""The first commands: demo, init, doctor, show-config, rules."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from goldenthread.app.cli.options import HERE, Json, ProjectDir
from goldenthread.app.cli.output import emit, say


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(demo)
    app.command()(init)
    app.command()(doctor)
    app.command("show-config")(show_config)
    app.command()(rules)


def demo(
    folder: Annotated[Path, typer.Argument(help="Where to put it.")] = HERE / "goldenthread-demo",
    as_json: Json = False,
) -> None:
    """Two years of real bars through the whole thread, ending with a report.

    Example: goldenthread demo
    """
    from goldenthread.app.cli.demo_show import show_demo

    show_demo(folder, as_json=as_json)


def init(
    folder: Annotated[Path, typer.Argument(help="The new project's folder.")] = HERE,
    bare: Annotated[bool, typer.Option("--bare", help="Without the sample strategies.")] = False,
    as_json: Json = False,
) -> None:
    """Write goldenthread.toml, universes.toml and the sample strategies; keep what is there.

    Example: goldenthread init my-desk
    """
    from goldenthread.app.api.project import init_project

    written = init_project(folder, samples=not bare)
    emit(written, as_json=as_json, title="written")
    if not as_json:
        place = "" if folder == HERE else f"cd {folder}; "
        say(f"next: {place}goldenthread data import FILE.csv|.parquet")


def doctor(project: ProjectDir = HERE, as_json: Json = False) -> None:
    """Whether everything here can work, check by check; else exits as a run would.

    Exit 1: a problem of the machine or of data, 2: a setting or file, 3: an engine.

    Example: goldenthread doctor --json
    """
    from goldenthread.app.api.checks import examine

    found = examine(project)
    emit([f.row() for f in found], as_json=as_json, title="doctor")
    raise typer.Exit(max(f.exit_code for f in found))


def show_config(project: ProjectDir = HERE, as_json: Json = False) -> None:
    """Every setting in force, and whether it came from default, file, environment or flag.

    Example: GOLDENTHREAD_SIM__START_CASH=50000 goldenthread show-config
    """
    from goldenthread.app.settings import load_settings, resolved

    emit(resolved(load_settings(project)), as_json=as_json, title="settings")


def rules(as_json: Json = False) -> None:
    """The fill rules every engine shares, in words.

    Example: goldenthread rules
    """
    from goldenthread.rules.fills import FILL_RULES

    emit([{"rule": name, "says": text} for name, text in FILL_RULES], as_json=as_json)
