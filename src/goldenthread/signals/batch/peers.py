"""Members of universes date by date, asked once for the batches of all symbols."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from goldenthread.signals.evaluation import Moment, no_inputs

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from goldenthread.domain.bar import BarWindow, Steps
    from goldenthread.signals.calls import Universe


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
        self._moment = Moment(windows, None, inputs)
        self._columns: dict[tuple[str, dt.date], str] = {}
        self._lock = Lock()

    def moment(self, ds: dt.date) -> Moment:
        """What can be read at a decision date, with series of its own."""
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
