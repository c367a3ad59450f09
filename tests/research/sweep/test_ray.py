"""The same shards on a Ray cluster of processes on this machine: the same figures."""

from __future__ import annotations

import os
from concurrent.futures import BrokenExecutor
from gc import collect
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from goldenthread.app.clock import SystemClock
from goldenthread.app.engines.compute import pool_on
from goldenthread.domain.errors import EngineError, UsageError
from goldenthread.research.sweep.grid import axis_of, grid_of
from goldenthread.research.sweep.layout import Workers
from goldenthread.research.sweep.running import Crew
from goldenthread.research.sweep.sweeping import Request, Sweep, run_sweep
from research.sweep.markets import STAKES, STRATEGY, bars_of
from signals.factors.files import SPREAD

if TYPE_CHECKING:
    from pathlib import Path

    from goldenthread.research.sweep.store import SweepStore
    from goldenthread.research.sweep.work import Bars

SMALL = grid_of([axis_of("rsi_max=30,45"), axis_of("stop_atr=1:3:1")])
WRITTEN = STRATEGY.model_copy(
    update={
        "reject_unless": {**STRATEGY.reject_unless, "CALM": "change(spread(5)) > -0.5"},
        "code": {"ranges.py": SPREAD},
    }
)
"""The strategy with factors written in Python, whose code goes with the work."""
needs_ray = pytest.mark.skipif(
    find_spec("ray") is None and os.environ.get("GOLDENTHREAD_REQUIRE_ENGINES") != "1",
    reason="Ray is not installed: pip install 'goldenthread[ray]'",
)


def swept(folder: Path, bars: Bars, on: str) -> Sweep:
    workers = Workers(processes=2) if on else Workers(threads=2)

    def crew(store: SweepStore) -> Crew:
        return Crew(workers, store, SystemClock(), pool=pool_on(on))

    return run_sweep(Request(WRITTEN, SMALL, STAKES), bars, crew, folder, lambda _words: None)


@needs_ray
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own, and sockets it leaves open
def test_a_sweep_on_ray_has_the_same_digest(tmp_path: Path) -> None:
    bars = bars_of(35)
    there = swept(tmp_path / "ray", bars, "ray")
    here = swept(tmp_path / "here", bars, "")
    assert there.result_digest == here.result_digest
    assert there.figures.equals(here.figures)


@needs_ray
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # as above
def test_the_shard_of_a_dead_worker_is_done_again(tmp_path: Path) -> None:
    mark = str(tmp_path / "died")

    def die_once() -> str:
        if os.path.exists(mark):  # noqa: PTH110  # pickled by value, with os alone
            return "done again"
        os.close(os.open(mark, os.O_CREAT))
        os._exit(9)

    def die() -> None:
        os._exit(9)

    with pool_on("ray")(2) as pool:
        assert pool.submit(die_once).result(120) == "done again"
        with pytest.raises(ZeroDivisionError):
            pool.submit(lambda: 1 // 0).result(120)
        with pytest.raises(BrokenExecutor):
            pool.submit(die).result(120)


@needs_ray
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # as above
def test_a_cluster_here_that_does_not_come_up_is_begun_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ray = import_module("ray")
    begin = ray.init
    # seconds: too few for any start, none at all, then enough for one, however often it hangs
    patience = iter(["0", "", "20", "20", "20"])

    def begin_with_patience(**options: object) -> None:
        seconds = next(patience)
        if not seconds:
            msg = "The current node timed out during startup."
            raise Exception(msg)  # noqa: TRY002  # so does Ray
        monkeypatch.setenv("RAY_gcs_server_port_wait_time_s", seconds)
        begin(**options)

    monkeypatch.setattr(ray, "init", begin_with_patience)
    with pool_on("ray")(1) as pool:
        assert pool.submit(lambda: "up").result(120) == "up"
    assert set(patience) <= {"20"}
    del pool
    collect()  # what the first start left behind


@needs_ray
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # as above
def test_an_address_without_a_cluster_is_said() -> None:
    with pytest.raises(EngineError, match="no cluster answers there"):
        pool_on("ray://127.0.0.1:9")(2)


def test_a_place_that_is_none_or_lacks_its_library_is_said() -> None:
    with pytest.raises(UsageError, match=r"--on got 'spark'; allowed: ray"):
        pool_on("spark")
    if find_spec("ray") is None:
        with pytest.raises(UsageError, match=r"--on ray needs ray: pip install 'goldenthread\["):
            pool_on("ray")
