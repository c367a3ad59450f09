"""Two sides over all their signals: what each made, and what each cause added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from goldenthread.reports.divergence.causes import divide
from goldenthread.reports.divergence.course import Cause, Course, NoTrade, Taken

SHOWS = Decimal("0.005")
"""Half a cent: what moved a trade by less is summed, and not counted."""
_UNKNOWN = NoTrade(Cause.MISSING_DATA, "no signal")


class Bucket(NamedTuple):
    """What one cause added to B over A, and to how many signals by half a cent or more."""

    cause: Cause
    amount: Decimal
    signals: int


class Pair(NamedTuple):
    """One signal on both sides, and what each cause added to B over A."""

    signal_id: str
    a: Taken
    b: Taken
    parts: Mapping[Cause, Decimal]

    @property
    def difference(self) -> Decimal:
        """What B made of it less what A made."""
        return self.b.net - self.a.net


@dataclass(frozen=True)
class Divergence:
    """Signals by id with money on a side, both sides of each."""

    pairs: tuple[Pair, ...]

    @property
    def trades(self) -> tuple[int, int]:
        """How many trades A closed, and B."""
        a = sum(isinstance(pair.a, Course) for pair in self.pairs)
        return a, sum(isinstance(pair.b, Course) for pair in self.pairs)

    @property
    def net(self) -> tuple[Decimal, Decimal]:
        """The net P&L of A, and of B."""
        a = sum((pair.a.net for pair in self.pairs), Decimal(0))
        return a, sum((pair.b.net for pair in self.pairs), Decimal(0))

    @property
    def difference(self) -> Decimal:
        """What B made less what A made: the sum of the buckets, exactly."""
        a, b = self.net
        return b - a

    @cached_property
    def buckets(self) -> tuple[Bucket, ...]:
        """What each cause added, in the order of ``Cause``; those that did nothing left out."""
        found = []
        for cause in Cause:
            parts = [pair.parts[cause] for pair in self.pairs if cause in pair.parts]
            shown = sum(abs(amount) >= SHOWS for amount in parts)
            if parts:
                found.append(Bucket(cause, sum(parts, Decimal(0)), shown))
        return tuple(found)

    def furthest(self, most: int) -> tuple[Pair, ...]:
        """The signals that some cause moved by half a cent or more, the furthest apart first."""
        differing = [p for p in self.pairs if any(abs(x) >= SHOWS for x in p.parts.values())]
        differing.sort(key=lambda pair: (-abs(pair.difference), pair.signal_id))
        return tuple(differing[:most])


def diverge(a: Mapping[str, Taken], b: Mapping[str, Taken]) -> Divergence:
    """Both sides of every signal that made money on one, by id.

    A signal a side does not name was no signal there.
    """
    traded = {name for side in (a, b) for name, took in side.items() if isinstance(took, Course)}
    pairs = []
    for name in sorted(traded):
        ours, theirs = a.get(name, _UNKNOWN), b.get(name, _UNKNOWN)
        pairs.append(Pair(name, ours, theirs, divide(ours, theirs)))
    return Divergence(tuple(pairs))
