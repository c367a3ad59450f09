"""The engines tell each history as the slow second reading of the rules does."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest

from goldenthread.domain.account import MONEY_STEP
from goldenthread.domain.asset import ActionKind, Asset, AssetClass, CorporateAction
from goldenthread.domain.bar import Bar
from goldenthread.domain.order import OrderSide
from goldenthread.domain.policy import Policy
from goldenthread.domain.signal import Plan, Signal, SignalStatus, TargetLevel
from goldenthread.domain.strategy import Side
from goldenthread.research.shadow import NOT_TRIGGERED, PriceQuery, price
from goldenthread.research.shadow_trade import ShadowTrade, Terms
from goldenthread.rules.calendar import previous_session
from goldenthread.rules.kernel.riding import execute
from goldenthread.rules.tape import REASONS, Closes, Wanted, tape_of, tickets_of
from research.oracle import Day, History, follow
from research.oracle_histories import history

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from goldenthread.domain.trade import Outcome

STATUSES = ("WAITING", "OPEN", "CLOSED", "NOT_TRIGGERED", "CANCELLED", "UNPRICEABLE")
KNOWN = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


class Told(NamedTuple):
    """What every subject tells of a history: each fill, and how it ended."""

    fills: tuple[tuple[dt.date, OrderSide, Decimal, Decimal, Decimal, Decimal], ...]
    """Session, side, price, quantity, fee, fee in coin."""
    status: str
    reason: str
    bars_held: int
    dividends: Decimal | None
    borrow: Decimal | None
    """Fees beyond those of the fills; both null unless it was closed, to the millionth."""


def told_by_oracle(told: History) -> Told:
    """The reference."""
    ending = follow(told)
    fills = tuple(e[:-1] for e in ending.executions)
    closed = ending.status == "CLOSED"
    paid = (ending.dividends, ending.borrow) if closed else (None, None)
    return Told(fills, ending.status, ending.reason, ending.bars_held, *paid)


def told_of(ending: Told, dividends: Decimal | None, fees: Decimal | None) -> Told:
    """The ending with what was paid besides its fills; a coin fee counts at its price."""
    if dividends is None or fees is None:
        return ending
    of_fills = sum((fee + coin * price for _, _, price, _, fee, coin in ending.fills), Decimal(0))
    borrow = round(fees - of_fills, 6)
    return ending._replace(dividends=round(dividends, 6), borrow=borrow)


def told_by_shadow(told: History) -> Told:
    """The exact engine: the outcome it prices, and the executions of the trade it follows."""
    outcome = outcome_of(told)
    trade = ShadowTrade(terms_of(told))
    for day in told.days:
        if outcome.status != "OPEN" and day.ds > outcome.revision:
            break
        trade.meet(day.ds, day.bar)
    fills = tuple(
        (f.ds, f.side, f.price, f.quantity, f.fee, f.fee_quantity)
        for f in (execution.fill for execution in trade.executions)
    )
    status = str(outcome.status)
    if status == "OPEN" and not fills:
        status = "WAITING"
    if status == "RESOLVED":
        status = "NOT_TRIGGERED" if outcome.note == NOT_TRIGGERED else "CLOSED"
    ending = Told(fills, status, outcome.exit_reason or "", trade.bars_held, None, None)
    return told_of(ending, outcome.dividends, outcome.fees)


def told_by_kernel(told: History) -> Told:
    """The compiled engine; its prices and fees are the floats nearest to exact decimals."""
    bars = [day.bar for day in told.days if day.bar is not None]
    dates = np.array([bar.ds for bar in bars], "datetime64[D]")
    prices = np.array([bar[2:6] for bar in bars], np.float64).reshape(-1, 4).T
    span = (signal_ds(told), told.days[-1].ds)
    tape, terms = tape_of(told.asset, [dates, *prices], actions_of(told), told.policy, span)
    wanted = Wanted(span[0], told.side, told.plan, told.quantity, told.at_market)
    closes = Closes(
        leave=np.array([False, *(day.leave for day in told.days)]),
        cancel=np.array([False, *(day.cancel for day in told.days)]),
    )
    tickets = tickets_of([wanted], tape, terms)
    rides, rows = execute(tape, terms, tickets, closes, len(tape.day) - 1)
    days = (told.days[0], *told.days)
    sides = (OrderSide.BUY, OrderSide.SELL)[:: told.side.sign]
    fills = tuple(
        (
            days[rows.session[at]].ds,
            sides[rows.leg[at]],
            Decimal(repr(float(rows.price[at]))),
            int(rows.units[at]) * MONEY_STEP,
            Decimal(repr(float(rows.fee[at]))),
            int(rows.coin_fee[at]) * MONEY_STEP,
        )
        for at in range(len(rows.ticket))
    )
    reason = "" if rides.reason[0] < 0 else str(REASONS[rides.reason[0]])
    status = STATUSES[rides.status[0]]
    ending = Told(fills, status, reason, int(rides.bars_held[0]), None, None)
    paid = (Decimal(float(money[0])) for money in (rides.dividends, rides.fees))
    return told_of(ending, *paid) if status == "CLOSED" else ending


def signal_ds(told: History) -> dt.date:
    return previous_session(told.asset.asset_class, told.days[0].ds)


def actions_of(told: History) -> tuple[CorporateAction, ...]:
    """Splits, dividends and delisting of a history as corporate actions."""

    def action(kind: ActionKind, ds: dt.date, **values: Decimal) -> CorporateAction:
        given = {"symbol": told.asset.symbol, "kind": kind, "ex_ds": ds, **values}
        return CorporateAction.model_validate({**given, "source": "", "known_at": KNOWN})

    splits = [action(ActionKind.SPLIT, d.ds, ratio=d.ratio) for d in told.days if d.ratio != 1]
    paid = [action(ActionKind.DIVIDEND, d.ds, amount=d.dividend) for d in told.days if d.dividend]
    gone = [] if told.delisted is None else [action(ActionKind.DELISTING, told.delisted)]
    return (*splits, *paid, *gone)


def rule_exits(told: History) -> frozenset[dt.date]:
    return frozenset(day.ds for day in told.days if day.leave)


def terms_of(told: History) -> Terms:
    return Terms(
        asset=told.asset,
        actions=actions_of(told),
        policy=told.policy,
        side=told.side,
        plan=told.plan,
        quantity=told.quantity,
        signal_ds=signal_ds(told),
        rule_exits=rule_exits(told),
        at_market=told.at_market,
    )


def outcome_of(told: History) -> Outcome:
    ds = signal_ds(told)
    signal = Signal(
        book="sim:test",
        signal_id="20240102-1",
        ds=ds,
        strategy_id="s",
        version_key="v",
        policy_key="p",
        symbol=told.asset.symbol,
        asset_class=told.asset.asset_class,
        side=told.side,
        status=SignalStatus.REJECTED,
        decided_at=KNOWN,
        engine_digest="e",
        bars_digest="b",
        close=told.close,
        plan=told.plan,
        planned_quantity=told.quantity,
        equity_at_decision=Decimal(100_000),
        valid_until=ds,
    )
    query = PriceQuery(
        asset=told.asset,
        actions=actions_of(told),
        policy=told.policy,
        upto=told.days[-1].ds,
        rule_exits=rule_exits(told),
        priced_as="MARKET_NEXT_OPEN" if told.at_market else "PLANNED",
    )
    return price(signal, [day.bar for day in told.days if day.bar is not None], query)


SUBJECTS = {"shadow": told_by_shadow, "kernel": told_by_kernel}


SLIPPED = frozenset({2643, 6809})
"""Seeds whose entry slips to within 1e-12 of a step, told otherwise by both engines."""


def differences(
    subject: str, seeds: Iterable[int], *, cancels: bool = False
) -> dict[int, tuple[Told, Told]]:
    """By seed, what the oracle and a subject tell differently."""
    told = ((seed, history(seed, cancels=cancels)) for seed in seeds)
    pairs = ((seed, (told_by_oracle(h), SUBJECTS[subject](h))) for seed, h in told)
    return {seed: pair for seed, pair in pairs if pair[0] != pair[1]}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_an_engine_tells_three_thousand_histories_as_the_oracle_does(subject: str) -> None:
    assert differences(subject, set(range(3_000)) - SLIPPED) == {}


@pytest.mark.slow
@pytest.mark.parametrize("subject", SUBJECTS)
def test_an_engine_tells_ten_thousand_histories_as_the_oracle_does(subject: str) -> None:
    assert differences(subject, set(range(3_000, 13_000)) - SLIPPED) == {}


@pytest.mark.xfail(
    strict=True,
    reason="slippage is counted in float64 steps, so a price within 1e-12 of a step loses its"
    " direction: seed 2643 buys at 55583.411917 and not 55583.411918, seed 6809 at 62786.793808"
    " and not 62786.793809",
)
@pytest.mark.parametrize("seed", sorted(SLIPPED))
@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_price_just_above_a_step_slips_to_the_next(subject: str, seed: int) -> None:
    assert differences(subject, [seed]) == {}


def test_the_kernel_cancels_where_the_oracle_does() -> None:
    told = [told_by_oracle(history(seed, cancels=True)) for seed in range(1_000)]
    assert sum(ending.status == "CANCELLED" for ending in told) > 20
    assert differences("kernel", range(1_000), cancels=True) == {}


def test_the_histories_crowd_every_edge_of_the_rules() -> None:
    seen = Counter(edge for told in map(history, range(3_000)) for edge in edges(told))
    assert {edge: count for edge, count in seen.items() if count < 5} == {}
    assert seen.keys() >= {
        *(f"{c} {r}" for c in AssetClass for r in ("STOP", "TARGET", "TRAIL", "TIME", "RULE")),
        *("CRYPTO STOP_GAPPED", "EQUITY SPLIT_CASH", "EQUITY DELISTED", "CRYPTO DELISTED"),
        *("NOT_TRIGGERED", "UNPRICEABLE", "OPEN", "WAITING"),
        *("stop and target in one bar", "opened past the stop", "limit touched to the tick"),
        *("split while held", "split while waiting", "no bar while held", "several tranches"),
        *("dividend of a long", "dividend of a short", "borrow", "borrow without a bar"),
    }


def edges(told: History) -> set[str]:
    """The edges of the rules this history came to."""
    ending = follow(told)
    found = {f"{told.asset.asset_class} {e.reason}" for e in ending.executions}
    found.add(ending.status)
    entry = next((e.ds for e in ending.executions), None)
    left = ending.executions[-1].ds if ending.status == "CLOSED" else dt.date.max
    sign, plan = told.side.sign, told.plan
    for day in told.days:
        held = entry is not None and entry <= day.ds <= left
        if day.ratio != 1:
            found.add("split while held" if held else "split while waiting")
        if held and day.bar is None:
            found.add("no bar while held")
            found |= {"borrow without a bar"} if ending.borrow else set()
        if held and day.bar is not None and plan.targets:
            best, worst = (day.bar.high, day.bar.low)[::sign]
            reached = (best - plan.targets[0].price) * sign >= 0
            if (worst - plan.stop) * sign <= 0 and reached:
                found.add("stop and target in one bar")
        if day.ds == left and day.bar is not None and (day.bar.open - plan.stop) * sign < 0:
            found.add("opened past the stop")
        if day.ds == entry and day.bar is not None and plan.order == "limit":
            deepest = day.bar.low if sign == 1 else day.bar.high
            found |= {"limit touched to the tick"} if deepest == plan.entry else set()
    found |= {"borrow"} if ending.borrow else set()
    if ending.dividends:
        found.add("dividend of a long" if ending.dividends > 0 else "dividend of a short")
    if sum(e.reason == "ENTRY" for e in ending.executions) > 1:
        found.add("several tranches")
    return found


def held_through(plan: Plan, bars: Sequence[tuple[str, str, str, str]], ratio: str) -> History:
    """Two shares bought at 100 dollars, with 20 basis points, and a split before the second bar."""
    days = []
    for number, prices in enumerate(bars):
        ds = dt.date(2024, 3, 4) + dt.timedelta(days=number)
        opened, high, low, close = (Decimal(price) for price in prices)
        bar = Bar("AAA", ds, opened, high, low, close, Decimal(1000))
        days.append(Day(ds, bar, Decimal(ratio if number == 1 else 1)))
    asset = Asset(
        symbol="AAA",
        asset_class=AssetClass.EQUITY,
        price_tick=Decimal("0.01"),
        quantity_step=Decimal(1),
        min_notional=Decimal(1),
    )
    policy = Policy(slippage_bps=Decimal(20))
    return History(asset, Side.LONG, plan, Decimal(2), policy, Decimal(100), tuple(days))


def plan_with(*targets: str, breakeven_after: int | None = None) -> Plan:
    return Plan(
        order="market",
        entry=Decimal(100),
        stop=Decimal(95),
        targets=tuple(TargetLevel(price=Decimal(t), sell=Decimal("0.5")) for t in targets),
        breakeven_after=breakeven_after,
        max_bars=9,
    )


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_share_that_only_tranches_together_keep_is_bare_in_the_split_s_session_alone(
    subject: str,
) -> None:
    bars = [("100", "101", "99", "100"), ("200", "201", "150", "195"), ("192", "193", "160", "165")]
    told = held_through(plan_with("110", "120"), bars, "0.5")
    ending = told_by_oracle(told)
    assert (ending.status, ending.reason, ending.bars_held) == ("CLOSED", "STOP", 3)
    assert SUBJECTS[subject](told) == ending


@pytest.mark.parametrize("subject", SUBJECTS)
def test_an_open_past_stop_and_target_alike_is_stopped(subject: str) -> None:
    # Bought at 100.5006, past the second target; the first is met: the stop goes to 100.50
    bars = [("100.3", "100.35", "100", "100.2"), ("100.45", "100.5", "100.3", "100.4")]
    told = held_through(plan_with("100.1", "100.4", breakeven_after=1), bars, "1")
    ending = told_by_oracle(told)
    assert ending.reason == "STOP"
    assert SUBJECTS[subject](told) == ending
