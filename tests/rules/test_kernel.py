"""The compiled rules equal the rules on exact money, execution by execution."""

from __future__ import annotations

import datetime as dt
import os
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest

from adapters.broker.market import AAPL, BTC, D, HandMarket
from goldenthread.domain.account import money
from goldenthread.domain.asset import ActionKind, Asset, CorporateAction
from goldenthread.domain.bar import Bar
from goldenthread.domain.order import OrderSide
from goldenthread.domain.policy import Policy, Profile
from goldenthread.domain.strategy import Side
from goldenthread.research.shadow import PriceQuery, resolved
from goldenthread.research.shadow_trade import ShadowTrade
from goldenthread.research.shadow_trade import Terms as ShadowTerms
from goldenthread.rules import kernel
from goldenthread.rules.calendar import sessions
from goldenthread.rules.splits import ratio_between
from goldenthread.rules.tape import (
    CANCELLED,
    CLOSED,
    ENTRY,
    NOT_TRIGGERED,
    OPEN,
    PATIENCE,
    REASONS,
    UNPRICEABLE,
    WAITING,
    Closes,
    Executions,
    Rides,
    Tape,
    Wanted,
    tape_of,
    tickets_of,
)
from research.histories import (
    NOW,
    START,
    History,
    dividend,
    odd_history,
    plan_of,
    random_history,
    signal_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = {
    WAITING: "WAITING",
    OPEN: "OPEN",
    CLOSED: "CLOSED",
    NOT_TRIGGERED: "NOT_TRIGGERED",
    CANCELLED: "CANCELLED",
    UNPRICEABLE: "UNPRICEABLE",
}
MANY = int(os.environ.get("GOLDENTHREAD_HISTORIES", "20000"))
"""How many histories the slow test compares; the release check asks for 100,000."""


class Slow(NamedTuple):
    trade: ShadowTrade
    status: str
    ended: dt.date | None


def slow_ride(history: History, *, at_market: bool, cancels: frozenset[dt.date]) -> Slow:
    """The same signal told by ``ShadowTrade``, with an entry that may be cancelled."""
    signal, plan = history.signal, history.signal.plan
    assert plan is not None
    terms = ShadowTerms(
        asset=history.asset,
        actions=history.actions,
        policy=history.policy,
        side=signal.side,
        plan=plan,
        quantity=signal.planned_quantity,
        signal_ds=signal.ds,
        rule_exits=history.rule_exits,
        at_market=at_market,
    )
    trade = ShadowTrade(terms)
    for ds in later(history):
        bar = history.market.bar(history.asset.symbol, ds)
        trade.meet(ds, bar)
        if trade.is_closed:
            return Slow(trade, "CLOSED", ds)
        if not trade.executions and not at_market:
            if bar is not None and ds in cancels:
                return Slow(trade, "CANCELLED", ds)
            if trade.sessions >= plan.valid_bars:
                return Slow(trade, "NOT_TRIGGERED", ds)
        waited = trade.bars_held if trade.executions else trade.sessions
        if (trade.executions or at_market) and waited >= plan.max_bars + PATIENCE:
            return Slow(trade, "UNPRICEABLE", ds)
    return Slow(trade, "OPEN" if trade.executions else "WAITING", None)


def later(history: History) -> list[dt.date]:
    start = history.signal.ds + dt.timedelta(days=1)
    return sessions(history.asset.asset_class, start, history.upto)


def fast_ride(
    history: History, *, at_market: bool, cancels: frozenset[dt.date]
) -> tuple[Tape, Rides, Executions]:
    """The signal told by the kernel."""
    signal, plan = history.signal, history.signal.plan
    assert plan is not None
    bars = history.bars
    columns = [np.array([getattr(b, k) for b in bars], np.float64) for k in PRICES]
    days = np.array([b.ds for b in bars], "datetime64[D]")
    span = (signal.ds, history.upto)
    tape, terms = tape_of(history.asset, [days, *columns], history.actions, history.policy, span)
    wanted = Wanted(signal.ds, signal.side, plan, signal.planned_quantity, at_market)
    closes = Closes(on(tape, history.rule_exits), on(tape, cancels))
    tickets = tickets_of([wanted], tape, terms)
    return tape, *kernel.execute(tape, terms, tickets, closes, len(tape.day) - 1)


PRICES = ("open", "high", "low", "close")


def on(tape: Tape, dates: frozenset[dt.date]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.isin(tape.day, np.array(list(dates), "datetime64[D]").astype(np.int64))


def compare(history: History, *, at_market: bool = False) -> str:
    """What happened; fails where the two differ."""
    cancels = frozenset(ds for n, ds in enumerate(later(history)) if n % 5 == 1)
    cancels = frozenset() if at_market else cancels
    slow = slow_ride(history, at_market=at_market, cancels=cancels)
    tape, rides, log = fast_ride(history, at_market=at_market, cancels=cancels)
    trade, ended = slow.trade, rides.ended[0]
    assert NAMES[int(rides.status[0])] == slow.status
    assert (date(tape, ended) if ended >= 0 else None) == slow.ended
    fills = [execution.fill for execution in trade.executions]
    assert [date(tape, t) for t in log.session] == [fill.ds for fill in fills]
    assert [Decimal(repr(float(price))) for price in log.price] == [fill.price for fill in fills]
    assert [units(u) for u in log.units] == [fill.quantity for fill in fills]
    assert [units(u) for u in log.coin_fee] == [fill.fee_quantity for fill in fills]
    assert [money(Decimal(float(fee))) for fee in log.fee] == [money(fill.fee) for fill in fills]
    buy = OrderSide.BUY if history.signal.side.sign > 0 else OrderSide.SELL
    assert [leg == ENTRY for leg in log.leg] == [fill.side is buy for fill in fills]
    reasons = [None if code < 0 else REASONS[code] for code in log.reason]
    assert reasons == [execution.reason for execution in trade.executions]
    assert list(log.maker) == [execution.maker for execution in trade.executions]
    ratios = [float(execution.ratio) for execution in trade.executions]
    assert list(log.ratio) == pytest.approx(ratios, rel=1e-12)
    if fills:
        assert rides.bars_held[0] == trade.bars_held
    if slow.status != "CLOSED":
        figures = (rides.gross, rides.fees, rides.dividends, rides.risk, rides.mfe, rides.mae)
        assert np.isnan(figures).all()
        return slow.status
    assert REASONS[rides.reason[0]] is trade.reason
    compare_money(history, slow, rides)
    compare_excursion(history, slow, rides)
    return str(trade.reason)


def compare_money(history: History, slow: Slow, rides: Rides) -> None:
    """The float sums of a ride against what a traded position makes of the same executions."""
    course, signal = slow.trade.course, history.signal
    query = PriceQuery(history.asset, history.actions, history.policy, history.upto)
    made, executions = resolved(course, signal, query), course.executions
    shares = sum((e.fill.quantity / e.ratio for e in executions if e.reason is None), D(0))
    rounding = D("1e-9") * len(executions)  # of each notional
    cash = rounding + sum((e.fill.notional for e in executions), D(0)) * D("1e-12")
    price = cash / shares + D("2e-9") * max(course.ratio, D(1))
    close_to(rides.gross[0], made.gross_pnl, cash)
    close_to(rides.fees[0], made.fees, cash)
    close_to(rides.entry_price[0], made.entry_price, price)
    close_to(rides.exit_price[0], made.exit_price, price)
    close_to(rides.dividends[0], made.dividends, cash)
    close_to(rides.net[0], made.net_pnl, cash)
    assert np.isnan(rides.risk[0]) == (made.r_multiple is None)
    if made.r_multiple is not None:
        risk = D(float(rides.risk[0]))
        r = float(rides.net[0] / rides.risk[0])
        off = 2 * cash + abs(made.r_multiple) * price * shares
        close_to(r, made.r_multiple, off / risk + D("1e-9"))


def compare_excursion(history: History, slow: Slow, rides: Rides) -> None:
    """The best and worst moves against the prices seen: fills, and bars that left some held.

    What is gained in the entry's own bar counts only when the entry was at its open.
    """
    executions, sign = slow.trade.executions, history.signal.side.sign
    entry = executions[0].fill
    assert slow.ended is not None
    seen = [e.fill.price * e.ratio for e in executions]
    for bar in history.bars:
        if entry.ds <= bar.ds < slow.ended:
            ratio = ratio_between(history.actions, history.signal.ds, bar.ds)
            gain, loss = (bar.high, bar.low) if sign > 0 else (bar.low, bar.high)
            seen.append(loss * ratio)
            if bar.ds > entry.ds or entry.at_open:
                seen.append(gain * ratio)
    average = entry.price * executions[0].ratio
    moves = [(price / average - 1) * sign for price in seen]
    close_to(rides.mfe[0], max(moves), D("1e-6"))
    close_to(rides.mae[0], min(moves), D("1e-6"))


def close_to(found: float, expected: Decimal | None, tolerance: Decimal) -> None:
    assert expected is not None
    assert abs(Decimal(float(found)) - expected) <= tolerance, (found, expected)


def units(count: np.int64) -> Decimal:
    return Decimal(int(count)).scaleb(-9)


def date(tape: Tape, session: np.int64) -> dt.date:
    found: dt.date = tape.day[session].astype("datetime64[D]").item()
    return found


def compare_many(make: Callable[[int], History], seeds: range) -> Counter[str]:
    seen: Counter[str] = Counter()
    for seed in seeds:
        history = make(seed)
        at_market = seed % 7 == 0
        try:
            seen[compare(history, at_market=at_market)] += 1
        except AssertionError as error:
            message = f"{make.__name__}({seed}), at_market={at_market}: {error}"
            raise AssertionError(message) from error
    return seen


EVERYTHING = {
    "OPEN",
    "NOT_TRIGGERED",
    "CANCELLED",
    "UNPRICEABLE",
    "STOP",
    "STOP_GAPPED",
    "TARGET",
    "TRAIL",
    "TIME",
    "RULE",
    "DELISTED",
    "SPLIT_CASH",
}


def reverse_split(last_bar: str) -> History:
    """Two shares in two tranches that a 1:2 reverse split makes one share of."""
    plan = plan_of(entry=100, stop=90, targets=[(110, 0.5), (120, 0.5)])
    market, dates = HandMarket(), sessions(AAPL.asset_class, START, START + dt.timedelta(days=3))
    for ds, text in zip(dates[1:], ["100 101 99 100", "200 210 195 200", last_bar], strict=True):
        opened, high, low, close = (D(price) for price in text.split())
        market.add(Bar(AAPL.symbol, ds, opened, high, low, close, D(1000)))
    split = CorporateAction(
        symbol=AAPL.symbol,
        kind=ActionKind.SPLIT,
        ex_ds=dates[2],
        ratio=D("0.5"),
        source="test",
        known_at=NOW,
    )
    return History(
        signal=signal_of(AAPL, plan, D(2)),
        asset=AAPL,
        market=market,
        actions=[split],
        policy=Policy(slippage_bps=D(0)),
        rule_exits=frozenset(),
        upto=dates[-1],
    )


@pytest.mark.parametrize(
    ("last_bar", "reason", "price", "gross", "mfe", "mae"),
    [
        ("200 201 170 175", "STOP", 180, -20, 0.05, -0.10),
        ("200 250 199 240", "TARGET", 240, 40, 0.20, -0.025),
        ("170 175 165 170", "STOP", 170, -30, 0.05, -0.15),
    ],
)
def test_a_share_that_only_the_tranches_together_keep_has_the_last_ones_stop_and_target(
    last_bar: str, reason: str, price: float, gross: float, mfe: float, mae: float
) -> None:
    history = reverse_split(last_bar)

    assert compare(history) == reason
    _, rides, log = fast_ride(history, at_market=False, cancels=frozenset())
    assert list(log.price) == [100, 100, price]
    assert list(log.units) == [10**9] * 3
    assert list(log.maker) == [False, False, reason == "TARGET"]
    assert list(log.part) == [0, 1, 1]
    assert (rides.gross[0], rides.fees[0], rides.risk[0]) == (gross, 0, 20)
    assert (rides.entry_price[0], rides.exit_price[0]) == (100, price / 2)
    assert (rides.mfe[0], rides.mae[0]) == (pytest.approx(mfe), pytest.approx(mae))


def test_the_share_is_bare_in_the_session_of_the_split_as_its_brackets_are_scaled_apart() -> None:
    history = reverse_split("175 181 174 180")
    ds = history.upto - dt.timedelta(days=1)
    bar = history.market.bars[AAPL.symbol, ds]
    history.market.add(bar._replace(low=D(170), close=D(175)))

    assert compare(history) == "STOP"
    _, _, log = fast_ride(history, at_market=False, cancels=frozenset())
    assert list(log.price) == [100, 100, 175]  # the open of the day after


@pytest.mark.parametrize("asset", [AAPL, BTC])
@pytest.mark.parametrize(
    ("bar", "reason", "price"),
    [
        ("100 101 90.01 100", "TIME", 100),
        ("100 101 90 100", "STOP", 90),
        ("100 119.99 99 100", "TIME", 100),
        ("100 120 99 100", "TARGET", 120),
    ],
)
def test_a_level_is_met_by_the_very_price_after_sessions_in_which_nothing_happens(
    asset: Asset, bar: str, reason: str, price: float
) -> None:
    plan = plan_of(entry=100, stop=90, targets=[(120, 1)], max_bars=6)
    market, calm = HandMarket(), "100 101 99 100"
    dates = sessions(asset.asset_class, START + dt.timedelta(days=1), START + dt.timedelta(days=12))
    for ds, text in zip(dates, [calm, calm, calm, bar, calm, calm, calm], strict=False):
        opened, high, low, close = (D(price) for price in text.split())
        market.add(Bar(asset.symbol, ds, opened, high, low, close, D(1000)))
    signal, policy = signal_of(asset, plan, D(2)), Policy(slippage_bps=D(0))
    history = History(signal, asset, market, [], policy, frozenset(), dates[6])

    assert compare(history) == reason
    _, _, log = fast_ride(history, at_market=False, cancels=frozenset())
    due_at_open = asset is BTC and reason == "TARGET"
    assert log.price[-1] == (100 if due_at_open else price)


@pytest.mark.parametrize(
    ("side", "profile", "dividends", "fees"),
    [
        # 1000 x 0.24 twice. The one sale of 100,000 dollars pays SEC 0.80 and TAF 0.17.
        (Side.LONG, "live_like", 480, 0.97),
        # And 0.30 % / 360 of 100,000 is 0.84 a night, of a Friday 2.50: 5 x 0.84 + 2.50 more.
        (Side.SHORT, "live_like", -480, 7.67),
        (Side.LONG, "paper", 0, 0),
        (Side.SHORT, "paper", 0, 0),
    ],
)
def test_holding_earns_dividends_and_costs_borrow_in_sessions_in_which_nothing_else_happens(
    side: Side, profile: Profile, dividends: float, fees: float
) -> None:
    plan = plan_of(entry=100, stop=100 - 10 * side.sign, max_bars=6)
    market = HandMarket()
    dates = sessions(AAPL.asset_class, START, START + dt.timedelta(days=9))  # to Thursday the 11th
    for ds in dates[1:]:
        market.add(Bar(AAPL.symbol, ds, D(100), D(101), D(99), D(100), D(1000)))
    friday, sunday = dates[3], dates[3] + dt.timedelta(days=2)
    paid = [dividend(ex_ds, "0.24") for ex_ds in (friday, sunday)]
    policy = Policy(profile=profile, slippage_bps=D(0))
    signal = signal_of(AAPL, plan, D(1000), side)
    history = History(signal, AAPL, market, paid, policy, frozenset(), dates[-1])

    assert compare(history) == "TIME"
    _, rides, _ = fast_ride(history, at_market=False, cancels=frozenset())
    assert rides.dividends[0] == dividends
    assert rides.fees[0] == pytest.approx(fees)
    assert rides.net[0] == pytest.approx(dividends - fees)


@pytest.mark.parametrize("make", [random_history, odd_history])
def test_the_kernel_executes_what_the_rules_on_money_do(make: Callable[[int], History]) -> None:
    seen = compare_many(make, range(500))

    assert EVERYTHING - {"DELISTED", "UNPRICEABLE", "SPLIT_CASH"} <= seen.keys(), seen


@pytest.mark.slow
def test_the_kernel_executes_what_the_rules_on_money_do_on_many_histories() -> None:
    seen = compare_many(random_history, range(MANY // 2))
    seen += compare_many(odd_history, range(MANY - MANY // 2))

    assert seen.keys() >= EVERYTHING, seen
