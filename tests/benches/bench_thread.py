"""How long the thread takes; run with `make bench`, prints, asserts nothing about time."""

from __future__ import annotations

import compileall
import datetime as dt
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
import pytest

import goldenthread
from goldenthread.app.api.bars import import_bars
from goldenthread.app.api.days import simulate
from goldenthread.app.api.project import Project, init_project

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PROGRAM = "from goldenthread.app.cli.main import main; main()"
_STARTER = """
import os, sys, time
begun = time.perf_counter()
child = os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
_, status, used = os.wait4(child, 0)
wall = time.perf_counter() - begun
code = os.waitstatus_to_exitcode(status)
print(wall, used.ru_utime + used.ru_stime, used.ru_maxrss, code, file=sys.stderr)
"""
TEN = ("AAPL", "AIG", "BAC", "EEM", "GOOGL", "IBM", "IWM", "QQQ", "BTC-USD", "ETH-USD")
FIVE = ("channel_breakout", "crypto_swing", "dip_in_uptrend", "golden_cross", "trend_rider")
SIX = (*FIVE, "failed_rally")
DATE = dt.date(2018, 6, 1)
_LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \|(\s+)(\S+)")


class Cost(NamedTuple):
    """Seconds of wall and processor time, and the most memory in MB, of one process."""

    wall_s: float
    processor_s: float
    rss_mb: float


def say(text: str) -> None:
    print(text)  # noqa: T201  # its result


def project_of(
    folder: Path, shared: Path, strategies: Iterable[str], symbols: Sequence[str] = ()
) -> Project:
    """A project with those strategies and the shared bars of those symbols; default: of all."""
    init_project(folder)
    for file in (folder / "strategies").glob("*.toml"):
        if file.stem not in strategies:
            file.unlink()
    bars = pl.read_parquet(shared / "daily_bars.parquet")
    wanted = bars.filter(pl.col("symbol").is_in(symbols)) if symbols else bars
    wanted.write_parquet(folder / "bars.parquet")
    project = Project.open(folder)
    actions = [shared / "lean_factor_files", shared / "lean_map_files"]
    import_bars(project, folder / "bars.parquet", {}, actions)
    return project


def cost_of(*words: str) -> Cost:
    """What one cold process of the command line costs.

    A small process starts it: the most memory of a child counts what its parent had.
    """
    call = [sys.executable, "-S", "-c", _STARTER, sys.executable, "-c", PROGRAM, *words]
    done = subprocess.run(call, capture_output=True, text=True, check=True, cwd="/")
    wall, processor, rss, code = (float(word) for word in done.stderr.splitlines()[-1].split())
    assert code == 0, done.stderr
    return Cost(wall, processor, rss / (1024**2 if sys.platform == "darwin" else 1024))


@pytest.mark.bench
@pytest.mark.shared
def test_a_cold_run_of_one_day(tmp_path: Path, shared_data: Path) -> None:
    compileall.compile_dir(Path(goldenthread.__file__).parent, quiet=2)
    project = project_of(tmp_path, shared_data, FIVE, TEN)
    say(f"\ncold process, {len(TEN)} assets, {len(FIVE)} strategies (aim: 1.5 s and 300 MB)")
    here = ("--project", str(project.root))
    say(f"{'--help':34s} {'wall s':>8s} {'cpu s':>8s} {'max MB':>8s}")
    _tell("--help", cost_of("--help"))
    _tell("status", cost_of("status", *here))
    for number in range(3):  # the first makes the stores, too
        ds = DATE + dt.timedelta(days=number)
        _tell(f"run --ds {ds}", cost_of("run", "--ds", str(ds), *here))
    done = DATE + dt.timedelta(days=2)
    _tell(f"run --ds {done} again", cost_of("run", "--ds", str(done), *here))


def _tell(name: str, cost: Cost) -> None:
    say(f"{name:34s} {cost.wall_s:8.2f} {cost.processor_s:8.2f} {cost.rss_mb:8.0f}")


@pytest.mark.bench
@pytest.mark.shared
@pytest.mark.parametrize(("archive_every", "days"), [(30, 365), (1, 120)])
def test_simulated_days_per_second(
    archive_every: int, days: int, tmp_path: Path, shared_data: Path
) -> None:
    project = project_of(tmp_path, shared_data, SIX)
    span = (dt.date(2016, 6, 1), dt.date(2016, 6, 1) + dt.timedelta(days=days - 1))
    begun = time.process_time()
    told = simulate(project, "bench", span, archive_every)
    processor = time.process_time() - begun
    say(
        f"\nsimulate 30 symbols x {len(SIX)} strategies, archiving every {archive_every} days"
        f" (aim: 50 days/s monthly): {told.days_per_s} days/s, {told.days_run / processor:.1f} days"
        f" per second of processor; {told.signals['generated']} signals, {told.trades} trades"
    )


@pytest.mark.bench
@pytest.mark.shared
def test_where_the_start_up_goes(tmp_path: Path, shared_data: Path) -> None:
    project = project_of(tmp_path, shared_data, FIVE, TEN)
    for words in (("--help",), ("run", "--ds", str(DATE), "--project", str(project.root))):
        call = [sys.executable, "-X", "importtime", "-c", PROGRAM, *words]
        done = subprocess.run(call, capture_output=True, text=True, check=True)
        spent: dict[str, int] = {}
        for own, _, _, name in _LINE.findall(done.stderr):
            package = name.split(".")[0]
            part = ".".join(name.split(".")[:3]) if package == "goldenthread" else package
            spent[part] = spent.get(part, 0) + int(own)
        total = sum(spent.values()) / 1000
        say(f"\nimports of `goldenthread {words[0]}`: {total:.0f} ms, by package (own time)")
        for name, micros in sorted(spent.items(), key=lambda item: -item[1])[:14]:
            say(f"  {name:40s} {micros / 1000:8.1f} ms")
