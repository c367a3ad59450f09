"""Strategies in per-strategy mode: each by itself, as a sweep tries one permutation."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from goldenthread.domain.strategy import Strategy
from goldenthread.reports.notation import percent
from goldenthread.reports.performance import metrics
from goldenthread.research.backtest.folder import Contents, save
from goldenthread.research.sweep.grid import Grid
from goldenthread.research.sweep.orders import MODE, Stakes
from goldenthread.research.sweep.plan import plan_of
from goldenthread.research.sweep.single import Single, run_single
from goldenthread.research.sweep.sweeping import check_stakes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from goldenthread.research.sweep.work import Bars

_AS_IT_IS = Grid((), ((),))
"""The grid of one permutation: nothing is varied."""
_SHOWN = (
    *("strategy_id", "trades", "win_rate", "profit_factor", "total_return", "annual_return"),
    *("sharpe", "max_drawdown", "calmar", "costs"),
)


class Alone(NamedTuple):
    """One strategy as it decided, its stakes, and what it did."""

    strategy: Strategy
    stakes: Stakes
    single: Single


@dataclass(frozen=True)
class PerStrategy:
    """What strategies did each by itself, whatever the others held.

    ``config`` says what was asked and on what it rests, ``texts`` the files it was made of, as they
    were read, ``notes`` are sentences about what could not be decided on.
    """

    runs: tuple[Alone, ...]
    config: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def mode(self) -> str:
        """In words, what the money is played for, and what is not asked."""
        return MODE if len(self.runs) == 1 else f"{MODE}; each strategy by itself"

    @cached_property
    def trades(self) -> pl.DataFrame:
        """One row a closed trade: ``strategy_id``, then ``sweep.single.TRADES``, by exit."""
        return self._joined(lambda single: single.trades)

    @cached_property
    def equity(self) -> pl.DataFrame:
        """One row a strategy and day of its curve: ``strategy_id ds equity gross_exposure``.

        The start capital and what its signals made, marked at every close. Curves of several
        strategies are not those of one account: do not add them.
        """
        return self._joined(lambda single: single.equity)

    @cached_property
    def metrics(self) -> pl.DataFrame:
        """The figures of each strategy, columns of ``reports.performance``; null where undefined.

        They are a sweep's figures of the same permutation, to the rounding of their sums.
        """
        rows = [
            {
                "strategy_id": run.strategy.strategy_id,
                **metrics(run.single.equity, run.single.trades).as_row(),
            }
            for run in self.runs
        ]
        return pl.DataFrame(rows, infer_schema_length=None)

    def save(self, folder: str | Path) -> Path:
        """Write everything into a folder of its own, whole or not at all; see ``folder.save``."""
        strategies = {run.strategy.strategy_id: run.strategy for run in self.runs}
        contents = Contents(
            config=self.config,
            strategies={name: strategy.canonical() for name, strategy in strategies.items()},
            texts=self.texts,
            frames={"trades": self.trades, "equity": self.equity},
            metrics=self.metrics.to_dicts(),
            manifest={
                "mode": self.mode,
                "strategies": {name: s.version_key for name, s in strategies.items()},
                "policy": self.runs[0].stakes.policy.policy_key,
                "engine": self.config["engine_digest"],
                "bars": self.config["bars_digest"],
                "notes": list(self.notes),
            },
        )
        return save(contents, Path(folder))

    def __repr__(self) -> str:
        """One line: each strategy, its trades and what became of the start capital."""
        told = (
            f"{row['strategy_id']} {row['trades']} trades {percent(row['total_return'])}"
            for row in self.metrics.iter_rows(named=True)
        )
        return f"PerStrategy({', '.join(told)})"

    def _repr_html_(self) -> str:
        """The figures of each strategy below the line that says the mode, for notebooks."""
        return f"<p>{self.mode}</p>{self.metrics.select(_SHOWN)._repr_html_()}"

    def _joined(self, part: Callable[[Single], pl.DataFrame]) -> pl.DataFrame:
        """A frame of every strategy, with its id before the columns."""
        return pl.concat(
            part(run.single).select(pl.lit(run.strategy.strategy_id).alias("strategy_id"), pl.all())
            for run in self.runs
        )


def run_alone(strategy: Strategy, bars: Bars, stakes: Stakes) -> Alone:
    """One strategy by itself: the single run of a sweep's only permutation.

    Raises:
        UsageError: The stakes are not right, or no session lies between their dates.
    """
    check_stakes(stakes, bars)
    return Alone(strategy, stakes, run_single(plan_of(strategy, _AS_IT_IS), 0, bars, stakes))
