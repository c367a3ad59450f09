"""Members of universes and their cross-sections, made once for the batches of all symbols."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from goldenthread.signals.evaluation import Moment, no_inputs

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from goldenthread.domain.bar import BarWindow, Steps
    from goldenthread.signals.alignment.sections import Panel, Section
    from goldenthread.signals.calls import Universe

    Key = tuple[str, tuple[int, str, str]]

KEPT_BYTES = 2**27
"""Cross-sections that are kept, at most; what does not fit is made again for each symbol."""


class Peers:
    """Who is a member, and what a cross-section reads; threads may share it.

    Args:
        windows: As for ``Evaluator``: the window of a symbol for a decision date. It must know
            every member a strategy compares.
        inputs: As for ``Evaluator``.
    """

    def __init__(
        self,
        windows: Callable[[str, dt.date, dt.datetime | None], BarWindow | None],
        inputs: Callable[[str, str], Steps] = no_inputs,
    ) -> None:
        self._moment = Moment(windows, None, inputs, _Shared(KEPT_BYTES))
        self._columns: dict[tuple[str, dt.date], str] = {}
        self._lock = Lock()

    def moment(self, ds: dt.date) -> Moment:
        """What can be read at a decision date: series of its own, cross-sections of all."""
        return self._moment.twin(ds)

    def is_member(self, universe: Universe, symbol: str, ds: dt.date) -> bool:
        """Whether a strategy of that universe decides on the symbol in the month of the date."""
        with self._lock:
            self._moment.at(ds)
            return self._moment.is_member(universe, symbol)

    def columns(self, universe: Universe, ds: dt.date) -> str:
        """A word for the columns the cross-section of a date reads: equal words, equal columns."""
        key = (universe.key, ds)
        with self._lock:
            if key not in self._columns:
                self._moment.at(ds)
                self._columns[key] = self._moment.section(universe).key
            return self._columns[key]


class _Shared:
    """Cross-sections of any dates, the first ones that fit; one thread at a time makes one."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._panels: dict[Key, Panel] = {}
        self._lock = Lock()

    def panel(
        self, section: Section, key: tuple[int, str, str], make: Callable[[], Panel]
    ) -> Panel:
        """See ``Memo``."""
        with self._lock:
            found = self._panels.get((section.key, key))
            if found is None:
                found = make()
                if found.size <= self._room:
                    self._room -= found.size
                    self._panels[section.key, key] = found
            return found
