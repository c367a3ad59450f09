"""Every permutation ever tried on the same bars, so that a later best one is judged by all of them.

Kept apart from the sweeps: who deletes a sweep has tried it all the same.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import polars as pl

from goldenthread.research.luck import Trials, deflated_sharpe, record_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCHEMA = {"trial": pl.UInt64, "sharpe": pl.Float64}
"""A row a trial: its name, and its Sharpe ratio a period (null where it has none)."""


class TrialLedger:
    """What was tried, a folder for each set of bars, a file for each finished sweep.

    Args:
        folder: Where it is kept; made when something is recorded.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def has(self, data: str, sweep: str) -> bool:
        """Whether a sweep on these bars is recorded."""
        return self._file(data, sweep).is_file()

    def record(self, data: str, sweep: str, trials: pl.DataFrame) -> None:
        """Record the trials (``SCHEMA``) of a finished sweep; recorded again nothing changes."""
        path = self._file(data, sweep)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f"{path.name}.{os.getpid()}.part")
        trials.select(pl.col(name).cast(kind) for name, kind in SCHEMA.items()).write_parquet(
            beside
        )
        beside.replace(path)

    def trials(self, data: str) -> Trials:
        """All distinct trials on these bars, those without a Sharpe ratio counted too.

        The variance is that of the ratios there are; 0 with fewer than two.
        """
        files = sorted((self._folder / data).glob("*.parquet"))
        frames = [pl.read_parquet(file) for file in files]
        every = pl.concat([pl.DataFrame(schema=SCHEMA), *frames]).unique(
            "trial", keep="first", maintain_order=True
        )
        known = every["sharpe"].drop_nulls().sort().to_numpy()
        return Trials(every.height, float(known.var(ddof=1)) if known.size > 1 else 0.0)

    def _file(self, data: str, sweep: str) -> Path:
        return self._folder / data / f"{sweep}.parquet"


def deflated(curves: Mapping[str, pl.DataFrame], trials: Trials) -> dict[str, float | None]:
    """The deflated Sharpe ratio of daily equity curves (``ds``, ``equity``), by name.

    The probability that there is skill, given how often it was tried; None where a curve has no
    Sharpe ratio (no variance, or everything lost).
    """
    return {name: _deflated(curve, trials) for name, curve in curves.items()}


def _deflated(curve: pl.DataFrame, trials: Trials) -> float | None:
    values = curve["equity"].cast(pl.Float64).to_numpy()
    if (values <= 0).any():
        return None
    record = record_of(values[1:] / values[:-1] - 1)
    return None if record is None else deflated_sharpe(record, trials)
