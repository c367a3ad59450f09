"""Killed anywhere, run again: nothing is lost, nothing is doubled, every record is the same."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from faults.chaos import seeds
from goldenthread.adapters.broker.simulated import SimulatedSettings
from goldenthread.domain.asset import ActionKind
from goldenthread.domain.position import PositionStatus
from goldenthread.domain.signal import SignalStatus
from goldenthread.positions.execution import unanswered
from positions.faulty import Bomb, KilledError, Moody, Watched, seen, wired
from positions.rig import CALM, D, Market, Rig, candidate, day, plan

if TYPE_CHECKING:
    from pathlib import Path


def busy_market() -> Market:
    market = Market()
    market.add("AAPL", 2, CALM, "100 111 99 109", "109 110 108 109", "109 109 104 105")
    market.add("IBM", 2, CALM, CALM, "200 202 199 201", "202 203 201 202")
    market.add("BTC/USD", 2, CALM, "100 111 99 108", "107 108 106 107", "100 101 80 81")
    return market.act(ActionKind.SPLIT, "IBM", 4, "0.5")


def nothing_bare(rig: Rig) -> None:
    assert rig.bare() == {}, rig.last_ds


def busy_days(rig: Rig, bomb: Bomb | None = None) -> None:
    """Entries, targets, moving stops, a split, an expiry, a rejection, a rule exit."""
    resting = plan(targets=[("110", "0.5")], trail=D(5), breakeven_after=1)
    days: dict[int, tuple[tuple[Any, ...], dict[str, Any]]] = {
        2: (
            (
                candidate("AAPL", 2, resting),
                candidate("IBM", 2, plan(max_bars=3)),
                candidate("BTC/USD", 2, resting),
                candidate("BTC/USD", 2, plan(), strategy_id="loser"),
            ),
            {},
        ),
        3: ((), {}),
        4: ((), {"rules": ["AAPL"]}),
        5: ((candidate("BTC/USD", 5, plan("50", "40", order="limit"), close="81"),), {}),
        6: ((), {}),
        7: ((), {}),
    }
    for number, (candidates, more) in days.items():
        while True:
            try:
                rig.run(number, *candidates, **more)
                nothing_bare(rig)
                break
            except KilledError:
                assert bomb is not None


@pytest.fixture(scope="module")
def uncrashed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], int]:
    bomb = Bomb()
    rig = wired(Rig(tmp_path_factory.mktemp("calm"), busy_market()), bomb)
    busy_days(rig)
    fills = [f for p in rig.positions() for f in p.fills]
    assert len(fills) == len(rig.exchange.fills(dt.date(2024, 1, 1)))
    for shot in rig.snapshots:
        assert abs(shot.money_error) <= Decimal("1e-9") * shot.equity
    return seen(rig), bomb.calls


def test_a_kill_at_every_write_and_call_leaves_the_same_records(
    tmp_path: Path, uncrashed: tuple[dict[str, Any], int]
) -> None:
    expected, points = uncrashed
    assert points >= 48
    for at in range(1, points + 1):
        bomb = Bomb(at)
        folder = tmp_path / str(at)
        folder.mkdir()
        rig = wired(Rig(folder, busy_market()), bomb)
        busy_days(rig, bomb)
        assert seen(rig) == expected, f"killed at {at}"


def test_every_step_run_twice_on_a_finished_day_changes_nothing(tmp_path: Path) -> None:
    rig = Rig(tmp_path, busy_market())
    resting = plan(targets=[("110", "0.5")], trail=D(5))
    rig.run(2, candidate("AAPL", 2, resting), candidate("BTC/USD", 2, resting))
    for number in (3, 4, 5):
        rig.run(number, done=False)
        before = rig.image()
        rig.run(number, done=False)
        assert rig.image() == before
        assert rig.sent == 0
        rig.run(number)


@pytest.mark.parametrize("dies_at", [None, 3])  # the account is asked before entries are sent
def test_entries_are_sent_in_the_order_of_decision_also_by_a_restart(
    tmp_path: Path, dies_at: int | None
) -> None:
    market = Market().add("AAPL", 2, CALM, CALM).add("IBM", 2, CALM, CALM)
    rig = Rig(tmp_path, market)
    rig.broker = Watched(rig.exchange, Bomb(dies_at))
    ideas = [candidate(s, 2, plan(), priority=p) for s, p in (("AAPL", "1"), ("IBM", "2"))]
    if dies_at is not None:
        with pytest.raises(KilledError):
            rig.run(2, *ideas)
        assert set(rig.orders().values()) == {"PENDING"}
    rig.run(2, *ideas)
    assert rig.broker.symbols == ["IBM", "AAPL"]


@pytest.mark.fault("F6", "an order taken, its answer lost, days run on")
def test_an_order_accepted_without_an_answer_is_asked_for_and_never_sent_again(
    tmp_path: Path,
) -> None:
    rig = Rig(tmp_path, Market().add("AAPL", 2, CALM, CALM, CALM))
    moody = Moody(rig.exchange, "accepts and loses")
    rig.broker = moody
    rig.run(2, candidate("AAPL", 2, plan()))
    assert rig.orders() == {"entry1-1": "UNKNOWN"}
    (said,) = unanswered(rig.blotter())
    assert said.text.startswith("AAPL: no answer to order 20240102-")
    assert (said.symbol, said.signal_id) == ("AAPL", rig.position().position_id)
    assert "run the date again before 2024-01-03 14:30 UTC" in said.text  # the next session's open
    rig.run(3)
    assert unanswered(rig.blotter()) == ()
    assert rig.orders() == {"entry1-1": "DONE", "stop1-1": "WORKING"}
    assert len(moody.submitted) == 1
    assert rig.position().open_quantity == 10


@pytest.mark.fault("F6", "an order lost on its way, its deadline gone")
def test_an_order_the_broker_never_saw_is_not_sent_after_its_deadline(tmp_path: Path) -> None:
    rig = Rig(tmp_path, Market().add("AAPL", 2, CALM, CALM, CALM))
    rig.broker = Moody(rig.exchange, "loses")
    rig.run(2, candidate("AAPL", 2, plan(valid_bars=5)))
    rig.broker = rig.exchange
    rig.run(3)
    signal = rig.signal()
    assert (signal.status, signal.end_reason) == (SignalStatus.EXPIRED, "SUBMIT_WINDOW_MISSED")
    assert rig.orders() == {"entry1-1": "DROPPED"}
    assert rig.exchange.orders(dt.date(2024, 1, 1)) == []


@pytest.mark.fault("F6", "an order lost on its way, run again in time")
def test_a_lost_order_is_sent_by_a_restart_within_its_deadline(tmp_path: Path) -> None:
    rig = Rig(tmp_path, Market().add("AAPL", 2, CALM, CALM, CALM))
    rig.broker = Moody(rig.exchange, "loses")
    rig.run(2, candidate("AAPL", 2, plan()), done=False)
    rig.broker = rig.exchange
    rig.run(2)
    assert rig.orders()["entry1-1"] == "WORKING"


def test_a_refusal_by_the_broker_rejects_the_signal_with_its_code(tmp_path: Path) -> None:
    rig = Rig(tmp_path, Market().add("AAPL", 2, CALM, CALM, CALM))
    rig.broker = Moody(rig.exchange, "refuses")
    rig.run(2, candidate("AAPL", 2, plan(targets=[("110", "0.5")])))
    signal = rig.signal()
    assert signal.status is SignalStatus.REJECTED
    assert (signal.rejection_reason, signal.broker_code) == ("BROKER_REFUSED", "40310000")
    assert set(rig.orders().values()) == {"REFUSED"}


def partly(seed: int) -> SimulatedSettings:
    return SimulatedSettings("t", D(100_000), slippage_bps=D(0), seed=seed, partial_probability=1.0)


@pytest.mark.parametrize("seed", seeds(4))
@pytest.mark.fault("F8", "an entry filled in part, run again")
def test_an_entry_filled_in_part_is_cut_fitted_and_protected(tmp_path: Path, seed: int) -> None:
    market = Market().add("AAPL", 2, CALM, CALM, CALM).add("BTC/USD", 2, CALM, CALM, CALM)
    rig = Rig(tmp_path, market, settings=partly(seed))
    parts = plan(targets=[("150", "0.5")])
    rig.run(2, candidate("AAPL", 2, parts), candidate("BTC/USD", 2, parts))
    rig.run(3, done=False)
    before = seen(rig)
    rig.run(3)  # a restart takes no part twice
    assert {**seen(rig), "snapshots": []} == {**before, "snapshots": []}
    nothing_bare(rig)
    for position in rig.positions():
        assert position.status is PositionStatus.OPEN
        assert position.quantity == position.bought < 10
        assert sum(t.quantity for t in position.tranches) == position.bought
    shares = {o.quantity for o in rig.exchange.orders(day(1)) if o.status.is_open}
    assert all(quantity < 10 for quantity in shares)


@pytest.mark.parametrize("seed", seeds(8))
@pytest.mark.fault("F8", "executions in random parts over 18 days")
def test_executions_in_random_parts_leave_no_share_unprotected_and_no_cent_astray(
    tmp_path: Path, seed: int
) -> None:
    settings = SimulatedSettings(
        "t", D(100_000), slippage_bps=D(0), seed=seed, partial_probability=0.6
    )
    rig = Rig(tmp_path, busy_market(), settings=settings)
    busy_days(rig)
    for number in range(8, 20):
        rig.market.add("AAPL", number, "104 112 95 100")
        rig.market.add("BTC/USD", number, "100 112 95 100")
        rig.market.add("IBM", number, "200 201 199 200")
        rig.run(number)
        nothing_bare(rig)
    for shot in rig.snapshots:
        assert abs(shot.money_error) <= Decimal("1e-9") * shot.equity
    booked = sum(len(p.fills) for p in rig.positions())
    assert booked == len(rig.exchange.fills(dt.date(2024, 1, 1)))
    assert all(p.status.is_final for p in rig.positions())
