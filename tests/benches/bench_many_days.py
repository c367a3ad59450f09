"""How the cost of many days grows, and how fast signals are priced; prints, asserts nothing."""

from __future__ import annotations

import json
import resource
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from benches import w2
from benches.bench_peers import PEERS, PYTHON, bars_of, request_of, say, swept
from goldenthread.domain.policy import Policy
from goldenthread.research.shadow_frame import Lane, price_frame
from goldenthread.research.sweep.layout import Workers
from goldenthread.rules import kernel
from goldenthread.rules.tape import Closes, Tickets, tape_of
from goldenthread.rules.ticks import UNITS

if TYPE_CHECKING:
    import datetime as dt

pytestmark = pytest.mark.bench

SIZES = {
    "permutations": ((50, 100, 2520), (50, 1_000, 2520), (50, 10_000, 2520)),
    "assets": ((5, 1_000, 2520), (50, 1_000, 2520), (500, 1_000, 2520)),
    "bars": ((50, 1_000, 252), (50, 1_000, 2520)),
}
"""Assets, permutations, bars: each in turn ten times larger."""
LARGEST = (500, 10_000, 2520)
SIGNALS = 2_000
"""Signals an asset, in the pricing of shadows."""
DOCS = Path(__file__).parents[2] / "docs"
_ASSETS = 500
_MEGABYTES = 1024


@pytest.mark.skipif(not PYTHON.exists(), reason="what draws it is installed by `make bench`")
def test_growth(tmp_path: Path) -> None:
    _warm(tmp_path)
    lines: dict[str, list[tuple[int, float]]] = {}
    for what, sizes in SIZES.items():
        place = ("assets", "permutations", "bars").index(what)
        say(_head(f"{what} x 10"))
        for number, size in enumerate(sizes):
            took = _tell(size, tmp_path / f"{what}{number}", Workers(threads=1))
            lines.setdefault(what, []).append((size[place], took))
    call = [str(PYTHON), "growth_plot.py", str(DOCS / "growth.svg")]
    subprocess.run(call, cwd=PEERS, input=json.dumps(lines), text=True, check=True)


def test_the_largest(tmp_path: Path) -> None:
    _warm(tmp_path)
    say(_head("the largest"))
    _tell(LARGEST, tmp_path / "largest", Workers(threads=2))
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // _MEGABYTES
    say(f"most memory of this process: {most} MB (aim: 5 s on two cores, 2 GB)")


def _head(what: str) -> str:
    return f"\n{what:20}{'assets':>8}{'perms':>8}{'bars':>7}{'CPU s':>9}{'M bar-perm/s':>14}"


def _warm(folder: Path) -> None:
    swept(request_of(2, 20), bars_of(2), folder / "warm", Workers(threads=1))


def _tell(size: tuple[int, int, int], folder: Path, workers: Workers) -> float:
    """The processor seconds of a sweep of that size, told on a line."""
    assets, permutations, bars = size
    ours, _ = swept(request_of(assets, permutations, bars), bars_of(assets, bars), folder, workers)
    rate = assets * permutations * bars / ours.processor_s / 1e6
    say(
        f"{'':20}{assets:8,}{permutations:8,}{bars:7,}{ours.processor_s:9.2f}{rate:14.1f}"
        f"   {ours.wall_s:.2f} s wall, {sum(ours.trades):,} trades"
    )
    return ours.processor_s


def test_pricing_shadows(tmp_path: Path) -> None:
    lanes, signals = _lanes(), _signals()
    price_frame(signals.head(10), lanes)  # compiles
    tickets = _tickets(signals)
    for order in ("sorted", "random"):
        used = time.process_time()
        for lane, own in zip(lanes.values(), tickets, strict=True):
            chosen = own if order == "sorted" else _shuffled(own)
            kernel.ride(lane.tape, lane.terms, chosen, lane.closes, lane.upto)
        spent = time.process_time() - used
        say(f"\nkernel, {order}, one thread: {len(signals) / spent / 1e6:.1f} M signals/s (aim 5)")
    file = tmp_path / "signals.parquet"
    signals.write_parquet(file)
    used, begun = time.process_time(), time.perf_counter()
    priced = price_frame(pl.read_parquet(file), lanes)
    priced.write_parquet(tmp_path / "priced.parquet")
    spent, wall = time.process_time() - used, time.perf_counter() - begun
    hold = np.mean(priced["bars_held"].drop_nulls().to_numpy())
    say(
        f"price_frame with Parquet in and out: {len(signals) / spent / 1e6:.2f} M signals per"
        f" processor second, {len(signals) / wall / 1e6:.2f} M/s wall (aim 2); mean hold"
        f" {hold:.1f} bars"
    )


def _lanes() -> dict[str, Lane]:
    prices, days = w2.prices(_ASSETS), np.array(w2.dates(), "datetime64[D]")
    span = (w2.dates()[0], w2.dates()[-1])
    lanes = {}
    for row, asset in enumerate(w2.assets_of(_ASSETS)):
        columns = [prices[name][row] for name in ("open", "high", "low", "close")]
        tape, terms = tape_of(asset, [days, *columns], [], Policy(), span)
        quiet = np.zeros(len(tape.day), np.bool_)
        lanes[asset.symbol] = Lane(tape, terms, Closes(quiet, quiet), len(tape.day) - 1)
    return lanes


def _signals() -> pl.DataFrame:
    """As many signals an asset on random dates: stop two, target three percent away."""
    generator = np.random.default_rng(w2.SEED)
    close = w2.prices(_ASSETS)["close"]
    days = np.array(w2.dates())
    at = np.sort(generator.integers(0, w2.BARS - 1, (_ASSETS, SIGNALS)), axis=1)
    price = np.take_along_axis(close, at, axis=1).ravel()
    dates: list[dt.date] = days[at.ravel()].tolist()
    return pl.DataFrame(
        {
            "symbol": np.repeat(w2.names(_ASSETS), SIGNALS),
            "ds": dates,
            "side": ["long"] * len(price),
            "order": ["market"] * len(price),
            "entry": price,
            "stop": np.floor(price * 98) / 100,
            "target_1": np.floor(price * 103) / 100,
            "part_1": np.floor(10_000 / price),
            "runner": np.zeros(len(price)),
            "trail": np.full(len(price), None, object).tolist(),
            "breakeven": np.full(len(price), None, object).tolist(),
            "valid_bars": np.ones(len(price), np.int64),
            "max_bars": np.full(len(price), 20),
        },
        schema_overrides={"trail": pl.Float64, "breakeven": pl.Int64},
    )


def _tickets(signals: pl.DataFrame) -> list[Tickets]:
    """The same signals as the kernel takes them, an asset each."""
    found = []
    for row in range(_ASSETS):
        own = signals.slice(row * SIGNALS, SIGNALS)
        entry, stop, target = (own[name].to_numpy() for name in ("entry", "stop", "target_1"))
        shares = np.stack([own["part_1"].to_numpy(), np.zeros(SIGNALS)], axis=1)
        whole = np.ones(SIGNALS, np.int64)
        days = np.array(w2.dates(), "datetime64[D]")
        found.append(
            Tickets(
                session=np.searchsorted(days, own["ds"].to_numpy()),
                sign=np.ones(SIGNALS, np.int8),
                order=np.zeros(SIGNALS, np.int8),
                at_market=np.zeros(SIGNALS, np.bool_),
                entry=entry,
                stop=stop,
                trail=np.full(SIGNALS, np.nan),
                targets=target[:, np.newaxis],
                parts=(shares * UNITS).astype(np.int64),
                breakeven=0 * whole,
                valid_bars=whole,
                max_bars=20 * whole,
            )
        )
    return found


def _shuffled(tickets: Tickets) -> Tickets:
    order = np.random.default_rng(1).permutation(len(tickets.session))
    return Tickets._make(np.ascontiguousarray(column[order]) for column in tickets)
