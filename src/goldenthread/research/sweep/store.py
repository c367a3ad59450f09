"""Finished work of one sweep on disk, found again by the content of the request."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from goldenthread.domain.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from goldenthread.research.sweep.chaining import Books

_MANIFEST = "manifest.json"
_FIGURES = "figures.parquet"
_UNFINISHED = "unfinished"


class SweepStore:
    """The folder of one sweep: named by its digest, whole once it holds a manifest.

    Everything is written beside its place and then moved there, so that a killed sweep leaves
    finished pieces or none. ``unfinished`` holds what a later run goes on from.

    Args:
        folder: Where the sweep is kept; made when something is saved.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._unfinished = folder / _UNFINISHED

    @property
    def is_finished(self) -> bool:
        """Whether the whole sweep is there."""
        return (self.folder / _MANIFEST).is_file()

    def manifest(self) -> dict[str, Any]:
        """What was asked for and how it came about.

        Raises:
            ConflictError: The file is not what was written.
        """
        try:
            found: dict[str, Any] = json.loads((self.folder / _MANIFEST).read_text("utf-8"))
        except ValueError as error:
            msg = f"{self.folder / _MANIFEST} cannot be read ({error}); delete {self.folder}"
            raise ConflictError(msg) from error
        return found

    def figures(self) -> pl.DataFrame:
        """A row a permutation of the finished sweep, best first."""
        return pl.read_parquet(self.folder / _FIGURES)

    def trades(self, permutation: str) -> pl.DataFrame | None:
        """The closed trades of a permutation; None when it was not among the best."""
        path = self.folder / f"trades-{permutation}.parquet"
        return pl.read_parquet(path) if path.is_file() else None

    def equity(self, permutation: str) -> pl.DataFrame | None:
        """The daily equity of a permutation; None when it was not among the best."""
        path = self.folder / f"equity-{permutation}.parquet"
        return pl.read_parquet(path) if path.is_file() else None

    def block(self, name: str) -> pl.DataFrame | None:
        """The figures of a finished block of permutations; None when there are none yet."""
        path = self._unfinished / f"{name}.parquet"
        return pl.read_parquet(path) if path.is_file() else None

    def save_block(self, name: str, figures: pl.DataFrame) -> None:
        """Keep the figures of a block; what was kept of it half done goes."""
        _moved(self._unfinished / f"{name}.parquet", figures.write_parquet)
        (self._unfinished / f"{name}.npz").unlink(missing_ok=True)

    def books(self, name: str, books: Books) -> set[int]:
        """The chunks of assets that are in the books kept of a block, which are copied there."""
        path = self._unfinished / f"{name}.npz"
        if not path.is_file():
            return set()
        with np.load(path) as kept:
            for column, array in zip(books._fields, books, strict=True):
                array[:] = kept[column]
            return set(kept["done"].tolist())

    def save_books(self, name: str, books: Books, done: set[int]) -> None:
        """Keep the books of a block and which chunks of assets are in them."""
        arrays = {**books._asdict(), "done": np.array(sorted(done), np.int64)}

        def write(place: Path) -> None:
            with place.open("wb") as file:
                np.savez(file, **arrays)

        _moved(self._unfinished / f"{name}.npz", write)

    def finish(
        self,
        manifest: Mapping[str, object],
        figures: pl.DataFrame,
        best: Mapping[str, tuple[pl.DataFrame, pl.DataFrame]],
    ) -> None:
        """Keep the whole sweep, the manifest last; what was unfinished goes."""
        _moved(self.folder / _FIGURES, figures.write_parquet)
        for name, (trades, equity) in best.items():
            self._save_best(name, trades, equity)
        text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
        _moved(self.folder / _MANIFEST, lambda path: path.write_text(text, "utf-8"))
        shutil.rmtree(self._unfinished, ignore_errors=True)

    def _save_best(self, name: str, trades: pl.DataFrame, equity: pl.DataFrame) -> None:
        _moved(self.folder / f"trades-{name}.parquet", trades.write_parquet)
        _moved(self.folder / f"equity-{name}.parquet", equity.write_parquet)


def _moved(path: Path, write: Callable[[Path], object]) -> None:
    """The file written beside its place and moved there at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")
    write(beside)
    beside.replace(path)
