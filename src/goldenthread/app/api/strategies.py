"""Strategy files: written, checked against your bars, compared with the book's versions."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from goldenthread.app.api.bars import judged_bars
from goldenthread.app.api.desks import load_bars, load_inputs, members_of, open_desk
from goldenthread.app.api.proofs import looks_ahead
from goldenthread.app.book import FrozenRun
from goldenthread.app.clock import SystemClock
from goldenthread.app.engines.wiring import read_hot_store
from goldenthread.app.versions import strategy_versions, sync_versions
from goldenthread.domain.errors import UsageError
from goldenthread.domain.ids import changed_settings
from goldenthread.domain.strategy import StrategyStatus
from goldenthread.market.universe import resolve
from goldenthread.positions.blotter import Blotter
from goldenthread.signals.engine import Evaluator, compile_strategy
from goldenthread.signals.strategy_file import strategy_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from goldenthread.app.api.project import Project
    from goldenthread.domain.strategy import Version
    from goldenthread.market.inputs.book import InputBook
    from goldenthread.ports.hot_store import HotStore
    from goldenthread.signals.engine import CompiledStrategy

_CHECKED = dt.timedelta(days=730)
"""How much history ``strategy check`` tries a strategy on."""


@dataclass(frozen=True)
class NewStrategy:
    """A strategy file that was written, and what to do with it, a sentence a step."""

    written: str
    next: list[str]


def new_strategy(project: Project, name: str) -> NewStrategy:
    """A new strategy file.

    Raises:
        UsageError: The name is no strategy id, or the file is there already.
    """
    path = project.root / "strategies" / f"{name}.toml"
    if path.exists():
        msg = f"{path} is there already; choose another name, nothing was written"
        raise UsageError(msg)
    text = strategy_text(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    steps = [
        f"try it on your bars: goldenthread strategy check {path}",
        f"let it trade: goldenthread simulate --from … --to … --name {name}",
    ]
    rivals = _rivals(project, name)
    if rivals:
        steps.append(
            f"{', '.join(rivals)} decide on the same symbols, and an account holds one strategy a"
            " symbol (the later one is refused DUPLICATE_SYMBOL): set status ="
            ' "paused" in those you do not want, or begin without samples: goldenthread init'
            " FOLDER --bare"
        )
    return NewStrategy(str(path), steps)


def _rivals(project: Project, name: str) -> list[str]:
    """The active strategies that want a symbol this one wants too."""
    try:
        active = [s for s in project.strategies() if s.status is StrategyStatus.ACTIVE]
    except UsageError:  # another file is not right: `strategy check` says how
        return []
    wanted = {s.strategy_id: set(resolve(s.assets, project.universes)) for s in active}
    mine = wanted.pop(name, set())
    return [other for other, symbols in wanted.items() if symbols & mine]


def check_strategies(project: Project, files: Sequence[Path]) -> list[dict[str, object]]:
    """A row a file: its error, or how many candidates it had on your bars and how many passed.

    The counts are None without bars; ``no_bars`` are symbols the file names that have none.
    """
    return [_check(project, path) for path in files or project.strategy_files()]


def list_strategies(project: Project) -> list[dict[str, object]]:
    """A row a strategy of the folder."""
    return [
        {
            "strategy_id": s.strategy_id,
            "status": s.status.value,
            "side": s.side.value,
            "order": s.entry.order,
            "assets": ", ".join(s.assets),
            "version": s.version_key[:12],
            "description": s.description,
        }
        for s in project.strategies()
    ]


def strategy_history(project: Project, book: str, name: str) -> list[dict[str, object]]:
    """A row a version of the strategy, oldest first.

    Raises:
        UsageError: Neither the book nor the folder knows it.
    """
    versions = strategy_versions(_store(project, book))
    rows = [v for v in versions if v.id == name]
    if not rows:
        _refuse_unknown(project, versions, name)
    return [
        {
            "version": v.version_key[:12],
            "valid_from": v.valid_from,
            "valid_to": v.valid_to,
            "git_hash": v.git_hash,
            "engine": v.engine_digest,
        }
        for v in rows
    ]


def diff_strategy(project: Project, book: str, name: str) -> list[dict[str, object]]:
    """A row a setting that the file changes against the version in force."""
    versions = strategy_versions(_store(project, book))
    held = [v for v in versions if v.id == name and v.valid_to is None]
    files = [s for s in project.strategies() if s.strategy_id == name]
    if not held:
        _refuse_unknown(project, versions, name)
    before = json.loads(held[0].config) if held else {}
    after = files[0].canonical() if files else {}
    return [
        {"setting": name, "in_force": old, "file": new}
        for name, (old, new) in changed_settings(before, after).items()
    ]


def sync_strategies(project: Project, book: str) -> list[dict[str, object]]:
    """The versions in force after the book was made to match the files."""
    now = SystemClock().now()
    name = project.book(book)
    today = now.date()
    desk = open_desk(project, name, (today, today))
    with desk.lease() as lease:
        blotter = Blotter(desk.engines.hot_store, lease)
        stamp = desk.version_stamp(FrozenRun(ds=today, now=now))
        sync_versions(blotter, desk.engines.hot_store, desk.configs, stamp)
    return [
        {"strategy_id": v.id, "version": v.version_key[:12], "valid_from": v.valid_from}
        for v in strategy_versions(desk.engines.hot_store)
        if v.valid_to is None
    ]


def _check(project: Project, path: Path) -> dict[str, object]:
    row: dict[str, object] = {"file": path.name, "candidates": None, "would_trade": None}
    try:
        compiled = compile_strategy(project.read(path))
        inputs = load_inputs(project, [compiled.strategy])
        assets = {asset.symbol for asset in project.market_data.assets()}
        named = (*(a for a in compiled.strategy.assets if not a.startswith("@")), *compiled.refs)
        row["no_bars"] = sorted({symbol for symbol in named if symbol not in assets})
        row |= _tried(project, compiled, inputs)
        error = looks_ahead(project, compiled.strategy) if compiled.strategy.code and assets else ""
    except UsageError as wrong:
        return {**row, "no_bars": row.get("no_bars", []), "error": str(wrong)}
    return {**row, "error": error}


def _tried(project: Project, compiled: CompiledStrategy, inputs: InputBook) -> dict[str, object]:
    """Candidates, and those every filter passed, over the last two years of the bars it reads."""
    assets = {asset.symbol: asset for asset in project.market_data.assets()}
    symbols = members_of(project, [compiled.strategy], assets)[compiled.strategy.strategy_id]
    if not symbols:
        return {}
    last = judged_bars(project).filter(pl.col("symbol").is_in(symbols))["ds"].max()
    if not isinstance(last, dt.date):
        return {}
    _, bars = load_bars(project, list(assets), last)
    evaluator = Evaluator(bars.window, inputs=inputs.steps)
    found = [
        candidate
        for n in range(_CHECKED.days + 1)
        for symbol in symbols
        if (
            candidate := evaluator.decide(
                compiled, symbol, last - _CHECKED + dt.timedelta(days=n), assets[symbol]
            )
        )
    ]
    passed = sum(1 for c in found if not c.failed and c.plan is not None)
    return {"candidates": len(found), "would_trade": passed}


def _refuse_unknown(project: Project, versions: Sequence[Version], name: str) -> None:
    known = sorted({v.id for v in versions} | {s.strategy_id for s in project.strategies()})
    if name not in known:
        msg = f"no strategy {name!r} in the folder or the book; there are: {', '.join(known)}"
        raise UsageError(msg)


def _store(project: Project, book: str) -> HotStore:
    return read_hot_store(project.settings, project.root, project.book(book))
