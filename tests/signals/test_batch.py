from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from goldenthread.app.api.bars import import_bars
from goldenthread.app.api.desks import load_assets, load_bars, members_of
from goldenthread.app.api.project import Project, init_project
from goldenthread.domain.bar import Steps
from goldenthread.domain.strategy import Entry, Exit, Side, Strategy, Target, UniverseRule
from goldenthread.rules.levels import nine_decimals, round_entries, round_stops, round_targets
from goldenthread.rules.rounding import round_entry, round_stop, round_target, significant
from goldenthread.signals.alignment.sections import Panel
from goldenthread.signals.batch import Batch, Peers, peers
from goldenthread.signals.engine import Evaluator, compile_strategy
from goldenthread.signals.evaluation import no_inputs
from signals import windows as listed
from signals.windows import NEW_YEAR, Market, asset, days, random_bars, strategy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from goldenthread.domain.asset import Asset
    from goldenthread.domain.bar import BarWindow, DateArray
    from goldenthread.domain.signal import Candidate

    Windows = Callable[[str, dt.date, dt.datetime | None], BarWindow | None]


def compare(
    windows: Windows,
    plan: Strategy,
    asset_: Asset,
    dates: DateArray,
    inputs: Callable[[str, str], Steps] = no_inputs,
) -> int:
    """Hold every date of the batch against the day by day decision; the candidates seen."""
    compiled = compile_strategy(plan)
    symbol = asset_.symbol
    peers = Peers(windows, inputs)
    found = Batch(windows, symbol, dates, peers).decide(compiled, asset_)
    evaluator, seen = Evaluator(windows, inputs=inputs), 0
    for at, ds in enumerate(dates.tolist()):
        assert found.leave[at] == (evaluator.holds(compiled, "exit", symbol, ds) is True)
        assert found.cancel[at] == (evaluator.holds(compiled, "cancel", symbol, ds) is True)
        candidate = evaluator.decide(compiled, symbol, ds, asset_)
        assert found.when[at] == (candidate is not None), ds
        if candidate is None:
            continue
        seen += 1
        failed = {
            f.name for f, row in zip(compiled.filters, found.filters, strict=True) if not row[at]
        }
        assert failed == set(candidate.failed)
        assert significant(float(found.priority[at])) == candidate.priority
        tradable = candidate.plan is not None and candidate.plan.is_sound(plan.side)
        assert bool(found.levels.is_sound[at]) == tradable
        assert bool(found.accepted[at]) == (tradable and not failed)
        if candidate.plan is not None:
            assert levels(candidate) == (
                found.levels.entry[at],
                found.levels.stop[at],
                found.levels.targets[at].tolist(),
                None if compiled.trail is None else found.levels.trail[at],
            )
    return seen


def levels(candidate: Candidate) -> tuple[float, float, list[float], float | None]:
    plan = candidate.plan
    assert plan is not None
    trail = None if plan.trail is None else float(plan.trail)
    return float(plan.entry), float(plan.stop), [float(t.price) for t in plan.targets], trail


@pytest.mark.slow
def test_all_shipped_strategies_on_real_bars_say_what_the_single_dates_say(
    tmp_path: Path, shared_data: Path
) -> None:
    init_project(tmp_path)
    project = Project.open(tmp_path)
    import_bars(project, shared_data / "daily_bars.parquet", {}, ())
    assets = load_assets(project)
    _, book = load_bars(project, list(assets), dt.date(2018, 12, 31))
    members = members_of(project, project.strategies(), assets)
    seen = 0
    for plan in project.strategies():
        for symbol in members[plan.strategy_id][:4]:
            dates = book.columns(symbol, dt.date(2012, 9, 4), dt.date(2015, 6, 30))[0]
            seen += compare(book.window, plan, assets[symbol], dates)
    assert seen > 500


def random_market(seed: int) -> Market:
    dates = days(dt.date(2022, 3, 1), 700)
    other = days(dt.date(2022, 2, 1), 720, weekends=True)
    return Market(
        {
            "AAPL": (dates, random_bars(len(dates), seed)),
            "BTC/USD": (other, random_bars(len(other), seed + 1)),
        },
        frozenset({("BTC/USD", dates[at].item()) for at in (300, 301, 420)}),
    )


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("order", ["market", "limit", "stop"])
def test_random_bars_with_another_symbol_say_what_the_single_dates_say(
    side: Side, order: str
) -> None:
    sign = "-" if side is Side.LONG else "+"
    gain = "+" if side is Side.LONG else "-"
    price = {} if order == "market" else {"price": "close * 0.997 + LAG(close, 1) * 0.003"}
    entry = {"when": "RSI(close, 5) < 45 or OBV(close, volume, 30) > 0", "order": order, **price}
    plan = strategy(
        side=side,
        params={"k": Decimal("1.5")},
        factors={"atr": "SMA(TRANGE(), 14)", "lead": "ref('BTC/USD', ROC(close, 5))"},
        entry=Entry.model_validate(
            {**entry, "cancel_if": "ref('BTC/USD', close < SMA(close, 9))", "priority": "lead * 3"}
        ),
        reject_unless={"FALLING": "lead > -2", "QUIET": "atr / close > 0.012 and volume > 5"},
        exit=Exit(
            stop=f"entry {sign} k * atr",
            targets=(Target(at=f"entry {gain} MAX2(atr, entry / 90)", sell=Decimal("0.5")),),
            trail="3 * atr",
            when="close ** 1.01 < EMA(close, 10) and lead < 1",
            max_bars=9,
        ),
    )
    market = random_market(7)
    dates = market.bars["AAPL"][0][5:]
    assert compare(market.window, plan, asset(), dates) > 100
    assert compare(market.nightly, plan, asset(), dates[-60:]) > 10


def scores(table: str, symbol: str) -> Steps:
    """A value every third week, known at once for AAPL, a day later for the others."""
    assert table == "scores"
    ds = np.arange(np.datetime64("2021-03-01"), np.datetime64("2024-09-01"), 21)
    value = np.random.default_rng(len(symbol)).normal(0, 1, len(ds))
    return Steps(ds + int(symbol != "AAPL"), ds, value)


COMPARED = {
    "strength": "rank(ROC(close, 20))",
    "place": "LAG(pct_rank(close / SMA(close, 50)), 2)",
    "apart": "zscore(ref('IBM', ROC(close, 3)) + ROC(close, 5))",
    "weekly": "on('1W', close > SMA(close, 10))",
    "told": "score if score > -9 else 0",
}


@pytest.mark.parametrize("symbol", ["AAPL", "CCC", "BTC/USD"])
@pytest.mark.parametrize(
    "rule", ["rank(ROC(close, 60)) <= 3", "ref('IBM', close > SMA(close, 30))"]
)
def test_members_tables_and_weeks_say_what_the_single_dates_say(symbol: str, rule: str) -> None:
    among = ("AAPL", "CCC", "BTC/USD")
    plan = strategy(
        assets=("IBM", "@strong"),
        universes={"strong": UniverseRule(rule=rule, among=among)},
        inputs={"score": {"table": "scores", "max_age_days": 15}},
        factors=COMPARED,
        entry=Entry(when="strength <= 2 or told > 0.5", priority="-strength"),
        reject_unless={"LAST": "place > 0.2", "DOWN": "weekly or apart > 0"},
        exit=Exit(
            stop="entry * (1 - 0.01 * strength)",
            when="rank(score) > 2",
            trail="close / strength",
            max_bars=9,
        ),
    )
    market = listed.random_market()
    dates = market.bars[symbol][0]
    dates = dates[(dates >= np.datetime64("2023-06-01")) & (dates < np.datetime64("2024-07-01"))]
    known = np.array([d for d in dates if (symbol, d.item()) not in market.lag], "datetime64[D]")
    assert compare(market.window, plan, asset(symbol), known, scores) > 10


def test_who_is_no_member_in_a_month_is_not_decided_on() -> None:
    market = listed.random_market()
    dates = days(dt.date(2024, 1, 1), 100)
    dates = dates[np.isin(dates, market.bars["AAPL"][0])]
    rule = UniverseRule(rule="close > SMA(close, 20)", among=("AAPL",))
    plan = compile_strategy(strategy(assets=("@up",), universes={"up": rule}))
    wanted = Batch(market.window, "AAPL", dates).wanted(plan)
    months = dates.astype("datetime64[M]")
    by_month = [set(wanted[months == month].tolist()) for month in np.unique(months)]
    assert all(len(found) == 1 for found in by_month)
    assert {True} in by_month
    assert {False} in by_month


def test_expressions_are_computed_once_for_all_strategies_that_write_them() -> None:
    market = random_market(3)
    batch = Batch(market.window, "AAPL", market.bars["AAPL"][0])
    plan = strategy(when="SMA(close, 9) > 80")
    first = batch.values(compile_strategy(plan).when.parts[0])
    again = strategy(when="SMA(close, 9) > 90")
    assert batch.values(compile_strategy(again).when.parts[0]) is first


@pytest.mark.parametrize(("room", "made"), [(10**6, 3), (0, 9)])
def test_a_cross_section_is_made_once_for_all_symbols_as_far_as_there_is_room(
    monkeypatch: pytest.MonkeyPatch, room: int, made: int
) -> None:
    symbols, dates = ("AAPL", "CCC", "IBM"), days(dt.date(2022, 6, 1), 600)
    market = Market({s: (dates, random_bars(600, at)) for at, s in enumerate(symbols)})
    plan = compile_strategy(strategy(assets=symbols, when="rank(ROC(close, 20)) > 1"))
    alone = {s: Batch(market.window, s, dates).values(plan.when) for s in symbols}
    count, of = [0], Panel.of

    def counted(*told: Any) -> Panel:  # noqa: ANN401  # handed on
        count[0] += 1
        return of(*told)

    monkeypatch.setattr(Panel, "of", counted)
    monkeypatch.setattr(peers, "KEPT_BYTES", room)
    shared = Peers(market.window)
    for symbol in symbols:
        found = Batch(market.window, symbol, dates, shared).values(plan.when)
        assert found.tobytes() == alone[symbol].tobytes()
    assert count[0] == made  # three years, and three symbols where nothing is kept


def test_a_date_without_a_readable_bar_is_refused() -> None:
    market = random_market(3)
    batch = Batch(market.window, "NONE", days(NEW_YEAR, 3))
    with pytest.raises(ValueError, match="NONE has no bar to read on 2024-01-03"):
        batch.values(compile_strategy(strategy()).when)


@pytest.mark.parametrize("tick", ["0.01", "0.0001", "0.000000001", "0.05", "1"])
@pytest.mark.parametrize("symbol", ["AAPL", "BTC/USD"])
@pytest.mark.parametrize("side", list(Side))
def test_columns_are_rounded_like_single_prices(tick: str, symbol: str, side: Side) -> None:
    random = np.random.default_rng(5)
    prices = np.exp(random.uniform(-9, 14, 1500))
    prices[:500] = np.round(prices[:500], 2)  # many on the tick
    prices[500:600] += 5e-10 * random.integers(0, 3, 100)
    prices[0] = np.nan
    own = asset(symbol).model_copy(update={"price_tick": Decimal(tick)})

    def one(rule: Callable[[float], Decimal]) -> list[float]:
        return [float(rule(price)) for price in prices[1:].tolist()]

    assert round_stops(prices, own, side)[1:].tolist() == one(lambda p: round_stop(p, own, side))
    assert round_targets(prices, own, side)[1:].tolist() == one(
        lambda p: round_target(p, own, side)
    )
    assert round_entries(prices, own, side, "limit")[1:].tolist() == one(
        lambda p: round_entry(p, own, side, "limit")
    )
    market = one(lambda p: round_entry(p, own, side, "market"))
    assert nine_decimals(prices)[1:].tolist() == market
    assert np.isnan(round_stops(prices, own, side)[0])
