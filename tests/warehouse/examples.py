"""Small domain records the warehouse tests are made of; every figure is chosen by hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from goldenthread.adapters.warehouse.session import DuckDBSession
from goldenthread.domain.account import AccountSnapshot
from goldenthread.domain.asset import AssetClass
from goldenthread.domain.ids import signal_id
from goldenthread.domain.order import (
    Fill,
    IntentStatus,
    OrderIntent,
    OrderRequest,
    OrderSide,
    OrderType,
)
from goldenthread.domain.position import ExitReason, Position, PositionStatus, Tranche
from goldenthread.domain.signal import Plan, Signal, SignalStatus, TargetLevel, Verdict
from goldenthread.domain.strategy import Side
from goldenthread.domain.trade import Outcome, OutcomeStatus, Trade
from goldenthread.warehouse.loading import RunStamp
from goldenthread.warehouse.views import prepare

if TYPE_CHECKING:
    from goldenthread.ports.warehouse import Warehouse

DAY = dt.date(2024, 3, 4)
BOOK = "sim:main"
NIGHT = dt.datetime(2024, 3, 5, 0, 5, tzinfo=dt.UTC)
ALL = {"from": dt.date(1900, 1, 1), "to": dt.date(9999, 12, 31)}


def day(number: int) -> dt.date:
    """``DAY`` and the days after it."""
    return DAY + dt.timedelta(days=number)


def at(ds: dt.date, hour: int = 0) -> dt.datetime:
    """An instant of a date."""
    return dt.datetime(ds.year, ds.month, ds.day, hour, 5, tzinfo=dt.UTC)


def run(ds: dt.date = DAY, run_id: str = "run-1") -> RunStamp:
    """How the run of ``ds`` signs its rows."""
    return RunStamp(run_id=run_id, book=BOOK, ds=ds, loaded_at=at(ds + dt.timedelta(days=1)))


def empty() -> Warehouse:
    """A prepared warehouse in memory."""
    warehouse = DuckDBSession()
    prepare(warehouse)
    return warehouse


def signal(symbol: str = "AAPL", ds: dt.date = DAY, **changes: object) -> Signal:
    """A refused breakout: close 100, stop 95, two filters of which the second failed."""
    values: dict[str, Any] = {
        "book": BOOK,
        "signal_id": signal_id(ds, str(changes.get("strategy_id", "breakout")), symbol),
        "ds": ds,
        "strategy_id": "breakout",
        "version_key": "v1",
        "policy_key": "p1",
        "symbol": symbol,
        "asset_class": AssetClass.EQUITY,
        "side": Side.LONG,
        "status": SignalStatus.REJECTED,
        "decided_at": at(ds + dt.timedelta(days=1)),
        "engine_digest": "engine",
        "bars_digest": "bars",
        "close": Decimal(100),
        "plan": Plan(
            order="market",
            entry=Decimal(100),
            stop=Decimal(95),
            targets=(TargetLevel(price=Decimal(110), sell=Decimal("0.5")),),
            trail=Decimal("3.25"),
            breakeven_after=1,
            max_bars=20,
        ),
        "priority": Decimal("1.75"),
        "factors": {"rsi": Decimal("61.5"), "volume_ratio": None},
        "verdicts": (
            Verdict(
                name="RSI_TOO_HIGH",
                kind="filter",
                value=Decimal("61.5"),
                threshold=Decimal(70),
                passed=True,
            ),
            Verdict(name="VOLUME_TOO_LOW", kind="filter", passed=False),
        ),
        "rejection_reason": "VOLUME_TOO_LOW",
        "rejection_reasons": ("VOLUME_TOO_LOW",),
        "quantity": Decimal(20),
        "planned_quantity": Decimal("20.833333333333"),
        "equity_at_decision": Decimal(10_000),
        "valid_until": ds + dt.timedelta(days=1),
        "ended_ds": ds,
    }
    return Signal(**{**values, **changes})


def expired_signal(symbol: str = "AAPL", ds: dt.date = DAY, **changes: object) -> Signal:
    """A signal that was not triggered on the next day."""
    ended: dict[str, Any] = {
        "status": SignalStatus.EXPIRED,
        "rejection_reason": None,
        "rejection_reasons": (),
        "end_reason": "NOT_TRIGGERED",
        "ended_ds": ds + dt.timedelta(days=1),
    }
    return signal(symbol, ds, **{**ended, **changes})


def waiting(revision: dt.date = DAY) -> Outcome:
    """An outcome that is not known yet."""
    return Outcome(status=OutcomeStatus.OPEN, priced_as="PLANNED", revision=revision)


def resolved(revision: dt.date, net_pnl: str = "95.5", **changes: object) -> Outcome:
    """An outcome that is known."""
    values: dict[str, Any] = {
        "status": OutcomeStatus.RESOLVED,
        "priced_as": "PLANNED",
        "revision": revision,
        "entry_ds": DAY,
        "entry_price": Decimal(101),
        "exit_ds": revision,
        "exit_price": Decimal(106),
        "exit_reason": "TARGET",
        "bars_held": 3,
        "gross_pnl": Decimal(net_pnl) + Decimal("0.5"),
        "fees": Decimal("0.5"),
        "net_pnl": Decimal(net_pnl),
        "r_multiple": Decimal(net_pnl) / Decimal(120),
    }
    return Outcome(**{**values, **changes})


def trade(
    net_pnl: str, exit_ds: dt.date, symbol: str = "AAPL", **changes: object
) -> tuple[Trade, Signal]:
    """A trade decided on ``DAY`` with fees of 1, and its signal."""
    idea = signal(
        symbol,
        status=SignalStatus.CLOSED,
        rejection_reason=None,
        rejection_reasons=(),
    ).model_copy(update={k: v for k, v in changes.items() if k == "version_key"})
    net = Decimal(net_pnl)
    values: dict[str, Any] = {
        "book": BOOK,
        "trade_id": idea.signal_id,
        "ds": exit_ds,
        "signal_ds": DAY,
        "entry_ds": day(1),
        "exit_ds": exit_ds,
        "strategy_id": idea.strategy_id,
        "version_key": idea.version_key,
        "policy_key": idea.policy_key,
        "symbol": symbol,
        "asset_class": AssetClass.EQUITY,
        "side": Side.LONG,
        "quantity": Decimal(20),
        "entry_price": Decimal(100),
        "exit_price": Decimal(100) + (net + 1) / 20,
        "initial_stop": Decimal(95),
        "planned_entry": Decimal(100),
        "gross_pnl": net + 1,
        "fees": Decimal(1),
        "net_pnl": net,
        "return_fraction": net / 2000,
        "r_multiple": net / 100,
        "mfe": Decimal("0.08"),
        "mae": Decimal("-0.02"),
        "bars_held": 4,
        "exit_reason": ExitReason.TARGET,
        "entry_at": at(day(1), 14),
        "exit_at": at(exit_ds, 15),
        "split_factor": Decimal(1),
        "is_final": True,
    }
    return Trade(**{**values, **changes}), idea


def fill(position_id: str, ds: dt.date = DAY, **changes: object) -> Fill:
    """20 bought at 100.5, the first fill of the entry."""
    values: dict[str, Any] = {
        "execution_id": "x1",
        "broker_order_id": "b1",
        "order_key": f"{position_id}-entry1-1",
        "fill_no": 1,
        "symbol": "AAPL",
        "side": OrderSide.BUY,
        "quantity": Decimal(20),
        "price": Decimal("100.5"),
        "fee": Decimal("0.25"),
        "ds": ds,
        "filled_at": at(ds, 14),
        "flags": ("AT_OPEN",),
    }
    return Fill(**{**values, **changes})


def position(ds: dt.date = DAY, **changes: object) -> Position:
    """An open position of 20 AAPL, bought at 100.5 on the day after ``ds``."""
    name = signal_id(ds, "breakout", "AAPL")
    values: dict[str, Any] = {
        "book": BOOK,
        "position_id": name,
        "ds": ds,
        "strategy_id": "breakout",
        "version_key": "v1",
        "policy_key": "p1",
        "symbol": "AAPL",
        "asset_class": AssetClass.EQUITY,
        "side": Side.LONG,
        "status": PositionStatus.OPEN,
        "decided_at": at(ds + dt.timedelta(days=1)),
        "quantity": Decimal(20),
        "tranches": (Tranche(number=1, quantity=Decimal(20)),),
        "initial_stop": Decimal(95),
        "stop": Decimal(96),
        "max_bars": 20,
        "fills": (fill(name, ds + dt.timedelta(days=1)),),
        "bars_held": 2,
    }
    return Position(**{**values, **changes})


def intent(status: IntentStatus = IntentStatus.WORKING, ds: dt.date = DAY) -> OrderIntent:
    """The entry order of ``position``."""
    name = signal_id(ds, "breakout", "AAPL")
    return OrderIntent(
        book=BOOK,
        order_key=f"{name}-entry1-1",
        signal_id=name,
        ds=ds,
        request=OrderRequest(
            client_order_id=f"{name}-entry1-1",
            symbol="AAPL",
            asset_class=AssetClass.EQUITY,
            side=OrderSide.BUY,
            type=OrderType.MARKET,
            quantity=Decimal(20),
        ),
        status=status,
        decided_at=at(ds + dt.timedelta(days=1)),
    )


def account(ds: dt.date = DAY, **changes: object) -> AccountSnapshot:
    """10 000 to begin with, 20 AAPL up 70 unrealised, 0.25 of fees paid: 10 069.75."""
    values: dict[str, Any] = {
        "book": BOOK,
        "ds": ds,
        "equity": Decimal("10069.75"),
        "cash": Decimal("7989.75"),
        "buying_power": Decimal("15979.5"),
        "initial_margin": Decimal(1040),
        "maintenance_margin": Decimal(624),
        "gross_exposure": Decimal(2080),
        "long_value": Decimal(2080),
        "short_value": Decimal(0),
        "accrued_fees": Decimal(0),
        "fees_paid": Decimal("0.25"),
        "realised_pnl": Decimal(0),
        "unrealised_pnl": Decimal(70),
        "start_equity": Decimal(10_000),
        "peak_equity": Decimal("10069.75"),
        "drawdown": Decimal(0),
        "open_positions": 1,
        "waiting_signals": 0,
    }
    return AccountSnapshot(**{**values, **changes})
