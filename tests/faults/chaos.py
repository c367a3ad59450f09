"""Faults by name: which tests inject them, with which seeds, and what came of it as rows.

A pytest plugin of the whole suite: a test anywhere is marked ``fault("F6")`` and tells its row
through the fixture ``tally``; rows travel like figures, whichever worker the test ran on. A test
that is one case needs no more than its mark: ``fault("F5", "what was done")``, on the engine it
is run with or on ``engines="..."``.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

COUNTS = ("lost", "duplicated", "violations")
ROW, GUARD = "fault", "guard"
ENGINES = {
    "sqlite": "embedded",
    "duckdb": "embedded",
    "duckdb-memory": "embedded",
    "firestore": "Firestore emulator",
    "bigquery": "BigQuery emulator",
}
"""What a row calls the engine that a test is run with."""
"""The names of the two kinds of rows among a report's properties."""


class Row(NamedTuple):
    """What was done to the code in the name of a fault, how often, and what came of it."""

    fault: str
    done: str
    cases: int
    lost: int
    duplicated: int
    violations: int
    engines: str
    seed: int | None


class Guard(NamedTuple):
    """A guard that was taken out, the fault it guards against, its test and how that ended."""

    guard: str
    fault: str
    test: str
    ended: str


class Tally(Protocol):
    """Tells what came of the fault that the test is marked with."""

    def __call__(
        self,
        done: str,
        cases: int,
        found: Mapping[str, int] | None = None,
        *,
        engines: str = "embedded",
    ) -> None:
        """Keep one row; ``found`` counts what is ``lost``, ``duplicated`` and ``violations``."""


def seeds(few: int) -> list[int]:
    """The seeds of a test: 1 to ``few``, to ``CHAOS_SEEDS``, or ``CHAOS_SEED`` alone."""
    if one := os.environ.get("CHAOS_SEED"):
        return [int(one)]
    return list(range(1, int(os.environ.get("CHAOS_SEEDS") or few) + 1))


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Tally:
    """Tells one row of docs/reliability.md."""
    fault = faults_of(request.node)[0]

    def tell(
        done: str, cases: int, found: Mapping[str, int] | None = None, *, engines: str = "embedded"
    ) -> None:
        counts = {name: (found or {}).get(name, 0) for name in COUNTS}
        row = [fault, done, cases, *counts.values(), engines, _seed(request.node)]
        said = ", ".join(f"{count} {name}" for name, count in counts.items())
        figure = f"{fault}, {engines}: {done}: {cases} cases, {said}"
        request.node.user_properties.extend([(ROW, row), ("figure", figure)])

    return tell


def faults_of(item: pytest.Item) -> list[str]:
    """The faults that a test is marked with."""
    return [mark.args[0] for mark in item.iter_markers(ROW)]


def _single(item: pytest.Item) -> list[list[Any]]:
    """The rows of the marks that say what was done."""
    chosen = getattr(getattr(item, "callspec", None), "params", {})
    ran = [ENGINES[v] for v in chosen.values() if isinstance(v, str) and v in ENGINES]
    return [
        [*mark.args, 1, 0, 0, 0, mark.kwargs.get("engines", (ran or ["embedded"])[0]), _seed(item)]
        for mark in item.iter_markers(ROW)
        if len(mark.args) > 1
    ]


def _seed(item: pytest.Item) -> int | None:
    chosen = getattr(item, "callspec", None)
    return None if chosen is None else chosen.params.get("seed")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of ``CHAOS_FAULT`` alone, when it is named."""
    if wanted := os.environ.get("CHAOS_FAULT"):
        others = [item for item in items if wanted not in faults_of(item)]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if wanted in faults_of(item)]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """A failing fault says how to see it again, one that is a single case tells its row."""
    report: Any = yield
    faults = faults_of(item)
    if report.passed and report.when == "call":
        report.user_properties.extend((ROW, row) for row in _single(item))
    if report.failed and faults:
        seed = _seed(item)
        again = f"make chaos FAULT={faults[0]}" + (f" SEED={seed}" if seed is not None else "")
        report.sections.append(("see it again", again))
    return report
