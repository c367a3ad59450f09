"""The command ``replay``: decisions made again, and why they differ where they do."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Annotated, Any

import typer

from goldenthread.app.cli.options import HERE, Book, From, Json, Last, ProjectDir, To, span_of
from goldenthread.app.cli.output import emit
from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    from goldenthread.research.replay.replaying import Deviation, Replay

_WIDTH = 80
_SHOWN = 10


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(replay)


def replay(  # noqa: PLR0913  # one flag each
    strategy: Annotated[str, typer.Option("--strategy", help="One strategy's decisions.")] = "",
    as_known_now: Annotated[
        bool, typer.Option("--as-known-now", help="On bars with every later revision.")
    ] = False,
    with_version: Annotated[
        str, typer.Option("--with-version", help="What this version, or file, would have done.")
    ] = "",
    first: From = "",
    until: To = "",
    last: Last = "",
    book: Book = "",
    project: ProjectDir = HERE,
    as_json: Json = False,
) -> None:
    """Whether every archived decision, made again from the warehouse alone, is the same.

    Names the first thing that differs and its cause: bar revised, config changed, engine changed,
    coverage. Ends with 1 where something does.

    Example: goldenthread replay --from 2012-06-01 --to 2012-06-29

    Example: goldenthread replay --strategy golden_cross --as-known-now
    """
    from goldenthread.app.api.evaluation.replay import replay as decide_again
    from goldenthread.app.api.evaluation.replay import try_version
    from goldenthread.app.api.project import Project
    from goldenthread.app.cli.progress import bar, working

    span, opened = span_of(first, until, last, project, book), Project.open(project)
    if with_version:
        if as_known_now:
            msg = "--with-version sees the bars as known then; leave --as-known-now out"
            raise UsageError(msg)
        with working("pricing"):
            tried = try_version(opened, book, strategy, with_version, span)
        rows = [each._asdict() for each in tried]
        shown = rows if as_json else [_row(row) for row in rows]
        emit(shown, as_json=as_json, title="each signal alone, theoretical")
        return
    with bar("deciding again") as advance:
        found = decide_again(
            opened, book, strategy, span, as_known_now=as_known_now, progress=advance
        )
    emit(_document(found) if as_json else _lines(found), as_json=as_json)
    raise typer.Exit(int(found.differing > 0))


def _document(found: Replay) -> dict[str, Any]:
    counts = {name: value for name, value in vars(found).items() if name != "deviations"}
    return {**counts, "deviations": [d._asdict() for d in found.deviations]}


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "by_filter": [f"{name} {count}" for name, count in row["by_filter"].items()]}


def _lines(found: Replay) -> list[str]:
    """The summary as lines of at most 80 columns."""
    known = "as known now" if found.as_known_now else "as known then"
    counted = {
        "days": found.days,
        "decisions": found.decisions,
        "equal": found.equal,
        "same result, new engine": found.same_new_engine,
        "same result, revised bars": found.same_revised_bars,
        "not archived yet": found.not_archived,
        "differing": found.differing,
        **{f"  {cause}": count for cause, count in sorted(found.causes.items())},
    }
    always = ("days", "decisions", "equal", "differing")
    shown = found.deviations[:_SHOWN]
    more = len(found.deviations) - len(shown)
    return [
        f"{found.book}, {found.first} to {found.last}, bars {known}",
        *(f"{name:<26}{n:>9,}" for name, n in counted.items() if n or name in always),
        *(line for deviation in shown for line in _told(deviation)),
        *([f"and {more} more; --json has them all"] if more else []),
    ]


def _told(found: Deviation) -> list[str]:
    """One deviation: where, what, and why."""
    head = f"{found.ds} {found.strategy_id} {found.symbol}: {found.cause}"
    told = [f"{found.what}: {found.archived} -> {found.again}", found.why]
    folded = [textwrap.wrap(text, _WIDTH - 2, break_on_hyphens=False) for text in told]
    return ["", head, *(f"  {line}" for lines in folded for line in lines)]
