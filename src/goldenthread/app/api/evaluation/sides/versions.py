"""A version of a strategy as a side: run by itself on the bars of the project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldenthread.app.api.desks import load_bars
from goldenthread.app.api.evaluation.sides.contender import Contender, Entrant, Idea
from goldenthread.app.api.records import books
from goldenthread.app.api.research.backtests import span_in
from goldenthread.app.api.research.per_strategy import Bet, alone
from goldenthread.app.api.research.worlds import World
from goldenthread.app.engines.wiring import read_hot_store
from goldenthread.app.versions import Library, strategy_versions
from goldenthread.domain.errors import UsageError
from goldenthread.domain.ids import signal_id
from goldenthread.reports.divergence.alone import Terms, ran_alone
from goldenthread.reports.divergence.course import Cause, NoTrade
from goldenthread.rules.calendar import add_sessions
from goldenthread.signals.engine import Evaluator, Memo, compile_strategy

if TYPE_CHECKING:
    from collections.abc import Callable

    from goldenthread.app.api.evaluation.sides.contender import Span
    from goldenthread.app.api.project import Project
    from goldenthread.domain.asset import Asset
    from goldenthread.domain.signal import Plan
    from goldenthread.domain.strategy import Strategy
    from goldenthread.reports.divergence.course import Course

FILE = "file"
"""What stands after the @ for the strategy as its file has it."""


def version_side(project: Project, name: str) -> Entrant:
    """The version of ``strategy@prefix of its key`` or ``strategy@file``, ready to be compared.

    Raises:
        UsageError: No version, or more than one, is meant.
    """
    strategy = _strategy(project, *name.split("@", 1))
    world = World.of_project(project)

    def read(span: Span) -> Contender:
        return _read(project, world, strategy, span)

    return Entrant(name, span_in(world.bars, (None, None)), strategy.strategy_id, read)


def _strategy(project: Project, name: str, prefix: str) -> Strategy:
    """The strategy as that version has it: of the file, or of any book that knew it."""
    files = {s.version_key: s for s in project.strategies() if s.strategy_id == name}
    if prefix == FILE and files:
        return next(iter(files.values()))
    found = dict(files)
    library = Library([], runs_code=project.settings.factors.enabled)
    for book in {project.book(), *books(project)}:
        store = read_hot_store(project.settings, project.root, book)
        for version in strategy_versions(store):
            if version.id == name and version.version_key not in found:
                kept = library.version(store, version.version_key)
                found |= {} if kept is None else {version.version_key: kept.strategy}
    meant = [key for key in found if key.startswith(prefix)]
    if len(meant) == 1:
        return found[meant[0]]
    if not found:
        there = ", ".join(s.strategy_id for s in project.strategies()) or "none"
        msg = f"{name}@{prefix}: no strategy {name!r}; there are: {there}"
        raise UsageError(msg)
    known = ", ".join(sorted(key[:12] for key in found))
    msg = (
        f"{name}@{prefix} means {len(meant)} versions of {name}; write {name}@{FILE}, or {name}@"
        f" and the beginning of one of its keys: {known} (`goldenthread strategy history {name}`)"
    )
    raise UsageError(msg)


def _read(project: Project, world: World, strategy: Strategy, span: Span) -> Contender:
    found = alone(world, strategy, span, Bet())
    rows = [] if found is None else list(found.single.trades.iter_rows(named=True))
    in_parts = bool(strategy.exit.targets)
    terms = Terms(strategy.side, strategy.entry.order, in_parts, world.policy.slippage_bps)
    trades: dict[Idea, Course] = {}
    for row in rows:
        symbol, ds = row["symbol"], row["signal_ds"]
        name = signal_id(ds, strategy.strategy_id, symbol)
        trades[Idea(name, strategy.strategy_id, symbol, ds)] = ran_alone(row, terms)
    return Contender(trades, _reasons(project, world, strategy, trades))


def _reasons(
    project: Project, world: World, strategy: Strategy, trades: dict[Idea, Course]
) -> Callable[[Idea], NoTrade]:
    """Why the version has no trade of a signal: decided again on the signal's date."""
    compiled = compile_strategy(strategy)
    inputs = world.inputs([strategy])
    _, bars = load_bars(project, list(world.assets), span_in(world.bars, (None, None))[1])
    steps = {"inputs": inputs.steps} if inputs else {}
    evaluator = Evaluator(bars.window, Memo(most=None), **steps)
    members = frozenset(world.members(strategy))

    def why_not(idea: Idea) -> NoTrade:
        if idea.symbol not in members:
            return NoTrade(Cause.MISSING_DATA, "does not decide on this symbol")
        window = bars.window(idea.symbol, idea.ds)
        if window is None or not window.has_bar(idea.ds):
            return NoTrade(Cause.MISSING_DATA, "no usable bar that day")
        found = evaluator.decide(compiled, idea.symbol, idea.ds, world.assets[idea.symbol])
        if found is None:
            return NoTrade(Cause.MISSING_DATA, "no signal: entry.when was not true")
        if found.failed:
            return NoTrade(Cause.REJECTED, f"rejected: {', '.join(found.failed)}")
        if found.plan is None or not found.plan.is_sound(found.side):
            return NoTrade(Cause.REJECTED, "rejected: INVALID_LEVELS")
        busy = _busy(idea, trades, world.assets[idea.symbol], strategy.size.cooldown_bars)
        return busy or _unfilled(found.plan)

    return why_not


def _busy(idea: Idea, trades: dict[Idea, Course], asset: Asset, cooldown: int) -> NoTrade | None:
    """Whose trade kept the symbol from being traded, held or just left; None when nobody's."""
    for other, course in trades.items():
        if other.symbol != idea.symbol or other.ds >= idea.ds:
            continue
        left = course.exit.sessions[-1]
        if idea.ds < left:
            return NoTrade(Cause.REJECTED, f"rejected: holds the symbol since {other.ds}")
        if cooldown and idea.ds < add_sessions(asset.asset_class, left, cooldown):
            return NoTrade(Cause.REJECTED, f"rejected: COOLDOWN after the exit of {left}")
    return None


def _unfilled(plan: Plan) -> NoTrade:
    """What is left when nothing refused the signal: a market order is filled wherever it can."""
    if plan.order == "market":
        return NoTrade(Cause.STILL_OPEN, "still open on the last date")
    return NoTrade(Cause.MISSED_FILL, "not filled, or still open on the last date")
