"""What the warehouse says a book was: everything a replay reads, and what was in force when."""

from __future__ import annotations

import datetime as dt
import json
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from goldenthread.domain.asset import Asset, CorporateAction
from goldenthread.domain.policy import Policy
from goldenthread.domain.strategy import Strategy, Version

if TYPE_CHECKING:
    import polars as pl

    from goldenthread.domain.bar import Steps

Fact = Mapping[str, Any]
"""The columns about a decision, with ``signal_id rejection_reason rejection_reasons``."""


class Day(NamedTuple):
    """A date the book ran: the instant it decided at, and the equity it decided from, if told."""

    ds: dt.date
    now: dt.datetime
    equity: Decimal | None = None


@dataclass(frozen=True)
class Past:
    """One book as its facts tell it.

    ``facts`` are the decisions by signal id, ``code`` the texts of Python factors by version
    key, ``bars`` every revision in BAR_SCHEMA, judged. ``engines`` maps an engine digest to what
    its functions were known by, ``held`` are the ids of positions open on ``last``, the last
    archived date. ``inputs`` gives the values of a point-in-time table, of
    those in ``tables``; ``runs_code`` allows Python factors to run.
    """

    book: str
    days: Sequence[Day]
    facts: Mapping[str, Fact]
    strategies: Timeline
    policies: Timeline
    assets: Timeline
    code: Mapping[str, Mapping[str, str]]
    bars: pl.DataFrame
    actions: Sequence[CorporateAction]
    engines: Mapping[str, Mapping[str, str]]
    held: frozenset[str]
    last: dt.date
    inputs: Callable[[str, str], Steps]
    tables: frozenset[str]
    runs_code: bool

    @cached_property
    def engine_by_day(self) -> tuple[Sequence[dt.date], Sequence[str]]:
        """From which date on which engine decided, as far as facts tell; sorted."""
        found = {f["signal_ds"]: f["engine_digest"] for f in self.facts.values()}
        days = sorted(found)
        return days, [found[ds] for ds in days]

    def engine_on(self, ds: dt.date) -> str:
        """The code that decided on the last date with a decision up to ``ds``, else on the first.

        Empty when there is no decision at all.
        """
        days, engines = self.engine_by_day
        at = bisect_right(days, ds)
        return engines[max(at - 1, 0)] if engines else ""


class Timeline:
    """The versions of one kind, and which of each id was in force at an instant."""

    def __init__(self, versions: Sequence[Version]) -> None:
        self.versions = versions
        self._turns = sorted({t for v in versions for t in (v.valid_from, v.valid_to) if t})
        self._known: dict[int, dict[str, Version]] = {}

    def at(self, now: dt.datetime) -> Mapping[str, Version]:
        """The version in force at the instant, by id; the same mapping between two changes."""
        turn = bisect_right(self._turns, now)
        if turn not in self._known:
            self._known[turn] = {
                v.id: v
                for v in self.versions
                if v.valid_from <= now and (v.valid_to is None or now < v.valid_to)
            }
        return self._known[turn]


def policy_of(version: Version) -> Policy:
    """The policy of a version."""
    return Policy.model_validate(json.loads(version.config))


def asset_of(version: Version) -> Asset:
    """The asset of a version."""
    return Asset.model_validate(json.loads(version.config))


def strategy_of(version: Version, code: Mapping[str, str]) -> Strategy:
    """The strategy of a version, with the texts of the Python factors it calls."""
    return Strategy.from_canonical(json.loads(version.config), code)
