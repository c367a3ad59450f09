"""Backtests in per-strategy mode: each strategy by itself, fast, comparable with a sweep."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from goldenthread.app.api.operations.steps import Progress, unseen
from goldenthread.app.api.research.backtests import (
    asked_strategies,
    described,
    span_in,
)
from goldenthread.app.api.research.sweeps import (
    CAPITAL,
    FRACTION,
    bars_read,
    first_and_last,
)
from goldenthread.domain.errors import UsageError
from goldenthread.research.backtest.per_strategy import Alone, PerStrategy, run_alone
from goldenthread.research.sweep.orders import MODE, Stakes

if TYPE_CHECKING:
    import datetime as dt

    from goldenthread.app.api.research.backtests import Asked
    from goldenthread.app.api.research.worlds import World
    from goldenthread.domain.strategy import Strategy


class Bet(NamedTuple):
    """What every signal takes: ``fraction`` of ``capital``, whatever else is held."""

    capital: Decimal = CAPITAL
    fraction: Decimal = FRACTION


def per_strategy(world: World, asked: Asked, bet: Bet, progress: Progress = unseen) -> PerStrategy:
    """What each strategy would have done by itself; equal to a sweep of one permutation.

    Without dates a strategy's own bars say when it begins and ends. One without a bar is left
    out and noted. The status of a strategy is not asked.

    Raises:
        UsageError: Nothing to run, or a file, a parameter, the dates or the bet are not right.
    """
    strategies, texts = asked_strategies(world, asked)
    first, last = span_in(world.bars, asked.span)
    runs, notes = [], []
    for done, strategy in enumerate(strategies, 1):
        notes += world.notes(strategy)
        found = alone(world, strategy, asked.span, bet)
        if found:
            runs.append(found)
        elif world.members(strategy):
            notes.append(f"{strategy.strategy_id}: none of its symbols has a bar in the span")
        progress(done, len(strategies))
    if not runs:
        msg = f"nothing to run: {'; '.join(notes)}; import bars, or give other dates"
        raise UsageError(msg)
    config = {
        "mode": MODE,
        "first": first,
        "last": last,
        "capital": bet.capital,
        "fraction": bet.fraction,
        **described(world, asked, strategies, world.inputs(strategies)),
    }
    return PerStrategy(tuple(runs), config, texts, tuple(notes))


def alone(
    world: World, strategy: Strategy, span: tuple[dt.date | None, dt.date | None], bet: Bet
) -> Alone | None:
    """The run of one strategy; None where no bar of its own lies between the dates."""
    bars = bars_read(world, strategy, span[1])
    if bars.bars.is_empty():
        return None
    first, last = first_and_last(bars, span)
    if not bars.within(first, last).assets:
        return None
    return run_alone(strategy, bars, Stakes(bet.capital, bet.fraction, world.policy, first, last))
