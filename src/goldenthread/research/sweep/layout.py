"""How a sweep is divided and what memory it takes: stated before it starts, refused if too much."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    from goldenthread.research.sweep.plan import IntArray, Plan

BOOKS_BYTES = 2 * 8
"""Memory of one permutation on one day: change of the equity and gross exposure."""
RIDE_BYTES = 400
"""Memory of one ride with its ticket, executions and days, roughly."""
RESULT_BYTES = 1_000
"""Memory of one permutation's values and figures, roughly."""
_BOOKS_AT_MOST = 1 << 29
_RIDES_AT_MOST = 1 << 28
_OF_FREE = 0.6
_MEGABYTE = 1e6


@dataclass(frozen=True)
class Workers:
    """``threads`` in this process, or as many ``processes`` beside it when there are any."""

    threads: int = 0
    processes: int = 0

    @property
    def count(self) -> int:
        """How many work at once; by default as many as the machine has cores."""
        return self.processes or self.threads or os.cpu_count() or 1


class Size(NamedTuple):
    """What a sweep is asked to do: assets, days of its curve, bytes its bars take."""

    assets: int
    days: int
    bar_bytes: int


@dataclass(frozen=True)
class Layout:
    """Blocks of permutations that are worked on one after the other, and their memory."""

    blocks: tuple[IntArray, ...]
    memory_bytes: int
    free_bytes: int

    def words(self) -> str:
        """The statement made before a sweep starts."""
        blocks = "1 block" if len(self.blocks) == 1 else f"{len(self.blocks)} blocks"
        return (
            f"about {self.memory_bytes / _MEGABYTE:,.0f} MB of memory in {blocks},"
            f" {self.free_bytes / _MEGABYTE:,.0f} MB are free"
        )


def layout_of(plan: Plan, size: Size, workers: Workers, free: int | None = None) -> Layout:
    """Blocks that fit in memory; permutations that share rides lie in one block.

    Args:
        plan: The permutations.
        size: Assets, days, bars.
        workers: Each process has books of its own.
        free: Bytes free for use; by default what the machine says.

    Raises:
        UsageError: Even the smallest division needs more than the machine has.
    """
    available = int((free_memory() if free is None else free) * _OF_FREE)
    copies = 1 + workers.processes
    row = size.days * BOOKS_BYTES * copies
    fixed = size.bar_bytes * (2 + workers.processes) + plan.size * RESULT_BYTES
    rides = size.days * RIDE_BYTES * (workers.count + 1)
    budget = available - fixed
    if budget < row + rides:
        msg = (
            f"{plan.size:,} permutations on {size.assets:,} assets and {size.days:,} days need at"
            f" least {(fixed + row + rides) / _MEGABYTE:,.0f} MB, {available / _MEGABYTE:,.0f} MB"
            " can be used; try --sample N, a shorter --from/--to or fewer --workers"
        )
        raise UsageError(msg)
    most_rides = max(1, min(budget // 2, _RIDES_AT_MOST * (workers.count + 1)) // rides)
    left = budget - most_rides * rides
    most_rows = max(1, min(left, _BOOKS_AT_MOST * copies) // row)
    blocks = tuple(_blocks(plan, most_rows, most_rides))
    largest = max(len(block) for block in blocks)
    widest = max(len(np.unique(plan.ride[block])) for block in blocks)
    return Layout(blocks, fixed + largest * row + widest * rides, available)


def free_memory() -> int:
    """Bytes a new program may use: what Linux estimates, elsewhere half of what is built in."""
    known = Path("/proc/meminfo")
    if known.is_file():
        rows = (line.split() for line in known.read_text("ascii").splitlines())
        amounts = {row[0]: int(row[1]) * 1024 for row in rows}
        if "MemAvailable:" in amounts:
            return amounts["MemAvailable:"]
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def _blocks(plan: Plan, most_rows: int, most_rides: int) -> list[IntArray]:
    order = np.lexsort((np.arange(plan.size), plan.entry, plan.ride))
    new = np.diff(plan.ride[order], prepend=-1) != 0
    number = np.cumsum(new) - 1
    edges, first = [0], 0
    while first < plan.size:
        by_rides = int(np.searchsorted(number, number[first] + most_rides))
        first = min(first + most_rows, by_rides)
        edges.append(first)
    return [order[start:end] for start, end in itertools.pairwise(edges)]
