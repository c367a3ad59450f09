"""Factor files for tests: an honest one, and folders made of texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldenthread.signals.factors.folder import FactorFolder

if TYPE_CHECKING:
    from pathlib import Path

SPREAD = """
import goldenthread as gt
import numpy as np


def mean(series, n):
    sums = np.convolve(series, np.ones(n), "valid")
    return np.concatenate([np.full(n - 1, np.nan), sums / n])


@gt.factor(lookback=lambda n: n - 1)
def spread(high, low, n=3):
    return mean(high - low, n)


@gt.factor(lookback=1)
def change(price):
    return np.concatenate([[np.nan], np.diff(price)])
"""
"""The mean range of n bars, and what any series changed by; both as they declare."""


def marked(body: str, lookback: str = "0", takes: str = "close") -> str:
    """A file with one function ``f``."""
    head = "import goldenthread as gt\nimport numpy as np\n"
    return f"{head}@gt.factor(lookback={lookback})\ndef f({takes}):\n    {body}\n"


def folder_of(folder: Path, *, enabled: bool = True, **files: str) -> FactorFolder:
    """A folder with these files, ``name=text``."""
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return FactorFolder(folder, enabled)
