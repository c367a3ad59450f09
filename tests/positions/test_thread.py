"""One position from decision to close, on the real hot store and the real exchange."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from goldenthread.domain.order import OrderStatus
from goldenthread.domain.position import ExitReason, PositionStatus
from goldenthread.domain.signal import SignalStatus
from goldenthread.domain.strategy import Side
from positions.rig import BTC, CALM, D, Market, Rig, candidate, day, plan

if TYPE_CHECKING:
    from pathlib import Path


def money_holds(rig: Rig) -> None:
    """Both ledgers agree on every day: P8."""
    for shot in rig.snapshots:
        assert abs(shot.money_error) <= Decimal("1e-9") * shot.equity, shot


def test_an_equity_is_entered_by_one_bracket_a_tranche_and_its_target_rests(tmp_path: Path) -> None:
    market = Market().add("AAPL", 2, CALM, CALM, "100 109 99 108", "112 113 111 112")
    rig = Rig(tmp_path, market)
    (signal,) = rig.run(2, candidate("AAPL", 2, plan(targets=[("110", "0.5")])))
    assert signal.status is SignalStatus.WAITING
    assert signal.quantity == 10
    assert rig.orders() == {
        "entry1-1": "WORKING",
        "entry2-1": "WORKING",
        "stop1-1": "WORKING",
        "stop2-1": "WORKING",
        "tp1-1": "WORKING",
    }
    rig.run(3)
    assert rig.signal().status is SignalStatus.ACTIVE
    assert rig.position().status is PositionStatus.OPEN
    assert (rig.position().bars_held, rig.position().best, rig.position().worst) == (
        1,
        D(101),
        D(99),
    )
    rig.run(4)
    assert rig.position().open_quantity == 10
    rig.run(5)  # opens at 112, beyond the target: the first tranche leaves at the open
    position = rig.position()
    assert [(f.quantity, f.price) for f in position.exits] == [(D(5), D(112))]
    assert position.open_quantity == 5
    # 5 x (112 - 100) realised, 5 x (112 - 100) open
    assert rig.snapshots[-1].realised_pnl == 60
    assert rig.snapshots[-1].unrealised_pnl == 60
    assert rig.snapshots[-1].equity == 100_120
    money_holds(rig)


def test_a_stop_closes_position_and_signal_with_its_reason(tmp_path: Path) -> None:
    market = Market().add("AAPL", 2, CALM, CALM, "95 96 89 91")
    rig = Rig(tmp_path, market)
    rig.run(2, candidate("AAPL", 2, plan()))
    rig.run(3)
    rig.run(4)
    position = rig.position()
    assert position.status is PositionStatus.CLOSED
    assert position.exit_reason is ExitReason.STOP
    assert position.realised_pnl == -100  # 10 x (90 - 100)
    assert position.bars_held == 2
    signal = rig.signal()
    assert (signal.status, signal.ended_ds, signal.end_reason) == (
        SignalStatus.CLOSED,
        day(4),
        "STOP",
    )
    assert set(rig.orders().values()) == {"DONE"}
    money_holds(rig)


def test_the_trail_moves_the_resting_stop_by_replacement_and_names_the_exit(tmp_path: Path) -> None:
    market = Market().add(
        "AAPL", 2, CALM, CALM, "100 110 100 109", "109 109 106 107", "", "", "106 106 102 103"
    )
    rig = Rig(tmp_path, market)
    rig.run(2, candidate("AAPL", 2, plan(trail=D(5))))
    rig.run(3)  # entry at the open: 101 - 5 = 96
    assert (rig.position().stop, rig.position().stop_source) == (D(96), "TRAIL")
    rig.run(4)  # 110 - 5 = 105
    assert rig.position().stop == 105
    orders = rig.orders()
    assert (orders["stop1-1"], orders["stop1-2"], orders["stop1-3"]) == ("DONE", "DONE", "WORKING")
    rig.run(5)
    assert rig.position().stop == 105
    rig.run(8)
    position = rig.position()
    assert position.exit_reason is ExitReason.TRAIL
    assert position.exits[0].price == 105
    money_holds(rig)


def test_breakeven_moves_every_stop_to_the_average_entry(tmp_path: Path) -> None:
    market = Market().add("AAPL", 2, CALM, CALM, "104 111 103 108", "101 102 99 100")
    rig = Rig(tmp_path, market)
    rig.run(2, candidate("AAPL", 2, plan(targets=[("110", "0.5")], breakeven_after=1)))
    rig.run(3)
    rig.run(4)
    assert (rig.position().stop, rig.position().stop_source) == (D(100), "BREAKEVEN")
    rig.run(5)
    position = rig.position()
    assert position.exit_reason is ExitReason.STOP
    assert position.realised_pnl == 50  # 5 x 10 at the target, 5 x 0 at the average entry
    money_holds(rig)


def test_a_time_exit_replaces_the_legs_and_leaves_at_the_next_open(tmp_path: Path) -> None:
    market = Market().add("AAPL", 2, CALM, CALM, CALM, "103 104 102 103")
    rig = Rig(tmp_path, market)
    rig.run(2, candidate("AAPL", 2, plan(targets=[("110", "1")], max_bars=2)))
    rig.run(3)
    assert rig.position().due is None
    rig.run(4)  # bar 2 of 2
    assert rig.position().status is PositionStatus.CLOSING
    assert rig.orders() == {
        "entry1-1": "DONE",
        "exit1-1": "WORKING",
        "stop1-1": "DONE",
        "tp1-1": "DONE",
    }
    assert rig.exchange.find_order(rig.position().position_id + "-entry1-1")[1].status is (
        OrderStatus.CANCELED
    )
    rig.run(5)
    position = rig.position()
    assert position.exit_reason is ExitReason.TIME
    assert position.exits[0].price == 103
    assert position.bars_held == 3  # out at the open of bar max_bars + 1
    money_holds(rig)


def test_a_rule_exit_waits_for_the_next_bar_when_a_session_has_none(tmp_path: Path) -> None:
    market = Market().add("AAPL", 2, CALM, CALM, "", "98 99 97 98")
    rig = Rig(tmp_path, market)
    rig.run(2, candidate("AAPL", 2, plan()))
    rig.run(3, rules=["AAPL"])
    rig.run(4, rules=["AAPL"])
    assert rig.position().due is not None
    assert rig.position().stale_sessions == 1
    rig.run(5)
    assert rig.position().exit_reason is ExitReason.RULE
    assert rig.position().exits[0].price == 98
    assert [k for k in rig.orders() if k.startswith("exit")] == ["exit1-1"]
    money_holds(rig)


def test_a_rule_is_not_asked_on_a_session_without_a_bar(tmp_path: Path) -> None:
    rig = Rig(tmp_path, Market().add("AAPL", 2, CALM, CALM, "", CALM))
    rig.run(2, candidate("AAPL", 2, plan()))
    rig.run(3)
    rig.run(4, rules=["AAPL"])
    assert rig.position().due is None


def test_a_short_is_mirrored(tmp_path: Path) -> None:
    market = Market().add("AAPL", 2, CALM, CALM, "98 99 89 92", "91 104 90 103")
    rig = Rig(tmp_path, market)
    short = plan(stop="105", targets=[("90", "0.5")], trail=D(12), breakeven_after=1)
    rig.run(2, candidate("AAPL", 2, short, side=Side.SHORT))
    rig.run(3)
    assert rig.position().stop == 105  # 99 + 12 would loosen it
    rig.run(4)
    # low 89: target 90 filled 5; trail 89 + 12 = 101, breakeven 100 is tighter
    assert (rig.position().stop, rig.position().stop_source) == (D(100), "BREAKEVEN")
    rig.run(5)
    position = rig.position()
    assert position.realised_pnl == 50  # 5 x (100 - 90) + 5 x (100 - 100)
    assert (position.best, position.worst) == (D(89), D(101))
    money_holds(rig)


def test_a_limit_entry_that_is_not_touched_expires_with_its_orders(tmp_path: Path) -> None:
    market = Market().add("AAPL", 2, CALM, CALM, CALM)
    rig = Rig(tmp_path, market)
    (signal,) = rig.run(2, candidate("AAPL", 2, plan("95", order="limit", valid_bars=2)))
    assert signal.valid_until == day(4)
    rig.run(3)
    assert rig.signal().status is SignalStatus.WAITING
    rig.run(4)
    signal = rig.signal()
    assert (signal.status, signal.end_reason, signal.ended_ds) == (
        SignalStatus.EXPIRED,
        "NOT_TRIGGERED",
        day(4),
    )
    assert rig.position().status is PositionStatus.FAILED
    assert set(rig.orders().values()) == {"DONE"}


def test_cancel_if_invalidates_and_a_fill_on_the_same_bar_wins(tmp_path: Path) -> None:
    market = Market().add("AAPL", 2, CALM, CALM).add("IBM", 2, CALM, "97 98 94 96")
    rig = Rig(tmp_path, market)
    waiting = plan("95", order="limit", valid_bars=5)
    rig.run(2, candidate("AAPL", 2, waiting), candidate("IBM", 2, waiting))
    rig.run(3, cancels=["AAPL", "IBM"])
    ended = {d.body["symbol"]: d.body["status"] for d in rig.store.query("live_signals")}
    assert ended == {"AAPL": "INVALIDATED", "IBM": "ACTIVE"}


def test_a_coin_is_bought_protected_in_the_same_run_and_sold_in_parts(tmp_path: Path) -> None:
    market = Market().add(
        "BTC/USD", 2, CALM, "100 101 99 100", "104 111 103 108", "107 109 106 108", "100 101 99 99"
    )
    rig = Rig(tmp_path, market)
    part = plan(targets=[("110", "0.5")], breakeven_after=1)
    rig.run(2, candidate("BTC/USD", 2, part))
    # bought at the open of the 3rd already: 10 less the coin fee of 0.25 % is protected
    assert rig.position().status is PositionStatus.PENDING
    assert rig.orders() == {"entry1-1": "WORKING", "stop1-1": "WORKING"}
    (stop,) = rig.exchange.find_order(rig.position().position_id + "-stop1-1")
    assert (stop.quantity, stop.stop_price, stop.limit_price) == (D("9.975"), D(90), D("85.5"))
    rig.run(3)
    assert rig.position().status is PositionStatus.OPEN
    assert rig.position().open_quantity == D("9.975")
    rig.run(4)  # target touched on the 4th: sold at the open of the 5th, the rest protected anew
    assert rig.position().due is not None
    orders = rig.orders()
    assert (orders["exit1-1"], orders["stop1-1"], orders["stop1-2"]) == (
        "WORKING",
        "DONE",
        "WORKING",
    )
    (stop,) = rig.exchange.find_order(rig.position().position_id + "-stop1-2")
    assert (stop.quantity, stop.stop_price) == (D("4.975"), D(100))
    rig.run(5)
    position = rig.position()
    assert [(f.quantity, f.price) for f in position.exits] == [(D(5), D(107))]
    assert position.due is None
    assert position.open_quantity == D("4.975")
    rig.run(6)  # opens on the stop at 100
    position = rig.position()
    assert position.status is PositionStatus.CLOSED
    assert position.exit_reason is ExitReason.STOP
    # 5 x 107 + 4.975 x 100 - 9.975 x 100 = 35; fees 0.025 coins at 100, 1.34 and 1.25 in dollars
    assert position.realised_pnl == 35
    assert position.fees == D("2.5") + D("1.34") + D("1.25")
    money_holds(rig)


def test_a_coin_that_gaps_through_its_stop_limit_leaves_at_the_next_open(tmp_path: Path) -> None:
    market = Market().add("BTC/USD", 2, CALM, CALM, "70 75 65 72", "71 73 70 72")
    rig = Rig(tmp_path, market)
    rig.run(2, candidate("BTC/USD", 2, plan()))
    rig.run(3)
    rig.run(4)  # stop 90, limit 85.50: never traded back
    position = rig.position()
    assert position.due is not None
    assert position.due.reason is ExitReason.STOP_GAPPED
    rig.run(5)
    assert rig.position().exit_reason is ExitReason.STOP_GAPPED
    assert rig.position().exits[0].price == 71
    money_holds(rig)


def test_a_coin_bought_by_limit_gets_its_stop_from_the_next_bar(tmp_path: Path) -> None:
    market = Market().add("BTC/USD", 2, CALM, "100 101 94 95", "95 96 93 94")
    rig = Rig(tmp_path, market)
    rig.run(2, candidate("BTC/USD", 2, plan("95", order="limit")))
    assert rig.orders() == {"entry1-1": "WORKING"}
    rig.run(3)
    assert rig.orders() == {"entry1-1": "DONE", "stop1-1": "WORKING"}
    assert rig.position().best is None  # the entry's own bar says nothing of the high since
    assert BTC.exit_mode.value == "MANAGED"
    money_holds(rig)
