"""A book's days decided again and held against its facts."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from goldenthread.domain.ids import signal_id
from goldenthread.research.replay.causes import Cause, Causes
from goldenthread.research.replay.comparing import Difference, first_difference
from goldenthread.research.replay.deciding import Again, members, signal_of
from goldenthread.signals.engine import engine_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from goldenthread.domain.signal import Candidate
    from goldenthread.research.replay.deciding import Terms
    from goldenthread.research.replay.past import Day, Fact, Past

Count = Literal["equal", "same_new_engine", "same_revised_bars", "not_archived"]
"""What became of a decision that does not differ."""

_DECIDED = Difference("decision", "a candidate", "none")
_NONE = Difference("decision", "none", "a candidate")


class Deviation(NamedTuple):
    """A decision that came out otherwise: the first thing that differs, its cause, its evidence."""

    signal_id: str
    ds: dt.date
    strategy_id: str
    symbol: str
    cause: Cause
    what: str
    archived: str
    again: str
    why: str


@dataclass
class Replay:
    """What became of every decision when it was made again.

    ``equal`` includes none of the others: the same by code that is another today
    (``same_new_engine``), the same though bars it read were revised (``same_revised_bars``, only
    as known now), decided but not archived yet, because the signal still lived
    (``not_archived``), and those that differ, ``causes`` counts them. ``deviations`` has each
    of these, by date.
    """

    book: str
    first: dt.date
    last: dt.date
    as_known_now: bool
    days: int = 0
    decisions: int = 0
    equal: int = 0
    same_new_engine: int = 0
    same_revised_bars: int = 0
    not_archived: int = 0
    differing: int = 0
    causes: Counter[str] = field(default_factory=Counter)
    deviations: list[Deviation] = field(default_factory=list)

    def note(self, found: Deviation | Count) -> None:
        """Count one decision: the name of its count, or where it differs."""
        self.decisions += 1
        if isinstance(found, str):
            setattr(self, found, getattr(self, found) + 1)
            return
        self.differing += 1
        self.causes[found.cause] += 1
        self.deviations.append(found)


def replay(
    past: Past,
    *,
    as_known_now: bool = False,
    strategy: str = "",
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Replay:
    """Every decision of the days again, and whether it is what its fact says.

    Args:
        past: What the warehouse says.
        as_known_now: Read the bars with every revision there is now: what differs then is what
            the revisions change.
        strategy: Only its decisions; all without.
        progress: Called with the days done and their number.
    """
    run = _Run(past, as_known_now=as_known_now, strategy=strategy)
    days = past.days
    found = Replay(past.book, days[0].ds, days[-1].ds, as_known_now, days=len(days))
    for number, day in enumerate(days, start=1):
        for outcome in run.outcomes(day):
            found.note(outcome)
        progress(number, len(days))
    return found


class _Run:
    """One replay on its way through the days."""

    def __init__(self, past: Past, *, as_known_now: bool, strategy: str) -> None:
        self._past, self._as_known_now, self._only = past, as_known_now, strategy
        self._again = Again(past, as_known_now=as_known_now)
        self._causes = Causes(past, self._again, as_known_now=as_known_now)
        self._facts: dict[dt.date, dict[str, Fact]] = {}
        for name, fact in past.facts.items():
            if strategy in {"", fact["strategy_id"]}:
                self._facts.setdefault(fact["signal_ds"], {})[name] = fact

    def outcomes(self, day: Day) -> list[Deviation | Count]:
        """What became of each decision of the date."""
        terms, facts = self._again.terms(day.now), self._facts.get(day.ds, {})
        asked = [c for n, c in terms.strategies.items() if self._only in {"", n}]
        found = self._again.candidates(day, terms, asked)
        return [
            self._outcome(day, terms, facts[name], found.get(name))
            if name in facts
            else self._extra(day, terms, found[name])
            for name in sorted(found.keys() | facts.keys())
        ]

    def _outcome(
        self, day: Day, terms: Terms, fact: Fact, candidate: Candidate | None
    ) -> Deviation | Count:
        changed = self._other_version(day, terms, fact)
        if changed is not None:
            return changed
        compiled = terms.strategies[fact["strategy_id"]]
        decided = (fact["engine_digest"], fact["bars_digest"])
        if candidate is None:
            cause, why = self._causes.of(compiled, fact["symbol"], day, decided)
            return _deviation(day, fact, _DECIDED, cause, why)
        signal = signal_of(candidate, day, terms, fact)
        differs = first_difference(fact, signal, compiled.strategy)
        same_bars = fact["bars_digest"] == signal.bars_digest
        if differs is None and (same_bars or self._as_known_now):
            return self._equal(fact, same_bars=same_bars)
        digests = Difference("bars_digest", fact["bars_digest"], signal.bars_digest)
        cause, why = self._causes.of(compiled, fact["symbol"], day, decided)
        return _deviation(day, fact, differs or digests, cause, why)

    def _equal(self, fact: Fact, *, same_bars: bool) -> Count:
        if not same_bars:
            return "same_revised_bars"
        return "equal" if fact["engine_digest"] == engine_digest() else "same_new_engine"

    def _extra(self, day: Day, terms: Terms, candidate: Candidate) -> Deviation | Count:
        """A decision without a fact: its signal lives, or something is amiss."""
        signal = signal_of(candidate, day, terms, None)
        may_wait = not candidate.failed and signal.valid_until >= self._past.last
        if signal.signal_id in self._past.held or may_wait:
            return "not_archived"
        compiled = terms.strategies[candidate.strategy_id]
        engine = self._past.engine_on(day.ds)
        cause, why = self._causes.of(compiled, candidate.symbol, day, (engine, ""))
        row = {"strategy_id": candidate.strategy_id, "symbol": candidate.symbol}
        return _deviation(day, row, _NONE, cause, why)

    def _other_version(self, day: Day, terms: Terms, fact: Fact) -> Deviation | None:
        """Why the fact's own version and policy are not those in force then, if they are not."""
        name, symbol = fact["strategy_id"], fact["symbol"]
        version = self._past.strategies.at(day.now).get(name)
        in_force = (version.version_key if version else None, terms.policy.policy_key)
        own = (fact["version_key"], fact["policy_key"])
        for what, one, other in zip(("version", "policy"), own, in_force, strict=True):
            if one != other:
                said = Difference(what, one[:12], other[:12] if other else "none")
                why = f"the {what} in force at {day.now:%Y-%m-%d %H:%M} is not the fact's"
                return _deviation(day, fact, said, Cause.CONFIG_CHANGED, why)
        if name in terms.silent:
            return _deviation(day, fact, _DECIDED, Cause.COVERAGE, terms.silent[name])
        if name not in terms.strategies:
            why = f"{name} was paused then"
            return _deviation(day, fact, _DECIDED, Cause.CONFIG_CHANGED, why)
        if symbol not in members(terms.strategies[name], terms.assets):
            why = f"{symbol} was no asset of {name} with bars then"
            return _deviation(day, fact, _DECIDED, Cause.COVERAGE, why)
        return None


def _deviation(
    day: Day, fact: Mapping[str, str], differs: Difference, cause: Cause, why: str
) -> Deviation:
    name, symbol = fact["strategy_id"], fact["symbol"]
    return Deviation(signal_id(day.ds, name, symbol), day.ds, name, symbol, cause, *differs, why)
