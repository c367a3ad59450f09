"""Sweeps of a project: permutations tried, listed, and promoted to strategies."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from goldenthread.app.clock import SystemClock
from goldenthread.app.engines.compute import pool_on
from goldenthread.domain.errors import UsageError
from goldenthread.domain.strategy import Strategy, StrategyStatus
from goldenthread.market.universe import resolve
from goldenthread.research.fitting.suggesting import Search, suggested
from goldenthread.research.sweep.grid import Grid, axis_of, grid_of, with_values
from goldenthread.research.sweep.layout import Workers
from goldenthread.research.sweep.orders import Stakes
from goldenthread.research.sweep.running import Crew
from goldenthread.research.sweep.store import SweepStore
from goldenthread.research.sweep.sweeping import (
    LESS_IS_BETTER,
    TRIALS,
    Request,
    Sweep,
    objectives,
    run_sweep,
)
from goldenthread.research.sweep.work import Bars
from goldenthread.research.trials import TrialLedger
from goldenthread.signals.binding import MAX_LOOKBACK
from goldenthread.signals.compilation import compile_strategy
from goldenthread.signals.strategy_file import parse_strategy, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from goldenthread.app.api.project import Project
    from goldenthread.app.api.research.worlds import World
    from goldenthread.research.sweep.grid import Axis, Values

FOLDER = "sweeps"
"""Where a project keeps its sweeps."""
CAPITAL, FRACTION = Decimal(100_000), Decimal("0.1")
"""What a signal takes where nothing is said: a tenth of a hundred thousand."""

_SEARCHES = "searches"
_ID_ROOM = 55


@dataclass(frozen=True)
class SweepOrder:
    """What a user asks of a sweep.

    ``vary`` holds texts like ``rsi_max=20:40:5``; without ``first`` and ``last`` all bars count;
    ``symbols`` restricts the strategy's own. Each signal takes ``fraction`` of ``capital``.
    Without ``search`` the whole grid is tried, or ``sample`` of it; ``search="tpe"`` asks for
    ``trials`` suggestions that learn from the ones before.
    """

    strategy: str
    vary: Sequence[str]
    sample: int | None = None
    search: str = ""
    trials: int = 200
    seed: int = 0
    first: dt.date | None = None
    last: dt.date | None = None
    symbols: Sequence[str] = ()
    objective: str = "calmar"
    top: int = 10
    capital: Decimal = CAPITAL
    fraction: Decimal = FRACTION


@dataclass(frozen=True)
class Helpers:
    """Who does the work, and who hears of it: ``advance(done, in all)`` and words before it.

    ``on`` is empty for this machine, or ``ray``, or ``ray://HOST:PORT``.
    """

    workers: Workers = field(default_factory=Workers)
    advance: Callable[[int, int], None] = lambda _done, _all: None
    told: Callable[[str], None] = lambda _words: None
    on: str = ""

    def run(
        self, folder: Path, request: Request, bars: Bars, ledger: TrialLedger | None = None
    ) -> Sweep:
        """One finished sweep, kept in ``folder``, counted there or in ``ledger``."""
        pool, workers = pool_on(self.on), self.workers
        if self.on and not workers.processes:
            workers = Workers(processes=workers.count)

        def crew(store: SweepStore) -> Crew:
            return Crew(workers, store, SystemClock(), self.advance, pool=pool)

        return run_sweep(request, bars, crew, folder, self.told, ledger)


_ALONE = Helpers()


def sweep(world: World, order: SweepOrder, helpers: Helpers = _ALONE) -> Sweep:
    """The finished sweep; asked for again it is read, killed before it goes on.

    Raises:
        UsageError: The order is not right, bars are missing, or it is larger than the machine.
        EngineError: Workers kept dying.
    """
    axes = [axis_of(text) for text in order.vary]
    if order.search:
        return _searched(world, order, axes, helpers)
    request, bars = requested(world, order, grid_of(axes, order.sample, order.seed))
    return helpers.run(world.root / FOLDER, request, bars)


def _searched(world: World, order: SweepOrder, axes: Sequence[Axis], helpers: Helpers) -> Sweep:
    """The sweep of everything a search suggested; its batches are kept, so that it goes on."""
    if order.search != "tpe" or order.sample is not None:
        msg = f"--search got {order.search!r}; it takes tpe, with --trials in place of --sample"
        raise UsageError(msg)
    folder = world.root / FOLDER
    grid_of(axes, 1)
    request, bars = requested(world, order, Grid((), ()))
    ledger, quiet = TrialLedger(folder / TRIALS), replace(helpers, told=lambda _words: None)

    def price(grid: Grid) -> dict[Values, float | None]:
        asked = replace(request, grid=grid, top=0)
        return objectives(quiet.run(folder / _SEARCHES, asked, bars, ledger), grid)

    search = Search(order.trials, order.seed, order.objective in LESS_IS_BETTER)
    return helpers.run(folder, replace(request, grid=suggested(axes, search, price)), bars)


def requested(world: World, order: SweepOrder, grid: Grid) -> tuple[Request, Bars]:
    """What is asked of the engine, and the bars it is asked on.

    Raises:
        UsageError: No such strategy, or bars are missing.
    """
    (strategy,) = world.strategies([world.file(order.strategy)])
    _refuse_missing(world, strategy, order.symbols)
    bars = bars_read(world, strategy, order.last, order.symbols)
    first, last = first_and_last(bars, (order.first, order.last))
    stakes = Stakes(order.capital, order.fraction, world.policy, first, last)
    return Request(strategy, grid, stakes, order.objective, order.top), bars


def bars_read(
    world: World, strategy: Strategy, last: dt.date | None, symbols: Sequence[str] = ()
) -> Bars:
    """Bars of every symbol a strategy decides on, reads or compares, none after ``last``.

    Those without bars are left out; ``symbols`` are those to decide on, by default its own.
    """
    compiled, assets = compile_strategy(strategy), world.assets
    chosen = [symbol for symbol in world.members(strategy) if not symbols or symbol in symbols]
    others = tuple(sorted({*compiled.refs, *compiled.peers} & set(assets)))
    wanted = {*chosen, *others}
    frame = world.bars.filter(pl.col("symbol").is_in(wanted))
    if last is not None:
        frame = frame.filter(pl.col("ds") <= last)
    actions = tuple(action for action in world.actions if action.symbol in wanted)
    members = tuple(assets[symbol] for symbol in chosen)
    return Bars(frame, actions, members, others, MAX_LOOKBACK, world.inputs([strategy]))


def first_and_last(
    bars: Bars, span: tuple[dt.date | None, dt.date | None]
) -> tuple[dt.date, dt.date]:
    """The dates to decide on: those of the span, or of the bars that are read."""
    days = bars.bars["ds"]
    return span[0] or _date(days.min()), span[1] or _date(days.max())


def list_sweeps(project: Project) -> list[dict[str, object]]:
    """A row a finished sweep: what was varied on what, and the best value of its objective."""
    rows = []
    for store in _stores(project):
        manifest = store.manifest()
        best = store.figures().row(0, named=True)
        rows.append(
            {
                "sweep": store.folder.name,
                "strategy": manifest["strategy"]["strategy_id"],
                "varied": ", ".join(manifest["axes"]),
                "permutations": manifest["permutations"],
                "symbols": len(manifest["symbols"]),
                "first": manifest["first"],
                "last": manifest["last"],
                "objective": manifest["objective"],
                "best": best[manifest["objective"]],
            }
        )
    return rows


def promote(
    project: Project, name: str, top: int, status: StrategyStatus
) -> list[dict[str, object]]:
    """The best permutations of a sweep written as strategy files, a row each.

    A file's description names the parent, its version and the sweep; a file that says the same
    already is left alone.

    Raises:
        UsageError: No such sweep, a file of that name says something else, or a Python factor
            is not the one that was swept.
    """
    store = _store(project, name)
    manifest, figures = store.manifest(), store.figures()
    parent, version = Strategy.from_canonical(manifest["strategy"]), manifest["version_key"][:12]
    ranked = figures.head(top).iter_rows(named=True)
    origin = f"parent {parent.strategy_id} {version}, sweep {store.folder.name}"
    found = [
        _promoted(parent, row, list(manifest["axes"]), f"{origin}, rank {rank}")
        for rank, row in enumerate(ranked, start=1)
    ]
    files = {project.root / "strategies" / f"{s.strategy_id}.toml": s for s in found}
    texts = {path: text_of(s.model_copy(update={"status": status})) for path, s in files.items()}
    for path, text in texts.items():
        if path.exists() and path.read_text("utf-8") != text:
            msg = f"{path} is there already and says something else; rename or delete it"
            raise UsageError(msg)
        now = parse_strategy(text, path.name, project.factors).canonical().get("code", {})
        _refuse_other_code(now, manifest["strategy"].get("code", {}))
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [{"strategy_id": s.strategy_id, "written": str(path)} for path, s in files.items()]


def _refuse_other_code(now: Mapping[str, str], swept: Mapping[str, str]) -> None:
    changed = sorted(file for file, found in now.items() if swept.get(file) != found)
    if changed:
        msg = (
            f"factors/{changed[0]} changed since the sweep, so that its figures would not be those"
            " of the strategy written; sweep again, or bring the file back"
        )
        raise UsageError(msg)


def _promoted(parent: Strategy, row: dict[str, Any], axes: list[str], origin: str) -> Strategy:
    values = {axis: Decimal(repr(row[axis])).normalize() for axis in axes}
    words = ", ".join(f"{axis}={value:f}" for axis, value in values.items())
    name = f"{parent.strategy_id[:_ID_ROOM]}_{row['permutation'][:8]}"
    return with_values(parent, values).model_copy(
        update={"strategy_id": name, "description": f"{origin}: {words}", "universes": {}}
    )


def _refuse_missing(world: World, strategy: Strategy, symbols: Sequence[str]) -> None:
    """Refuse symbols that are not the strategy's own, and bars that are not there."""
    own = resolve(strategy.assets, strategy.universes)
    chosen = [symbol for symbol in own if not symbols or symbol in symbols]
    strange = sorted(set(symbols) - set(own))
    lacking = sorted({*chosen, *compile_strategy(strategy).refs} - set(world.assets))
    if strange or lacking or not chosen:
        raise UsageError(_missing(strategy, strange, lacking))


def _missing(strategy: Strategy, strange: list[str], lacking: list[str]) -> str:
    name = strategy.strategy_id
    if strange:
        return f"{', '.join(strange)}: {name} does not decide on it; --symbols takes its own"
    return (
        f"no bars of {', '.join(lacking) or 'any symbol'}, which {name} reads: a sweep over fewer"
        " symbols would not be the whole; import them, or name those to try with --symbols"
    )


def _stores(project: Project) -> list[SweepStore]:
    folders = sorted((project.root / FOLDER).glob("*"))
    return [store for folder in folders if (store := SweepStore(folder)).is_finished]


def _store(project: Project, name: str) -> SweepStore:
    """The one finished sweep whose id begins so."""
    stores = _stores(project)
    found = [store for store in stores if name and store.folder.name.startswith(name)]
    if len(found) != 1:
        known = ", ".join(store.folder.name for store in stores) or "none yet"
        msg = f"{name!r} names {len(found)} finished sweeps; there are: {known}"
        raise UsageError(msg)
    return found[0]


def _date(value: object) -> dt.date:
    if not isinstance(value, dt.date):
        msg = "no bars to sweep over; bring some with `goldenthread data import FILE.csv|.parquet`"
        raise UsageError(msg)
    return value
