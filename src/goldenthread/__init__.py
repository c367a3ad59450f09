"""Goldenthread: from daily bars to trades, and everything that was not traded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from goldenthread.app.api.project import Project
    from goldenthread.research.sweep.sweeping import Sweep

__all__ = ["__version__", "open", "sweep"]
__version__ = "0.1.0"


def open(folder: str | Path = ".") -> Project:  # noqa: A001  # gt.open(".") is the notebook's word
    """The project of a folder, for notebooks and scripts.

    Raises:
        UsageError: The folder holds no goldenthread.toml, or one that is not right.
    """
    from pathlib import Path  # noqa: PLC0415  # importing the package stays free

    from goldenthread.app.api.project import Project  # noqa: PLC0415  # the same

    return Project.open(Path(folder))


def sweep(strategy: str, vary: Sequence[str], folder: str | Path = ".", **options: Any) -> Sweep:  # noqa: ANN401  # those of SweepOrder
    """Permutations of a strategy tried on a project's bars, the best first.

    Args:
        strategy: Its id, or its file.
        vary: What to try, e.g. ``["rsi_max=20:40:5", "stop_atr=1.5,2"]``.
        folder: The project.
        options: Further fields of ``app.api.research.sweeps.SweepOrder``.
    """
    from goldenthread.app.api.research.sweeps import SweepOrder  # noqa: PLC0415  # as in open
    from goldenthread.app.api.research.sweeps import sweep as run  # noqa: PLC0415  # the same

    return run(open(folder), SweepOrder(strategy, vary, **options))
