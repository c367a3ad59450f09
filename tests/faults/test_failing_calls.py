"""Any one call fails once: the run ends with a reason, and the next one makes it good."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from faults.busy_day import (
    ENGINE_FAILED,
    NEXT,
    OTHER_RUN,
    RUN,
    Calm,
    copies,
    counted,
    told,
    until_done,
)
from faults.launcher import Launcher
from faults.project import Unlike, copy, seen
from faults.wires import Tripwire

if TYPE_CHECKING:
    from collections.abc import Iterable

    from faults.chaos import Tally
    from faults.wires import Act

pytestmark = [pytest.mark.slow, pytest.mark.fault("F2")]

UNSURE = ("broker.submit", "broker.replace", "broker.cancel")
"""The calls whose outcome a broker may leave open."""


class Bench(NamedTuple):
    """What a day with a fault starts from and is compared with, and where its copies go."""

    gt: Launcher
    eve: Path
    calm: Calm
    folders: Path


class Injected(NamedTuple):
    """How many runs had a fault, how many ended well all the same, what differs."""

    faults: int
    well: int
    found: dict[str, int]


@pytest.mark.parametrize("act", ["busy", "oserror"])
def test_a_call_that_fails_once_costs_a_restart_and_nothing_else(
    gt: Launcher,
    eve: Path,
    calm: Calm,
    tmp_path: Path,
    act: Act,
    tally: Tally,
) -> None:
    first = 1 if act == "busy" else 2  # each call fails once, in one of the two ways
    points = range(first, len(calm.calls) + 1, 2)
    injected = _inject(Bench(gt, eve, calm, tmp_path), act, points)
    assert injected.well == 0
    tally(f"each call fails once ({act})", injected.faults, injected.found)


def test_an_answer_that_is_lost_after_the_effect_is_asked_for_and_nothing_is_done_twice(
    gt: Launcher, eve: Path, calm: Calm, tmp_path: Path, tally: Tally
) -> None:
    both = copy(eve, tmp_path / "calm")
    until_done(gt, both)
    until_done(gt, both, *NEXT)  # an order whose fate was open is archived by the next run
    unsure = [n for n, c in enumerate(calm.calls, 1) if c.startswith(UNSURE)]
    firsts = [n for n, call in enumerate(calm.calls, 1) if call.endswith("#1")]
    chosen = sorted({*unsure, *firsts})
    after = calm._replace(state=seen(both))
    injected = _inject(Bench(gt, eve, after, tmp_path), "unknown", chosen, NEXT)
    tally("a call takes effect, its answer is lost", injected.faults, injected.found)


def _inject(bench: Bench, act: Act, points: Iterable[int], then: tuple[str, ...] = RUN) -> Injected:
    """What came of a fault at each of the points, one run a point, made good by the next."""
    codes: list[int | None] = []
    found: dict[str, Unlike] = {}
    gt, eve, calm, folders = bench
    for at, folder in zip(points, copies(eve, folders), strict=False):
        name = f"{act} at {calm.calls[at - 1]}"
        failed = gt.run(folder, *RUN, wire=Tripwire(at, act))
        codes.append(failed.code)
        assert failed.code in {0, ENGINE_FAILED, OTHER_RUN}, (name, failed)
        assert failed.code == 0 or "injected" in failed.err, (name, failed.err)
        if failed.code == 0 and name.startswith("unknown at broker.submit"):
            assert "no answer to order" in failed.out, (name, failed.out)
        assert "internal error" not in failed.err, (name, failed.err)
        assert "Traceback" not in failed.err, (name, failed.err)
        until_done(gt, folder)
        until_done(gt, folder, *then)
        found[name] = calm.unlike(folder)
    well = codes.count(0)
    assert told(found)
    return Injected(len(codes), well, counted(found))
