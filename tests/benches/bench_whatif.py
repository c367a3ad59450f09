"""How fast a million recorded refusals are asked again; prints, asserts nothing about time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from benches.bench_peers import say
from benches.refusals import refused_project
from goldenthread.adapters.warehouse.duckdb import DuckDBWarehouse
from goldenthread.app.api.evaluation import archive, curves, shadow
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
        (curves, "leave_one_out", "chain"),
        (shadow, "attribution", "attribution"),
        (curves, "turned", "line up"),
        (curves, "curve", "curve"),
        (DuckDBWarehouse, "query", "read"),
    ):
        monkeypatch.setattr(module, name, watch.over(part, getattr(module, name)))
    for words, work in (
        ("attribution and 20 filters left out", lambda: shadow.filters(project, "")),
        ("one curve of 250,000", lambda: curves.threshold_curve(project, "F1", "made_up_0")),
    ):
        watch.took.clear()
        begun, used = time.perf_counter(), time.process_time()
        work()
        whole, spent = time.perf_counter() - begun, time.process_time() - used
        took = {**watch.took, "rest": whole - sum(watch.took.values())}
        parts = ", ".join(f"{name} {seconds:.2f}" for name, seconds in took.items())
        say(f"1M refusals, {words}: {whole:.2f} s wall, {spent:.2f} s of processors: {parts}")
