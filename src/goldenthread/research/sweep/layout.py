"""How a sweep is divided and what memory it takes: stated before it starts, refused if too much."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from goldenthread.domain.errors import UsageError
from goldenthread.signals.batch import KEPT_BYTES

if TYPE_CHECKING:
    from goldenthread.research.sweep.plan import IntArray, Plan

BOOKS_BYTES = 2 * 8
"""Memory of one permutation on one day: change of the equity and gross exposure."""
ENTRY_BYTES = 12
"""Memory of one entry set on one day of an asset, roughly."""
LEVEL_BYTES = 32
"""Memory of one distinct level on one day of an asset, roughly."""
ASSET_BYTES = 1_000
"""Memory of one day of an asset besides, series and sessions, roughly."""
RESULT_BYTES = 1_000
"""Memory of one permutation's values and figures, roughly."""
_BOOKS_AT_MOST = 1 << 29
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
    """Blocks that fit in memory; permutations that share rides lie side by side.

    Args:
        plan: The permutations.
        size: Assets, days, bars.
        workers: Each process has books of its own; each thread an asset at hand.
        free: Bytes free for use; by default what the machine says.

    Raises:
        UsageError: Even the smallest division needs more than the machine has.
    """
    available = int((free_memory() if free is None else free) * _OF_FREE)
    copies, at_hand = 1 + workers.processes, 1 + workers.count
    books = BOOKS_BYTES * copies
    row = size.days * (books + ENTRY_BYTES * at_hand)
    levels = LEVEL_BYTES * len(plan.rungs.writers)
    fixed = size.bar_bytes * (1 + copies) + plan.size * RESULT_BYTES
    fixed += size.days * (levels + ASSET_BYTES) * at_hand
    fixed += copies * KEPT_BYTES * any(compiled.peers for compiled in plan.entries)
    if available < fixed + row:
        msg = (
            f"{plan.size:,} permutations on {size.assets:,} assets and {size.days:,} days need at"
            f" least {(fixed + row) / _MEGABYTE:,.0f} MB, {available / _MEGABYTE:,.0f} MB"
            " can be used; try --sample N, a shorter --from/--to or fewer --workers"
        )
        raise UsageError(msg)
    most = min((available - fixed) // row, max(1, _BOOKS_AT_MOST // (size.days * BOOKS_BYTES)))
    order = np.lexsort((np.arange(plan.size), plan.entry, plan.ride, plan.family[plan.ride]))
    blocks = tuple(order[first : first + most] for first in range(0, plan.size, most))
    entries = max(len(np.unique(plan.entry[block])) for block in blocks)
    largest = len(blocks[0]) * books + entries * ENTRY_BYTES * at_hand
    return Layout(blocks, fixed + size.days * largest, available)


def free_memory() -> int:
    """Bytes a new program may use: what Linux estimates, elsewhere half of what is built in."""
    known = Path("/proc/meminfo")
    if known.is_file():
        rows = (line.split() for line in known.read_text("ascii").splitlines())
        amounts = {row[0]: int(row[1]) * 1024 for row in rows}
        if "MemAvailable:" in amounts:
            return amounts["MemAvailable:"]
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
