"""A sweep carried out: block after block, in threads or processes, kept as it goes."""

from __future__ import annotations

import hashlib
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from goldenthread.domain.errors import EngineError
from goldenthread.research.sweep.work import CHUNK, Chunk, add_chunk, chunk_books

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from concurrent.futures import Executor, Future

    from goldenthread.domain.clock import Clock
    from goldenthread.research.sweep.chaining import Books
    from goldenthread.research.sweep.layout import Layout, Workers
    from goldenthread.research.sweep.orders import Stakes
    from goldenthread.research.sweep.plan import Plan
    from goldenthread.research.sweep.store import SweepStore
    from goldenthread.research.sweep.work import Bars

KEPT_EVERY_S = 20
"""Seconds of work after which unfinished books are kept."""
_ATTEMPTS = 3


def _silent(_done: int, _all: int) -> None:
    """Tell nobody."""


def local_processes(workers: int) -> Executor:
    """A pool of processes on this machine."""
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"))


@dataclass
class Crew:
    """Who does the work, where it is kept and who is told: ``advance(pieces done, in all)``.

    ``pool`` makes the executor that processes work in; any will do.
    """

    workers: Workers
    store: SweepStore
    clock: Clock
    advance: Callable[[int, int], None] = _silent
    done: int = 0
    pieces: int = 0
    kept_at: dt.datetime | None = field(default=None)
    pool: Callable[[int], Executor] = local_processes

    def tell(self, pieces: int) -> None:
        """Count pieces of work and tell."""
        self.done += pieces
        self.advance(self.done, self.pieces)


def all_figures(plan: Plan, bars: Bars, stakes: Stakes, layout: Layout, crew: Crew) -> pl.DataFrame:
    """The figures of every permutation, in the order of the plan.

    Raises:
        EngineError: Workers kept dying; what was finished is kept.
    """
    firsts = range(0, len(bars.assets), CHUNK)
    crew.pieces = len(layout.blocks) * len(firsts)
    found = []
    for rows in layout.blocks:
        name = f"block-{hashlib.sha256(rows.tobytes()).hexdigest()[:16]}"
        figures = crew.store.block(name)
        if figures is None:
            whole = Chunk(plan.part(rows), bars, stakes, bars.days(stakes))
            figures = _block(name, whole, crew)
            crew.store.save_block(name, figures)
        else:
            crew.tell(len(firsts))
        found.append(figures.with_columns(pl.Series("row", rows)))
    return pl.concat(found).sort("row").drop("row")


def _block(name: str, whole: Chunk, crew: Crew) -> pl.DataFrame:
    from goldenthread.research.sweep.chaining import new_books  # noqa: PLC0415  # numba, when needed
    from goldenthread.research.sweep.figures import Span, figures_of  # noqa: PLC0415  # the same

    books = new_books(whole.plan.size, len(whole.days))
    done = crew.store.books(name, books)
    crew.tell(len(done))
    crew.kept_at = crew.clock.now()
    waiting = [at for at in range(0, len(whole.bars.assets), CHUNK) if at not in done]
    keep = _Keeper(name, books, done, crew)
    if crew.workers.processes:
        _in_processes(whole, waiting, keep)
    else:
        _in_threads(whole, waiting, keep)
    span = Span(float(whole.stakes.capital), int(whole.days[-1] - whole.days[0]))
    return figures_of(books, span, crew.workers.count)


@dataclass
class _Keeper:
    """The books of a block while it is worked on."""

    name: str
    books: Books
    done: set[int]
    crew: Crew

    def finished(self, first: int) -> None:
        """A chunk is in the books: tell, and keep them now and then."""
        self.done.add(first)
        self.crew.tell(1)
        now = self.crew.clock.now()
        if self.crew.kept_at and (now - self.crew.kept_at).total_seconds() >= KEPT_EVERY_S:
            self.crew.store.save_books(self.name, self.books, self.done)
            self.crew.kept_at = now


def _in_threads(whole: Chunk, waiting: list[int], keep: _Keeper) -> None:
    threads = keep.crew.workers.count
    shared = whole.desks() if whole.bars.is_one else None
    with ThreadPoolExecutor(threads) as pool:
        for first in waiting:
            part = whole._replace(bars=whole.bars.chunk(first))
            add_chunk(part, shared or part.desks(), keep.books, pool, threads)
            keep.finished(first)


def _in_processes(whole: Chunk, waiting: list[int], keep: _Keeper) -> None:
    """Chunks in processes of their own; what a dead one had is done again."""
    for _ in range(_ATTEMPTS):
        todo = [first for first in waiting if first not in keep.done]
        try:
            _in_one_pool(whole, todo, keep)
        except BrokenExecutor:
            continue
        return
    msg = (
        f"workers died {_ATTEMPTS} times (out of memory?); what is finished is kept: run it again"
        " with fewer --workers, or without, and it goes on"
    )
    raise EngineError(msg)


def _in_one_pool(whole: Chunk, todo: list[int], keep: _Keeper) -> None:
    count = keep.crew.workers.processes
    running: dict[Future[Books], int] = {}
    with keep.crew.pool(count) as pool:
        while todo or running:
            while todo and len(running) < count:  # no more: each result is as large as the books
                first = todo.pop(0)
                part = whole._replace(bars=whole.bars.chunk(first))
                running[pool.submit(chunk_books, part)] = first
            ready, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in ready:
                for total, own in zip(keep.books, future.result(), strict=True):
                    np.add(total, own, out=total)
                keep.finished(running.pop(future))
