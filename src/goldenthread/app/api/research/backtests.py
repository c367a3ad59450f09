"""Backtests: strategies and bars in, frames out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from goldenthread.app.api.bars import judged_bars
from goldenthread.app.api.desks import load_assets, load_bars, load_inputs
from goldenthread.app.api.research.frames import bars_from_frame
from goldenthread.app.api.research.parameters import with_params
from goldenthread.domain.errors import UsageError
from goldenthread.domain.policy import Policy
from goldenthread.market.bars import BarBook, KnownBars
from goldenthread.market.universe import Universes, load_universes, resolve, with_universes
from goldenthread.research.backtest.folder import digest_of
from goldenthread.research.backtest.run import run
from goldenthread.research.backtest.setup import Account, Setup
from goldenthread.signals.engine import compile_strategy, engine_digest
from goldenthread.signals.evaluation import no_inputs
from goldenthread.signals.strategy_file import read_strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from decimal import Decimal
    from pathlib import Path

    import polars as pl

    from goldenthread.app.api.project import Project
    from goldenthread.domain.strategy import Strategy
    from goldenthread.market.inputs.book import InputBook
    from goldenthread.research.backtest.result import Backtest

_AFTER = dt.timedelta(days=14)
"""How far past the last date bars are read: coins bought after it execute at the next open."""


@dataclass(frozen=True)
class Asked:
    """What was asked: strategy files, parameters, first cash, dates; None takes what there is.

    In a project a file may also be the id of a strategy.
    """

    files: Sequence[Path]
    params: Mapping[str, Any] = field(default_factory=dict)
    start_cash: Decimal | None = None
    span: tuple[dt.date | None, dt.date | None] = (None, None)


@dataclass(frozen=True)
class _World:
    """Bars, policy, account and universes a backtest runs in."""

    bars: pl.DataFrame
    market: KnownBars
    policy: Policy
    account: Account
    universes: Universes
    inputs: InputBook | None = None


def backtest_frame(
    asked: Asked,
    bars: object,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Backtest:
    """The backtest of strategy files on bars of one's own, under the default policy.

    Args:
        asked: What to run; universes are read from ``universes.toml`` beside the strategies'
            folder.
        bars: Polars or pandas, one row a symbol and day, columns as ``data import`` takes them.
        progress: Called with dates done and dates in all.

    Raises:
        UsageError: Nothing to run, a file or parameter is not right, or a symbol has no bars.
        DataError: Rows of the bars break a rule.
    """
    judged, assets = bars_from_frame(bars)
    known = {asset.symbol: asset for asset in assets}
    account = Account(start_cash=asked.start_cash or Account().start_cash)
    universes = {
        name: members
        for file in asked.files
        for name, members in load_universes(file.resolve().parents[1] / "universes.toml").items()
    }
    market = KnownBars(BarBook(judged, [], assets), known)
    world = _World(judged, market, Policy(), account, universes)
    strategies = _strategies(asked, universes)
    _refuse_without_bars(strategies, known)
    _refuse_inputs(strategies)
    return _run(asked, world, strategies, progress)


def backtest_project(
    project: Project,
    asked: Asked,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Backtest:
    """The backtest of strategy files on the bars of a project, under its policy and account.

    Raises:
        UsageError: Nothing to run, no bars, or a file or parameter is not right.
    """
    asked = replace(asked, files=[_file(project, file) for file in asked.files])
    assets = load_assets(project)
    judged = judged_bars(project)
    last = min(asked.span[1] or dt.date.max - _AFTER, dt.date.max - _AFTER)
    _, bars = load_bars(project, list(assets), last + _AFTER)
    settings = project.settings.sim
    account = Account(asked.start_cash or settings.start_cash, settings.multiplier)
    market = KnownBars(bars, assets)
    strategies = _strategies(asked, project.universes)
    inputs = load_inputs(project, strategies)
    world = _World(judged, market, project.policy, account, project.universes, inputs)
    return _run(asked, world, strategies, progress)


def _run(
    asked: Asked,
    world: _World,
    strategies: Sequence[Strategy],
    progress: Callable[[int, int], None],
) -> Backtest:
    first, last = _span(asked, world.bars)
    members = {
        s.strategy_id: tuple(
            m for m in resolve(s.assets, world.universes) if m in world.market.assets
        )
        for s in strategies
    }
    setup = Setup(
        strategies=tuple(compile_strategy(s) for s in strategies),
        members=members,
        market=world.market,
        policy=world.policy,
        account=world.account,
        first=first,
        last=last,
        inputs=world.inputs.steps if world.inputs else no_inputs,
        texts={s.strategy_id: f.read_text() for s, f in zip(strategies, asked.files, strict=True)},
    )
    return run(setup, _config(asked, world, setup), tuple(_notes(setup)), progress)


def _file(project: Project, named: Path) -> Path:
    """The file itself, or the one of the strategy of that id."""
    if named.suffix or named.exists():
        return named
    own = project.root / "strategies" / f"{named}.toml"
    if not own.is_file():
        known = ", ".join(file.stem for file in project.strategy_files()) or "none"
        msg = f"no strategy {str(named)!r}; name a file, or one of strategies/: {known}"
        raise UsageError(msg)
    return own


def _strategies(asked: Asked, universes: Universes) -> list[Strategy]:
    if not asked.files:
        msg = "no strategy to run; name one or more files, or --all in a project"
        raise UsageError(msg)
    read = [read_strategy(file) for file in asked.files]
    names = [strategy.strategy_id for strategy in read]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        msg = f"strategy_id {twice[0]!r} is in two of the files; give each its own"
        raise UsageError(msg)
    return with_params([with_universes(s, universes) for s in read], asked.params)


def _refuse_without_bars(strategies: Sequence[Strategy], known: Mapping[str, object]) -> None:
    """Refuse a symbol that a strategy names or reads and the bars do not hold."""
    for strategy in strategies:
        named = [s for s in strategy.assets if not s.startswith("@")]
        reads = compile_strategy(strategy).refs
        lacking = sorted({s for s in (*named, *reads) if s not in known})
        if lacking:
            msg = (
                f"{strategy.strategy_id} names {', '.join(lacking)}, and the bars have"
                f" {', '.join(sorted(known)[:8])}; add the missing bars or take the symbols out"
            )
            raise UsageError(msg)


def _refuse_inputs(strategies: Sequence[Strategy]) -> None:
    for strategy in strategies:
        if strategy.tables:
            msg = (
                f"{strategy.strategy_id} reads {', '.join(strategy.tables)} of [inputs], and bars="
                " brings no tables; backtest it in a project, without bars=, after"
                " `goldenthread data import-factors`"
            )
            raise UsageError(msg)


def _span(asked: Asked, bars: pl.DataFrame) -> tuple[dt.date, dt.date]:
    held = bars["ds"]
    start, end = held.min(), held.max()
    if not (isinstance(start, dt.date) and isinstance(end, dt.date)):
        msg = "there are no bars; bring some with `goldenthread data import FILE.csv|.parquet`"
        raise UsageError(msg)
    first, last = asked.span[0] or start, asked.span[1] or end
    if not held.is_between(first, last).any():
        msg = f"no bar from {first} to {last}; there are bars from {start} to {end}"
        raise UsageError(msg)
    return max(first, dt.date(1971, 1, 2)), last


def _notes(setup: Setup) -> list[str]:
    """A sentence about each strategy that decides on nothing or reads what has no bars."""
    known = setup.market.assets
    found = []
    for compiled in setup.deciding:
        strategy = compiled.strategy
        explicit = [s for s in strategy.assets if not s.startswith("@") and s not in known]
        blind = sorted({*explicit, *(s for s in compiled.refs if s not in known)})
        if blind:
            found.append(f"{strategy.strategy_id}: no bars of {', '.join(blind)}")
        if not setup.members[strategy.strategy_id]:
            found.append(f"{strategy.strategy_id} decides on nothing: none of its symbols has bars")
    return found


def _config(asked: Asked, world: _World, setup: Setup) -> dict[str, Any]:
    tables = {t.table for c in setup.strategies for t in c.strategy.tables.values()}
    return {
        "first": setup.first,
        "last": setup.last,
        "strategies": [c.strategy.strategy_id for c in setup.strategies],
        "start_cash": setup.account.start_cash,
        "multiplier": setup.account.multiplier,
        "profile": world.policy.profile,
        "slippage_bps": world.policy.slippage_bps,
        "engine_digest": engine_digest(),
        "bars_digest": digest_of(world.bars),
        "inputs_digest": world.inputs.digest(tables) if world.inputs and tables else "",
        "params": {name: str(value) for name, value in asked.params.items()},
        "gates": world.policy.gates.model_dump(),
    }
