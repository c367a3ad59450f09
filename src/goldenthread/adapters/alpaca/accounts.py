"""Account, positions and clock on the wire."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

from goldenthread.adapters.alpaca.symbols import (
    asset_class_name,
    asset_class_of,
    canonical,
    class_of,
    joined,
)
from goldenthread.adapters.alpaca.values import Json, amount, instant, instant_text, text, uuid_of
from goldenthread.domain.account import AccountState, Holding, Payment
from goldenthread.domain.asset import AssetClass
from goldenthread.rules.calendar import is_session, next_session, session_close, session_open

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

PAYMENTS = "goldenthread_payments"
"""A field our exchange adds to an account: its dividends and borrow fees. Alpaca posts a dividend
when it is paid, weeks after the holding that earned it."""

_ACTIVE = "ACTIVE"
_BLOCKS = ("trading_blocked", "account_blocked", "trade_suspended_by_user")


class MarketClock(NamedTuple):
    """Alpaca's own clock, and whether New York trades."""

    now: dt.datetime
    is_open: bool


def account_json(account: AccountState, multiplier: Decimal, shorting: bool) -> Json:
    """An account as Alpaca shows it; its number is our account id."""
    return {
        "id": uuid_of(account.account_id),
        "account_number": account.account_id,
        "status": _ACTIVE,
        "crypto_status": _ACTIVE,
        "currency": "USD",
        "cash": text(account.cash),
        "equity": text(account.equity),
        "last_equity": text(account.equity),
        "portfolio_value": text(account.equity),
        "buying_power": text(account.buying_power),
        "regt_buying_power": text(account.buying_power),
        "non_marginable_buying_power": text(account.crypto_buying_power),
        "position_market_value": text(account.gross_exposure),
        "long_market_value": text(account.long_value),
        "short_market_value": text(account.short_value),
        "initial_margin": text(account.initial_margin),
        "maintenance_margin": text(account.maintenance_margin),
        "last_maintenance_margin": text(account.maintenance_margin),
        "multiplier": text(multiplier),
        "accrued_fees": text(account.accrued_fees),
        "shorting_enabled": shorting,
        "trading_blocked": account.blocked,
        "transfers_blocked": False,
        "account_blocked": False,
        "trade_suspended_by_user": False,
        "created_at": instant_text(account.as_of),
        PAYMENTS: [payment.model_dump(mode="json") for payment in account.payments],
    }


def account_from_json(row: Json, positions: Iterable[Json], clock: Json) -> AccountState:
    """The account from the answers of ``/account``, ``/positions`` and ``/clock``.

    Raises:
        DataError: An amount is missing or not a number.
    """

    def of(field: str) -> Decimal:
        return amount(row.get(field) or 0, field)

    return AccountState(
        account_id=str(row.get("account_number") or row["id"]),
        as_of=clock_from_json(clock).now,
        cash=amount(row.get("cash"), "cash"),
        equity=amount(row.get("equity"), "equity"),
        buying_power=amount(row.get("buying_power"), "buying_power"),
        crypto_buying_power=of("non_marginable_buying_power"),
        initial_margin=of("initial_margin"),
        maintenance_margin=of("maintenance_margin"),
        long_value=of("long_market_value"),
        short_value=of("short_market_value"),
        accrued_fees=of("accrued_fees"),
        blocked=row.get("status") != _ACTIVE or any(row.get(field) for field in _BLOCKS),
        payments=tuple(Payment.model_validate(paid) for paid in row.get(PAYMENTS, ())),
        holdings=tuple(sorted(map(holding_from_json, positions), key=lambda h: h.symbol)),
    )


def position_json(holding: Holding) -> Json:
    """A position as Alpaca shows it; shorts have a negative quantity."""
    cost = holding.quantity * holding.average_price
    value = holding.quantity * holding.market_price
    gain = value - cost
    return {
        "asset_id": uuid_of(holding.symbol),
        "symbol": joined(holding.symbol),
        "exchange": "CRYPTO" if class_of(holding.symbol) is AssetClass.CRYPTO else "NASDAQ",
        "asset_class": asset_class_name(class_of(holding.symbol)),
        "asset_marginable": class_of(holding.symbol) is AssetClass.EQUITY,
        "qty": text(holding.quantity),
        "qty_available": text(holding.quantity),
        "side": "long" if holding.quantity > 0 else "short",
        "avg_entry_price": text(holding.average_price),
        "market_value": text(value),
        "cost_basis": text(cost),
        "unrealized_pl": text(gain),
        "unrealized_plpc": text(round(gain / abs(cost), 9) if cost else cost),
        "unrealized_intraday_pl": "0",
        "unrealized_intraday_plpc": "0",
        "current_price": text(holding.market_price),
        "lastday_price": text(holding.market_price),
        "change_today": "0",
    }


def holding_from_json(row: Json) -> Holding:
    """What is held of one symbol, negative when short; marked at the newest price there is.

    Raises:
        DataError: An amount is missing or not a number.
    """
    quantity = abs(amount(row.get("qty"), "qty"))
    prices = (row.get(f) for f in ("current_price", "lastday_price", "avg_entry_price"))
    return Holding(
        symbol=canonical(row["symbol"], asset_class_of(row.get("asset_class", ""))),
        quantity=-quantity if row.get("side") == "short" else quantity,
        average_price=amount(row.get("avg_entry_price"), "avg_entry_price"),
        market_price=amount(next((p for p in prices if p), None), "current_price"),
    )


def clock_json(now: dt.datetime) -> Json:
    """Alpaca's clock standing at ``now``."""
    today, equity = now.date(), AssetClass.EQUITY
    day = today if is_session(equity, today) else next_session(equity, today)
    if session_close(equity, day) <= now:
        day = next_session(equity, day)
    is_open = session_open(equity, day) <= now
    opens = next_session(equity, day) if is_open else day
    return {
        "timestamp": instant_text(now),
        "is_open": is_open,
        "next_open": instant_text(session_open(equity, opens)),
        "next_close": instant_text(session_close(equity, day)),
    }


def clock_from_json(row: Json) -> MarketClock:
    """Alpaca's clock."""
    return MarketClock(instant(row.get("timestamp"), "timestamp"), bool(row.get("is_open")))
