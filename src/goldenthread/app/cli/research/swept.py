"""What the command ``sweep`` prints: permutations with their luck, maps, and walks forward."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldenthread.app.cli.output import emit, say

if TYPE_CHECKING:
    from goldenthread.app.api.project import Project
    from goldenthread.app.api.research.maps import DrawnMap
    from goldenthread.app.api.research.sweeps import Helpers, SweepOrder
    from goldenthread.app.api.research.walks import KeptWalk
    from goldenthread.reports.heatmap import Over
    from goldenthread.research.sweep.sweeping import Sweep

_SHOWN = ("permutation", "trades", "win_rate", "profit_factor", "total_return", "annual_return")
_LAST = ("sharpe", "deflated_sharpe", "max_drawdown", "calmar")


def carried_out(
    project: Project, order: SweepOrder, helpers: Helpers, lengths: str
) -> Sweep | KeptWalk:
    """The sweep, or with lengths like ``train=3y,test=6m`` the walk forward."""
    from goldenthread.app.api.research.sweeps import sweep
    from goldenthread.app.api.research.walks import walk
    from goldenthread.app.api.research.worlds import World

    world = World.of_project(project)
    return walk(world, order, lengths, helpers) if lengths else sweep(world, order, helpers)


def drawn(found: Sweep | KeptWalk, axes: str, over: Over) -> DrawnMap | None:
    """The map of a sweep that was asked for; None without axes."""
    from goldenthread.app.api.research.maps import draw_map
    from goldenthread.app.api.research.walks import KeptWalk

    return draw_map(found, axes, over) if axes and not isinstance(found, KeptWalk) else None


def show(found: Sweep | KeptWalk, drawn: DrawnMap | None, *, as_json: bool) -> None:
    """Print a sweep, best first, and its map where one was drawn; or a walk forward."""
    from goldenthread.app.api.research.walks import KeptWalk

    if isinstance(found, KeptWalk):
        _show_walk(found, as_json=as_json)
    else:
        _show_sweep(found, drawn, as_json=as_json)


def _show_sweep(found: Sweep, drawn: DrawnMap | None, *, as_json: bool) -> None:
    if as_json:
        _show_json(found, drawn)
        return
    axes = [name for name in found.axes if name not in _SHOWN]
    title = f"sweep {found.sweep_id}: best by {found.manifest['objective']}"
    columns = dict.fromkeys(
        [_SHOWN[0], *axes, *_SHOWN[1:], *_LAST, str(found.manifest["objective"])]
    )
    emit(found.best.select(columns.keys()).to_dicts(), as_json=False, title=title)
    if drawn:
        emit(drawn.shown.table().to_dicts(), as_json=False, title=drawn.title)
        say(f"drawn: {drawn.file}")
    say(
        f"{found.figures.height:,} permutations, {found.manifest['mode']}\n"
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


def _show_walk(found: KeptWalk, *, as_json: bool) -> None:
    walked = found.walked
    joined = walked.joined.as_row()
    if as_json:
        document = {"steps": walked.steps(), "joined": joined, "folder": found.folder}
        emit(document, as_json=True)
        return
    emit(walked.steps(), as_json=False, title=f"walk-forward: chosen by {walked.objective}")
    emit(joined, as_json=False, title="all judged stretches as one record")
    say(
        "each stretch begins in cash and ends with what is open marked at the last close; per"
        " strategy: cash not shared, gates of the account not asked\n"
        f"kept: {found.folder}"
    )
