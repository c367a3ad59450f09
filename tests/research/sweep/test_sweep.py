from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace
from decimal import Decimal
from multiprocessing import active_children
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from goldenthread.domain.errors import EngineError, UsageError
from goldenthread.domain.policy import Policy
from goldenthread.domain.strategy import Entry, Side
from goldenthread.reports.performance import metrics
from goldenthread.research.luck import deflated_sharpe, record_of, trials_of
from goldenthread.research.sweep.figures import FIGURES
from goldenthread.research.sweep.grid import axis_of, grid_of, with_values
from goldenthread.research.sweep.layout import Size, Workers, layout_of
from goldenthread.research.sweep.orders import Stakes
from goldenthread.research.sweep.plan import plan_of
from goldenthread.research.sweep.running import Crew, all_figures
from goldenthread.research.sweep.single import Single, run_single
from goldenthread.research.sweep.store import SweepStore
from goldenthread.research.sweep.sweeping import Request, Sweep, run_sweep, sweep_id
from goldenthread.signals.batch import KEPT_BYTES
from research.sweep.markets import STAKES, STRATEGY, bars_of, slowly, still, still_bars

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from goldenthread.research.sweep.work import Bars

GRID = grid_of(
    [
        axis_of("rsi_max=20:60:10"),
        axis_of("stop_atr=1,2,3"),
        axis_of("gain=0.5,1.5"),
        axis_of("quick=5,10"),
        axis_of("exit.max_bars=4,12"),
        axis_of("size.cooldown_bars=0,3"),
    ]
)
SMALL = grid_of([axis_of("rsi_max=30,45"), axis_of("stop_atr=1:3:1")])
PATIENT = STRATEGY.model_copy(
    update={"entry": Entry(**{**STRATEGY.entry.model_dump(), "cancel_if": None})}
)


class StandingClock:
    """A clock that goes on by ``step`` seconds whenever it is asked."""

    def __init__(self, step: float = 0.0) -> None:
        self.time, self.step = dt.datetime(2024, 1, 1, tzinfo=dt.UTC), dt.timedelta(seconds=step)

    def now(self) -> dt.datetime:
        self.time += self.step
        return self.time

    def sleep(self, seconds: float) -> None:
        raise NotImplementedError


def swept(folder: Path, bars: Bars, request: Request, workers: Workers | None = None) -> Sweep:
    crew = Workers(threads=2) if workers is None else workers
    return run_sweep(
        request, bars, lambda store: Crew(crew, store, StandingClock()), folder, lambda _words: None
    )


def test_trades_are_those_of_single_decisions_priced_one_by_one() -> None:
    bars = bars_of(4)
    grid = grid_of([axis_of("rsi_max=25,60"), axis_of("stop_atr=1,3"), axis_of("quick=5,15")])
    plan = plan_of(PATIENT, grid)
    seen = 0
    for row in range(plan.size):
        trades = run_single(plan, row, bars, STAKES).trades
        expected = slowly(with_values(PATIENT, grid.values(row)), bars)
        columns = ("symbol", "signal_ds", "entry_ds", "exit_ds", "exit_reason")
        assert trades.select(columns).rows() == [t[:5] for t in expected]
        assert trades["bars_held"].to_list() == [t.bars_held for t in expected]
        assert trades["net_pnl"].to_list() == pytest.approx([t.net_pnl for t in expected], abs=1e-8)
        seen += len(expected)
        assert (trades["dividends"] > 0).any()
    assert seen > 300


def test_cancelled_orders_are_not_filled_later() -> None:
    bars = replace(bars_of(3), assets=bars_of(3).assets[:1])  # a coin: every day is a session
    entry = STRATEGY.entry.model_copy(update={"cancel_if": "close > 0"})
    hasty = STRATEGY.model_copy(update={"entry": entry})
    waits = []
    for strategy in (hasty, PATIENT):
        trades = run_single(plan_of(strategy, SMALL), 5, bars, STAKES).trades
        waits.append(set((trades["entry_ds"] - trades["signal_ds"]).dt.total_days()))
    assert waits == [{1}, {1, 2}]


@pytest.mark.slow
def test_two_hundred_permutations_equal_a_single_run_of_each(tmp_path: Path) -> None:
    bars = bars_of(5)
    sweep = swept(tmp_path, bars, Request(STRATEGY, GRID, STAKES))
    plan = plan_of(STRATEGY, GRID)
    of_values = {tuple(float(v) for v in row): at for at, row in enumerate(GRID.rows)}
    random = np.random.default_rng(1)
    for at in random.choice(plan.size, 200, replace=False).tolist():
        row = sweep.figures.row(at, named=True)
        single = run_single(plan, of_values[tuple(row[a] for a in GRID.axes)], bars, STAKES)
        expected = metrics(single.equity, single.trades).as_row()
        for name in FIGURES:
            assert (row[name] is None) == (expected[name] is None), name
            if row[name] is not None:
                assert math.isclose(row[name], expected[name], rel_tol=1e-8, abs_tol=1e-9), name


def test_the_equity_ends_at_what_the_trades_made_and_what_is_open() -> None:
    assert balanced(run_single(plan_of(STRATEGY, SMALL), 0, bars_of(4), STAKES)) > 20


def balanced(single: Single) -> int:
    """How many days nothing was held; on each the equity is what was made until then."""
    equity = single.equity
    assert equity["equity"][0] == 100_000
    assert equity["ds"][0] == STAKES.first
    flat = equity.filter(pl.col("gross_exposure") == 0)
    for ds, value in flat.select("ds", "equity").iter_rows():
        closed = single.trades.filter(pl.col("exit_ds") <= ds)["net_pnl"].sum()
        assert value == pytest.approx(100_000 + closed, abs=1e-6)
    assert (equity["gross_exposure"] > 0).any()
    return flat.height


@pytest.mark.parametrize("order", ["market", "stop"])
def test_shorts_and_other_orders_are_chained_too(order: str) -> None:
    high = {"when": "RSI(close, 3) > rsi_max"}
    price = {"price": "close * 0.995"} if order == "stop" else {}
    target = PATIENT.exit.targets[0].model_copy(update={"at": "entry - gain * atr"})
    short = PATIENT.model_copy(
        update={
            "side": Side.SHORT,
            "entry": Entry.model_validate({**high, "order": order, **price}),
            "exit": PATIENT.exit.model_copy(
                update={
                    "stop": "entry + stop_atr * atr",
                    "targets": (target,),
                    "when": "close < SMA(close, quick) * 0.96",
                }
            ),
        }
    )
    short = type(short).model_validate(short.model_dump())
    bars = replace(bars_of(4), assets=bars_of(4).assets[1:])
    plan = plan_of(short, SMALL)
    single = run_single(plan, 2, bars, STAKES)
    trades = single.trades
    expected = slowly(with_values(short, SMALL.values(2)), bars)
    assert trades["net_pnl"].to_list() == pytest.approx([t.net_pnl for t in expected], abs=1e-8)
    assert len(expected) > 20
    assert (trades["dividends"] < 0).any()
    assert balanced(single) > 10


@pytest.mark.parametrize(
    ("side", "changes"),
    [
        # 100 shares bought at 100; 0.24 a share on the 5th; the sale pays SEC 0.08 and TAF 0.02
        (Side.LONG, ["0", "0", "0", "24", "0", "-0.10"]),
        # sold, and 10,000 dollars borrowed: 0.0833 a night, from Friday the 5th to Monday 0.25
        (Side.SHORT, ["0", "-0.19", "-0.09", "-24.25", "-0.09", "0"]),
    ],
)
def test_dividends_and_borrow_move_the_equity_of_their_day(side: Side, changes: list[str]) -> None:
    days = [dt.date(2024, 1, day) for day in (2, 3, 4, 5, 8, 9)]
    plan = plan_of(still(side), grid_of([axis_of("size.cooldown_bars=0")]))
    policy = Policy(profile="live_like", slippage_bps=Decimal(0))
    stakes = Stakes(Decimal(100_000), Decimal("0.1"), policy, days[0], days[-1])
    single = run_single(plan, 0, still_bars(days), stakes)
    assert single.equity["ds"].to_list() == days
    made = single.equity["equity"].diff().fill_null(0.0).to_list()
    assert made == pytest.approx([float(change) for change in changes])
    (trade,) = single.trades.to_dicts()
    assert trade["net_pnl"] == pytest.approx(sum(float(change) for change in changes))


def digests(folder: Path, bars: Bars, block: int, workers: Workers) -> str:
    plan = plan_of(STRATEGY, GRID)
    size = Size(len(bars.assets), len(bars.days(STAKES)), 0)
    layout = layout_of(plan, size, workers, free=10**9)
    parts = [rows for b in layout.blocks for rows in np.array_split(b, max(1, len(b) // block))]
    crew = Crew(workers, SweepStore(folder), StandingClock())
    figures = all_figures(plan, bars, STAKES, replace(layout, blocks=tuple(parts)), crew)
    assert crew.done == crew.pieces
    return figures.write_csv()


def test_figures_do_not_depend_on_threads_or_blocks(tmp_path: Path) -> None:
    bars = bars_of(3)
    one = digests(tmp_path / "a", bars, 1000, Workers(threads=1))
    assert digests(tmp_path / "b", bars, 70, Workers(threads=3)) == one


@pytest.mark.slow
def test_figures_do_not_depend_on_processes_even_when_one_is_killed(tmp_path: Path) -> None:
    bars, plan = bars_of(19), plan_of(STRATEGY, SMALL)
    size = Size(19, len(bars.days(STAKES)), 0)
    layout = layout_of(plan, size, Workers(processes=2))
    told: list[int] = []

    def kill_once(done: int, _all: int) -> None:
        told.append(done)
        if len(told) == 2:  # the first of two chunks is in the books
            for child in active_children():
                child.kill()

    crew = Crew(Workers(processes=2), SweepStore(tmp_path / "a"), StandingClock(), kill_once)
    divided = all_figures(plan, bars, STAKES, layout, crew)
    alone = Crew(Workers(threads=1), SweepStore(tmp_path / "b"), StandingClock())
    assert divided.equals(all_figures(plan, bars, STAKES, layout, alone))
    assert told == [0, 1, 2]


@pytest.mark.slow
def test_workers_that_keep_dying_end_the_sweep_with_a_word(tmp_path: Path) -> None:
    bars, plan = bars_of(1), plan_of(STRATEGY, SMALL)
    layout = layout_of(plan, Size(1, 300, 0), Workers(processes=1))
    store = SweepStore(tmp_path)
    deadly = replace(bars, assets=(_Deadly(),))  # type: ignore[arg-type]  # kills who reads it
    with pytest.raises(EngineError, match="workers died 3 times"):
        all_figures(
            plan, deadly, STAKES, layout, Crew(Workers(processes=1), store, StandingClock())
        )
    assert not store.is_finished


class _Deadly:
    """Ends the process that unpickles it."""

    symbol = "BTC/USD"
    asset_class = bars_of(1).assets[0].asset_class

    def __reduce__(self) -> tuple[Callable[[int], None], tuple[int]]:
        import os  # noqa: PLC0415  # named in the pickle

        return os._exit, (9,)


class Stopped(Exception):  # noqa: N818  # no error: the user pressed a key
    """Someone killed the sweep."""


def test_a_killed_sweep_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    bars, request = bars_of(20), Request(STRATEGY, SMALL, STAKES)
    seen: list[tuple[int, int]] = []

    def kill(done: int, every: int) -> None:
        seen.append((done, every))
        if len(seen) == 3:
            raise Stopped

    def crew(store: SweepStore) -> Crew:
        return Crew(Workers(threads=2), store, StandingClock(step=30), kill)

    with pytest.raises(Stopped):
        run_sweep(request, bars, crew, tmp_path, lambda _words: None)
    assert seen == [(0, 2), (1, 2), (2, 2)]
    again = run_sweep(request, bars, crew, tmp_path, lambda _words: None)
    assert seen[3:] == [(1, 2), (2, 2)]  # the first chunk was kept
    whole = swept(tmp_path / "other", bars, request)
    assert again.figures.equals(whole.figures)
    assert again.result_digest == whole.result_digest
    assert not (tmp_path / again.sweep_id / "unfinished").exists()


def test_the_same_sweep_again_is_read_and_another_one_is_not(tmp_path: Path) -> None:
    bars, request = bars_of(2), Request(STRATEGY, SMALL, STAKES, top=2)
    first = swept(tmp_path, bars, request)

    def nobody(_store: SweepStore) -> Crew:
        raise AssertionError

    again = run_sweep(request, bars, nobody, tmp_path, lambda _words: None)
    assert again.figures.equals(first.figures)
    assert again.manifest == first.manifest
    frame = bars.bars.with_columns(pl.col("volume") + (pl.col("ds") == dt.date(2022, 3, 3)))
    assert sweep_id(request, replace(bars, bars=frame)) != first.sweep_id
    assert sweep_id(replace(request, top=3), bars) != first.sweep_id


def test_the_best_keep_their_trades_and_come_first(tmp_path: Path) -> None:
    bars = bars_of(3)
    sweep = swept(tmp_path, bars, Request(STRATEGY, SMALL, STAKES, objective="sharpe", top=2))
    sharpe = sweep.figures["sharpe"].to_list()
    assert sharpe == sorted(sharpe, reverse=True)
    best, second, third = sweep.figures["permutation"][:3]
    trades = sweep.store.trades(best)
    assert trades is not None
    assert trades.height == sweep.figures["trades"][0]
    equity = sweep.store.equity(second)
    assert equity is not None
    assert equity["equity"][-1] / 100_000 - 1 == pytest.approx(sweep.figures["total_return"][1])
    assert sweep.store.trades(third) is None


def test_too_little_memory_is_said_before_anything_starts() -> None:
    plan = plan_of(STRATEGY, GRID)
    size = Size(assets=10, days=400, bar_bytes=10**6)
    with pytest.raises(
        UsageError, match=r"240 permutations on 10 assets and 400 days need at least"
    ):
        layout_of(plan, size, Workers(threads=2), free=2 * 10**6)
    layout = layout_of(plan, size, Workers(threads=2), free=7 * 10**6)
    assert len(layout.blocks) > 1
    assert sorted(np.concatenate(layout.blocks).tolist()) == list(range(plan.size))
    assert layout.memory_bytes <= 7 * 10**6
    assert "MB of memory in" in layout.words()


def test_cross_sections_that_are_kept_count_as_memory() -> None:
    compares = STRATEGY.model_copy(update={"reject_unless": {"BEST": "rank(close) == 1"}})
    size = Size(assets=10, days=400, bar_bytes=10**6)
    plain, ranked = (
        layout_of(plan_of(s, SMALL), size, Workers(processes=2), free=10**10).memory_bytes
        for s in (STRATEGY, compares)
    )
    assert ranked - plain == 3 * KEPT_BYTES  # of this process, and of two beside it


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"objective": "luck"}, "--objective got 'luck'; allowed: calmar, sharpe"),
        ({"stakes": STAKES._replace(capital=Decimal(0))}, "must both be positive"),
        ({"stakes": STAKES._replace(capital=Decimal(10**10))}, "more than can be counted"),
        (
            {"stakes": STAKES._replace(first=dt.date(2030, 1, 1), last=dt.date(2030, 5, 1))},
            "no bars between 2030-01-01 and 2030-05-01 of BTC/USD, S1",
        ),
    ],
)
def test_what_cannot_be_swept_is_refused(
    change: dict[str, object], said: str, tmp_path: Path
) -> None:
    request = replace(Request(STRATEGY, SMALL, STAKES), **change)  # type: ignore[arg-type]  # one field
    with pytest.raises(UsageError, match=said):
        swept(tmp_path, bars_of(2), request)
    assert not list(tmp_path.iterdir())


def test_every_permutation_ever_tried_on_the_bars_is_counted_once(tmp_path: Path) -> None:
    bars = bars_of(2)
    wide = grid_of([axis_of("rsi_max=30,45,60"), axis_of("stop_atr=1:3:1")])
    first = swept(tmp_path, bars, Request(STRATEGY, SMALL, STAKES, objective="sharpe"))
    assert first.trials.number == 6
    assert first.manifest["when_finished"] == {
        "trials": 6,
        "deflated_sharpe": dict(first.best.select("permutation", "deflated_sharpe").iter_rows()),
    }
    again = swept(tmp_path, bars, Request(STRATEGY, SMALL, STAKES, objective="sharpe"))
    assert again.trials == first.trials
    other = swept(tmp_path, bars, Request(STRATEGY, SMALL, STAKES, objective="calmar", top=3))
    assert other.trials == first.trials  # ranked otherwise, but nothing new was tried
    more = swept(tmp_path, bars, Request(STRATEGY, wide, STAKES, objective="sharpe"))
    assert more.trials.number == 9
    late = swept(tmp_path, bars, Request(STRATEGY, SMALL, STAKES, objective="sharpe"))
    assert (late.trials, late.result_digest) == (more.trials, first.result_digest)
    assert late.manifest == first.manifest
    shorter = STAKES._replace(last=dt.date(2022, 6, 30))
    assert swept(tmp_path, bars, Request(STRATEGY, SMALL, shorter)).trials.number == 6


def test_the_best_are_judged_by_all_trials(tmp_path: Path) -> None:
    bars = bars_of(2)
    sweep = swept(tmp_path, bars, Request(STRATEGY, SMALL, STAKES, objective="sharpe", top=2))
    days = sweep.store.equity(sweep.figures["permutation"][0])
    assert days is not None
    returns = days["equity"].to_numpy()[1:] / days["equity"].to_numpy()[:-1] - 1
    years = 365 * len(returns) / (days["ds"][-1] - days["ds"][0]).days
    daily = sweep.figures["sharpe"].to_numpy() / math.sqrt(years)
    trials = trials_of(daily.tolist())
    assert sweep.trials.number == 6
    assert sweep.trials.variance == pytest.approx(trials.variance)
    record = record_of(returns)
    assert record is not None
    assert sweep.best.height == 2
    assert sweep.best["deflated_sharpe"][0] == pytest.approx(deflated_sharpe(record, trials))
    assert record.sharpe == pytest.approx(daily[0])
