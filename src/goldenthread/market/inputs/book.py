"""Point-in-time values as decisions read them: what was known when each date was decided."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from goldenthread.domain.bar import Steps

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_DAY_US = 86_400_000_000
_DUE = dt.time(0, 5)


class InputBook:
    """Values of many tables and symbols.

    A decision on ``ds`` is due on the next day at ``due`` (UTC, when a run starts). It reads the
    value of the latest day up to ``ds`` among those known by then, of several values of a day
    the one known last. What becomes known later never changes it, whenever it is asked.

    Args:
        values: Rows in INPUT_SCHEMA, every revision.
        due: The time of day a run starts.
    """

    def __init__(self, values: pl.DataFrame, due: dt.time = _DUE) -> None:
        self._values, self._at = values, due
        self._due = ((due.hour * 60 + due.minute) * 60 + due.second) * 1_000_000
        parts = values.partition_by(["table", "symbol"], as_dict=True)
        self._rows = {(str(table), str(symbol)): rows for (table, symbol), rows in parts.items()}
        self._steps: dict[tuple[str, str], Steps] = {}

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables there are values of, sorted."""
        return tuple(sorted({table for table, _ in self._rows}))

    def digest(self, tables: Iterable[str]) -> str:
        """Sixteen hex digits of the tables' values, when each was known and when runs start."""
        wanted = set(tables)
        sha = hashlib.sha256(str(self._due).encode())
        for key in sorted(key for key in self._rows if key[0] in wanted):
            sha.update("|".join(key).encode())
            for column in ("ds", "known_at", "value"):
                sha.update(self._rows[key][column].to_physical().to_numpy().tobytes())
        return sha.hexdigest()[:16]

    def lacking(self, named: Mapping[str, str]) -> str:
        """What is wrong with a strategy's ``[inputs]`` (name -> table); empty when all is there."""
        there = ", ".join(self.tables) or "none so far"
        for name, table in named.items():
            if table not in self.tables:
                return (
                    f"inputs.{name}: no table {table!r} was imported; there are: {there}; bring it "
                    f"with `goldenthread data import-factors FILE --name {table}`"
                )
        return ""

    def known_on(self, ds: dt.date) -> InputBook:
        """The same without what a decision on ``ds`` cannot know."""
        run = dt.datetime.combine(ds + dt.timedelta(days=1), self._at, dt.UTC)
        known = (pl.col("known_at") <= run) & (pl.col("ds") <= ds)
        return InputBook(self._values.filter(known), self._at)

    def steps(self, table: str, symbol: str) -> Steps:
        """From which decision date on which value of the table holds for the symbol."""
        found = self._steps.get((table, symbol))
        if found is None:
            rows = self._rows.get((table, symbol))
            found = self._steps[table, symbol] = _none() if rows is None else self._made(rows)
        return found

    def _made(self, rows: pl.DataFrame) -> Steps:
        ordered = rows.sort("ds", "known_at")
        days = ordered["ds"].to_physical().cast(pl.Int64).to_numpy()
        known = ordered["known_at"].to_physical().to_numpy()
        since = np.maximum(days, -((self._due - known) // _DAY_US) - 1)
        arrival = np.argsort(since, kind="stable")
        best = np.maximum.accumulate(arrival)
        return Steps(
            since[arrival].astype("datetime64[D]"),
            days[best].astype("datetime64[D]"),
            ordered["value"].to_numpy()[best],
        )


def _none() -> Steps:
    none = np.empty(0, "datetime64[D]")
    return Steps(none, none, np.empty(0))
