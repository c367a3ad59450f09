"""A sweep from request to ranked permutations: found again when done, gone on with if not."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from goldenthread.domain.errors import UsageError
from goldenthread.domain.ids import canonical, digest
from goldenthread.research.sweep.grid import Grid, permutation_id
from goldenthread.research.sweep.layout import Layout, Size, layout_of
from goldenthread.research.sweep.plan import plan_of
from goldenthread.research.sweep.running import Crew, all_figures
from goldenthread.research.sweep.single import run_single
from goldenthread.research.sweep.store import SweepStore
from goldenthread.signals.engine import engine_digest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from goldenthread.domain.strategy import Strategy
    from goldenthread.research.sweep.plan import Plan
    from goldenthread.research.sweep.rides import Stakes
    from goldenthread.research.sweep.work import Bars

OBJECTIVES = (
    *("calmar", "sharpe", "sortino", "total_return", "annual_return", "profit_factor"),
    *("expectancy", "expectancy_r", "win_rate", "net_pnl", "max_drawdown", "volatility"),
)
"""What permutations may be ranked by; the smallest drawdown and volatility are the best."""

_FORMAT = 1
_READ = ["symbol", "ds", "open", "high", "low", "close", "volume", "state"]
_MOST_MONEY = 1_000_000_000
_NAMED = 5
_LESS_IS_BETTER = frozenset({"max_drawdown", "volatility"})


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
    """

    sweep_id: str
    figures: pl.DataFrame
    manifest: dict[str, object]
    store: SweepStore

    @property
    def axes(self) -> tuple[str, ...]:
        """The names that were varied."""
        varied = self.manifest["axes"]
        return tuple(varied) if isinstance(varied, dict) else ()

    @property
    def result_digest(self) -> str:
        """The sha256 of the figures, equal however the work was divided."""
        return str(self.manifest["result_digest"])


def sweep_id(request: Request, bars: Bars) -> str:
    """Sixteen hex digits of everything the result depends on."""
    sha = hashlib.sha256()
    for column in bars.bars.select(
        "symbol", "ds", "open", "high", "low", "close", "volume", "state"
    ):
        data = column.cast(pl.String) if column.dtype == pl.String else column.to_physical()
        values = data.to_list() if data.dtype == pl.String else data.to_numpy()
        sha.update("\n".join(values).encode() if isinstance(values, list) else values.tobytes())
    stakes = request.stakes
    content = [
        *(_FORMAT, engine_digest(), request.strategy.version_key, stakes.policy.policy_key),
        *(canonical([stakes.capital, stakes.fraction, stakes.first, stakes.last])),
        *(request.grid.axes, canonical(request.grid.rows), request.objective, request.top),
        [asset.model_dump_json() for asset in bars.assets],
        sorted(action.model_dump_json(exclude={"known_at"}) for action in bars.actions),
        *(bars.refs, bars.lookback, sha.hexdigest()),
        bars.inputs.digest(t.table for t in request.strategy.tables.values())
        if bars.inputs
        else "",
    ]
    return digest(content)[:16]


def run_sweep(
    request: Request,
    bars: Bars,
    crew_of: Callable[[SweepStore], Crew],
    folder: Path,
    told: Callable[[str], None],
) -> Sweep:
    """The finished sweep: read where it was done before, gone on with where it was killed.

    Args:
        request: What to try.
        bars: What to try it on; every asset has bars.
        crew_of: Who does it, given where it is kept.
        folder: Where sweeps are kept, each under its id.
        told: Hears what memory it takes, before it starts.

    Raises:
        UsageError: The request is not right, or larger than the machine.
        EngineError: Workers kept dying.
    """
    _check(request, bars)
    name = sweep_id(request, bars)
    store = SweepStore(folder / name)
    if not store.is_finished:
        plan = plan_of(request.strategy, request.grid)
        crew = crew_of(store)
        layout = layout_of(plan, _size(bars, request.stakes), crew.workers)
        told(layout.words())
        _carry_out(request, bars, plan, layout, crew)
    return Sweep(name, store.figures(), store.manifest(), store)


def _carry_out(request: Request, bars: Bars, plan: Plan, layout: Layout, crew: Crew) -> None:
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
    crew.store.finish(_manifest(request, bars, frame), frame, best)


def _ranked(frame: pl.DataFrame, objective: str) -> pl.DataFrame:
    """The best first, unknown ones last, equal ones by id."""
    falling = objective not in _LESS_IS_BETTER
    return frame.sort(objective, "permutation", descending=[falling, False], nulls_last=True)


def _manifest(request: Request, bars: Bars, frame: pl.DataFrame) -> dict[str, object]:
    stakes = request.stakes
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
        "symbols": [asset.symbol for asset in bars.assets],
        "first": stakes.first.isoformat(),
        "last": stakes.last.isoformat(),
        "capital": str(stakes.capital),
        "fraction": str(stakes.fraction),
        "mode": "per strategy: a fixed fraction of the start capital a signal, cash not shared,"
        " gates of the account not asked",
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
    _check_bars(bars, stakes)


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
