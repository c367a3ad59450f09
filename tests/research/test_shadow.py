"""Theoretical outcomes, computed by hand."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from adapters.broker.market import AAPL, BTC, D, coins, day, stocks
from goldenthread.domain.asset import ActionKind, CorporateAction
from goldenthread.domain.policy import Policy
from goldenthread.domain.strategy import Side
from goldenthread.domain.trade import Outcome, OutcomeStatus
from goldenthread.research.shadow import PriceQuery, price
from research.histories import NOW, plan_of, random_history, signal_of

if TYPE_CHECKING:
    from adapters.broker.market import HandMarket
    from goldenthread.domain.asset import Asset

FREE = Policy(slippage_bps=D(0))
RESOLVED, OPEN, UNPRICEABLE = OutcomeStatus
CLOSE = "100 101 99 100"


def shadow(  # noqa: PLR0913  # each case names what it varies
    market: HandMarket,
    asset: Asset = AAPL,
    *,
    quantity: str = "10",
    side: Side = Side.LONG,
    actions: tuple[CorporateAction, ...] = (),
    upto: int = 12,
    rule_exits: tuple[int, ...] = (),
    priced_as: str = "PLANNED",
    **plan: object,
) -> Outcome:
    """The outcome of a signal of 2 January on a hand-written market."""
    signal = signal_of(asset, plan_of(**plan), D(quantity), side)
    bars = sorted((b for b in market.bars.values() if b.ds > signal.ds), key=lambda b: b.ds)
    exits = frozenset(day(n) for n in rule_exits)
    query = PriceQuery(asset, actions, FREE, day(upto), exits, priced_as)
    return price(signal, bars, query)


def money_of(outcome: Outcome) -> tuple[object, ...]:
    return (outcome.gross_pnl, outcome.fees, outcome.net_pnl, outcome.r_multiple)


def test_a_target_reached_is_worth_its_distance() -> None:
    market = stocks(CLOSE, "101 104 100 103", "103 112 102 110")
    outcome = shadow(market, entry=100, stop=96, targets=[(110, 1)])
    assert outcome.status is RESOLVED
    assert (outcome.entry_ds, outcome.entry_price) == (day(3), D(101))
    assert (outcome.exit_ds, outcome.exit_price) == (day(4), D(110))
    assert (outcome.exit_reason, outcome.bars_held) == ("TARGET", 2)
    # 10 x (110 - 101) = 90; risked 10 x (101 - 96) = 50; 90 / 50 = 1.8
    assert money_of(outcome) == (D(90), D(0), D(90), D("1.8"))
    assert outcome.revision == day(4)


def test_a_short_is_mirrored() -> None:
    market = stocks(CLOSE, "101 104 100 103", "103 112 102 110")
    outcome = shadow(market, side=Side.SHORT, entry=100, stop=106, targets=[(90, 1)])
    assert (outcome.exit_reason, outcome.exit_price) == ("STOP", D(106))
    assert money_of(outcome) == (D(-50), D(0), D(-50), D(-1))


def test_a_planned_order_no_bar_reached_is_resolved_without_money() -> None:
    market = stocks(CLOSE, "101 104 100 103", "103 112 102 110")
    outcome = shadow(market, order="limit", entry=95, stop=90, valid_bars=2)
    assert (outcome.status, outcome.note, outcome.revision) == (RESOLVED, "not triggered", day(4))
    assert money_of(outcome) == (None, None, None, None)
    assert (outcome.entry_price, outcome.exit_reason) == (None, None)


def test_it_is_open_while_it_may_still_be_triggered_or_is_held() -> None:
    market = stocks(CLOSE, "101 104 100 103", "103 112 102 110")
    waiting = shadow(market, order="limit", entry=95, stop=90, valid_bars=2, upto=3)
    assert (waiting.status, waiting.revision, waiting.entry_ds) == (OPEN, day(3), None)
    held = shadow(market, entry=100, stop=90)
    assert (held.status, held.revision, held.bars_held) == (OPEN, day(12), 2 + 6)
    assert (held.entry_ds, held.entry_price) == (day(3), D(101))
    assert money_of(held) == (None, None, None, None)


def test_an_entry_is_only_made_within_its_sessions() -> None:
    market = stocks(CLOSE, "", "101 104 100 103")
    assert shadow(market, entry=100, stop=90).note == "not triggered"
    assert shadow(market, entry=100, stop=90, valid_bars=2).entry_ds == day(4)


def test_had_it_been_a_market_order_at_the_next_open_there_is() -> None:
    market = stocks(CLOSE, "", "101 104 100 103", "103 112 102 110")
    outcome = shadow(
        market,
        order="limit",
        entry=95,
        stop=90,
        targets=[(110, 1)],
        priced_as="MARKET_NEXT_OPEN",
    )
    assert (outcome.entry_ds, outcome.entry_price, outcome.net_pnl) == (day(4), D(101), D(90))
    assert outcome.priced_as == "MARKET_NEXT_OPEN"


def test_without_bars_it_is_unpriceable_after_max_bars_and_five() -> None:
    market = stocks(CLOSE, CLOSE)
    outcome = shadow(market, entry=100, stop=90, max_bars=1)
    # entered on the 3rd, its 6th session is the 10th
    assert (outcome.status, outcome.revision) == (UNPRICEABLE, day(10))
    assert money_of(outcome) == (None, None, None, None)
    assert shadow(market, entry=100, stop=90, max_bars=1, upto=9).status is OPEN
    never = shadow(stocks(CLOSE), entry=100, stop=90, max_bars=1, priced_as="MARKET_NEXT_OPEN")
    assert (never.status, never.revision) == (UNPRICEABLE, day(10))


def test_without_levels_or_size_it_is_unpriceable_at_once() -> None:
    query = PriceQuery(AAPL, (), FREE, day(12))
    no_plan = price(signal_of(AAPL, None, D(10)), [], query)
    assert (no_plan.status, no_plan.note, no_plan.revision) == (UNPRICEABLE, "no levels", day(2))
    no_size = price(signal_of(AAPL, plan_of(entry=100, stop=90), D(0)), [], query)
    assert (no_size.status, no_size.note) == (UNPRICEABLE, "no quantity")


def test_a_size_rounded_to_nothing_is_priced_as_planned() -> None:
    market = stocks(CLOSE, "101 104 100 103", "103 112 102 110")
    outcome = shadow(market, quantity="0.4", entry=100, stop=96, targets=[(110, "0.5")], max_bars=1)
    # entered at 101, time exit at the open of the next bar, 103: 0.4 x 2
    assert (outcome.exit_reason, outcome.net_pnl) == ("TIME", D("0.8"))


def test_what_was_ordered_counts_before_what_was_planned() -> None:
    market = stocks(CLOSE, "101 104 100 103", "103 112 102 110")
    signal = signal_of(AAPL, plan_of(entry=100, stop=96, max_bars=1), D("10.9"))
    query = PriceQuery(AAPL, (), FREE, day(12))
    bars = [market.bars["AAPL", day(n)] for n in (3, 4)]
    assert price(signal, bars, query).net_pnl == D(20)
    ordered = signal.model_copy(update={"quantity": D(3)})
    assert price(ordered, bars, query).net_pnl == D(6)


@pytest.mark.parametrize(("ratio", "factor"), [("2", "0.5"), ("0.5", "2")])
def test_prices_are_reported_in_the_units_of_the_signal(ratio: str, factor: str) -> None:
    f = D(factor)
    split = CorporateAction(
        symbol="AAPL",
        kind=ActionKind.SPLIT,
        ex_ds=day(4),
        ratio=D(ratio),
        source="test",
        known_at=NOW,
    )
    after = " ".join(str(f * p) for p in (103, 112, 102, 110))
    market = stocks(CLOSE, "101 104 100 103", after)
    outcome = shadow(market, actions=(split,), entry=100, stop=96, targets=[(110, 1)])
    assert (outcome.entry_price, outcome.exit_price) == (D(101), D(110))
    assert money_of(outcome) == (D(90), D(0), D(90), D("1.8"))


def test_a_delisted_stake_is_worth_its_last_close() -> None:
    gone = CorporateAction(
        symbol="AAPL", kind=ActionKind.DELISTING, ex_ds=day(4), source="test", known_at=NOW
    )
    market = stocks(CLOSE, "101 104 100 103", "103 112 98 99")
    outcome = shadow(market, actions=(gone,), entry=100, stop=50)
    assert (outcome.exit_ds, outcome.exit_price) == (day(5), D(99))
    assert (outcome.exit_reason, outcome.net_pnl) == ("DELISTED", D(-20))


def test_a_rule_true_on_a_close_sells_at_the_next_open() -> None:
    market = stocks(CLOSE, "101 104 100 103", "105 112 102 110")
    outcome = shadow(market, entry=100, stop=90, rule_exits=(3,))
    assert (outcome.exit_ds, outcome.exit_price, outcome.exit_reason) == (day(4), D(105), "RULE")


def test_an_exit_that_is_due_stays_what_it_was_while_no_bar_comes() -> None:
    market = stocks(CLOSE, "101 104 100 103", "", "105 112 102 110")
    outcome = shadow(market, entry=100, stop=90, rule_exits=(3,), max_bars=2)
    assert (outcome.exit_ds, outcome.exit_reason) == (day(5), "RULE")


def test_part_is_sold_at_the_target_and_the_rest_trails() -> None:
    market = stocks(CLOSE, "100 106 99 105", "105 107 104 106", "106 106 101 102")
    outcome = shadow(market, entry=100, stop=90, targets=[(106, "0.3")], trail=4, breakeven_after=1)
    # 3 sold at 106 on the 3rd; best 107 on the 4th, so 7 stopped at 103 on the 5th
    assert (outcome.exit_ds, outcome.exit_reason) == (day(5), "TRAIL")
    assert outcome.gross_pnl == D(3 * 6 + 7 * 3)
    assert outcome.exit_price == D("103.9")


def test_breakeven_is_a_stop_at_the_average_entry() -> None:
    market = stocks(CLOSE, "100 106 99 105", "105 107 99 106")
    outcome = shadow(market, entry=100, stop=90, targets=[(106, "0.3")], breakeven_after=1)
    assert (outcome.exit_reason, outcome.gross_pnl) == ("STOP", D(18))


def test_a_fill_beyond_the_stop_has_no_r_multiple() -> None:
    market = stocks(CLOSE, "90 95 85 92")
    outcome = shadow(market, entry=100, stop=96)
    assert (outcome.entry_price, outcome.exit_price) == (D(90), D(90))
    assert (outcome.exit_reason, outcome.net_pnl, outcome.r_multiple) == ("STOP", D(0), None)


def test_crypto_sells_a_touched_target_at_the_next_open() -> None:
    market = coins(CLOSE, "100 111 99 105", "108 109 100 101")
    outcome = shadow(market, BTC, quantity="2", entry=100, stop=90, targets=[(110, 1)])
    assert (outcome.exit_ds, outcome.exit_price, outcome.exit_reason) == (day(4), D(108), "TARGET")
    # fee in coin 0.005 (worth 0.5), so 1.995 are sold for 215.46; its fee 0.53865 is 0.54
    # gross 215.46 - 200 x 1.995 / 2 = 15.96
    assert money_of(outcome)[:3] == (D("15.96"), D("1.04"), D("14.92"))


def test_crypto_gapped_through_its_limit_leaves_at_the_open_after() -> None:
    market = coins(CLOSE, "100 105 99 104", "80 84 75 80", "82 83 81 82")
    outcome = shadow(market, BTC, quantity="2", entry=100, stop=90)
    # the limit is 90 x 0.95 = 85.5, above the high of 84
    assert (outcome.exit_ds, outcome.exit_price) == (day(5), D(82))
    assert outcome.exit_reason == "STOP_GAPPED"


def test_a_crypto_limit_entry_is_protected_from_the_next_bar_on() -> None:
    market = coins(CLOSE, "100 101 80 98", "97 98 96 97", "97 98 89 90")
    outcome = shadow(market, BTC, quantity="2", order="limit", entry=95, stop=90)
    assert (outcome.entry_ds, outcome.exit_ds, outcome.exit_price) == (day(3), day(5), D(90))


@given(st.integers(0, 10**9))
@given_settings(max_examples=60, deadline=None)
def test_cutting_off_the_future_only_leaves_it_open(seed: int) -> None:
    history = random_history(seed)
    final, revision = None, dt.date.min
    for bar in history.bars:
        query = PriceQuery(
            history.asset, history.actions, history.policy, bar.ds, history.rule_exits
        )
        known = [b for b in history.bars if b.ds <= bar.ds]
        outcome = price(history.signal, known, query)
        assert outcome.revision >= revision
        assert final is None or outcome == final
        revision = outcome.revision
        if outcome.status is not OPEN:
            final = outcome
