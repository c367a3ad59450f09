"""Daily bars, corporate actions, assets and inputs in four Parquet files of one folder.

Every write makes a whole new file beside the old one and swaps it in; writers take turns by a
lock on the folder, readers need none.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import polars as pl
from pydantic import BaseModel, ValidationError

from goldenthread.adapters.market_data.revisions import merge_actions, merge_bars, merge_inputs
from goldenthread.domain.asset import Asset, CorporateAction
from goldenthread.domain.bar import BAR_SCHEMA, INPUT_SCHEMA
from goldenthread.domain.errors import EngineError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_UNFINISHED = ".new"
_INSTANT = pl.Datetime("us", "UTC")
_TEXT, _FLAG = pl.String(), pl.Boolean()
_ASSET_SCHEMA: dict[str, pl.DataType] = {
    "symbol": _TEXT,
    "asset_class": _TEXT,
    "name": _TEXT,
    "price_tick": _TEXT,
    "quantity_step": _TEXT,
    "min_notional": _TEXT,
    "shortable": _FLAG,
    "fractionable": _FLAG,
    "synthetic": _FLAG,
    "source": _TEXT,
}
_ACTION_SCHEMA: dict[str, pl.DataType] = {
    "symbol": _TEXT,
    "kind": _TEXT,
    "ex_ds": pl.Date(),
    "ratio": _TEXT,
    "amount": _TEXT,
    "new_symbol": _TEXT,
    "source": _TEXT,
    "known_at": _INSTANT,
}

_Record = TypeVar("_Record", bound=BaseModel)


class Saved(NamedTuple):
    """How many rows a save met: bars new, unchanged and revised; actions and assets written."""

    new: int
    same: int
    revised: int
    actions: int
    assets: int


class ParquetMarketData:
    """Market data in ``bars.parquet`` and its like (actions, assets, inputs) of ``root``.

    A folder without files is an empty store. A file that cannot be read is an EngineError.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._bars = root / "bars.parquet"
        self._actions = root / "actions.parquet"
        self._assets = root / "assets.parquet"
        self._inputs = root / "inputs.parquet"

    def assets(self) -> list[Asset]:
        """See the port."""
        kept = set(_read(self._bars, BAR_SCHEMA, ["symbol"])["symbol"].unique())
        return [asset for asset in self._every_asset() if asset.symbol in kept]

    def bars(self, symbols: Sequence[str], start: dt.date, end: dt.date) -> pl.DataFrame:
        """See the port."""
        stored = _read(self._bars, BAR_SCHEMA)
        wanted = pl.col("symbol").is_in(list(symbols)) & pl.col("ds").is_between(start, end)
        return stored.filter(wanted)

    def actions(self, symbols: Sequence[str]) -> list[CorporateAction]:
        """See the port; of an action recorded twice, what was known last."""
        wanted = set(symbols)
        newest = {
            (action.symbol, action.ex_ds, action.kind): action
            for action in sorted(self._every_action(), key=lambda action: action.known_at)
            if action.symbol in wanted
        }
        return [newest[key] for key in sorted(newest)]

    def save(
        self,
        bars: pl.DataFrame,
        actions: Sequence[CorporateAction],
        assets: Sequence[Asset],
        now: dt.datetime,
    ) -> Saved:
        """Store what is new and count it; saving the same again changes nothing.

        A bar stored before with other values becomes a revision: a row more, known from its own
        ``known_at`` when it was given one, else from ``now``. An asset replaces the one of its
        symbol.

        Args:
            bars: Bars in BAR_SCHEMA; the ``state`` is stored as it comes and judged on reading.
            actions: Corporate actions; the same symbol, kind and ex_ds with other values is a
                revision.
            assets: The assets of the bars.
            now: The instant revisions become known.
        """
        with _writing(self._root):
            known = {asset.symbol: asset for asset in self._every_asset()}
            fresh = {a.symbol: a for a in assets if known.get(a.symbol) != a}
            if fresh:
                merged = [asset for _, asset in sorted({**known, **fresh}.items())]
                _write(self._assets, _frame(merged, _ASSET_SCHEMA))
            stored = self._every_action()
            added = merge_actions(stored, actions, now)
            if added:
                _write(self._actions, _frame([*stored, *added], _ACTION_SCHEMA))
            merge = merge_bars(_read(self._bars, BAR_SCHEMA), bars, now)
            if merge.new or merge.revised:
                _write(self._bars, merge.bars)
        return Saved(merge.new, merge.same, merge.revised, len(added), len(fresh))

    def inputs(self) -> pl.DataFrame:
        """Every point-in-time value of every table, each revision, in INPUT_SCHEMA."""
        return _read(self._inputs, INPUT_SCHEMA)

    def save_inputs(self, values: pl.DataFrame, now: dt.datetime) -> Saved:
        """Store what is new and count it; saving the same again changes nothing.

        Another value of a day stored before is a revision: it is known from ``now`` at the
        earliest, whatever it says itself, so that no past decision changes.
        """
        with _writing(self._root):
            merge = merge_inputs(self.inputs(), values, now)
            if merge.new or merge.revised:
                _write(self._inputs, merge.bars)
        return Saved(merge.new, merge.same, merge.revised, 0, 0)

    def copy_to(self, folder: Path) -> None:
        """Copy every file as it is now into the folder; no writer is at work meanwhile."""
        if not self._root.exists():
            return
        with _writing(self._root):
            for file in (self._bars, self._actions, self._assets, self._inputs):
                if file.exists():
                    shutil.copyfile(file, folder / file.name)

    def _every_asset(self) -> list[Asset]:
        return _records(self._assets, _ASSET_SCHEMA, Asset)

    def _every_action(self) -> list[CorporateAction]:
        return _records(self._actions, _ACTION_SCHEMA, CorporateAction)


@contextmanager
def _writing(root: Path) -> Iterator[None]:
    """The folder made and locked; failures of the file system become engine errors."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        with (root / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for left in root.glob(f"*{_UNFINISHED}"):  # by a process killed while it wrote
                left.unlink()
            yield
    except OSError as error:
        message = (
            f"cannot write market data to {root}: {error}; nothing was changed there: "
            "free space or correct the rights of the folder, then do the same again"
        )
        raise EngineError(message) from error


def _write(path: Path, frame: pl.DataFrame) -> None:
    """The frame as the whole new content of the file, or the old content."""
    fresh, content = path.with_suffix(_UNFINISHED), BytesIO()
    frame.write_parquet(content, compression="zstd")
    try:
        with fresh.open("wb") as file:
            file.write(content.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _read(
    path: Path, schema: dict[str, pl.DataType], columns: list[str] | None = None
) -> pl.DataFrame:
    if not path.exists():
        return pl.DataFrame(schema=schema)
    try:
        # In one go: a reader that opens the path twice may meet two different files.
        frame = pl.read_parquet(BytesIO(path.read_bytes()), columns=columns)
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise _unreadable(path, str(error).partition("\n")[0]) from error
    expected = {name: schema[name] for name in columns or schema}
    if dict(frame.schema) != expected:
        raise _unreadable(path, f"its columns are {', '.join(frame.columns)}")
    return frame


def _unreadable(path: Path, cause: str) -> EngineError:
    return EngineError(
        f"cannot read {path}: {cause}; it should be a Parquet file written by `goldenthread data "
        "import`: restore it from a backup, or move it away and import the source files again"
    )


def _records(path: Path, schema: dict[str, pl.DataType], kind: type[_Record]) -> list[_Record]:
    try:
        return [kind.model_validate(row) for row in _read(path, schema).iter_rows(named=True)]
    except ValidationError as error:
        first = error.errors()[0]
        cause = f"{first['loc'][0]} is {first['input']!r}: {first['msg']}"
        raise _unreadable(path, cause) from error


def _frame(records: Sequence[BaseModel], schema: dict[str, pl.DataType]) -> pl.DataFrame:
    rows = [
        {
            name: str(value) if schema[name] == _TEXT else value
            for name, value in record.model_dump().items()
        }
        for record in records
    ]
    return pl.DataFrame(rows, schema=schema)
