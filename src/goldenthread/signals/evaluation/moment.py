"""What one decision date may read: windows, the members of universes, their cross-sections."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING

import numpy as np

from goldenthread.domain.ids import digest
from goldenthread.signals.alignment.sections import AT_REST, Section
from goldenthread.signals.evaluation.calculator import Calculator, Memo, no_inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from goldenthread.domain.bar import BarWindow, Steps
    from goldenthread.signals.calls import Rule, Universe
    from goldenthread.signals.compilation import CompiledStrategy
    from goldenthread.signals.evaluation.calculator import Panels

    Month = tuple[str, dt.date, dt.datetime | None]

_ONE_DAY = dt.timedelta(days=1)


class Moment:
    """One decision date and instant at a time; arguments as for ``Evaluator``, ``Calculator``.

    ``ds`` is the date moved to last (None before the first), ``calculator`` computes expressions
    there.
    """

    def __init__(
        self,
        windows: Callable[[str, dt.date, dt.datetime | None], BarWindow | None],
        memo: Memo | None = None,
        inputs: Callable[[str, str], Steps] = no_inputs,
        panels: Panels | None = None,
    ) -> None:
        self.ds: dt.date | None = None
        self._windows = windows
        self._inputs = inputs
        self._panels = panels
        self._now: dt.datetime | None = None
        self._today: dict[str, BarWindow | None] = {}
        self._sections: dict[str, Section] = {}
        self._chosen: dict[Month, dict[str, None]] = {}
        self._digests: dict[tuple[str, str], list[str]] = {}
        self._eve: Moment | None = None
        kept = Memo() if memo is None else memo
        self.calculator = Calculator(self.window, kept, self.section, inputs, panels)

    def at(self, ds: dt.date, now: dt.datetime | None = None) -> None:
        """Move to the decision date ``ds`` with the bars known at ``now``."""
        if (ds, now) == (self.ds, self._now):
            return
        if now != self._now:
            self._chosen.clear()
        self.ds, self._now = ds, now
        self._today.clear()
        self._sections.clear()
        self._digests.clear()

    def twin(self, ds: dt.date) -> Moment:
        """Another at ``ds`` and the same instant: series of its own, members and panels shared."""
        other = Moment(self._windows, None, self._inputs, self._panels)
        other._chosen = self._chosen
        other.ds, other._now = ds, self._now
        return other

    def window(self, symbol: str) -> BarWindow | None:
        """The window of a symbol; None when it has no readable bar."""
        if symbol not in self._today and self.ds is not None:
            self._today[symbol] = self._windows(symbol, self.ds, self._now)
        return self._today.get(symbol)

    def is_member(self, universe: Universe, symbol: str) -> bool:
        """Whether a strategy of that universe decides on the symbol in the month of the date.

        Without rules whoever is asked for is one.
        """
        return not universe.rules or symbol in self._members(universe)

    def section(self, universe: Universe) -> Section:
        """The windows of the members that have readable bars."""
        found = self._sections.get(universe.key)
        if found is None:
            members = self._members(universe)
            windows = [w for s in members if (w := self.window(s)) is not None]
            found = Section.of(universe.key, windows, np.datetime64(self.ds, "D"))
            self._sections[universe.key] = found
        return found

    def digest(self, compiled: CompiledStrategy, window: BarWindow) -> str:
        """Sixteen hex digits of what a decision on the last readable bar of a window rests on.

        The window's bars; those of symbols the strategy refers to and of members it compares,
        as far back as any of them is read; for all of these the values of its tables. Of a
        universe by rule it tells whom the rule chose, not by which bars.
        """
        own = window.digest(compiled.lookback)
        others = [w for symbol in compiled.refs if (w := self.window(symbol)) is not None]
        if compiled.compares:
            others += self.section(compiled.universe).windows
        tables = sorted({table.table for table in compiled.strategy.tables.values()})
        if not others and not tables:
            return own
        begin, reach = window.begin(compiled.lookback), compiled.reach
        every = Section.of("", (window, *others), window.ds[window.upto])
        first = min(window.ds[begin], every.first_day(compiled.lookback))
        key = (compiled.strategy.version_key, str(first))
        if key not in self._digests:  # the same for most symbols of a strategy
            told = [other.digest(reach, first) for other in others]
            read = [(other, other.begin(reach, first)) for other in others]
            told += [self._values(table, *part) for part in read for table in tables]
            self._digests[key] = told
        values = [self._values(table, window, begin) for table in tables]
        return digest([own, values, self._digests[key]])[:16]

    def _values(self, table: str, window: BarWindow, begin: int) -> str:
        """What holds of a table on the readable bars of a window from an index on, as a digest."""
        steps = self._inputs(table, window.symbol)
        low = int(np.searchsorted(steps.since, window.ds[begin], side="right")) - 1
        high = np.searchsorted(steps.since, window.ds[window.upto], side="right")
        sha = hashlib.sha256()
        for column in steps:
            sha.update(column[max(low, 0) : high].tobytes())
        return sha.hexdigest()[:16]

    def _members(self, universe: Universe) -> Mapping[str, None]:
        """The members in the month of the date, as known at ``now``."""
        if self.ds is None:
            return {}
        month = (universe.key, self.ds.replace(day=1), self._now)
        found = self._chosen.get(month)
        if found is None:
            found = dict.fromkeys((*universe.symbols, *self._by_rule(universe, month[1])))
            self._chosen[month] = found
        return found

    def _by_rule(self, universe: Universe, month: dt.date) -> Iterator[str]:
        """Whom the rules choose for the month, on the last complete bar before it."""
        if not universe.rules:
            return
        if self._eve is None:
            self._eve = Moment(self._windows, None, self._inputs)
        self._eve.at(month - _ONE_DAY, self._now)
        for rule in universe.rules:
            yield from (s for s in rule.among if self._eve._qualifies(rule, s, month))  # noqa: SLF001  # one of us

    def _qualifies(self, rule: Rule, symbol: str, month: dt.date) -> bool:
        window = self.window(symbol)
        if window is None or np.datetime64(month) - window.ds[window.upto] > AT_REST:
            return False
        return is_true(self.calculator.at(rule.expr, window))


def is_true(value: float) -> bool:
    """Whether a condition holds; null does not."""
    return value == value and value != 0  # noqa: PLR0124  # only NaN differs from itself
