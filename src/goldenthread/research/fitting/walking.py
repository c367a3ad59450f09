"""Walk-forward of a sweep: the best of each training is judged on the stretch after it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from goldenthread.reports.performance import Metrics, metrics
from goldenthread.research.sweep.grid import Grid
from goldenthread.research.sweep.plan import plan_of
from goldenthread.research.sweep.single import TRADES, run_single
from goldenthread.research.walk_forward import Piece, Span, Walk, WalkForward, walk_forward

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from goldenthread.domain.asset import Asset
    from goldenthread.research.sweep.orders import Stakes
    from goldenthread.research.sweep.sweeping import Request, Sweep
    from goldenthread.research.sweep.work import Bars

_SHOWN = ("trades", "total_return", "sharpe", "max_drawdown")


@dataclass(frozen=True)
class Choice:
    """What a training chose: a permutation by its values, and what it made there.

    ``values`` is empty where no permutation had the objective: then nothing is traded.
    """

    sweep: str
    values: dict[str, Decimal]
    figures: dict[str, Any]
    assets: tuple[Asset, ...]


@dataclass(frozen=True)
class Walked:
    """The steps, the judged stretches joined, and the figures of both.

    ``tested`` are the figures of each stretch, ``joined`` those of all of them as one record.
    """

    objective: str
    record: WalkForward[Choice]
    tested: tuple[Metrics, ...]
    joined: Metrics

    def steps(self) -> list[dict[str, Any]]:
        """A row a step: its dates, the values chosen, and the figures in and out of sample."""
        return [self._step(number) for number in range(len(self.tested))]

    def _step(self, number: int) -> dict[str, Any]:
        window, choice = self.record.windows[number], self.record.chosen[number]
        shown = list(dict.fromkeys((*_SHOWN, self.objective)))
        tested = self.tested[number].as_row()
        return {
            "step": number + 1,
            "train": f"{window.train.first} to {window.train.last}",
            "test": f"{window.test.first} to {window.test.last}",
            "symbols": len(choice.assets),
            "chosen": ", ".join(f"{n}={v:f}" for n, v in choice.values.items()) or "nothing",
            **{f"train_{name}": choice.figures.get(name) for name in shown},
            **{f"test_{name}": tested[name] for name in shown},
        }


def walk_sweep(
    walk: Walk, request: Request, bars: Bars, run: Callable[[Request, Bars], Sweep]
) -> Walked:
    """Every step through the request's dates: a sweep of each training, its best one judged.

    A training is given no bar and no split after its last date, and only assets that had bars by
    then; its sweep is kept and counted like any other. A judged stretch begins in cash and ends
    with what is open marked at the last close.

    Raises:
        UsageError: The dates are not longer than one training, or a sweep cannot be run.
        EngineError: Workers kept dying.
    """
    pieces: list[Piece] = []

    def fit(span: Span) -> Choice:
        asked = replace(request, stakes=_during(request, span))
        known = bars.within(*span)
        return _chosen(run(asked, known), known, request)

    def evaluate(choice: Choice, span: Span) -> Piece:
        known = replace(bars.within(*span), assets=choice.assets)
        pieces.append(_judged(choice, replace(request, stakes=_during(request, span)), known))
        return pieces[-1]

    span = Span(request.stakes.first, request.stakes.last)
    record = walk_forward(walk, span, fit, evaluate)
    tested = tuple(metrics(piece.equity, piece.trades) for piece in pieces)
    return Walked(request.objective, record, tested, metrics(record.equity, record.trades))


def _during(request: Request, span: Span) -> Stakes:
    return request.stakes._replace(first=span.first, last=span.last)


def _chosen(sweep: Sweep, bars: Bars, request: Request) -> Choice:
    """The best permutation; nothing where not even it has the objective."""
    best = sweep.figures.row(0, named=True)
    if best[request.objective] is None:
        return Choice(sweep.sweep_id, {}, {}, bars.assets)
    rows = (request.grid.values(row) for row in range(len(request.grid.rows)))
    values = next(v for v in rows if all(float(v[name]) == best[name] for name in v))
    return Choice(sweep.sweep_id, values, best, bars.assets)


def _judged(choice: Choice, request: Request, bars: Bars) -> Piece:
    stakes = request.stakes
    start, days = float(stakes.capital), bars.days(stakes) if bars.assets else ()
    if choice.values and len(days):
        grid = Grid(tuple(choice.values), (tuple(choice.values.values()),))
        single = run_single(plan_of(request.strategy, grid), 0, bars, stakes)
        return Piece(start, single.equity, single.trades)
    dates = pl.Series([int(day) for day in days], dtype=pl.Int32).cast(pl.Date)
    idle = pl.DataFrame({"ds": dates}, schema={"ds": pl.Date})
    curve = idle.with_columns(equity=pl.lit(start), gross_exposure=pl.lit(0.0))
    return Piece(start, curve, pl.DataFrame(schema=TRADES))
