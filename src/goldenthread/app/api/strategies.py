"""Strategy files: written, checked against your bars, compared with the book's versions."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

from goldenthread.app.api.bars import judged_bars
from goldenthread.app.api.desks import load_assets, load_bars, members_of, open_desk
from goldenthread.app.book import FrozenRun
from goldenthread.app.clock import SystemClock
from goldenthread.app.engines import open_hot_store
from goldenthread.app.versions import strategy_versions, sync_versions
from goldenthread.domain.errors import UsageError
from goldenthread.positions.blotter import Blotter
from goldenthread.signals.engine import Evaluator, compile_strategy
from goldenthread.signals.strategy_file import read_strategy, strategy_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from goldenthread.app.api.project import Project
    from goldenthread.domain.strategy import Strategy
    from goldenthread.ports.hot_store import HotStore

_CHECKED = dt.timedelta(days=730)
"""How much history ``strategy check`` tries a strategy on."""


def new_strategy(project: Project, name: str) -> str:
    """The path of a new strategy file.

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
    return str(path)


def check_strategies(project: Project, files: Sequence[Path]) -> list[dict[str, object]]:
    """A row a file: its error, or how many candidates it had on your bars and how many passed."""
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
    """A row a version of the strategy, oldest first."""
    rows = [v for v in strategy_versions(_store(project, book)) if v.id == name]
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
    if not held and not files:
        known = ", ".join(
            sorted({v.id for v in versions} | {s.strategy_id for s in project.strategies()})
        )
        msg = f"no strategy {name!r} in the folder or the book; there are: {known}"
        raise UsageError(msg)
    before = _flat("", json.loads(held[0].config)) if held else {}
    after = _flat("", files[0].canonical()) if files else {}
    return [
        {"setting": key, "in_force": before.get(key), "file": after.get(key)}
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
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
    try:
        strategy = project.with_universes(read_strategy(path))
        compile_strategy(strategy)
    except UsageError as error:
        return {"file": path.name, "candidates": None, "would_trade": None, "error": str(error)}
    candidates, passed = _tried(project, strategy)
    return {"file": path.name, "candidates": candidates, "would_trade": passed, "error": ""}


def _tried(project: Project, strategy: Strategy) -> tuple[int, int]:
    """Candidates and those every filter passed, over the last two years of your bars."""
    assets = load_assets(project)
    last = judged_bars(project)["ds"].max()
    if not isinstance(last, dt.date):
        return 0, 0
    _, bars = load_bars(project, list(assets), (last - _CHECKED, last))
    evaluator = Evaluator(bars.window)
    compiled = compile_strategy(strategy)
    symbols = members_of(project, [strategy], assets)[strategy.strategy_id]
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
    return len(found), sum(1 for c in found if not c.failed and c.plan is not None)


def _store(project: Project, book: str) -> HotStore:
    return open_hot_store(project.settings, project.root, project.book(book))


def _flat(prefix: str, value: object) -> dict[str, object]:
    if isinstance(value, dict):
        parts = [_flat(f"{prefix}.{k}" if prefix else k, v) for k, v in value.items()]
        return {key: item for part in parts for key, item in part.items()}
    return {prefix: value}
