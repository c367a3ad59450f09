"""An active trade: what was planned, what was filled, where its stop stands."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from goldenthread.domain.account import money
from goldenthread.domain.asset import AssetClass
from goldenthread.domain.order import Fill, OrderSide
from goldenthread.domain.strategy import Side

if TYPE_CHECKING:
    from collections.abc import Iterable

    from goldenthread.domain.account import Payment


class PositionStatus(StrEnum):
    """PENDING waits for its entry; CLOSED and FAILED (no fill) are final."""

    PENDING = "PENDING"
    OPEN = "OPEN"
    CLOSING = "CLOSING"
    CLOSED = "CLOSED"
    FAILED = "FAILED"

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to the position any more."""
        return self in {PositionStatus.CLOSED, PositionStatus.FAILED}


HELD = (PositionStatus.OPEN, PositionStatus.CLOSING)
"""The positions of which something is held; the exit of a CLOSING one is decided."""


class ExitReason(StrEnum):
    """Why a position ended, or part of it."""

    STOP = "STOP"
    STOP_GAPPED = "STOP_GAPPED"
    TARGET = "TARGET"
    TRAIL = "TRAIL"
    TIME = "TIME"
    RULE = "RULE"
    EXTERNAL = "EXTERNAL"
    DELISTED = "DELISTED"
    SPLIT_CASH = "SPLIT_CASH"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Tranche(_Part):
    """A part of a position with its own target (None: it runs); numbered from 1."""

    number: int
    quantity: Decimal
    target: Decimal | None = None
    target_touched: bool = False


class DueExit(_Part):
    """An exit decided on the close of ``ds`` and not yet executed; it stays due."""

    reason: ExitReason
    ds: dt.date
    quantity: Decimal
    tranches: tuple[int, ...] = ()


class Position(_Part):
    """One position of one book; prices and quantities in today's split units.

    ``best`` and ``worst`` are the most and least favourable prices since the entry (null before
    the first bar), ``bars_held`` the sessions since the entry, the entry's own being 1.
    ``stop_source`` tells what moved the stop last. ``fills`` holds every execution, entries and
    exits, in order of time. ``stale_sessions`` counts sessions in a row without a bar.
    ``met_ds`` is the last business date it was managed on, or the one it was found closed on.
    ``dividends`` were received for it (owed by a short: negative), ``borrow_fees`` paid for its
    borrowed shares, both up to ``paid_ds`` (null before the first).
    """

    book: str
    position_id: str
    ds: dt.date
    strategy_id: str
    version_key: str
    policy_key: str
    symbol: str
    asset_class: AssetClass
    side: Side
    status: PositionStatus
    decided_at: AwareDatetime
    quantity: Decimal
    tranches: tuple[Tranche, ...]
    initial_stop: Decimal
    stop: Decimal
    stop_source: Literal["STOP", "TRAIL", "BREAKEVEN"] = "STOP"
    trail: Decimal | None = None
    breakeven_after: int | None = None
    max_bars: int
    fills: tuple[Fill, ...] = ()
    bars_held: int = 0
    best: Decimal | None = None
    worst: Decimal | None = None
    due: DueExit | None = None
    exit_reason: ExitReason | None = None
    split_factor: Decimal = Decimal(1)
    stale_sessions: int = 0
    met_ds: dt.date | None = None
    dividends: Decimal = Decimal(0)
    borrow_fees: Decimal = Decimal(0)
    paid_ds: dt.date | None = None
    flags: tuple[str, ...] = ()

    @property
    def entry_side(self) -> OrderSide:
        """The side of the orders that open it."""
        return OrderSide.BUY if self.side is Side.LONG else OrderSide.SELL

    @property
    def exit_side(self) -> OrderSide:
        """The side of the orders that close it."""
        return OrderSide.SELL if self.side is Side.LONG else OrderSide.BUY

    @property
    def entries(self) -> tuple[Fill, ...]:
        """The executions that opened it."""
        side = self.entry_side
        return tuple(f for f in self.fills if f.side is side)

    @property
    def exits(self) -> tuple[Fill, ...]:
        """The executions that closed it."""
        side = self.exit_side
        return tuple(f for f in self.fills if f.side is side)

    @property
    def bought(self) -> Decimal:
        """Everything the entries executed, in today's units, coin fees not yet taken off."""
        return sum((f.shares for f in self.entries), Decimal(0))

    @property
    def open_quantity(self) -> Decimal:
        """What is held now: entries less coin fees less exits."""
        coin_fees = sum((f.fee_quantity for f in self.entries), Decimal(0))
        return self.bought - coin_fees - self._exited

    @property
    def _exited(self) -> Decimal:
        return sum((f.shares for f in self.exits), Decimal(0))

    @property
    def entry_cost(self) -> Decimal:
        """The notional of all entries, fees apart."""
        return sum((f.notional for f in self.entries), Decimal(0))

    @property
    def average_entry(self) -> Decimal | None:
        """The average entry price in today's units, fees apart; None before a fill."""
        if not self.entries:
            return None
        return money(sum((f.quantity * f.price for f in self.entries), Decimal(0)) / self.bought)

    @property
    def entry_ds(self) -> dt.date | None:
        """The session of the first entry fill."""
        return self.entries[0].ds if self.entries else None

    @property
    def exit_ds(self) -> dt.date | None:
        """The session of the last exit fill."""
        return self.exits[-1].ds if self.exits else None

    @property
    def fees(self) -> Decimal:
        """All fees so far in quote currency, borrow among them; coins at their entry price."""
        quoted = sum((f.fee for f in self.fills), Decimal(0))
        coins = sum((money(f.fee_quantity * f.price) for f in self.entries), Decimal(0))
        return quoted + coins + self.borrow_fees

    def paid(self, payments: Iterable[Payment]) -> Position:
        """The position after payments it has not taken before."""
        after = self
        for payment in payments:
            name, sign = ("dividends", 1) if payment.kind == "DIVIDEND" else ("borrow_fees", -1)
            total = getattr(after, name) + sign * payment.amount
            after = after.model_copy(update={name: total, "paid_ds": payment.ds})
        return after

    @property
    def realised_pnl(self) -> Decimal:
        """What the exits so far made over their share of the entry cost, before fees."""
        if not self.entries:
            return Decimal(0)
        earned = sum((f.notional for f in self.exits), Decimal(0))
        cost = self.entry_cost * self._exited / self.bought
        return money((earned - cost) * self.side.sign)

    def unrealised_pnl(self, price: Decimal) -> Decimal:
        """What closing the held quantity at ``price`` would add, before fees."""
        if not self.entries:
            return Decimal(0)
        held = self.open_quantity
        cost = self.entry_cost * held / self.bought
        return money((held * price - cost) * self.side.sign)
