"""Backtests: strategies and bars in, frames out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from goldenthread.app.api.operations.steps import Progress, unseen
from goldenthread.app.api.research.parameters import with_params
from goldenthread.domain.errors import UsageError
from goldenthread.market.bars import BarBook, KnownBars
from goldenthread.research.backtest.folder import digest_of
from goldenthread.research.backtest.run import run
from goldenthread.research.backtest.setup import Setup
from goldenthread.signals.binding import MAX_LOOKBACK
from goldenthread.signals.engine import compile_strategy, engine_digest
from goldenthread.signals.evaluation import no_inputs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal
    from pathlib import Path

    import polars as pl

    from goldenthread.app.api.research.worlds import World
    from goldenthread.domain.strategy import Strategy
    from goldenthread.market.inputs.book import InputBook
    from goldenthread.research.backtest.result import Backtest

"""Called with what is done and with all there is."""


@dataclass(frozen=True)
class Asked:
    """What was asked: strategy files, parameters, first cash, dates; None takes what there is.

    In a project a file may also be the id of a strategy.
    """

    files: Sequence[Path]
    params: Mapping[str, Any] = field(default_factory=dict)
    start_cash: Decimal | None = None
    span: tuple[dt.date | None, dt.date | None] = (None, None)


def backtest(world: World, asked: Asked, progress: Progress = unseen) -> Backtest:
    """The backtest of strategies together on one account.

    Raises:
        UsageError: Nothing to run, a file or parameter is not right, or a symbol of bars of
            one's own has none.
    """
    strategies, texts = asked_strategies(world, asked)
    first, last = span_in(world.bars, asked.span)
    inputs = world.inputs(strategies)
    book = BarBook(world.bars, world.actions, list(world.assets.values()), lookback=MAX_LOOKBACK)
    setup = Setup(
        strategies=tuple(compile_strategy(s) for s in strategies),
        members={s.strategy_id: world.members(s) for s in strategies},
        market=KnownBars(book, world.assets),
        policy=world.policy,
        account=replace(world.account, start_cash=asked.start_cash or world.account.start_cash),
        first=first,
        last=last,
        inputs=inputs.steps if inputs else no_inputs,
        texts=texts,
        benchmarks=world.project.benchmarks if world.project else {},
    )
    config = {
        "first": first,
        "last": last,
        **described(world, asked, strategies, inputs),
        "start_cash": setup.account.start_cash,
        "multiplier": setup.account.multiplier,
        "gates": world.policy.gates.model_dump(),
    }
    notes = tuple(note for c in setup.deciding for note in world.notes(c.strategy))
    return run(setup, config, notes, progress)


def asked_strategies(world: World, asked: Asked) -> tuple[list[Strategy], dict[str, str]]:
    """The strategies that were asked for, parameters changed, and the text of each file.

    Raises:
        UsageError: There is none, or a file or parameter is not right.
    """
    if not asked.files:
        msg = "no strategy to run; name one or more files, or --all in a project"
        raise UsageError(msg)
    files = [world.file(named) for named in asked.files]
    found = with_params(world.strategies(files), asked.params)
    code = {f"factors/{file}": text for s in found for file, text in s.code.items()}
    pairs = zip(found, files, strict=True)
    return found, code | {
        f"strategies/{s.strategy_id}.toml": f.read_text("utf-8") for s, f in pairs
    }


def span_in(
    bars: pl.DataFrame, span: tuple[dt.date | None, dt.date | None]
) -> tuple[dt.date, dt.date]:
    """The first and the last date to decide on: those of the span, or of the bars.

    Raises:
        UsageError: There is no bar between them.
    """
    held = bars["ds"]
    start, end = held.min(), held.max()
    if not (isinstance(start, dt.date) and isinstance(end, dt.date)):
        msg = "there are no bars; bring some with `goldenthread data import FILE.csv|.parquet`"
        raise UsageError(msg)
    first, last = span[0] or start, span[1] or end
    if not held.is_between(first, last).any():
        msg = f"no bar from {first} to {last}; there are bars from {start} to {end}"
        raise UsageError(msg)
    return max(first, dt.date(1971, 1, 2)), last


def described(
    world: World, asked: Asked, strategies: Sequence[Strategy], inputs: InputBook | None
) -> dict[str, Any]:
    """What a folder tells of how its result came about, whatever the mode."""
    tables = {table.table for strategy in strategies for table in strategy.tables.values()}
    return {
        "strategies": [strategy.strategy_id for strategy in strategies],
        "profile": world.policy.profile,
        "slippage_bps": world.policy.slippage_bps,
        "engine_digest": engine_digest(),
        "bars_digest": digest_of(world.bars),
        "inputs_digest": inputs.digest(tables) if inputs else "",
        "params": {name: str(value) for name, value in asked.params.items()},
    }
