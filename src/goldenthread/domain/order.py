"""Orders: what we intend, what we ask, what the broker answers, what was executed."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from goldenthread.domain.account import money
from goldenthread.domain.asset import AssetClass


class OrderSide(StrEnum):
    """Buy or sell."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for buy, -1 for sell."""
        return 1 if self is OrderSide.BUY else -1


class OrderType(StrEnum):
    """The order types both asset classes are traded with."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"


class TimeInForce(StrEnum):
    """How long an order lives."""

    DAY = "day"
    GTC = "gtc"
    IOC = "ioc"
    OPG = "opg"
    CLS = "cls"
    FOK = "fok"


class OrderClass(StrEnum):
    """A single order, or an entry with the legs that protect it."""

    SIMPLE = "simple"
    BRACKET = "bracket"
    OTO = "oto"
    OCO = "oco"


class OrderStatus(StrEnum):
    """The broker's states of an order; the five last are final."""

    NEW = "new"
    ACCEPTED = "accepted"
    HELD = "held"
    PARTIALLY_FILLED = "partially_filled"
    PENDING_CANCEL = "pending_cancel"
    PENDING_REPLACE = "pending_replace"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REPLACED = "replaced"
    REJECTED = "rejected"

    @property
    def is_open(self) -> bool:
        """Whether the order can still be executed."""
        return self not in _FINAL


_FINAL = frozenset(
    {
        OrderStatus.FILLED,
        OrderStatus.CANCELED,
        OrderStatus.EXPIRED,
        OrderStatus.REPLACED,
        OrderStatus.REJECTED,
    }
)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OrderRequest(_Part):
    """One order as sent to a broker; quantities and prices already rounded.

    ``take_profit`` and ``stop_loss`` are the legs of a BRACKET; an OTO has ``stop_loss`` only.
    An OCO has no entry: ``limit_price`` is its take profit, ``stop_loss`` its stop.
    """

    client_order_id: str
    symbol: str
    asset_class: AssetClass
    side: OrderSide
    type: OrderType
    quantity: Decimal
    time_in_force: TimeInForce = TimeInForce.GTC
    order_class: OrderClass = OrderClass.SIMPLE
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None


class OrderReport(_Part):
    """One order as the broker sees it now.

    Legs the broker created have ``parent_id`` set, ``leg`` telling which, and a client order id
    of the broker's own. ``triggered`` tells that the stop of a stop or stop_limit was crossed.
    """

    broker_order_id: str
    client_order_id: str
    symbol: str
    side: OrderSide
    type: OrderType
    status: OrderStatus
    quantity: Decimal
    filled_quantity: Decimal = Decimal(0)
    average_price: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    triggered: bool = False
    parent_id: str = ""
    leg: Literal["", "take_profit", "stop_loss"] = ""
    replaces: str = ""
    submitted_at: AwareDatetime


class Fill(_Part):
    """One execution: ``fee`` in quote currency, ``fee_quantity`` in coin (crypto buys).

    Quantity and price keep the units of ``ds``; ``split`` is shares now per share then.
    ``ds`` is the session it happened in, ``fill_no`` counts from 1 within an order. ``flags``
    may hold ``AMBIGUOUS_BAR`` (stop and target in one bar), ``AT_OPEN``, ``GAPPED``,
    ``NEGATIVE_CASH``, ``SPLIT_CASH``. ``order_key`` is empty until its order is known to be ours.
    """

    execution_id: str
    broker_order_id: str
    order_key: str = ""
    fill_no: int
    symbol: str
    side: OrderSide
    quantity: Decimal
    price: Decimal
    fee: Decimal = Decimal(0)
    fee_quantity: Decimal = Decimal(0)
    ds: dt.date
    filled_at: AwareDatetime
    split: Decimal = Decimal(1)
    flags: tuple[str, ...] = ()

    @property
    def shares(self) -> Decimal:
        """The quantity in today's split units; exact, never rounded."""
        return self.quantity * self.split

    @property
    def notional(self) -> Decimal:
        """Quantity times price, to nine decimals: the one figure every ledger uses."""
        return money(self.quantity * self.price)

    @property
    def at_open(self) -> bool:
        """Whether it was executed at the open of its session."""
        return "AT_OPEN" in self.flags


class IntentStatus(StrEnum):
    """Our side of an order: PENDING before we sent it, UNKNOWN until the broker was asked.

    LEG is a leg the broker created with its parent; WORKING an order the broker holds open;
    DONE one that is final there; REFUSED one that never became an order; DROPPED one we decided
    not to send.
    """

    PENDING = "PENDING"
    UNKNOWN = "UNKNOWN"
    WORKING = "WORKING"
    DONE = "DONE"
    REFUSED = "REFUSED"
    DROPPED = "DROPPED"

    @property
    def is_final(self) -> bool:
        """Whether nothing remains to be done for the order."""
        return self in {IntentStatus.DONE, IntentStatus.REFUSED, IntentStatus.DROPPED}


class OrderIntent(_Part):
    """One order of ours, from the commit that decided it to its end: an outbox row.

    ``kind`` ``leg`` marks an order the broker creates with its parent (never sent by us) and
    ``replace`` one that takes the place of ``replaces`` (an order key). ``not_after`` binds
    entries only. ``ds`` is the business date of the decision.
    """

    book: str
    order_key: str
    signal_id: str
    ds: dt.date
    kind: Literal["new", "leg", "replace"] = "new"
    request: OrderRequest
    status: IntentStatus
    decided_at: AwareDatetime
    not_after: AwareDatetime | None = None
    replaces: str = ""
    parent_key: str = ""
    report: OrderReport | None = None
    refusal_code: str = ""
    refusal: str = ""
    cancel_requested: bool = False
