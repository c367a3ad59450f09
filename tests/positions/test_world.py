"""Splits, payments, delistings, strangers, operators, and brokers that take their time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from goldenthread.adapters.broker.simulated import SimulatedSettings
from goldenthread.domain.account import AccountState, Holding
from goldenthread.domain.asset import ActionKind, AssetClass
from goldenthread.domain.errors import ConflictError, LeaseLostError, UsageError
from goldenthread.domain.order import (
    Fill,
    OrderReport,
    OrderRequest,
    OrderSide,
    OrderStatus,
    OrderType,
)
from goldenthread.domain.position import ExitReason, PositionStatus
from goldenthread.domain.signal import SignalStatus
from goldenthread.domain.strategy import Side
from goldenthread.positions.execution import dispatch
from positions.faulty import die_before_sending
from positions.rig import BTC, CALM, D, Market, Rig, candidate, day, plan

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path


def money_holds(rig: Rig) -> None:
    for shot in rig.snapshots:
        assert abs(shot.money_error) <= D("1e-9") * shot.equity, shot


@pytest.mark.parametrize(
    ("side", "stop", "target"), [(Side.LONG, "90", "120"), (Side.SHORT, "110", "80")]
)
def test_a_seven_for_one_split_changes_units_and_no_money(
    tmp_path: Path, side: Side, stop: str, target: str
) -> None:
    market = Market().add("AAPL", 2, CALM, "100 105 98 105", "15 15.10 14.90 15", "15.5 16 15 16")
    market.act(ActionKind.SPLIT, "AAPL", 4, "7")
    rig = Rig(tmp_path, market)
    rig.run(
        2, candidate("AAPL", 2, plan(stop=stop, targets=[(target, "0.5")], trail=D(14)), side=side)
    )
    rig.run(3)
    rig.run(4)
    position = rig.position()
    # 10 shares become 70; 105 becomes 15 exactly, so the split itself moved no money
    assert position.open_quantity == 70
    assert position.split_factor == 7
    assert position.average_entry == D("14.285714286")
    assert position.trail == 2
    assert {t.quantity for t in position.tranches} == {35}
    assert rig.snapshots[2].unrealised_pnl == rig.snapshots[1].unrealised_pnl
    assert rig.signal().split_factor == 7
    resting = {r.quantity for r in rig.exchange.orders(day(5)) if r.status.is_open}
    assert resting == {35}
    assert rig.bare() == {}
    rig.run(5)
    money_holds(rig)


def test_an_odd_split_pays_the_fraction_and_protects_every_share(tmp_path: Path) -> None:
    # 3 shares, 1 with a target and 2 without; 3:2 makes 4.5: 4 kept and 0.5 paid in cash.
    # The exchange keeps stops for 1 and 3.
    market = Market().add("AAPL", 2, CALM, "90 91 89 90", "61 62 60 61", "61 62 60 61")
    market.act(ActionKind.SPLIT, "AAPL", 4, "1.5")
    rig = Rig(tmp_path, market)
    idea = plan(stop="80", targets=[("130", "0.34")])
    rig.run(2, candidate("AAPL", 2, idea, size={"mode": "cash", "cash": "310"}))
    rig.run(3)
    rig.run(4)
    position = rig.position()
    assert position.open_quantity == 4
    assert [(f.quantity, f.price, f.flags) for f in position.exits] == [
        (D("0.5"), D(61), ("SPLIT_CASH",))
    ]
    assert rig.bare() == {}
    rig.run(5)
    money_holds(rig)


def test_a_reverse_split_that_leaves_no_share_ends_the_position(tmp_path: Path) -> None:
    market = Market().add("AAPL", 2, CALM, CALM, "2000 2000 2000 2000", "2000 2000 2000 2000")
    market.act(ActionKind.SPLIT, "AAPL", 4, "0.05")
    rig = Rig(tmp_path, market)
    rig.run(2, candidate("AAPL", 2, plan()))
    rig.run(3)
    rig.run(4)
    assert rig.position().exit_reason is ExitReason.SPLIT_CASH
    assert rig.position().realised_pnl == 0  # 0.5 x 2000 = 10 x 100
    assert rig.reconciled is not None
    assert rig.reconciled.frozen == {}
    rig.run(5)
    money_holds(rig)


@pytest.mark.fault("F18", "a position delisted, paid out by the broker or not")
@pytest.mark.parametrize("pays", [True, False])
def test_a_delisted_position_ends_at_its_last_close(tmp_path: Path, pays: bool) -> None:
    market = Market().add("AAPL", 2, CALM, "100 101 93 95").act(ActionKind.DELISTING, "AAPL", 4)
    delistings = {"AAPL": day(4)} if pays else {}
    settings = SimulatedSettings("t", D(100_000), slippage_bps=D(0), delistings=delistings)
    rig = Rig(tmp_path, market, settings=settings)
    rig.run(2, candidate("AAPL", 2, plan()))
    rig.run(3)
    rig.run(4)
    position = rig.position()
    assert (position.status, position.exit_reason) == (
        PositionStatus.CLOSED,
        ExitReason.DELISTED,
    )
    assert position.realised_pnl == -50  # 10 x (95 - 100)
    money_holds(rig)
    rig.run(5)
    money_holds(rig)
    assert rig.reconciled is not None
    assert set(rig.reconciled.frozen) == (set() if pays else {"AAPL"})


@pytest.mark.parametrize(("side", "exit_at"), [(Side.LONG, "94"), (Side.SHORT, "106")])
def test_dividends_and_borrow_reach_the_position_they_were_for_once(
    tmp_path: Path, side: Side, exit_at: str
) -> None:
    stopped = f"{exit_at} {exit_at} {exit_at} {exit_at}"
    market = Market().add("AAPL", 2, CALM, "100 101 99 100", CALM, "", "", "", stopped)
    market.act(ActionKind.DIVIDEND, "AAPL", 5, amount="0.24")
    market.act(ActionKind.DIVIDEND, "AAPL", 8, amount="0.10")
    terms = SimulatedSettings("t", D(100_000), "live_like", slippage_bps=D(0))
    rig = Rig(tmp_path, market, settings=terms)
    sign = side.sign
    rig.run(2, candidate("AAPL", 2, plan("100", str(100 - 5 * sign)), side=side))
    for number in range(3, 10):
        rig.run(number, done=False)
        rig.run(number)  # a restart takes no payment twice
    position = rig.position()
    assert (position.exit_ds, position.exit_reason) == (day(8), ExitReason.STOP)
    # 10 shares over the 4th and the 5th: 0.24 and 0.10 a share; sold at the open of the 8th
    assert position.dividends == sign * D("3.40")
    # 1,000 dollars short, 0.0083 a night: a cent on the 3rd, on the 4th, and 0.025 on the 5th,
    # a Friday without a bar
    assert position.borrow_fees == (D("0.05") if side is Side.SHORT else 0)
    assert position.fees == sum((f.fee for f in position.fills), position.borrow_fees)
    assert rig.snapshots[-1].dividends == sign * D("3.40")
    assert rig.reconciled is not None
    assert rig.reconciled.account.payments == ()  # they are the position's now
    money_holds(rig)


@pytest.mark.fault("F18", "a symbol held and halted for five sessions, each run twice")
def test_five_sessions_without_a_bar_mark_the_position_stale(tmp_path: Path) -> None:
    rig = Rig(tmp_path, Market().add("AAPL", 2, CALM, CALM))
    rig.run(2, candidate("AAPL", 2, plan()))
    for number in (3, 4, 5, 6, 7, 8, 9):  # the 6th and 7th are a weekend
        rig.run(number, done=False)
        rig.run(number)  # a restart counts no session twice
    assert (rig.position().stale_sessions, rig.position().flags) == (4, ())
    rig.run(10)
    assert (rig.position().stale_sessions, rig.position().flags) == (5, ("STALE",))
    assert rig.position().bars_held == 6
    assert rig.position().status is PositionStatus.OPEN


def order(symbol: str, side: OrderSide, quantity: str, **more: object) -> OrderRequest:
    return OrderRequest.model_validate(
        {
            "client_order_id": f"by-hand-{side}-{quantity}",
            "symbol": symbol,
            "asset_class": AssetClass.EQUITY,
            "side": side,
            "type": OrderType.MARKET,
            "quantity": quantity,
            **more,
        }
    )


@pytest.mark.fault("F20", "a holding that is not ours")
def test_a_holding_nobody_explains_freezes_the_symbol_until_it_is_gone(tmp_path: Path) -> None:
    rig = Rig(tmp_path, Market().add("AAPL", 2, CALM, CALM, CALM, CALM).add("IBM", 2, CALM, CALM))
    rig.run(2)
    rig.exchange.submit(order("AAPL", OrderSide.BUY, "7"))
    rejected = rig.run(3, candidate("AAPL", 3, plan()))
    assert rig.reconciled is not None
    assert "belongs to no position of ours" in rig.reconciled.frozen["AAPL"]
    assert "SYMBOL_FROZEN" in rejected[0].rejection_reasons
    assert rig.store.query("system_checks")[0].body["status"] == "FROZEN"
    rig.exchange.submit(order("AAPL", OrderSide.SELL, "7"))
    rig.run(4)
    assert "AAPL" in rig.reconciled.frozen
    rig.run(5)
    assert rig.reconciled.frozen == {}
    assert rig.store.query("system_checks")[0].body["status"] == "CLEARED"


@pytest.mark.fault("F20", "an open order that is not ours")
def test_an_open_order_that_is_not_ours_freezes_its_symbol(tmp_path: Path) -> None:
    rig = Rig(tmp_path, Market().add("AAPL", 2, CALM, CALM))
    rig.run(2)
    rig.exchange.submit(order("AAPL", OrderSide.BUY, "7", type=OrderType.LIMIT, limit_price="50"))
    rig.run(3)
    assert rig.reconciled is not None
    assert "is not ours" in rig.reconciled.frozen["AAPL"]


@pytest.mark.fault("F20", "shares sold by hand, their stop canceled")
def test_shares_sold_by_hand_end_the_position_as_external(tmp_path: Path) -> None:
    rig = Rig(tmp_path, Market().add("AAPL", 2, CALM, CALM, "103 104 102 103", CALM))
    rig.run(2, candidate("AAPL", 2, plan()))
    rig.run(3)
    (stop,) = [r for r in rig.exchange.orders(day(3)) if r.leg == "stop_loss"]
    rig.exchange.cancel(stop.broker_order_id)
    rig.exchange.submit(order("AAPL", OrderSide.SELL, "10"))
    rig.run(4)
    assert rig.position().exit_reason is ExitReason.EXTERNAL
    assert rig.position().realised_pnl == 30
    rig.run(5)
    assert rig.reconciled is not None
    assert rig.reconciled.frozen == {}
    money_holds(rig)


class Account:
    """The exchange, with another word on what is held."""

    def __init__(self, inner: Any, holdings: dict[str, str]) -> None:  # noqa: ANN401  any broker
        self.inner = inner
        self.holdings = holdings

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  the rest of the broker
        return getattr(self.inner, name)

    def account(self) -> AccountState:
        state: AccountState = self.inner.account()
        held = tuple(
            Holding(symbol=s, quantity=D(q), average_price=D(100), market_price=D(100))
            for s, q in self.holdings.items()
        )
        return state.model_copy(update={"holdings": held})


@pytest.mark.fault("F20", "another quantity at the broker: none, less, more, the other side")
@pytest.mark.parametrize("holding", ["0", "9", "11", "-10"])
def test_another_quantity_at_the_broker_freezes_and_holds_back_the_exit(
    tmp_path: Path, holding: str
) -> None:
    rig = Rig(tmp_path, Market().add("AAPL", 2, CALM, CALM, CALM, CALM))
    rig.run(2, candidate("AAPL", 2, plan(max_bars=1)))
    rig.broker = Account(rig.exchange, {"AAPL": holding} if holding != "0" else {})
    rig.run(3)
    assert rig.reconciled is not None
    assert rig.reconciled.frozen == {"AAPL": f"our executions make 10, the broker holds {holding}"}
    assert rig.orders()["exit1-1"] == "PENDING"
    rig.broker = rig.exchange
    rig.run(4)  # the ledgers agree again: the exit that stayed due is sent
    assert rig.orders()["exit1-1"] == "WORKING"


@pytest.mark.fault("F20", "two quantities at once, of an equity and a coin")
def test_a_doubtful_equity_gets_no_new_stop_but_a_doubtful_coin_does(tmp_path: Path) -> None:
    market = Market().add("AAPL", 2, CALM, CALM).add("BTC/USD", 2, CALM, "100 101 94 96")
    partly = SimulatedSettings("t", D(100_000), slippage_bps=D(0), partial_probability=1.0)
    rig = Rig(tmp_path, market, settings=partly)
    coin = plan("95", order="limit", valid_bars=2)
    rig.run(2, candidate("AAPL", 2, plan()), candidate("BTC/USD", 2, coin))
    rig.broker = Account(rig.exchange, {"AAPL": "1000", "BTC/USD": "1000"})
    rig.run(3)
    assert rig.reconciled is not None
    assert set(rig.reconciled.frozen) == {"AAPL", "BTC/USD"}
    stops = [r.symbol for r in rig.exchange.orders(day(1)) if r.stop_price and r.status.is_open]
    assert stops == ["BTC/USD"]


class UnposedFee:
    """The exchange, with fees in coin that are posted later than the execution."""

    def __init__(self, inner: Any) -> None:  # noqa: ANN401  any broker
        self.inner = inner

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  the rest of the broker
        return getattr(self.inner, name)

    def fills(self, since: dt.date) -> list[Fill]:
        fills: list[Fill] = self.inner.fills(since)
        return [f.model_copy(update={"fee_quantity": D(0)}) for f in fills]


@pytest.mark.fault("F20", "coins missing within the fee tier")
def test_coins_missing_within_the_fee_tier_are_adopted_as_the_fee(tmp_path: Path) -> None:
    market = Market().add("BTC/USD", 2, CALM, CALM, CALM)
    rig = Rig(tmp_path, market)
    rig.broker = UnposedFee(rig.exchange)
    rig.run(2, candidate("BTC/USD", 2, plan("95", order="limit", valid_bars=2)))
    market.add("BTC/USD", 3, "100 101 94 96")
    rig.run(3)
    position = rig.position()
    held = rig.exchange.account().holdings[0].quantity
    assert position.open_quantity == held < position.bought
    assert rig.orders()["stop1-1"] == "WORKING"
    assert rig.reconciled is not None
    assert rig.reconciled.frozen == {}


def test_a_halt_stops_entries_but_not_exits(tmp_path: Path) -> None:
    rig = Rig(tmp_path, Market().add("AAPL", 2, CALM, CALM, CALM).add("IBM", 2, CALM, CALM, CALM))
    rig.run(2, candidate("AAPL", 2, plan(max_bars=1)))
    rig.store.put_if_absent("operator_requests", "halt", {"active": True})
    (signal,) = rig.run(3, candidate("IBM", 3, plan()))
    assert signal.rejection_reasons == ("KILL_SWITCH",)
    assert rig.orders()["exit1-1"] == "WORKING"


def test_a_committed_entry_is_dropped_when_the_operator_halts_before_it_is_sent(
    tmp_path: Path,
) -> None:
    rig = Rig(tmp_path, Market().add("AAPL", 2, CALM, CALM))
    die_before_sending(rig, 2, candidate("AAPL", 2, plan()))
    rig.store.put_if_absent("operator_requests", "halt", {"active": True})
    rig.run(2)
    assert rig.signal().status is SignalStatus.INVALIDATED
    assert rig.signal().end_reason == "KILL_SWITCH"
    assert rig.exchange.orders(day(1)) == []


def test_flatten_leaves_everything_that_is_held(tmp_path: Path) -> None:
    market = Market().add("AAPL", 2, *[CALM] * 4).add("BTC/USD", 2, *[CALM] * 5)
    rig = Rig(tmp_path, market)
    rig.run(2, candidate("AAPL", 2, plan()), candidate("BTC/USD", 2, plan()))
    rig.run(3)
    rig.store.put_if_absent("operator_requests", "flatten", {"active": True})
    rig.run(4)
    rig.run(5)
    assert {p.exit_reason for p in rig.positions()} == {ExitReason.EXTERNAL}
    money_holds(rig)


class Slow:
    """The exchange, with cancellations that stay pending until it is let go."""

    def __init__(self, inner: Any) -> None:  # noqa: ANN401  any broker
        self.inner = inner
        self.waiting = True

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  the rest of the broker
        return getattr(self.inner, name)

    def cancel(self, broker_order_id: str) -> OrderReport:
        if not self.waiting:
            report: OrderReport = self.inner.cancel(broker_order_id)
            return report
        (report,) = [r for r in self.inner.orders(day(1)) if r.broker_order_id == broker_order_id]
        return report.model_copy(update={"status": OrderStatus.PENDING_CANCEL})


def test_an_exit_waits_for_pending_cancels_and_any_later_run_continues_it(tmp_path: Path) -> None:
    rig = Rig(tmp_path, Market().add("AAPL", 2, CALM, CALM, CALM, "103 104 102 103"))
    slow = Slow(rig.exchange)
    rig.broker = slow
    rig.run(2, candidate("AAPL", 2, plan(max_bars=2)))
    rig.run(3)
    rig.run(4)
    assert (rig.orders()["exit1-1"], rig.position().status) == ("PENDING", PositionStatus.CLOSING)
    slow.waiting = False
    blotter = rig.blotter()  # the day is done; what could not be sent is sent now
    assert dispatch(rig.session(day(4)), blotter, rig.broker) == 1
    assert dispatch(rig.session(day(4)), blotter, rig.broker) == 0
    assert rig.orders()["exit1-1"] == "WORKING"
    rig.run(5)
    assert rig.position().exit_reason is ExitReason.TIME
    assert rig.position().exits[0].price == 103
    money_holds(rig)


def test_an_expiry_waits_for_a_pending_cancel_and_keeps_its_reason(tmp_path: Path) -> None:
    rig = Rig(tmp_path, Market().add("AAPL", 2, CALM, CALM, CALM))
    slow = Slow(rig.exchange)
    rig.broker = slow
    rig.run(2, candidate("AAPL", 2, plan("95", order="limit", valid_bars=9)))
    rig.run(3, cancels=["AAPL"])
    assert (rig.signal().status, rig.signal().end_reason) == (SignalStatus.WAITING, "CANCEL_IF")
    slow.waiting = False
    rig.run(4)
    assert (rig.signal().status, rig.signal().end_reason) == (SignalStatus.INVALIDATED, "CANCEL_IF")


def test_missed_days_carry_their_exits_and_send_no_stale_entry(tmp_path: Path) -> None:
    market = Market().add("AAPL", 2, CALM, CALM, "100 110 100 109", CALM, *["", ""], CALM)
    rig = Rig(tmp_path, market)
    rig.run(2, candidate("AAPL", 2, plan(trail=D(5))))
    rig.exchange.meet(day(8))  # four days pass before the next run
    rig.may_submit = frozenset()
    rig.run(3, candidate("IBM", 3, plan()))
    rig.run(4)
    rig.run(5)
    rig.may_submit = None
    rig.run(8)
    # never stopped by the exchange: its stop stood at 90 while nobody ran
    assert rig.positions()[0].stop == 105
    assert rig.positions()[0].status is PositionStatus.OPEN
    late = [d.body for d in rig.store.query("rejected_signals")]
    assert [b["rejection_reasons"] for b in late] == [["STALE_DATA"]]


class Late:
    """The exchange, with executions that become visible later than the orders they filled."""

    def __init__(self, inner: Any) -> None:  # noqa: ANN401  any broker
        self.inner = inner
        self.hidden: frozenset[OrderSide] = frozenset()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  the rest of the broker
        return getattr(self.inner, name)

    def fills(self, since: dt.date) -> list[Fill]:
        fills: list[Fill] = self.inner.fills(since)
        return [f for f in fills if f.side not in self.hidden]


@pytest.mark.fault("F20", "a sale by hand beside a resting stop")
def test_a_sale_by_hand_takes_the_resting_stop_with_it(tmp_path: Path) -> None:
    rig = Rig(tmp_path, Market().add("AAPL", 2, CALM, CALM, CALM))
    rig.run(2, candidate("AAPL", 2, plan()))
    rig.run(3)

    class WithSale(Late):
        def fills(self, since: dt.date) -> list[Fill]:
            fills: list[Fill] = self.inner.fills(since)
            (bought,) = self.inner.fills(day(3))
            sold = {"execution_id": "h", "broker_order_id": "h", "side": OrderSide.SELL}
            return [*fills, bought.model_copy(update={**sold, "ds": day(4)})]

    rig.broker = WithSale(rig.exchange)
    rig.run(4)
    assert rig.position().exit_reason is ExitReason.EXTERNAL
    stops = [r for r in rig.exchange.orders(day(1)) if r.leg]
    assert [r.status for r in stops] == [OrderStatus.CANCELED]
    assert rig.orders()["stop1-1"] == "DONE"


@pytest.mark.fault("F20", "an execution that shows a day late")
def test_an_execution_that_shows_late_is_still_taken_with_its_reason(tmp_path: Path) -> None:
    rig = Rig(tmp_path, Market().add("AAPL", 2, CALM, CALM, "95 96 89 91", CALM))
    late = Late(rig.exchange)
    rig.broker = late
    rig.run(2, candidate("AAPL", 2, plan()))
    rig.run(3)
    late.hidden = frozenset({OrderSide.SELL})
    rig.run(4)
    assert rig.position().status is PositionStatus.OPEN
    assert rig.orders()["stop1-1"] == "WORKING"  # filled there, but not yet by our books
    late.hidden = frozenset()
    rig.run(5)
    assert rig.position().exit_reason is ExitReason.STOP
    assert rig.position().exit_ds == day(4)
    assert rig.position().bars_held == 2


@pytest.mark.fault("F20", "an execution of an order that is final for us")
def test_an_execution_of_an_order_that_is_final_for_us_finds_it(tmp_path: Path) -> None:
    rig = Rig(tmp_path, Market().add("AAPL", 2, CALM, CALM, "100 110 99 108", "104 105 102 103"))
    rig.run(2, candidate("AAPL", 2, plan(trail=D(5))))
    rig.run(3)
    (old,) = [r for r in rig.exchange.orders(day(3)) if r.leg and r.status.is_open]
    rig.run(4)  # the stop was moved twice; its predecessors are done

    class Confused(Late):
        def fills(self, since: dt.date) -> list[Fill]:
            fills: list[Fill] = self.inner.fills(since)
            known = {"broker_order_id": old.broker_order_id}
            return [f.model_copy(update=known) if f.ds == day(5) else f for f in fills]

    rig.broker = Confused(rig.exchange)
    rig.run(5)
    position = rig.position()
    assert position.exits[0].order_key.endswith("-stop1-2")
    assert position.exit_reason is ExitReason.TRAIL


def test_a_lost_lease_stops_the_run_before_it_writes(tmp_path: Path) -> None:
    rig = Rig(tmp_path, Market().add("AAPL", 2, CALM, CALM))
    rig.run(2, candidate("AAPL", 2, plan()))
    stale, before = rig.blotter(), rig.image()
    rig.blotter()  # another run takes over
    position = next(iter(stale.positions.values()))
    stale.stage(position.model_copy(update={"flags": ("X",)}))
    with pytest.raises(LeaseLostError):
        stale.commit()
    assert rig.image() == before


def test_a_document_changed_by_somebody_else_is_a_conflict(tmp_path: Path) -> None:
    rig = Rig(tmp_path, Market().add("AAPL", 2, CALM, CALM))
    rig.run(2, candidate("AAPL", 2, plan()))
    blotter = rig.blotter()
    (document,) = rig.store.query("live_positions")
    rig.store.compare_and_set(document, {**document.body, "flags": ["Y"]})
    position = next(iter(blotter.positions.values()))
    blotter.stage(position.model_copy(update={"flags": ("X",)}))
    with pytest.raises(ConflictError):
        blotter.commit()


def test_a_document_changed_between_two_commits_of_a_run_is_a_conflict(tmp_path: Path) -> None:
    rig = Rig(tmp_path, Market().add("AAPL", 2, CALM, CALM))
    rig.run(2, candidate("AAPL", 2, plan()))
    blotter = rig.blotter()
    position = next(iter(blotter.positions.values()))
    blotter.stage(position.model_copy(update={"flags": ("X",)}))
    blotter.commit()
    (document,) = rig.store.query("live_positions")
    rig.store.compare_and_set(document, {**document.body, "flags": ["Y"]})
    blotter.stage(position.model_copy(update={"flags": ("Z",)}))
    with pytest.raises(ConflictError, match="not as this run wrote it"):
        blotter.commit()


def test_hundreds_of_refused_signals_are_written_in_chunks(tmp_path: Path) -> None:
    rig = Rig(tmp_path, Market().add("AAPL", 2, CALM, CALM))
    ideas = [candidate("AAPL", 2, plan(), strategy_id=f"s{n:04}") for n in range(900)]
    rig.run(2, *ideas)
    assert rig.store.count("rejected_signals") == 899
    assert rig.store.count("live_signals") == 1


def test_an_unknown_symbol_in_the_book_says_what_to_do(tmp_path: Path) -> None:
    rig = Rig(tmp_path, Market())
    with pytest.raises(UsageError, match="import its bars again"):
        rig.session(day(2)).asset("XYZ")
    assert BTC.symbol in rig.session(day(2)).assets
