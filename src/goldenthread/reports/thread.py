"""Whether the thread is whole: decided ids against their ends, executions against their trades."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

NAMED = 5
"""How many of each kind of violation are named; all are counted."""


@dataclass(frozen=True)
class Breaks:
    """Where the thread is not whole: an id, and what is wrong with it.

    ``lost`` ids were decided and are found nowhere, ``duplicated`` ones have several ends,
    ``undecided`` ones have an end and no decision. ``unmatched`` executions are not in exactly
    one trade or open position.
    """

    lost: Mapping[str, str]
    duplicated: Mapping[str, str]
    undecided: Mapping[str, str]
    unmatched: Mapping[str, str]

    def counts(self) -> dict[str, int]:
        """How many there are of each kind."""
        return {
            "lost": len(self.lost),
            "duplicated": len(self.duplicated),
            "undecided": len(self.undecided),
            "unmatched_fills": len(self.unmatched),
        }

    def named(self) -> list[str]:
        """The first of each kind in words."""
        kinds = {
            "lost": self.lost,
            "duplicated": self.duplicated,
            "undecided": self.undecided,
            "unmatched fill": self.unmatched,
        }
        return [
            f"{kind} {name}: {words}"
            for kind, found in kinds.items()
            for name, words in sorted(found.items())[:NAMED]
        ]


@dataclass(frozen=True)
class Holding:
    """An execution as one ledger holds it: in which trade or position, and how often there."""

    execution_id: str
    position_id: str
    times: int = 1


def breaks(
    decided: Iterable[str],
    ends: Sequence[tuple[str, str]],
    executed: Iterable[str],
    held: Iterable[Holding],
    kept: frozenset[str],
) -> Breaks:
    """Compare every id, one by one.

    Args:
        decided: The ids of all signals that were decided.
        ends: Id and outcome of everything a signal became, one entry a fact or live record.
        executed: The broker's execution ids.
        held: Where our ledgers hold executions; the same holding may be told by two ledgers.
        kept: The ids of all trades and open positions there are.
    """
    outcomes: dict[str, list[str]] = {}
    for name, outcome in ends:
        outcomes.setdefault(name, []).append(outcome)
    known = set(decided)
    places: dict[str, Counter[str]] = {}
    for holding in held:
        found = places.setdefault(holding.execution_id, Counter())
        found[holding.position_id] = max(found[holding.position_id], holding.times)
    return Breaks(
        lost=dict.fromkeys(known - outcomes.keys(), "decided, and found nowhere"),
        duplicated={n: f"ends as {_list(o)}" for n, o in outcomes.items() if len(o) > 1},
        undecided={n: f"{_list(o)}, never decided" for n, o in outcomes.items() if n not in known},
        unmatched={
            name: words
            for name in set(executed)
            if (words := _unmatched(places.get(name, Counter()), kept))
        },
    )


def _unmatched(places: Counter[str], kept: frozenset[str]) -> str:
    """What is wrong with where an execution is held; empty when one trade holds it once."""
    if not places:
        return "in no trade and no position"
    if places.total() > 1:
        times = (f"{name} ({n} times)" if n > 1 else name for name, n in sorted(places.items()))
        return f"in {_list(times)}"
    (name,) = places
    return "" if name in kept else f"of {name}, which is no trade and no open position"


def _list(words: Iterable[str]) -> str:
    return " and ".join(sorted(words))
