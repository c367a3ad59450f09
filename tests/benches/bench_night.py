"""What a night over thousands of symbols costs: who has a candidate on one date; prints only.

One date after 600 made-up sessions. The variants are one strategy with 40 limits, 5 lengths of its
RSI and 5 of its average; the shipped strategies are given every symbol. From Parquet means what a
run does before it decides: read, judge, put in front of decisions.
"""

from __future__ import annotations

import datetime as dt
import itertools
import resource
import time
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

import goldenthread.app
from benches import w2
from benches.bench_thread import cost_of, say
from goldenthread.adapters.market_data.parquet import ParquetMarketData
from goldenthread.app.api.desks import load_bars
from goldenthread.app.api.project import Project, init_project
from goldenthread.market.bars import BarBook, run_at
from goldenthread.signals.binding import MAX_LOOKBACK
from goldenthread.signals.engine import Evaluator, Memo, compile_strategy
from goldenthread.signals.night import entering
from goldenthread.signals.strategy_file import parse_strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from goldenthread.signals.engine import CompiledStrategy

pytestmark = pytest.mark.bench

ASSETS, SESSIONS = 5_000, 600
LIMITS, RSI_BARS, TREND_BARS = range(11, 51), (7, 10, 14, 18, 21), (50, 100, 150, 200, 250)
LENGTHS = len(RSI_BARS) * len(TREND_BARS)
"""So many variants come first that have one limit and all lengths."""
SAMPLE = 50
"""Every so many symbols and strategies are asked one by one, for what a loop would take."""
BUILT = 500
"""Candidates built, for what each costs."""
_DS = w2.dates(SESSIONS)[-1]
_SHIPPED = sorted((Path(goldenthread.app.__file__).parent / "templates/strategies").glob("*.toml"))
_MEGABYTES = 1024


@contextmanager
def told(what: str) -> Iterator[None]:
    """Says how long the block took."""
    used, begun = time.process_time(), time.perf_counter()
    yield
    wall, spent = time.perf_counter() - begun, time.process_time() - used
    say(f"  {what:52s}{wall:8.2f} s wall{spent:8.2f} s processor")


def bars() -> pl.DataFrame:
    """The workload's bars, each known at ten in the evening of its day."""
    evening = pl.col("ds").cast(pl.Datetime("us", "UTC")) + dt.timedelta(hours=22)
    return w2.frame(ASSETS, SESSIONS).with_columns(known_at=evening)


def variants() -> list[CompiledStrategy]:
    """A thousand strategies that differ in what their entry compares."""
    everyone = {"assets": ("@all",), "universes": {"all": tuple(w2.names(ASSETS))}}
    one = w2.strategy(1).model_copy(update=everyone)
    found = []
    for at, values in enumerate(itertools.product(LIMITS, RSI_BARS, TREND_BARS)):
        names = ("limit", "rsi_bars", "trend_bars")
        params = {**one.params, **{n: Decimal(v) for n, v in zip(names, values, strict=True)}}
        found.append(one.model_copy(update={"strategy_id": f"w2_{at}", "params": params}))
    return [compile_strategy(strategy) for strategy in found]


def shipped() -> list[CompiledStrategy]:
    """The shipped strategies; the leader is the first asset."""
    texts = (path.read_text().replace("IBM", w2.names(1)[0]) for path in _SHIPPED)
    return [compile_strategy(parse_strategy(text, "shipped")) for text in texts]


@pytest.mark.parametrize("who", [variants, shipped], ids=lambda who: who.__name__)
def test_a_night(who: Callable[[], list[CompiledStrategy]], tmp_path: Path) -> None:
    say(f"\n{ASSETS:,} symbols of {SESSIONS} bars, {who.__name__}")
    with told("strategies compiled"):
        strategies = who()
    project = _project(tmp_path)
    with told("from Parquet: read, judged, ready to be read"):
        _, book = load_bars(project, w2.names(ASSETS), _DS)
    _night(book, strategies)
    judged = bars()
    with told("from judged bars in memory: ready to be read"):
        book = BarBook(judged, (), w2.assets_of(ASSETS), lookback=MAX_LOOKBACK)
    _night(book, strategies)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // _MEGABYTES
    say(f"  most memory so far, bars made here included: {most} MB")


def _night(book: BarBook, strategies: list[CompiledStrategy]) -> None:
    symbols = tuple(w2.names(ASSETS))
    asked = [(compiled, (*symbols,)) for compiled in strategies]  # each its own, as a desk
    evaluator = Evaluator(book.window, Memo(most=50))
    evaluator.at(_DS, run_at(_DS))
    with told("windows of all symbols"):
        windows = [w for s in symbols if (w := evaluator.moment.window(s)) and w.has_bar(_DS)]
    with told(f"who has a candidate, {len(windows):,} symbols with a bar"):
        found = list(entering(evaluator.moment, asked))
    if len(asked) > LENGTHS:
        with told(f"of that, the series: {LENGTHS} strategies write all of them"):
            list(entering(evaluator.moment, asked[:LENGTHS]))
    _one_by_one(book, strategies)
    some = found[:: max(1, len(found) // BUILT)]
    assets = {asset.symbol: asset for asset in w2.assets_of(ASSETS)}
    with told(f"candidates found {len(found):,}; {len(some):,} of them built"):
        for compiled, symbol in some:
            evaluator.decide(compiled, symbol, _DS, assets[symbol])


def _one_by_one(book: BarBook, strategies: list[CompiledStrategy]) -> None:
    """What asking one by one takes, from a sample of symbols and, of many, of strategies."""
    evaluator = Evaluator(book.window)
    evaluator.at(_DS, run_at(_DS))
    symbols, some = w2.names(ASSETS)[::SAMPLE], strategies[:: 1 + len(strategies) // SAMPLE]
    used = time.process_time()
    for symbol in symbols:
        window = evaluator.moment.window(symbol)
        for compiled in some:
            assert window
            evaluator.moment.calculator.at(compiled.when, window)
    spent = (time.process_time() - used) * len(strategies) / len(some) * ASSETS / len(symbols)
    say(f"  {'one by one, scaled from a sample':52s}{'':15}{spent:8.2f} s processor")


def test_a_whole_run(tmp_path: Path) -> None:
    project = _project(tmp_path)
    cost = cost_of("run", "--ds", str(_DS), "--project", str(project.root))
    say(f"\ncold `goldenthread run`, first night of {ASSETS:,} symbols x {len(_SHIPPED)} shipped")
    say(f"  {cost.wall_s:.1f} s wall, {cost.processor_s:.1f} s processor, {cost.rss_mb:.0f} MB")


def _project(folder: Path) -> Project:
    """A project of the bars whose shipped strategies decide on every symbol."""
    init_project(folder)
    project = Project.open(folder)
    names = ", ".join(f'"{name}"' for name in w2.names(ASSETS))
    (folder / "universes.toml").write_text(f"everyone = [{names}]\n")
    for file in (folder / "strategies").glob("*.toml"):
        lines = file.read_text().replace("IBM", w2.names(1)[0]).splitlines()
        lines = ['assets = ["@everyone"]' if ln.startswith("assets") else ln for ln in lines]
        file.write_text("\n".join(lines))
    store = ParquetMarketData(folder / project.settings.market_data.path)
    store.save(bars(), [], w2.assets_of(ASSETS), run_at(_DS))
    return Project.open(folder)
