"""The work of a sweep: a block of permutations on a chunk of assets.

Every chunk of assets adds whole numbers to the books of a block of permutations, so the result
does not depend on how either is divided nor on who computes it. ``chunk_books`` is plain and
picklable: any executor may run it.
"""

from __future__ import annotations

import hashlib
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from goldenthread.domain.asset import Asset, AssetClass, CorporateAction
from goldenthread.market.bars import BarBook
from goldenthread.research.sweep.orders import Desks, Stakes, asset_orders
from goldenthread.research.sweep.plan import IntArray, Plan
from goldenthread.rules.calendar import session_days
from goldenthread.signals.batch import Peers

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator
    from concurrent.futures import Executor, Future

    from goldenthread.market.inputs.book import InputBook
    from goldenthread.research.sweep.chaining import Books, Chains

CHUNK = 16
"""Assets a chunk: what a worker takes at once, and what a dead one has to do again."""
_READ = ["symbol", "ds", "open", "high", "low", "close", "volume", "state"]


@dataclass(frozen=True)
class Bars:
    """The judged bars and corporate actions of everything a sweep reads, and its assets.

    ``assets`` are those decided on, in order; ``refs`` others that expressions look at, and all
    members they compare. ``inputs`` are the values of point-in-time tables, None without any.
    """

    bars: pl.DataFrame
    actions: tuple[CorporateAction, ...]
    assets: tuple[Asset, ...]
    refs: tuple[str, ...] = ()
    lookback: int = 1200
    inputs: InputBook | None = None

    @property
    def is_one(self) -> bool:
        """Whether every asset may read all bars, as where members are compared."""
        return {asset.symbol for asset in self.assets} <= set(self.refs)

    def chunk(self, first: int) -> Bars:
        """The chunk of assets from number ``first`` on, with only the bars they read."""
        chosen = self.assets[first : first + CHUNK]
        wanted = {*self.refs, *(asset.symbol for asset in chosen)}
        return replace(
            self,
            bars=self.bars.filter(pl.col("symbol").is_in(wanted)),
            actions=tuple(action for action in self.actions if action.symbol in wanted),
            assets=chosen,
        )

    def within(self, first: dt.date, last: dt.date) -> Bars:
        """What was there on ``last``: nothing later, and assets with a bar from ``first`` on."""
        known = self.bars.filter(pl.col("ds") <= last)
        there = set(known.filter(pl.col("ds") >= first)["symbol"].unique())
        return replace(
            self,
            bars=known,
            actions=tuple(action for action in self.actions if action.ex_ds <= last),
            assets=tuple(asset for asset in self.assets if asset.symbol in there),
        )

    def digest(self, span: tuple[dt.date, dt.date] | None = None) -> str:
        """Sixteen hex digits of all prices; within a span of those of the assets alone."""
        frame = self.bars
        if span:
            own = [asset.symbol for asset in self.assets]
            frame = frame.filter(
                pl.col("symbol").is_in(own), pl.col("ds").is_between(span[0], span[1])
            )
        sha = hashlib.sha256(str(span).encode())
        for column in frame.select(_READ).sort("symbol", "ds"):
            sha.update(_runs(column) if column.dtype == pl.String else _bytes(column))
        return sha.hexdigest()[:16]

    def book(self) -> BarBook:
        """The bars ready to be read."""
        return BarBook(self.bars, self.actions, self.assets, lookback=self.lookback)

    def peers(self, book: BarBook) -> Peers:
        """The members and values of tables over the bars of ``book``."""
        return Peers(book.window, self.inputs.steps) if self.inputs else Peers(book.window)

    def days(self, stakes: Stakes) -> IntArray:
        """The days of the curve: every session of the assets' calendars in the span."""
        classes = {asset.asset_class for asset in self.assets}
        kind = AssetClass.CRYPTO if AssetClass.CRYPTO in classes else AssetClass.EQUITY
        return session_days(kind, stakes.first, stakes.last)


def _runs(words: pl.Series) -> bytes:
    """Each word that is repeated once, and how often."""
    runs = words.rle().struct
    return "\n".join(runs.field("value")).encode() + _bytes(runs.field("len"))


def _bytes(column: pl.Series) -> bytes:
    return np.ascontiguousarray(column.to_physical().cast(pl.Float64)).tobytes()


class Chunk(NamedTuple):
    """One piece of work: a block of permutations on a chunk of assets."""

    plan: Plan
    bars: Bars
    stakes: Stakes
    days: IntArray

    def desks(self) -> Desks:
        """What its assets have in common."""
        book = self.bars.book()
        return Desks(book, self.bars.peers(book), self.stakes)


def chunk_books(chunk: Chunk, threads: int = 1) -> Books:
    """The books of the permutations over the assets of the chunk alone."""
    from goldenthread.research.sweep.chaining import new_books  # noqa: PLC0415  # numba, when needed

    books = new_books(chunk.plan.size, len(chunk.days))
    with ThreadPoolExecutor(threads) as pool:
        add_chunk(chunk, chunk.desks(), books, pool, threads)
    return books


def add_chunk(chunk: Chunk, desks: Desks, books: Books, pool: Executor, threads: int) -> None:
    """Add a chunk to books: assets a few ahead, the permutations of each in parts."""
    edges = np.linspace(0, chunk.plan.size, threads + 1).astype(np.int64).tolist()
    for chains in _ahead(chunk, desks, pool, threads):
        parts = [pool.submit(chains.add_to, books, *span) for span in pairwise(edges)]
        for part in parts:
            part.result()


def _ahead(chunk: Chunk, desks: Desks, pool: Executor, threads: int) -> Iterator[Chains]:
    """The chains of each asset in turn; only as many wait at once as there are threads."""
    waiting: deque[Future[Chains | None]] = deque()
    for asset in chunk.bars.assets:
        waiting.append(pool.submit(_chains, chunk, asset, desks))
        if len(waiting) > threads and (chains := waiting.popleft().result()) is not None:
            yield chains
    while waiting:
        if (chains := waiting.popleft().result()) is not None:
            yield chains


def _chains(chunk: Chunk, asset: Asset, desks: Desks) -> Chains | None:
    from goldenthread.research.sweep.chaining import Chains  # noqa: PLC0415  # numba, when needed

    orders = asset_orders(chunk.plan, asset, desks)
    return None if orders is None else Chains(chunk.plan, orders, chunk.days)
