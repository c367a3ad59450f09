"""A book at work: its engines, strategies and bars, wired once and used for many dates."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from goldenthread.app.versions import Configs, VersionStamp, configs_of
from goldenthread.domain.errors import ConflictError, GoldenthreadError
from goldenthread.domain.strategy import StrategyStatus
from goldenthread.positions.session import Session
from goldenthread.rules.calendar import next_session
from goldenthread.warehouse.loops import RunStamp

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Mapping

    import polars as pl

    from goldenthread.app.book import BookState, FrozenRun
    from goldenthread.app.engines.wiring import Engines
    from goldenthread.app.pricing import Pricer
    from goldenthread.app.versions import Library
    from goldenthread.domain.asset import Asset, CorporateAction
    from goldenthread.domain.policy import Policy
    from goldenthread.market.bars import BarBook
    from goldenthread.ports.leases import Lease
    from goldenthread.signals.engine import CompiledStrategy, Evaluator

LEASE = "run"


class StoppedError(GoldenthreadError):
    """The process was told to end; the exit code is that of a process which SIGTERM ended."""

    exit_code = 128 + signal.SIGTERM


@contextmanager
def ends_between_writes() -> Iterator[Callable[[], None]]:
    """What a run calls after each of its writes: it raises when the process was told to end.

    Inside, SIGTERM no longer ends the process at once. Only the main thread can be told.

    Raises:
        StoppedError: It was told to end, now at the latest.
    """
    told: list[int] = []

    def go_on() -> None:
        if told:
            msg = (
                "told to end (SIGTERM): what was begun is finished and the lease given back; run"
                " the same command again, it goes on where it stopped"
            )
            raise StoppedError(msg)

    if threading.current_thread() is not threading.main_thread():
        yield go_on
        return
    before = signal.signal(signal.SIGTERM, lambda number, _frame: told.append(number))
    try:
        yield go_on
    finally:
        signal.signal(signal.SIGTERM, before)
    go_on()


@dataclass(frozen=True)
class Desk:
    """Everything the runs of one book share.

    ``members`` maps a strategy id to the symbols it decides on, those without bars left out.
    ``judged`` holds every bar in BAR_SCHEMA with its state, ``bars`` the same ready to be read.
    ``code`` is the engine digest and the git hash, kept with every version.
    """

    book: str
    engines: Engines
    policy: Policy
    library: Library
    bars: BarBook
    judged: pl.DataFrame
    assets: Mapping[str, Asset]
    members: Mapping[str, tuple[str, ...]]
    evaluator: Evaluator
    pricer: Pricer
    code: tuple[str, str]
    owner: str
    lease_ttl_s: float
    ttl_days: int

    @cached_property
    def actions(self) -> list[CorporateAction]:
        """Every corporate action of every asset."""
        return [a for symbol in self.assets for a in self.bars.actions(symbol)]

    @contextmanager
    def lease(self) -> Iterator[Lease]:
        """The right to write to the book, given back at the end.

        Raises:
            LeaseLostError: Another run took over; whatever disagreed with us was its doing.
        """
        leases = self.engines.leases
        lease = leases.acquire(LEASE, self.owner, self.lease_ttl_s)
        try:
            yield lease
        except ConflictError:
            leases.renew(lease, self.lease_ttl_s)
            raise
        finally:
            leases.release(lease)

    def close(self) -> None:
        """Let others write to the warehouse again; the desk opens it anew when it needs it."""
        self.engines.warehouse.close()

    def version_stamp(self, run: FrozenRun) -> VersionStamp:
        """When and by which code the versions of the run are compared."""
        return VersionStamp(run.now, git_hash=self.code[1], engine_digest=self.code[0])

    @cached_property
    def configs(self) -> Configs:
        """What the book keeps versions of, as the files have it."""
        return configs_of(self.library, self.policy, self.assets.values())

    def stamp(self, run: FrozenRun) -> RunStamp:
        """What marks the rows a run loads."""
        now = self.engines.clock.now()
        return RunStamp(f"{self.book}/{run.ds.isoformat()}", self.book, run.ds, now)

    def deciding(self) -> list[CompiledStrategy]:
        """The strategies that decide: all but the paused ones."""
        paused = StrategyStatus.PAUSED
        return [c for c in self.library.current if c.strategy.status is not paused]

    def session(self, run: FrozenRun, state: BookState) -> Session:
        """What the run knows of its date before it touches the book."""
        symbols = list(self.assets)
        bars = {
            s: bar for s in symbols if (bar := self.bars.tradable(s, run.ds, run.now)) is not None
        }
        closes = {
            s: close
            for s in symbols
            if (close := self.bars.last_close(s, run.ds, run.now)) is not None
        }
        return Session(
            book=self.book,
            ds=run.ds,
            now=run.now,
            policy=self.policy,
            assets=self.assets,
            bars=bars,
            closes=closes,
            actions=self.actions,
            last_ds=state.last_ds,
            may_submit=self._in_time(run) if run.missed else None,
            engine_digest=self.code[0],
        )

    def _in_time(self, run: FrozenRun) -> frozenset[str]:
        """The symbols whose latest complete session is still ``ds``, though the run is late."""
        today: dt.date = run.now.date()
        return frozenset(
            s for s, a in self.assets.items() if next_session(a.asset_class, run.ds) >= today
        )
