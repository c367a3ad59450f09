"""The account: what the broker says now, and what a day's end is remembered as."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

MONEY_STEP = Decimal("0.000000001")
"""Money is kept to nine decimals, the scale of NUMERIC."""


def money(amount: Decimal) -> Decimal:
    """The amount at the nine decimals of NUMERIC, half to even."""
    return amount.quantize(MONEY_STEP, rounding=ROUND_HALF_EVEN)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Holding(_Part):
    """What the broker holds of one symbol; ``quantity`` is negative when short."""

    symbol: str
    quantity: Decimal
    average_price: Decimal
    market_price: Decimal


class Payment(_Part):
    """Cash that moved without an execution, for holding a symbol on ``ds``.

    ``amount`` is what came into the account: a dividend of a long holding. What went out is
    negative: a dividend owed by a short, and the fee for borrowing its shares.
    """

    symbol: str
    kind: Literal["DIVIDEND", "BORROW"]
    ds: dt.date
    amount: Decimal


class AccountState(_Part):
    """The account as the broker reports it, marked at the closes of the last bars it met.

    ``as_of`` is the broker's own clock. ``crypto_buying_power`` knows no margin. ``payments``
    are those of the last weeks, oldest first; empty where a broker does not tell them.
    """

    account_id: str
    as_of: AwareDatetime
    cash: Decimal
    equity: Decimal
    buying_power: Decimal
    crypto_buying_power: Decimal
    initial_margin: Decimal = Decimal(0)
    maintenance_margin: Decimal = Decimal(0)
    long_value: Decimal = Decimal(0)
    short_value: Decimal = Decimal(0)
    accrued_fees: Decimal = Decimal(0)
    blocked: bool = False
    holdings: tuple[Holding, ...] = ()
    payments: tuple[Payment, ...] = ()

    @property
    def gross_exposure(self) -> Decimal:
        """Long value plus the absolute short value."""
        return self.long_value + abs(self.short_value)


class AccountSnapshot(_Part):
    """The account at the end of business date ``ds``, in money and as a drawdown fraction.

    ``realised_pnl`` (before fees), ``fees_paid`` (borrow among them) and ``dividends`` (less those
    owed) are running totals of our own ledger since the book began at ``start_equity``; the
    rest is the broker's word, so that ``money_error`` compares two independent records.
    """

    book: str
    ds: dt.date
    equity: Decimal
    cash: Decimal
    buying_power: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal
    gross_exposure: Decimal
    long_value: Decimal
    short_value: Decimal
    accrued_fees: Decimal
    fees_paid: Decimal
    dividends: Decimal = Decimal(0)
    realised_pnl: Decimal
    unrealised_pnl: Decimal
    start_equity: Decimal
    peak_equity: Decimal
    drawdown: Decimal
    open_positions: int
    waiting_signals: int

    @property
    def money_error(self) -> Decimal:
        """What the two ledgers disagree by; conservation (P8) wants at most 1e-9 of equity."""
        made = self.realised_pnl + self.unrealised_pnl + self.dividends
        return self.equity - (self.start_equity + made - self.fees_paid)
