"""How the sweep compares with other engines on one job, side by side in one run.

Every peer runs in a process and an environment of its own and is given signals, levels and
quantities; the sweep starts from bars and computes them. Printed, never asserted: time. Shown
beside it: trades and profit, which must agree where a peer can express the rules.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest

from benches import w2
from goldenthread.app.clock import SystemClock
from goldenthread.domain.policy import Policy
from goldenthread.research.sweep.chaining import Chains, new_books
from goldenthread.research.sweep.figures import Span, figures_of
from goldenthread.research.sweep.grid import axis_of, grid_of
from goldenthread.research.sweep.layout import Workers
from goldenthread.research.sweep.orders import Desks, Stakes, asset_orders
from goldenthread.research.sweep.plan import Plan, plan_of
from goldenthread.research.sweep.running import Crew
from goldenthread.research.sweep.sweeping import Request, run_sweep
from goldenthread.research.sweep.work import Bars
from goldenthread.signals.batch import Batch

if TYPE_CHECKING:
    import polars as pl

    from goldenthread.market.bars import BarBook

pytestmark = pytest.mark.bench

PEERS = Path(__file__).parent / "peers"
PYTHON = Path(__file__).parents[2] / ".peers" / "bin" / "python"
SIZES = ((50, 20), (10, 4))
"""Assets and permutations: the first for who can do it in seconds, the second for the others."""
DRIVERS = {
    "vectorbt_orders.py": SIZES[0],
    "vectorbt_signals.py": SIZES[0],
    "backtesting_strategy.py": SIZES[1],
    "backtrader_strategy.py": SIZES[1],
}
REPEATS = 3
_NOBODY = {"TQDM_DISABLE": "1"}


class Ours(NamedTuple):
    """What the sweep took and made, per permutation in the order of the grid."""

    wall_s: float
    processor_s: float
    trades: list[int]
    profit: list[float]


def bars_of(assets: int, bars: int = w2.BARS) -> Bars:
    """The workload's bars, its assets on cents and whole shares."""
    return Bars(w2.frame(assets, bars), (), w2.assets_of(assets))


def request_of(assets: int, permutations: int, bars: int = w2.BARS) -> Request:
    """The workload's sweep: a tenth of 100,000 a signal, 5 basis points of slippage."""
    dates = w2.dates(bars)
    stakes = Stakes(
        Decimal(100_000), Decimal("0.1"), Policy(slippage_bps=Decimal(5)), dates[0], dates[-1]
    )
    grid = grid_of([axis_of(text) for text in w2.axes(permutations)])
    return Request(w2.strategy(assets), grid, stakes, top=0)


def swept(
    request: Request, bars: Bars, folder: Path, workers: Workers
) -> tuple[Ours, pl.DataFrame]:
    """One sweep from bars to figures, and what it took."""
    begun, used = time.perf_counter(), time.process_time()
    done = run_sweep(
        request,
        bars,
        lambda store: Crew(workers, store, SystemClock()),
        folder,
        lambda _words: None,
    )
    wall, processor = time.perf_counter() - begun, time.process_time() - used
    figures = done.figures
    rows = figures.sort(request.grid.axes)
    return Ours(wall, processor, rows["trades"].to_list(), rows["net_pnl"].to_list()), figures


def given(request: Request, bars: Bars) -> Ours:
    """From signals, levels and quantities to figures, which is what the peers are asked."""
    plan, book, days = (
        plan_of(request.strategy, request.grid),
        bars.book(),
        bars.days(request.stakes),
    )
    desks = Desks(book, bars.peers(book), request.stakes)
    orders = [asset_orders(plan, asset, desks) for asset in bars.assets]
    begun, used = time.perf_counter(), time.process_time()
    books = new_books(plan.size, len(days))
    for own in orders:
        if own is not None:
            Chains(plan, own, days).add_to(books, 0, plan.size)
    rows = figures_of(books, Span(float(request.stakes.capital), int(days[-1] - days[0])))
    wall, processor = time.perf_counter() - begun, time.process_time() - used
    return Ours(wall, processor, rows["trades"].to_list(), rows["net_pnl"].to_list())


def write_job(file: Path, assets: int, permutations: int) -> None:
    """The job of the peers: the same signals, levels and quantities the sweep works with."""
    request, bars = request_of(assets, permutations), bars_of(assets)
    plan, book = plan_of(request.strategy, request.grid), bars.book()
    prices, choices = zip(
        *(_of_asset(plan, book, number, bars) for number in range(assets)), strict=True
    )
    opened, high, low, close, quantity = (np.stack(column) for column in zip(*prices, strict=True))
    signal, stop, target = (np.stack(column, axis=1) for column in zip(*choices, strict=True))
    held = [compiled.strategy.exit.max_bars for compiled in plan.rides]
    rows = [
        (entry, ride, ride, held[ride]) for entry, ride in zip(plan.entry, plan.ride, strict=True)
    ]
    np.savez(
        file,
        open=opened,
        high=high,
        low=low,
        close=close,
        signal=signal,
        stop=stop,
        target=target,
        quantity=quantity,
        permutations=np.array(rows, float),
    )


def _of_asset(
    plan: Plan, book: BarBook, number: int, bars: Bars
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    asset = bars.assets[number]
    days, opened, high, low, close = book.columns(asset.symbol, dt.date.min, dt.date.max)
    batch = Batch(book.window, asset.symbol, days)
    levels = [batch.levels(compiled, asset) for compiled in plan.rides]
    sound = np.logical_and.reduce([level.is_sound for level in levels])
    signal = np.stack([batch.truth(compiled.when) & sound for compiled in plan.entries])
    stop = np.stack([level.stop for level in levels])
    target = np.stack([level.targets[:, 0] for level in levels])
    return (opened, high, low, close, np.floor(10_000 / close)), (signal, stop, target)


def peer(driver: str, job: Path, size: tuple[int, int]) -> dict[str, Any]:
    """What one peer answers, from a process of its own."""
    call = [str(PYTHON), driver, str(job), *map(str, size), str(REPEATS)]
    done = subprocess.run(
        call, cwd=PEERS, env={**os.environ, **_NOBODY}, capture_output=True, text=True, check=True
    )
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def say(text: str) -> None:
    print(text)  # noqa: T201  # its result


@pytest.mark.skipif(not PYTHON.exists(), reason="the peers are installed by `make bench`")
def test_the_sweep_beside_its_peers(tmp_path: Path) -> None:
    one = Workers(threads=1)
    swept(request_of(2, 20), bars_of(2), tmp_path / "warm", one)  # compiles
    assets, permutations = SIZES[0]
    job = tmp_path / "job.npz"
    write_job(job, assets, permutations)
    request, bars = request_of(assets, permutations), bars_of(assets)
    runs = [swept(request, bars, tmp_path / f"run{n}", one)[0] for n in range(REPEATS)]
    whole = sorted(runs, key=lambda r: r.wall_s)[REPEATS // 2]
    part = sorted((given(request, bars) for _ in range(REPEATS)), key=lambda r: r.wall_s)[1]
    rates = [assets * w2.BARS * permutations / ours.processor_s for ours in (whole, part)]
    say(f"\n{'engine':26}{'job':>9}{'wall s':>9}{'CPU s':>9}{'M bar-perm/s':>14}{'ratios':>14}")
    for name, ours, rate in zip(
        ("sweep", "sweep, signals given"), (whole, part), rates, strict=True
    ):
        took = f"{ours.wall_s:9.3f}{ours.processor_s:9.3f}{rate / 1e6:14.2f}"
        say(f"{name:26}{f'{assets}x{permutations}':>9}{took}")
    for driver, size in DRIVERS.items():
        told = peer(driver, job, size)
        theirs = told["bar_permutations"] / told["processor_s"]
        say(
            f"{told['name']:26}{f'{size[0]}x{size[1]}':>9}{told['wall_s']:9.3f}"
            f"{told['processor_s']:9.3f}{theirs / 1e6:14.3f}"
            f"{rates[0] / theirs:7.0f}{rates[1] / theirs:7.0f}"
        )
        if size == SIZES[0]:
            say(
                f"{'':26}trades {sum(told['trades']):,} against {sum(whole.trades):,},"
                f" profit {sum(told['profit']):,.2f} against {sum(whole.profit):,.2f}"
            )
