"""The job every peer is given, and what it answers: one process each, in the peers' environment.

A job is an ``.npz``: prices ``open high low close`` [asset, bar], ``signal`` [entry set, asset,
bar], the levels ``stop`` and ``target`` [level, asset, bar] already on their ticks, ``quantity``
[asset, bar], and ``permutations`` with a row ``(entry set, stop, target, bars held at most)`` of
indices and a number each. So no peer spends time on indicators, signals or levels.

The rules are Goldenthread's for stocks: on a close with a signal, with nothing held, buy at the
next open; stop and target rest from then on, the stop first when one bar holds both unless the
open met the target; out at the open after ``bars held`` bars. Market and stop fills slip, limit
fills do not. What is open at the end stays open.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SLIPPAGE = 0.0005
CASH = 100_000.0


@dataclass(frozen=True)
class Job:
    """The arrays of a job: of the first assets, of permutations spread evenly over all."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    signal: NDArray[np.bool_]
    stop: Floats
    target: Floats
    quantity: Floats
    permutations: Floats

    @classmethod
    def read(cls, file: Path, assets: int, permutations: int) -> Job:
        """The job of a file."""
        with np.load(file) as data:
            columns = {name: data[name] for name in cls.__dataclass_fields__}
        every = columns["permutations"]
        columns["permutations"] = every[np.arange(permutations) * len(every) // permutations]
        cut = {
            name: np.ascontiguousarray(a[..., :assets, :] if name != "permutations" else a)
            for name, a in columns.items()
        }
        return cls(**cut)

    @property
    def bar_permutations(self) -> int:
        """Bars times permutations, over all assets."""
        return self.close.size * len(self.permutations)

    def signals(self, permutation: int) -> NDArray[np.bool_]:
        """Whether the permutation would buy on each close, [asset, bar]."""
        wanted: NDArray[np.bool_] = self.signal[int(self.permutations[permutation, 0])]
        return wanted

    def levels(self, permutation: int) -> tuple[Floats, Floats, int]:
        """Stop and target of each close, and the most bars held."""
        _, stop, target, held = self.permutations[permutation]
        return self.stop[int(stop)], self.target[int(target)], int(held)


@dataclass(frozen=True)
class Outcome:
    """What one run made: closed trades and their profit, per permutation."""

    trades: list[int]
    profit: list[float]


def answer(name: str, run: Callable[[Job], Outcome]) -> None:
    """Run the job the command line names and print what it took and what came out, as JSON."""
    file, assets, permutations, repeats = sys.argv[1:5]
    job = Job.read(Path(file), int(assets), int(permutations))
    run(job)  # compiles and warms up
    wall, processor = [], []
    for _ in range(int(repeats)):
        begun, used = time.perf_counter(), time.process_time()
        outcome = run(job)
        wall.append(time.perf_counter() - begun)
        processor.append(time.process_time() - used)
    print(  # noqa: T201  # its result
        json.dumps(
            {
                "name": name,
                "assets": int(assets),
                "permutations": len(job.permutations),
                "wall_s": statistics.median(wall),
                "processor_s": statistics.median(processor),
                "bar_permutations": job.bar_permutations,
                "trades": outcome.trades,
                "profit": outcome.profit,
            }
        )
    )
