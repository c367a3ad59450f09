"""Goldenthread: from daily bars to trades, and everything that was not traded."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from goldenthread.app.api.project import Project

__all__ = ["__version__", "open"]
__version__ = "0.1.0"


def open(folder: str | Path = ".") -> Project:  # noqa: A001  # gt.open(".") is the notebook's word
    """The project of a folder, for notebooks and scripts.

    Raises:
        UsageError: The folder holds no goldenthread.toml, or one that is not right.
    """
    from pathlib import Path  # noqa: PLC0415  # importing the package stays free

    from goldenthread.app.api.project import Project  # noqa: PLC0415  # the same

    return Project.open(Path(folder))
