"""The command ``sweep``: permutations of a strategy tried on all of history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from goldenthread.app.cli.options import HERE, From, Json, ProjectDir, To, date_of
from goldenthread.app.cli.output import emit

if TYPE_CHECKING:
    from goldenthread.app.api.research.maps import DrawnMap
    from goldenthread.research.sweep.sweeping import Sweep

Over = Literal["best", "median"]
_SHOWN = ("permutation", "trades", "win_rate", "profit_factor", "total_return", "annual_return")
_LAST = ("sharpe", "deflated_sharpe", "max_drawdown", "calmar")


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
    project: ProjectDir = HERE,
    as_json: Json = False,
) -> None:
    """Try permutations of a strategy's parameters, each by itself; the best ones first.

    Each signal takes a fixed fraction of the start capital: cash is not shared and the account's
    gates are not asked. Asked again it is there at once; interrupted, it goes on.

    Example: goldenthread sweep dip_in_uptrend --vary rsi_max=20:40:5 --vary stop_atr=1.5,2,3
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.research.maps import draw_map
    from goldenthread.app.api.research.sweeps import SweepOrder
    from goldenthread.app.api.research.sweeps import sweep as run
    from goldenthread.app.cli.options import number_of
    from goldenthread.app.cli.progress import bar
    from goldenthread.research.sweep.layout import Workers

    order = SweepOrder(
        strategy=strategy,
        vary=vary or [],
        sample=sample,
        seed=seed,
        first=date_of(first, "--from") if first else None,
        last=date_of(until, "--to") if until else None,
        symbols=[symbol.strip() for symbol in symbols.split(",") if symbol.strip()],
        objective=objective,
        top=top,
        capital=number_of(capital, "--capital"),
        fraction=number_of(fraction, "--fraction"),
    )
    with bar("sweeping", quiet=as_json) as advance:
        found = run(
            Project.open(project),
            order,
            Workers(processes=workers),
            advance,
            lambda words: None if as_json else typer.echo(words),
        )
    _show(found, draw_map(found, map_of, over) if map_of else None, as_json=as_json)


def sweeps(project: ProjectDir = HERE, as_json: Json = False) -> None:
    """The finished sweeps of the project.

    Example: goldenthread sweeps --json
    """
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.research.sweeps import list_sweeps

    emit(list_sweeps(Project.open(project)), as_json=as_json, title="sweeps")


def _show(found: Sweep, drawn: DrawnMap | None, *, as_json: bool) -> None:
    best = found.best
    if as_json:
        _show_json(found, drawn)
        return
    axes = [name for name in found.axes if name not in _SHOWN]
    title = f"sweep {found.sweep_id}: best by {found.manifest['objective']}"
    emit(
        best.select([_SHOWN[0], *axes, *_SHOWN[1:], *_LAST]).to_dicts(), as_json=False, title=title
    )
    if drawn:
        emit(drawn.shown.table().to_dicts(), as_json=False, title=drawn.title)
        typer.echo(f"drawn: {drawn.file}")
    typer.echo(
        f"{found.figures.height:,} permutations, per strategy: a fixed fraction of the start"
        " capital a signal, cash not shared, gates of the account not asked\n"
        f"{found.trials.number:,} trials were ever run on these bars: deflated_sharpe is the"
        " probability that a Sharpe ratio is more than the luck of the best of them; below 0.95 it"
        " may well be luck\n"
        f"keep the best: goldenthread strategy promote {found.sweep_id} --top 5 --as shadow"
    )


def _show_json(found: Sweep, drawn: DrawnMap | None) -> None:
    document = {
        "sweep": found.sweep_id,
        "permutations": found.figures.height,
        "trials": found.trials.number,
        "digest": found.result_digest,
        "best": found.best.to_dicts(),
    }
    if drawn:
        rows = drawn.shown.table().to_dicts()
        document["map"] = {"title": drawn.title, "file": drawn.file, "rows": rows}
    emit(document, as_json=True)
