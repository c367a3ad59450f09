"""The command ``sweep``: permutations of a strategy tried on all of history."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from goldenthread.app.cli.options import HERE, From, Json, ProjectDir, To, date_of
from goldenthread.app.cli.output import emit, say
from goldenthread.domain.errors import UsageError

Over = Literal["best", "median"]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(sweep)
    app.command("sweeps")(sweeps)


def sweep(  # noqa: PLR0913  # one flag each
    strategy: Annotated[str, typer.Argument(help="A strategy's id, or its file.")],
    vary: Annotated[
        list[str] | None,
        typer.Option("--vary", help="name=first:last:step or name=1,2,5; once a parameter."),
    ] = None,
    sample: Annotated[
        int | None, typer.Option("--sample", help="Try only so many, drawn at random.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Which random draw.")] = 0,
    first: From = "",
    until: To = "",
    symbols: Annotated[str, typer.Option("--symbols", help="Only these: AAPL,MSFT.")] = "",
    workers: Annotated[
        int, typer.Option("--workers", min=0, help="Processes instead of threads.")
    ] = 0,
    on: Annotated[
        str, typer.Option("--on", help="Where processes work: ray, or ray://HOST:PORT.")
    ] = "",
    top: Annotated[int, typer.Option("--top", min=1, help="How many keep their trades.")] = 10,
    objective: Annotated[str, typer.Option("--objective", help="What ranks them.")] = "calmar",
    capital: Annotated[str, typer.Option("--capital", help="Start capital.")] = "100000",
    fraction: Annotated[str, typer.Option("--fraction", help="Of it, a signal.")] = "0.1",
    map_of: Annotated[
        str, typer.Option("--map", help="Draw the objective by two of them: rsi_max,stop_atr.")
    ] = "",
    over: Annotated[
        Over, typer.Option("--over", help="What a cell of the map is over the others.")
    ] = "median",
    walk_forward: Annotated[
        str, typer.Option("--walk-forward", help="Choose, then judge later: train=3y,test=6m.")
    ] = "",
    search: Annotated[
        str, typer.Option("--search", help="tpe: suggestions that learn, not the whole grid.")
    ] = "",
    trials: Annotated[int, typer.Option("--trials", help="How many suggestions.")] = 200,
    project: ProjectDir = HERE,
    as_json: Json = False,
) -> None:
    """Try permutations of a strategy's parameters, each by itself; the best ones first.

    Each signal takes a fixed fraction of the start capital: cash is not shared and the account's
    gates are not asked. Asked again it is there at once; interrupted, it goes on.

    With --walk-forward the best of each training is judged on the dates after it, and what was
    judged is joined; no training reads a later bar.

    Example: goldenthread sweep dip_in_uptrend --vary rsi_max=20:40:5 --vary stop_atr=1.5,2,3

    Example: goldenthread sweep dip --vary rsi_max=9,18 --vary stop_atr=1,2 --map rsi_max,stop_atr

    Example: goldenthread sweep dip --vary rsi_max=20:40:5 --walk-forward train=3y,test=6m

    Example: goldenthread sweep dip --vary rsi_max=10:60:1 --search tpe --trials 200
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.research.sweeps import Helpers, SweepOrder
    from goldenthread.app.cli.options import number_of
    from goldenthread.app.cli.progress import bar
    from goldenthread.app.cli.research.swept import carried_out, drawn, show
    from goldenthread.research.sweep.layout import Workers

    if walk_forward and map_of:
        msg = "--walk-forward and --map were both given; a map shows one sweep: leave one out"
        raise UsageError(msg)
    order = SweepOrder(
        strategy=strategy,
        vary=vary or [],
        sample=sample,
        search=search,
        trials=trials,
        seed=seed,
        first=date_of(first, "--from") if first else None,
        last=date_of(until, "--to") if until else None,
        symbols=[symbol.strip() for symbol in symbols.split(",") if symbol.strip()],
        objective=objective,
        top=top,
        capital=number_of(capital, "--capital"),
        fraction=number_of(fraction, "--fraction"),
    )
    with bar("sweeping") as advance:
        told = (lambda _words: None) if as_json else say
        helpers = Helpers(Workers(processes=workers), advance, told, on)
        found = carried_out(Project.open(project), order, helpers, walk_forward)
    show(found, drawn(found, map_of, over), as_json=as_json)


def sweeps(project: ProjectDir = HERE, as_json: Json = False) -> None:
    """The finished sweeps of the project.

    Example: goldenthread sweeps --json
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.research.sweeps import list_sweeps

    emit(list_sweeps(Project.open(project)), as_json=as_json, title="sweeps")
