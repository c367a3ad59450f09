"""How fast a million recorded refusals are asked again; prints, asserts nothing about time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from benches.bench_peers import say
from benches.refusals import refused_project
from goldenthread.adapters.warehouse.duckdb import DuckDBWarehouse
from goldenthread.app.api.evaluation import archive, curves
from goldenthread.app.api.research.worlds import World

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.bench


class Watch:
    """How long what it wraps has taken, by name."""

    def __init__(self) -> None:
        self.took: dict[str, float] = {}

    def over(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, its time added to ``name``."""

        def timed(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401  # any function
            begun = time.perf_counter()
            found = function(*arguments, **named)
            self.took[name] = self.took.get(name, 0.0) + time.perf_counter() - begun
            return found

        return timed


def test_a_million_refusals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = refused_project(tmp_path / "project")
    curves.threshold_curve(project, "F1", "made_up_0")  # compiles
    watch = Watch()
    for module, name, part in (
        (World, "of_project", "bars"),
        (archive, "desks_of", "desks"),
        (archive, "price_decisions", "price"),
        (curves, "leave_one_out", "leave one out"),
        (curves, "turned", "line up"),
        (curves, "curve", "curve"),
        (DuckDBWarehouse, "query", "read"),
    ):
        monkeypatch.setattr(module, name, watch.over(part, getattr(module, name)))
    for words, work in (
        ("leave one out, 20 filters", lambda: curves.left_out(project, "")),
        ("one curve", lambda: curves.threshold_curve(project, "F1", "made_up_0")),
    ):
        watch.took.clear()
        begun = time.perf_counter()
        work()
        whole = time.perf_counter() - begun
        parts = ", ".join(f"{name} {took:.2f}" for name, took in watch.took.items())
        say(f"1M refusals, {words}: {whole:.2f} s ({parts}; the rest {_rest(whole, watch):.2f})")


def _rest(whole: float, watch: Watch) -> float:
    return whole - sum(watch.took.values())
