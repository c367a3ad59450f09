"""The busy day: run without a fault, run with one, and both compared."""

from __future__ import annotations

import random
import shutil
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from faults.chaos import COUNTS
from faults.project import BUSY_DAY, NEXT_DAY, Unlike, compare, copy, seen
from faults.wires import Tripwire

if TYPE_CHECKING:
    from pathlib import Path

    from faults.launcher import Launcher

RUN = ("run", "--ds", str(BUSY_DAY), "--json")
NEXT = ("run", "--ds", str(NEXT_DAY), "--json")
ENGINE_FAILED, OTHER_RUN = 3, 4
_PATIENCE = 40


class Calm(NamedTuple):
    """The day without a fault: the names of its calls, what it left, how many seconds it took."""

    calls: list[str]
    state: dict[str, Any]
    seconds: float

    def unlike(self, folder: Path) -> Unlike:
        """What a copy of the project differs in that had its faults; the copy goes."""
        found = compare(seen(folder), self.state)
        shutil.rmtree(folder)
        return found


def without_fault(gt: Launcher, folder: Path, *argv: str) -> Calm:
    """What the command does to the project, call by call."""
    log, begun = folder / "calls", time.monotonic()
    done = gt.run(folder, *argv, wire=Tripwire(log=str(log)))
    seconds = time.monotonic() - begun
    assert done.code == 0, done.err
    return Calm(log.read_text().split(), seen(folder), seconds)


def until_done(gt: Launcher, folder: Path, *argv: str) -> None:
    """Start the command until it is done, as a scheduler does while a dead run's lease lasts."""
    for _ in range(_PATIENCE):
        done = gt.run(folder, *(argv or RUN))
        if done.code == 0:
            return
        assert done.code == OTHER_RUN, done.err
        time.sleep(0.05)
    pytest.fail("the lease of a dead run did not end")


def copies(eve: Path, folder: Path) -> Any:  # noqa: ANN401  a generator of paths without an end
    """The eve of the busy day, again and again, each in a folder of its own."""
    number = 0
    while True:
        number += 1
        yield copy(eve, folder / str(number))


def chances(seed: int) -> random.Random:
    """Chosen by lot, and the same ones every time."""
    return random.Random(seed)  # noqa: S311  nothing here is a secret


def told(found: dict[str, Unlike]) -> str:
    """The figures in words; fails naming every fault after which something differs."""
    bad = {name: unlike for name, unlike in found.items() if any(unlike)}
    assert not bad, "\n".join(f"{name}: {unlike}"[:1000] for name, unlike in bad.items())
    lost, duplicated, violations = counted(found).values()
    return f"{lost} lost, {duplicated} duplicated, {violations} differences"


def counted(found: dict[str, Unlike]) -> dict[str, int]:
    """The figures as a row of docs/reliability.md has them."""
    return {name: sum(len(u[n]) for u in found.values()) for n, name in enumerate(COUNTS)}
