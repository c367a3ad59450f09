"""A sweep from request to ranked permutations: found again when done, gone on with if not."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from goldenthread.domain.errors import UsageError
from goldenthread.domain.ids import canonical, digest
from goldenthread.research.sweep.grid import Grid, permutation_id
from goldenthread.research.sweep.layout import Layout, Size, layout_of
from goldenthread.research.sweep.orders import MODE
from goldenthread.research.sweep.plan import plan_of
from goldenthread.research.sweep.running import Crew, all_figures
from goldenthread.research.sweep.single import run_single
from goldenthread.research.sweep.store import SweepStore
from goldenthread.research.trials import TrialLedger, deflated
from goldenthread.signals.engine import engine_digest

if TYPE_CHECKING:
    from collections.abc import Callable

    from goldenthread.domain.strategy import Strategy
    from goldenthread.research.luck import Trials
    from goldenthread.research.sweep.grid import Values
    from goldenthread.research.sweep.orders import Stakes
    from goldenthread.research.sweep.plan import Plan
    from goldenthread.research.sweep.work import Bars

OBJECTIVES = (
    *("calmar", "sharpe", "sortino", "total_return", "annual_return", "profit_factor"),
    *("expectancy", "expectancy_r", "win_rate", "net_pnl", "max_drawdown", "volatility"),
)
"""What permutations may be ranked by; the smallest drawdown and volatility are the best."""

LESS_IS_BETTER = frozenset({"max_drawdown", "volatility"})
"""Objectives whose smallest value is the best."""

TRIALS = "trials"
"""Where beside the sweeps everything ever tried is counted."""

_YEAR_DAYS = 365
_MOST_MONEY = 1_000_000_000
_NAMED = 5


@dataclass(frozen=True)
class Request:
    """What is asked of a sweep.

    Per-strategy mode (see ``Stakes``) on every permutation of ``grid``; the best ``top`` by
    ``objective`` keep their trades and their equity.
    """

    strategy: Strategy
    grid: Grid
    stakes: Stakes
    objective: str = "calmar"
    top: int = 10


@dataclass(frozen=True)
class Sweep:
    """A finished sweep.

    ``figures`` has a row a permutation, the best first: ``permutation``, the varied values, and
    the figures of ``reports.performance``. ``result_digest`` depends on nothing but them.
    ``trials`` is everything ever tried on the same bars, up to now.
    """

    sweep_id: str
    figures: pl.DataFrame
    manifest: dict[str, object]
    store: SweepStore
    trials: Trials

    @property
    def axes(self) -> tuple[str, ...]:
        """The names that were varied."""
        varied = self.manifest["axes"]
        return tuple(varied) if isinstance(varied, dict) else ()

    @property
    def best(self) -> pl.DataFrame:
        """The figures of those that keep their trades, with ``deflated_sharpe``.

        That is the probability of skill, given everything ever tried on these bars up to now;
        it falls with every further sweep, the other figures never change.
        """
        names = self.figures["permutation"].head(int(str(self.manifest["top"]))).to_list()
        curves = {name: curve for name in names if (curve := self.store.equity(name)) is not None}
        column = pl.Series("deflated_sharpe", [*deflated(curves, self.trials).values()], pl.Float64)
        return self.figures.head(len(curves)).with_columns(column)

    @property
    def result_digest(self) -> str:
        """The sha256 of the figures, equal however the work was divided."""
        return str(self.manifest["result_digest"])

    def __repr__(self) -> str:
        """One line: its id, what was varied, how often, and the best of it."""
        best = self.figures.row(0, named=True)
        objective = str(self.manifest["objective"])
        values = ", ".join(f"{axis}={best[axis]:g}" for axis in self.axes)
        figure = "unknown" if best[objective] is None else f"{best[objective]:.3f}"
        return (
            f"Sweep({self.sweep_id}: {self.figures.height:,} permutations, best {objective}"
            f" {figure} with {values})"
        )

    def _repr_html_(self) -> str:
        """The best permutations as a table below the line of ``repr``, for notebooks."""
        usual = ("trades", "win_rate", "profit_factor", "total_return", "sharpe", "max_drawdown")
        shown = ("permutation", *self.axes, *usual, str(self.manifest["objective"]))
        best = self.figures.head(_NAMED).select(*dict.fromkeys(shown))
        return f"<p>{self!r}</p>{best._repr_html_()}"


def objectives(sweep: Sweep, grid: Grid) -> dict[Values, float | None]:
    """The objective of every permutation of the sweep's grid, in its order."""
    wanted = (*grid.axes, str(sweep.manifest["objective"]))
    found = {row[:-1]: row[-1] for row in sweep.figures.select(wanted).iter_rows()}
    return {row: found[tuple(map(float, row))] for row in grid.rows}


def sweep_id(request: Request, bars: Bars) -> str:
    """Sixteen hex digits of everything the result depends on."""
    stakes = request.stakes
    content = [
        *(_sources(), engine_digest(), request.strategy.version_key, stakes.policy.policy_key),
        *(canonical([stakes.capital, stakes.fraction, stakes.first, stakes.last])),
        *(request.grid.axes, canonical(request.grid.rows), request.objective, request.top),
        [asset.model_dump_json(exclude={"name", "source"}) for asset in bars.assets],
        sorted(action.model_dump_json(exclude={"known_at"}) for action in bars.actions),
        *(bars.refs, bars.lookback, bars.digest()),
        bars.inputs.digest(t.table for t in request.strategy.tables.values())
        if bars.inputs
        else "",
    ]
    return digest(content)[:16]


@cache
def _sources() -> str:
    """What the code of a sweep is known by: another way to a figure is another sweep."""
    sha = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        sha.update(file.read_bytes())
    return sha.hexdigest()


def run_sweep(
    request: Request,
    bars: Bars,
    crew_of: Callable[[SweepStore], Crew],
    folder: Path,
    told: Callable[[str], None],
    ledger: TrialLedger | None = None,
) -> Sweep:
    """The finished sweep: read where it was done before, gone on with where it was killed.

    Args:
        request: What to try.
        bars: What to try it on; every asset has bars.
        crew_of: Who does it, given where it is kept.
        folder: Where sweeps are kept, each under its id.
        told: Hears what memory it takes, before it starts.
        ledger: Where every trial is counted; by default beside the sweeps.

    Raises:
        UsageError: The request is not right, or larger than the machine.
        EngineError: Workers kept dying.
    """
    _check(request, bars)
    name = sweep_id(request, bars)
    store, ledger = SweepStore(folder / name), ledger or TrialLedger(folder / TRIALS)
    if not store.is_finished:
        plan = plan_of(request.strategy, request.grid)
        crew = crew_of(store)
        layout = layout_of(plan, _size(bars, request.stakes), crew.workers)
        told(layout.words())
        _carry_out(request, bars, layout, crew, plan, ledger)
    figures, manifest = store.figures(), store.manifest()
    return Sweep(name, figures, manifest, store, _counted(ledger, name, figures, manifest))


def _counted(
    ledger: TrialLedger, name: str, figures: pl.DataFrame, manifest: dict[str, Any]
) -> Trials:
    """Everything tried on the same bars, this sweep included."""
    if not ledger.has(manifest["data"], name):
        ledger.record(manifest["data"], name, _trials(figures, manifest))
    return ledger.trials(manifest["data"])


def _trials(figures: pl.DataFrame, manifest: dict[str, Any]) -> pl.DataFrame:
    """The rows of the ledger: a permutation under the same terms is the same trial."""
    terms = digest([manifest[name] for name in ("policy_key", "capital", "fraction")])[:16]
    name = pl.col("permutation").str.to_integer(base=16, dtype=pl.UInt64)
    years = manifest["returns_a_year"] ** 0.5
    return figures.select(
        (name ^ pl.lit(int(terms, 16), pl.UInt64)).alias("trial"), pl.col("sharpe") / years
    )


def _carry_out(
    request: Request, bars: Bars, layout: Layout, crew: Crew, plan: Plan, ledger: TrialLedger
) -> None:
    figures = all_figures(plan, bars, request.stakes, layout, crew)
    grid, strategy = request.grid, request.strategy
    names = [permutation_id(strategy, grid.values(row)) for row in range(len(grid.rows))]
    values = {
        axis: pl.Series([float(row[at]) for row in grid.rows]) for at, axis in enumerate(grid.axes)
    }
    ranked = _ranked(
        pl.DataFrame({"permutation": names, **values}).hstack(figures).with_row_index("row"),
        request.objective,
    )
    best = {}
    for row, permutation in ranked.head(request.top).select("row", "permutation").iter_rows():
        single = run_single(plan, row, bars, request.stakes)
        best[permutation] = (single.trades, single.equity)
    frame = ranked.drop("row")
    manifest = _manifest(request, bars, frame)
    trials = _counted(ledger, crew.store.folder.name, frame, manifest)
    manifest["when_finished"] = {
        "trials": trials.number,
        "deflated_sharpe": deflated({name: curve for name, (_, curve) in best.items()}, trials),
    }
    crew.store.finish(manifest, frame, best)


def _ranked(frame: pl.DataFrame, objective: str) -> pl.DataFrame:
    """The best first, unknown ones last, equal ones by id."""
    falling = objective not in LESS_IS_BETTER
    return frame.sort(objective, "permutation", descending=[falling, False], nulls_last=True)


def _manifest(request: Request, bars: Bars, frame: pl.DataFrame) -> dict[str, Any]:
    stakes = request.stakes
    days = bars.days(stakes)
    return {
        "strategy": request.strategy.canonical(),
        "description": request.strategy.description,
        "version_key": request.strategy.version_key,
        "policy_key": stakes.policy.policy_key,
        "engine_digest": engine_digest(),
        "axes": {
            axis: canonical(sorted({row[at] for row in request.grid.rows}))
            for at, axis in enumerate(request.grid.axes)
        },
        "permutations": len(request.grid.rows),
        "data": bars.digest((stakes.first, stakes.last)),
        "returns_a_year": _YEAR_DAYS * (len(days) - 1) / max(1, int(days[-1] - days[0])),
        "symbols": [asset.symbol for asset in bars.assets],
        "first": stakes.first.isoformat(),
        "last": stakes.last.isoformat(),
        "capital": str(stakes.capital),
        "fraction": str(stakes.fraction),
        "mode": MODE,
        "objective": request.objective,
        "top": request.top,
        "result_digest": result_digest(frame),
    }


def result_digest(figures: pl.DataFrame) -> str:
    """The sha256 of a frame of figures, whatever order its rows are in."""
    ordered = figures.sort("permutation")
    sha = hashlib.sha256("\n".join([*ordered.columns, *ordered["permutation"]]).encode())
    for column in ordered.drop("permutation"):
        sha.update(np.ascontiguousarray(column.cast(pl.Float64).fill_null(np.nan)).tobytes())
    return sha.hexdigest()


def _size(bars: Bars, stakes: Stakes) -> Size:
    return Size(len(bars.assets), len(bars.days(stakes)), int(bars.bars.estimated_size()))


def _check(request: Request, bars: Bars) -> None:
    stakes = request.stakes
    if request.objective not in OBJECTIVES:
        msg = f"--objective got {request.objective!r}; allowed: {', '.join(OBJECTIVES)}"
        raise UsageError(msg)
    check_stakes(stakes, bars)
    _check_bars(bars, stakes)


def check_stakes(stakes: Stakes, bars: Bars) -> None:
    """That the money can be counted, and that there are sessions between the dates.

    Raises:
        UsageError: It cannot, or there are none.
    """
    if not (stakes.capital > 0 and stakes.fraction > 0):
        msg = f"capital {stakes.capital} and fraction {stakes.fraction} must both be positive"
        raise UsageError(msg)
    most = stakes.capital * max(Decimal(1), stakes.fraction * len(bars.assets))
    if most > _MOST_MONEY:
        msg = f"{most:,} of capital at work is more than can be counted; at most {_MOST_MONEY:,}"
        raise UsageError(msg)
    if not len(bars.days(stakes)):
        msg = f"no session lies between {stakes.first} and {stakes.last}; give a longer span"
        raise UsageError(msg)


def _check_bars(bars: Bars, stakes: Stakes) -> None:
    inside = bars.bars.filter(pl.col("ds").is_between(stakes.first, stakes.last))
    known = set(inside["symbol"].unique())
    lacking = [asset.symbol for asset in bars.assets if asset.symbol not in known]
    if lacking or not bars.assets:
        words = ", ".join(lacking[:_NAMED]) + (" …" if len(lacking) > _NAMED else "")
        msg = (
            f"no bars between {stakes.first} and {stakes.last} of {words or 'any asset'}: a sweep"
            " over less than was asked would not say so; import them, shorten the span or take"
            " them out of the strategy's assets"
        )
        raise UsageError(msg)
