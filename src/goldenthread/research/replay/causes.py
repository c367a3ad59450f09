"""Why a decision came out otherwise: other bars, another version, other code, or a gap."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from goldenthread.market.bars import run_at
from goldenthread.signals.engine import engine_digest, engine_manifest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from goldenthread.domain.bar import BarWindow
    from goldenthread.research.replay.deciding import Again
    from goldenthread.research.replay.past import Day, Past
    from goldenthread.signals.engine import CompiledStrategy

_SHOWN = 3
_VALUES = ("open", "high", "low", "close", "volume")


class Cause(StrEnum):
    """Why a decision made again is not its fact."""

    BAR_REVISED = "bar revised"
    CONFIG_CHANGED = "config changed"
    ENGINE_CHANGED = "engine changed"
    COVERAGE = "coverage"
    FACT_CHANGED = "fact changed"


class Revision(NamedTuple):
    """A bar that came later or again: the row before it (None: there was none) and its own."""

    ds: dt.date
    known_at: dt.datetime
    before: Mapping[str, Any] | None
    after: Mapping[str, Any]


class Revisions:
    """Every bar that was not known as it is now when its own date decided."""

    def __init__(self, past: Past) -> None:
        self._by_symbol: dict[str, list[Revision]] = {}
        days = pl.struct("symbol", "ds")
        again = past.bars.filter(days.is_duplicated() | (pl.col("known_at") > _own_run()))
        before: dict[str, Any] | None = None
        for row in again.sort("symbol", "ds", "known_at").to_dicts():
            same = before and (before["symbol"], before["ds"]) == (row["symbol"], row["ds"])
            if same or row["known_at"] > run_at(row["ds"]):
                found = Revision(row["ds"], row["known_at"], before if same else None, row)
                self._by_symbol.setdefault(row["symbol"], []).append(found)
            before = row

    def between(self, symbol: str, first: dt.date, last: dt.date) -> list[Revision]:
        """Those of a symbol's bars from one date to another, oldest first."""
        found = self._by_symbol.get(symbol, [])
        low = bisect_left(found, first, key=lambda r: r.ds)
        return found[low : bisect_right(found, last, key=lambda r: r.ds)]


def _own_run() -> pl.Expr:
    """The instant the date of each bar is decided."""
    minutes = pl.duration(days=1, minutes=5)
    return pl.col("ds").cast(pl.Datetime("us")).dt.replace_time_zone("UTC") + minutes


class Causes:
    """Says why decisions differ; ``again`` stands at the date that is asked about."""

    def __init__(self, past: Past, again: Again, *, as_known_now: bool) -> None:
        self._past, self._again, self._as_known_now = past, again, as_known_now
        self._revisions = Revisions(past)

    def of(
        self, compiled: CompiledStrategy, symbol: str, day: Day, decided: tuple[str, str]
    ) -> tuple[Cause, str]:
        """The cause and its evidence, for a decision whose version is the one in force.

        ``decided`` are the engine digest and the digest of the bars it was decided with, empty
        where there is no fact.
        """
        engine, digest = decided
        window = self._again.window(symbol)
        if window is None or not window.has_bar(day.ds):
            return Cause.COVERAGE, f"no usable bar of {symbol} on {day.ds} in the warehouse"
        is_same = digest == self._again.evaluator.moment.digest(compiled, window)
        revised = [] if is_same else self._revised(compiled, window, day)
        if revised:
            return Cause.BAR_REVISED, _told(revised)
        if engine and engine != engine_digest():
            return Cause.ENGINE_CHANGED, self._changed(engine)
        if not digest:
            return Cause.COVERAGE, "no fact of it in the warehouse: in quarantine, or deleted"
        if is_same:
            return (
                Cause.FACT_CHANGED,
                "same bars, version, policy and code: the fact is not its own",
            )
        why = f"the bars up to {day.ds} are not all those it read: some lack, or were overwritten"
        return Cause.COVERAGE, why

    def _revised(self, compiled: CompiledStrategy, window: BarWindow, day: Day) -> list[Revision]:
        """The revisions among the bars it reads, newest bar first."""
        found = [
            revision
            for symbol, first in self._reads(compiled, window)
            for revision in self._revisions.between(symbol, first, day.ds)
            if self._as_known_now or revision.known_at <= day.now
        ]
        if self._as_known_now:
            found = [r for r in found if r.known_at > day.now]
        return sorted(found, key=lambda r: (r.ds, r.known_at), reverse=True)

    def _reads(
        self, compiled: CompiledStrategy, window: BarWindow
    ) -> Iterator[tuple[str, dt.date]]:
        """The symbols a decision reads, and from which date on."""
        first = window.ds[window.begin(compiled.lookback)]
        yield window.symbol, first.item()
        for symbol in sorted({*compiled.refs, *compiled.peers} - {window.symbol}):
            other = self._again.window(symbol)
            if other is not None:
                yield symbol, other.ds[other.begin(compiled.reach, first)].item()

    def _changed(self, engine: str) -> str:
        """What the code does otherwise now than when it decided, by file and function."""
        then, now = self._past.engines.get(engine), engine_manifest()
        if then is None:
            return f"{engine} decided; what its functions were is not in the warehouse"
        names = sorted(n for n in then.keys() | now.keys() if then.get(n) != now.get(n))
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        return f"{', '.join(names[:_SHOWN]) or 'no function of it, so a library beneath'}{more}"


def _told(revised: list[Revision]) -> str:
    more = f" and {len(revised) - _SHOWN} more" if len(revised) > _SHOWN else ""
    return "; ".join(_one(revision) for revision in revised[:_SHOWN]) + more


def _one(revision: Revision) -> str:
    """One revision in words: which bar, known when, what it was and is."""
    name = f"{revision.after['symbol']} {revision.ds} known {revision.known_at:%Y-%m-%d %H:%M}"
    if revision.before is None:
        return f"{name}: came late"
    old, new = revision.before, revision.after
    changed = [f"{c} {old[c]!r} -> {new[c]!r}" for c in _VALUES if old[c] != new[c]]
    return f"{name}: {', '.join(changed) or 'the same values'}"
