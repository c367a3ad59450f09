"""Killed anywhere, started again: as if nothing had happened."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from faults.busy_day import (
    OTHER_RUN,
    RUN,
    Calm,
    chances,
    copies,
    counted,
    told,
    until_done,
    without_fault,
)
from faults.chaos import seeds
from faults.project import BUSY_DAY, FIRST, Unlike, build, copy
from faults.wires import Tripwire

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from faults.chaos import Tally
    from faults.launcher import Launcher

pytestmark = [pytest.mark.slow, pytest.mark.fault("F1")]

PAIRS, MOMENTS, FIRST_DAYS = 6, 6, 3


def test_the_busy_day_is_busy_with_everything(calm: Calm) -> None:
    day = str(BUSY_DAY)
    names = {call.partition("#")[0] for call in calm.calls}
    assert {"broker.submit", "broker.replace", "broker.cancel", "warehouse.publish"} <= names
    kinds = ("live_signals", "rejected_signals", "live_positions", "order_intents")
    signals, refused, positions, orders = (
        [body for key, body in calm.state.items() if key.startswith(kind)] for kind in kinds
    )
    ended = {b["end_reason"] for b in signals if b["ended_ds"] == day}
    reasons = {b["rejection_reason"] for b in refused if b["ds"] == day}
    assert "NOT_TRIGGERED" in ended
    assert {"TOO_WILD", "DUPLICATE_SYMBOL", "SHADOW_STRATEGY"} <= reasons
    assert {"TIME", "STOP"} <= {b["exit_reason"] for b in positions if b["met_ds"] == day}
    entered = {(b["symbol"], len(b["tranches"])) for b in positions if b["ds"] == day}
    assert {("AAPL", 3), ("DAWN/USD", 2)} <= entered  # two targets in brackets, one in crypto
    assert any("-exit" in b["order_key"] and b["decided_at"] > day for b in orders)


def test_a_kill_at_every_point_of_the_busy_day_changes_nothing(
    gt: Launcher, eve: Path, calm: Calm, tmp_path: Path, tally: Tally
) -> None:
    names = [f"before {calm.calls[0]}", *(f"after {call}" for call in calm.calls)]
    assert len(names) >= 24
    found: dict[str, Unlike] = {}
    for at, (name, folder) in enumerate(zip(names, copies(eve, tmp_path), strict=False)):
        _kill(gt, folder, RUN, at)
        until_done(gt, folder)
        found[name] = calm.unlike(folder)
    assert told(found)
    tally("killed before and after every write and call of a day", len(found), counted(found))


@pytest.mark.parametrize("seed", seeds(1))
def test_a_restart_that_is_killed_too_changes_nothing(
    gt: Launcher, eve: Path, calm: Calm, tmp_path: Path, *, seed: int, tally: Tally
) -> None:
    chance, points = chances(seed), range(len(calm.calls) + 1)
    pairs = [(chance.choice(points), chance.choice(points)) for _ in range(PAIRS)]
    found: dict[str, Unlike] = {}
    for (first, second), folder in zip(pairs, copies(eve, tmp_path), strict=False):
        _kill(gt, folder, RUN, first)
        _kill(gt, folder, RUN, second, must=False)  # its restart may have fewer calls
        until_done(gt, folder)
        found[f"killed at {first}, then at {second}"] = calm.unlike(folder)
    assert told(found)
    tally("killed, and its restart killed too", len(found), counted(found))


@pytest.mark.parametrize("seed", seeds(1))
def test_a_kill_at_any_moment_changes_nothing(
    gt: Launcher, eve: Path, calm: Calm, tmp_path: Path, *, seed: int, tally: Tally
) -> None:
    chance, found = chances(seed), dict[str, Unlike]()
    for _, folder in zip(range(MOMENTS), copies(eve, tmp_path), strict=False):
        moment = chance.uniform(0, 1.1 * calm.seconds)
        gt.run(folder, *RUN, kill_after=moment)
        until_done(gt, folder)
        found[f"killed after {moment:.3f} s"] = calm.unlike(folder)
    assert told(found)
    tally("killed at a moment by lot", len(found), counted(found))


@pytest.mark.parametrize("seed", seeds(1))
def test_a_kill_on_the_first_day_of_a_new_project_changes_nothing(
    gt: Launcher, tmp_path: Path, *, seed: int, tally: Tally
) -> None:
    new, argv = build(tmp_path / "new"), ("run", "--ds", str(FIRST), "--json")
    calm = without_fault(gt, copy(new, tmp_path / "calm"), *argv)
    chance = chances(seed)
    points = chance.sample(range(len(calm.calls) + 1), FIRST_DAYS)
    moments = [chance.uniform(0, calm.seconds) for _ in range(FIRST_DAYS)]
    found: dict[str, Unlike] = {}
    for fault, folder in zip((*points, *moments), copies(new, tmp_path), strict=False):
        if isinstance(fault, int):
            _kill(gt, folder, argv, fault)
        else:
            gt.run(folder, *argv, kill_after=fault)
        until_done(gt, folder, *argv)
        found[str(fault)] = calm.unlike(folder)
    assert told(found)
    tally("killed on the first day of a new project", len(found), counted(found))


def _kill(gt: Launcher, folder: Path, argv: Sequence[str], at: int, *, must: bool = True) -> None:
    cut = gt.run(folder, *argv, wire=Tripwire(at, "kill"))
    assert cut.signal == signal.SIGKILL or (not must and cut.code in {0, OTHER_RUN}), cut.err
