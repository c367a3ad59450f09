"""Bars in: files imported, coverage told."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from goldenthread.app.api.operations.steps import Progress, steps, unseen
from goldenthread.app.clock import SystemClock
from goldenthread.app.engines.alpaca import open_puller
from goldenthread.app.engines.wiring import open_market_data
from goldenthread.app.versions import Library
from goldenthread.domain.bar import BAR_SCHEMA
from goldenthread.domain.errors import UsageError
from goldenthread.market.coverage import gaps, ledger
from goldenthread.market.imports import read_actions, read_bars
from goldenthread.market.inputs.tables import read_inputs
from goldenthread.market.quality import judge
from goldenthread.market.rows import sift
from goldenthread.market.universe import resolve

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from goldenthread.app.api.project import Project
    from goldenthread.domain.asset import Asset
    from goldenthread.ports.market_data import MarketData

SHOWN = 20
"""How many refused rows an import lists."""

PULL_SINCE = dt.date(2016, 1, 1)
"""Where Alpaca's daily bars begin."""

_AGAIN = dt.timedelta(days=10)
_IEX = (
    "feed iex: volumes are those of one small venue, a few percent of the market's; filters on"
    " volume decide wrongly on them, use feed sip"
)


@dataclass(frozen=True)
class ImportReport:
    """What an import did; ``refused_rows`` shows the first refused rows with their reasons."""

    file: str
    symbols: int
    first: dt.date | None
    last: dt.date | None
    new: int
    same: int
    revised: int
    actions: int
    refused: int
    suspect: int
    quarantined: int
    refused_rows: list[dict[str, object]]


def import_bars(
    project: Project, file: Path, mapping: Mapping[str, str], actions: Sequence[Path] = ()
) -> ImportReport:
    """What the file brought; importing it again changes nothing.

    Raises:
        UsageError: The file cannot be read or lacks a column; nothing was stored.
    """
    now = SystemClock().now()
    imported = read_bars(file, mapping, file.name, now)
    known = [action for path in actions for action in read_actions(path)]
    store = open_market_data(project.settings, project.root)
    saved = store.save(imported.bars, known, imported.assets, now)
    states = judge(imported.bars, store.actions([a.symbol for a in imported.assets])).bars["state"]
    return ImportReport(
        file=str(file),
        symbols=len(imported.assets),
        first=_day(imported.bars["ds"].min()),
        last=_day(imported.bars["ds"].max()),
        new=saved.new,
        same=saved.same,
        revised=saved.revised,
        actions=saved.actions,
        refused=len(imported.refused),
        suspect=int(states.is_in(["SUSPECT", "CONFIRMED"]).sum()),
        quarantined=int((states == "QUARANTINED").sum()),
        refused_rows=imported.refused.head(SHOWN).to_dicts(),
    )


def import_factors(project: Project, file: Path, name: str) -> dict[str, object]:
    """What the file brought to the point-in-time table ``name``; the first refused rows are shown.

    Raises:
        UsageError: The name is not right, or the file cannot be read or has other columns.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", name):
        msg = f"--name got {name!r}; a table's name is small letters, digits and _: --name score"
        raise UsageError(msg)
    now = SystemClock().now()
    values, refused = read_inputs(file, name, now)
    saved = open_market_data(project.settings, project.root).save_inputs(values, now)
    return {
        "file": str(file),
        "table": name,
        "symbols": values["symbol"].n_unique(),
        "new": saved.new,
        "same": saved.same,
        "revised": saved.revised,
        "refused": len(refused),
        "refused_rows": refused.head(SHOWN).to_dicts(),
    }


def coverage(project: Project) -> pl.DataFrame:
    """One row a symbol: first and last bar, missing, suspect and quarantined sessions."""
    bars = judged_bars(project)
    first, last = bars["ds"].min(), bars["ds"].max()
    return ledger(bars, _assets(project), _must(first), _must(last))


def missing(project: Project, first: dt.date, last: dt.date) -> pl.DataFrame:
    """The runs of sessions without a bar between two dates, by symbol."""
    return gaps(judged_bars(project), _assets(project), first, last)


def gap_words(project: Project, span: tuple[dt.date, dt.date]) -> list[str]:
    """A sentence a run of sessions without a bar: which symbol, from when to when, where."""
    return [
        f"{row['symbol']}: no bar {row['first']} to {row['last']}"
        f" ({row['sessions']} sessions, {row['where']})"
        for row in missing(project, *span).to_dicts()
    ]


def last_bar(project: Project) -> dt.date | None:
    """The date of the newest bar of any symbol; None without bars."""
    store = open_market_data(project.settings, project.root)
    symbols = [asset.symbol for asset in store.assets()]
    return _day(store.bars(symbols, dt.date(1900, 1, 1), dt.date(9999, 12, 31))["ds"].max())


def judged_bars(project: Project) -> pl.DataFrame:
    """Every stored bar with its state.

    Raises:
        UsageError: No bars were imported yet.
    """
    store = open_market_data(project.settings, project.root)
    symbols = [asset.symbol for asset in store.assets()]
    if not symbols:
        msg = "no bars yet; bring some with `goldenthread data import FILE.csv|.parquet`"
        raise UsageError(msg)
    frame = store.bars(symbols, dt.date(1900, 1, 1), dt.date(9999, 12, 31))
    return judge(frame, store.actions(symbols)).bars


@dataclass(frozen=True)
class PullReport:
    """What a pull brought; ``unknown`` are symbols Alpaca does not trade."""

    symbols: int
    first: dt.date | None
    last: dt.date | None
    new: int
    same: int
    revised: int
    actions: int
    refused: int
    unknown: list[str]
    notes: list[str]


def pull_bars(
    project: Project,
    symbols: Sequence[str] = (),
    since: dt.date = PULL_SINCE,
    progress: Progress = unseen,
) -> PullReport:
    """What the market data engine of the settings brought; a second pull changes nothing.

    Of symbols with bars the last days are asked for again, so that revisions are found; of
    others everything since ``since``. Without ``symbols``: those with bars, and those the
    strategies name. ``progress`` hears of each symbol.

    Raises:
        UsageError: The engine has nowhere to pull from, or no symbol is wanted.
    """
    source, now = open_puller(project.settings), SystemClock().now()
    store = open_market_data(project.settings, project.root)
    wanted = sorted(set(symbols) or _wanted(project, store.assets()))
    if not wanted:
        msg = "nothing to pull: no bars are stored and no strategy names a symbol; name some"
        raise UsageError(msg)
    assets = {s: found for s in wanted if (found := source.asset(s)) is not None}
    asked = steps(list(assets), progress)
    fetched = [source.bars([s], _pull_from(store, s, since), now.date()) for s in asked]
    sifted = sift(pl.concat(fetched) if fetched else pl.DataFrame(schema=BAR_SCHEMA), now)
    saved = store.save(sifted.bars, source.actions(list(assets)), list(assets.values()), now)
    iex = project.settings.alpaca.feed == "iex"
    return PullReport(
        symbols=sifted.bars["symbol"].n_unique(),
        first=_day(sifted.bars["ds"].min()),
        last=_day(sifted.bars["ds"].max()),
        new=saved.new,
        same=saved.same,
        revised=saved.revised,
        actions=saved.actions,
        refused=len(sifted.refused),
        unknown=[s for s in wanted if s not in assets],
        notes=[_IEX] if iex else [],
    )


def _wanted(project: Project, stored: list[Asset]) -> set[str]:
    """The symbols with bars, and every one a strategy trades or refers to."""
    strategies = project.strategies()
    named = {m for s in strategies for m in resolve(s.assets, project.universes)}
    referred = {symbol for c in Library(strategies).current for symbol in c.refs}
    return {asset.symbol for asset in stored} | named | referred


def _pull_from(store: MarketData, symbol: str, since: dt.date) -> dt.date:
    held = _day(store.bars([symbol], dt.date(1900, 1, 1), dt.date(9999, 12, 31))["ds"].max())
    return since if held is None else max(since, held - _AGAIN)


def _assets(project: Project) -> list[Asset]:
    return open_market_data(project.settings, project.root).assets()


def _day(value: object) -> dt.date | None:
    return value if isinstance(value, dt.date) else None


def _must(value: object) -> dt.date:
    day = _day(value)
    if day is None:
        msg = "no bars yet; bring some with `goldenthread data import FILE.csv|.parquet`"
        raise UsageError(msg)
    return day
