"""What a book remembers: its account, its standing, and what each run was frozen to."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from goldenthread.adapters.hot_store.sqlite import SqliteHotStore
from goldenthread.app.book import (
    BookState,
    FrozenRun,
    begin_book,
    freeze_account,
    freeze_run,
    read_book,
    write_book,
)
from goldenthread.app.clock import SystemClock
from goldenthread.domain.account import AccountState
from goldenthread.domain.asset import AssetClass
from goldenthread.domain.errors import ConflictError, LeaseLostError
from goldenthread.domain.order import Fill, OrderSide
from goldenthread.domain.position import Position, PositionStatus
from goldenthread.domain.strategy import Side
from goldenthread.positions.blotter import Blotter

if TYPE_CHECKING:
    from pathlib import Path

DS = dt.date(2024, 1, 2)
NOW = dt.datetime(2024, 1, 3, 0, 5, tzinfo=dt.UTC)


@pytest.fixture
def store(tmp_path: Path) -> SqliteHotStore:
    return SqliteHotStore(tmp_path / "hot.sqlite", "sim:t", SystemClock(), synchronous="NORMAL")


@pytest.fixture
def blotter(store: SqliteHotStore) -> Blotter:
    return Blotter(store, store.acquire("run", "me", 60))


def account(name: str = "SIM-t", equity: str = "100000") -> AccountState:
    money = Decimal(equity)
    return AccountState(
        account_id=name,
        as_of=NOW,
        cash=money,
        equity=money,
        buying_power=money,
        crypto_buying_power=money,
    )


def closed(symbol: str, bought: str, sold: str, fee: str) -> Position:
    """Ten shares bought on the second and sold on the fourth of January."""

    def fill(number: int, side: OrderSide, price: str, day: int) -> Fill:
        return Fill(
            execution_id=f"{symbol}{number}",
            broker_order_id=f"o{number}",
            order_key=f"20240101-{'0' * 32}-{'entry1' if number == 1 else 'exit1'}-1",
            fill_no=1,
            symbol=symbol,
            side=side,
            quantity=Decimal(10),
            price=Decimal(price),
            fee=Decimal(fee),
            fee_quantity=Decimal(0),
            ds=dt.date(2024, 1, day),
            filled_at=NOW,
        )

    return Position(
        book="sim:t",
        position_id=f"20240101-{'0' * 32}",
        ds=dt.date(2024, 1, 1),
        strategy_id="s",
        version_key="v",
        policy_key="p",
        symbol=symbol,
        asset_class=AssetClass.EQUITY,
        side=Side.LONG,
        status=PositionStatus.CLOSED,
        decided_at=NOW,
        quantity=Decimal(10),
        tranches=(),
        initial_stop=Decimal(1),
        stop=Decimal(1),
        max_bars=5,
        fills=(fill(1, OrderSide.BUY, bought, 2), fill(2, OrderSide.SELL, sold, 4)),
    )


def test_a_book_begins_with_the_account_of_its_first_run(store: SqliteHotStore) -> None:
    assert read_book(store) is None
    state = begin_book(store, account(), DS)
    assert (state.account_id, state.start_equity, state.first_ds) == (
        "SIM-t",
        Decimal(100_000),
        DS,
    )
    assert state.last_ds is None
    assert read_book(store) == state


def test_a_book_begun_stays_as_it_was_begun(store: SqliteHotStore) -> None:
    begun = begin_book(store, account(), DS)
    later = begin_book(store, account(equity="90000"), DS + dt.timedelta(days=9))
    assert later == begun


def test_another_account_is_refused_by_name_and_nothing_changes(store: SqliteHotStore) -> None:
    begun = begin_book(store, account(), DS)
    with pytest.raises(ConflictError, match=r"'SIM-other'.*'SIM-t'.*--book"):
        begin_book(store, account("SIM-other"), DS)
    assert read_book(store) == begun


def test_the_first_start_of_a_run_is_what_every_restart_gets(store: SqliteHotStore) -> None:
    first = freeze_run(store, FrozenRun(ds=DS, now=NOW, positions=("a",)))
    again = freeze_run(store, FrozenRun(ds=DS, now=NOW + dt.timedelta(days=3), missed=True))
    assert again == first
    assert again.now == NOW


def test_the_account_a_run_decides_from_is_the_first_answer(
    store: SqliteHotStore, blotter: Blotter
) -> None:
    run = freeze_run(store, FrozenRun(ds=DS, now=NOW))
    frozen = freeze_account(blotter, store, run, account())
    assert frozen.account == account()
    restarted = freeze_run(store, FrozenRun(ds=DS, now=NOW))
    assert freeze_account(blotter, store, restarted, account(equity="1")) == frozen


def test_closed_positions_add_to_the_totals_of_the_book(store: SqliteHotStore) -> None:
    state = begin_book(store, account(), DS)
    # (11 - 10) x 10 = 10 gained, (19 - 20) x 10 = 10 lost again and 2 more: 20 - 18 = 2 x 10 = 20
    after = state.after([closed("AAPL", "10", "11", "0.5"), closed("IBM", "20", "18", "0.25")])
    assert after.closed_realised == Decimal(10) - Decimal(20)
    assert after.closed_fees == Decimal("1.5")  # two fills each: 2 x 0.5 + 2 x 0.25
    day = dt.date(2024, 1, 4)
    assert after.last_exits == {"s|AAPL": day, "s|IBM": day}
    assert after.after([]) == after


def test_the_state_is_written_whole_and_read_back_equal(
    store: SqliteHotStore, blotter: Blotter
) -> None:
    state = begin_book(store, account(), DS)
    after = state.model_copy(update={"last_ds": DS, "closed_fees": Decimal("0.10")})
    write_book(blotter, store, after)
    assert read_book(store) == after


def test_a_run_that_lost_its_lease_cannot_write_the_state(store: SqliteHotStore) -> None:
    begun = begin_book(store, account(), DS)
    stale = Blotter(store, store.acquire("run", "me", 0.000001))
    store.acquire("run", "other", 60)
    with pytest.raises(LeaseLostError, match="another run took over"):
        write_book(stale, store, begun.model_copy(update={"last_ds": DS}))
    assert read_book(store) == begun


def test_a_state_with_an_unknown_field_is_not_read_as_if_it_were_ours() -> None:
    with pytest.raises(ValueError, match="surprise"):
        BookState.model_validate(
            {"account_id": "a", "start_equity": "1", "first_ds": DS, "surprise": 1}
        )
