"""The commands of days: plan, run, simulate, report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from goldenthread.app.cli.options import HERE, Book, From, Json, ProjectDir, To, date_of, span_of
from goldenthread.app.cli.output import emit, say
from goldenthread.domain.errors import UsageError

Ds = Annotated[str, typer.Option("--ds", help="Business date (default: the latest complete one).")]

Live = Annotated[str, typer.Option("--live", help="The live account you mean to trade, typed out.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for command in (plan, run, simulate, report):
        app.command()(command)


def plan(
    ds: Ds = "",
    book: Book = "",
    live: Live = "",
    project: ProjectDir = HERE,
    as_json: Json = False,
) -> None:
    """What a run would decide and send, without sending or writing anything.

    Example: goldenthread plan --ds 2012-06-29
    """
    from goldenthread.app.api.days import plan as plan_day
    from goldenthread.app.api.project import Project
    from goldenthread.app.cli.progress import working

    when = date_of(ds, "--ds") if ds else None
    opened = Project.open(project, {"broker.live_account": live or None})
    with working("planning"):
        planned = plan_day(opened, book, when)
    emit(planned, as_json=as_json, title="plan")


def run(
    ds: Ds = "",
    book: Book = "",
    live: Live = "",
    project: ProjectDir = HERE,
    as_json: Json = False,
) -> None:
    """One business date from bars to warehouse; a date that is done changes nothing.

    Example: goldenthread run
    """
    from goldenthread.app.api.days import run as run_date
    from goldenthread.app.api.evaluation.told import told_line
    from goldenthread.app.api.project import Project
    from goldenthread.app.cli.progress import bar

    when = date_of(ds, "--ds") if ds else None
    opened = Project.open(project, {"broker.live_account": live or None})
    with bar("running") as advance:
        report = run_date(opened, book, when, advance)
    emit(report, as_json=as_json, title="run")
    if not as_json:
        say(f"{told_line(opened, book)}.")


def simulate(  # one flag each
    first: From = "",
    until: To = "",
    name: Annotated[str, typer.Option("--name", help="The book's name after sim:.")] = "",
    archive_every: Annotated[
        int, typer.Option("--archive-every", min=1, help="Days between archives.")
    ] = 30,
    project: ProjectDir = HERE,
    as_json: Json = False,
) -> None:
    """The real daily flow over many dates on the simulated exchange, in a book of its own.

    Interrupted, it goes on where it stopped; done, it changes nothing.

    Example: goldenthread simulate --from 2012-09-04 --to 2018-12-31
    """
    from goldenthread.app.api.days import simulate as simulate_days
    from goldenthread.app.api.project import Project
    from goldenthread.app.cli.progress import bar

    if not (first and until):
        msg = "simulate needs --from and --to, e.g. --from 2012-01-01 --to 2012-12-31"
        raise UsageError(msg)
    span, opened = span_of(first, until), Project.open(project)
    with bar("simulating") as advance:
        result = simulate_days(opened, name, span, archive_every, advance)
    emit(result, as_json=as_json, title="simulated")


def report(
    out: Annotated[Path | None, typer.Option("--out", help="Where to write the page.")] = None,
    book: Book = "",
    project: ProjectDir = HERE,
    as_json: Json = False,
) -> None:
    """One HTML page about a book: equity, strategies, filters and what they refused.

    With --json every figure of the page as well; docs/figures.md says what each is.

    Example: goldenthread report --book sim:main
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.reporting import write_report
    from goldenthread.app.cli.progress import working

    with working("drawing the report"):
        written = write_report(Project.open(project), book, out)
    emit(written if as_json else {"report": written.report}, as_json=as_json)
