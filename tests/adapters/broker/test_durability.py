"""The exchange outlives whoever talks to it: reopened, killed or failing, it stays consistent."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from adapters.broker.market import D, bracket, coins, day, exchange, order, settings, stocks
from adapters.broker.random_days import random_days, trade, trade_repeatably
from goldenthread.adapters.broker.simulated import SimulatedBroker
from goldenthread.domain.errors import ConflictError, EngineBusyError, EngineError
from goldenthread.domain.order import OrderSide, OrderType

if TYPE_CHECKING:
    from goldenthread.domain.account import AccountState
    from goldenthread.domain.order import Fill, OrderReport

World = tuple["AccountState", list["Fill"], list["OrderReport"]]


def world(broker: SimulatedBroker) -> World:
    return broker.account(), broker.fills(day(1)), broker.orders(day(1))


def test_an_exchange_reopened_every_day_is_the_one_that_never_closed(tmp_path: Path) -> None:
    for seed in (1, 2, 3):
        days = random_days(seed)
        steady = SimulatedBroker(days.terms, days.market)
        path = tmp_path / f"{seed}.db"
        for ds in days.dates:
            today = days._replace(dates=[ds])
            list(trade(steady, today))
            reopened = SimulatedBroker(days.terms, days.market, path, synchronous="OFF")
            list(trade(reopened, today))
            assert world(reopened) == world(steady)
            reopened.close()


def test_an_account_asked_again_after_a_restart_answers_as_of_the_date_met(tmp_path: Path) -> None:
    market = coins("100 110 90 100", "100 120 95 110")
    broker = SimulatedBroker(settings(), market, tmp_path / "x.db")
    broker.meet(day(2))
    before = broker.account()
    broker.submit(order("a", "2", symbol="BTC/USD"))
    broker.close()
    again = SimulatedBroker(settings(), market, tmp_path / "x.db")
    again.meet(day(2))
    after = again.account()
    assert (after.cash, after.equity, after.holdings) == (before.cash, before.equity, ())
    assert len(again.fills(day(3))) == 1
    stop = {"type": OrderType.STOP_LIMIT, "stop_price": 90, "limit_price": 85}
    assert again.submit(order("s", "1.995", symbol="BTC/USD", side=OrderSide.SELL, **stop))
    again.meet(day(3))
    assert again.account().cash == D(99_800)


def test_a_call_that_cannot_be_written_changes_nothing(tmp_path: Path) -> None:
    market = stocks("99 101 98 100", "100 105 95 102")
    broker = SimulatedBroker(settings(), market, tmp_path / "x.db")
    broker.meet(day(2))
    broker.submit(order("a", "10"))
    before = world(broker)
    with sqlite3.connect(tmp_path / "x.db") as other:
        other.execute(
            "CREATE TRIGGER full BEFORE INSERT ON fills BEGIN SELECT RAISE(FAIL, 'disk full'); END"
        )
    other.close()
    with pytest.raises(EngineError, match="disk full"):
        broker.meet(day(3))
    assert world(broker) == before
    with sqlite3.connect(tmp_path / "x.db") as other:
        other.execute("DROP TRIGGER full")
    other.close()
    broker.meet(day(3))
    assert len(broker.fills(day(3))) == 1


def test_two_processes_cannot_both_move_one_exchange(tmp_path: Path) -> None:
    market = stocks("99 101 98 100", "100 105 95 102")
    one = SimulatedBroker(settings(), market, tmp_path / "x.db")
    two = SimulatedBroker(settings(), market, tmp_path / "x.db")
    one.meet(day(2))
    with pytest.raises(ConflictError, match="another process used the exchange"):
        two.meet(day(3))
    assert two.account() == one.account()  # it read what the other did


def test_a_file_that_is_held_is_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = sqlite3.connect

    def impatient(path: object, **terms: object) -> sqlite3.Connection:
        return connect(path, timeout=0, **terms)  # type: ignore[call-overload,no-any-return]  # passed on

    monkeypatch.setattr(sqlite3, "connect", impatient)
    broker = SimulatedBroker(settings(), stocks(), tmp_path / "x.db")
    other = connect(tmp_path / "x.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(EngineBusyError, match="in use by another process"):
        broker.meet(day(2))
    other.close()


def test_a_file_of_another_account_is_refused(tmp_path: Path) -> None:
    SimulatedBroker(settings(), stocks(), tmp_path / "x.db").close()
    with pytest.raises(ConflictError, match="of account 'A1', not of 'A2'"):
        SimulatedBroker(settings(account_id="A2"), stocks(), tmp_path / "x.db")


def test_a_file_that_is_no_database_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_text("this is not a database, and long enough to be looked at as one" * 20)
    with pytest.raises(EngineError, match="check the disk and the file"):
        SimulatedBroker(settings(), stocks(), path)


TRADER = """
    import sys
    from pathlib import Path
    from adapters.broker.random_days import random_days, trade_repeatably
    from goldenthread.adapters.broker.simulated import SimulatedBroker

    days = random_days(5, days=25)
    broker = SimulatedBroker(days.terms, days.market, Path(sys.argv[1]), synchronous="OFF")
    print("begun", flush=True)
    trade_repeatably(broker, days)
"""


def run_trader(path: Path, lifetime_s: float | None) -> int:
    root = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": f"{root / 'src'}{os.pathsep}{root / 'tests'}"}
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(TRADER), str(path)],
        stdout=subprocess.PIPE,
        env=environment,
    )
    assert child.stdout is not None
    with child.stdout:
        child.stdout.readline()
        if lifetime_s is not None:
            time.sleep(lifetime_s)
            child.send_signal(signal.SIGKILL)
        return child.wait(timeout=60)


def test_a_killed_trader_finds_the_outside_world_as_it_was(tmp_path: Path) -> None:
    days = random_days(5, days=25)
    steady = SimulatedBroker(days.terms, days.market)
    trade_repeatably(steady, days)
    path = tmp_path / "x.db"
    killed = sum(run_trader(path, 0.006 * n) != 0 for n in range(4))
    assert killed > 0
    assert run_trader(path, None) == 0
    survivor = SimulatedBroker(days.terms, days.market, path)
    assert world(survivor) == world(steady)


def test_a_quiet_day_writes_no_orders(tmp_path: Path) -> None:
    broker = SimulatedBroker(
        settings(), stocks("99 101 98 100", "100 105 95 102", "100 105 95 102"), tmp_path / "x.db"
    )
    broker.meet(day(2))
    broker.submit(bracket("a", "10", take_profit=120, stop_loss=80))
    broker.meet(day(3))
    written: list[str] = []
    broker._store._db.set_trace_callback(written.append)
    broker.meet(day(4))
    assert not [s for s in written if "INTO tickets" in s or "INTO fills" in s or "stakes" in s]


def test_the_exchange_in_memory_needs_no_file() -> None:
    broker = exchange(stocks("99 101 98 100"))
    assert broker.account().equity == D(100_000)
