"""A trade idea: as the strategy saw it (Candidate) and as the account took it (Signal)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from goldenthread.domain.asset import AssetClass
from goldenthread.domain.ids import signal_id
from goldenthread.domain.strategy import Side, Size, StrategyStatus


class SignalStatus(StrEnum):
    """Where a signal stands; CLOSED, EXPIRED, INVALIDATED and REJECTED are final."""

    WAITING = "WAITING"
    ACTIVE = "ACTIVE"
    CLOSED = "CLOSED"
    EXPIRED = "EXPIRED"
    INVALIDATED = "INVALIDATED"
    REJECTED = "REJECTED"

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to the signal any more."""
        return self not in {SignalStatus.WAITING, SignalStatus.ACTIVE}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Verdict(_Part):
    """What one filter or gate said: the value it saw, its threshold, passed or not.

    A filter of several terms has its own verdict (value and threshold null) followed by one of
    kind ``term`` for each term, named ``NAME[1]``, ``NAME[2]`` …. Null values did not pass.
    Values carry 12 significant digits.
    """

    name: str
    kind: Literal["filter", "term", "gate"]
    value: Decimal | None = None
    threshold: Decimal | None = None
    passed: bool


class TargetLevel(_Part):
    """A profit target as a price, and the fraction of the position it sells."""

    price: Decimal
    sell: Decimal


class Plan(_Part):
    """The levels of a signal, frozen when it was decided, rounded to the asset's tick.

    ``entry`` is the planned price: the limit or stop price, or the close of ``ds`` for a market
    order. ``trail`` is a distance in price.
    """

    order: Literal["market", "limit", "stop"]
    entry: Decimal
    stop: Decimal
    targets: tuple[TargetLevel, ...] = ()
    trail: Decimal | None = None
    breakeven_after: int | None = None
    valid_bars: int = 1
    max_bars: int

    def is_sound(self, side: Side) -> bool:
        """Whether stop, targets and trail are on their sides of a positive entry price."""
        sign = side.sign
        stop_ok = self.stop > 0 and (self.entry - self.stop) * sign > 0
        targets_ok = all(t.price > 0 and (t.price - self.entry) * sign > 0 for t in self.targets)
        sold = sum((t.sell for t in self.targets), Decimal(0))
        trail_ok = self.trail is None or self.trail > 0
        return self.entry > 0 and stop_ok and targets_ok and trail_ok and sold <= 1


class Candidate(_Part):
    """What a strategy decided for one symbol on one date, before the account is asked.

    ``plan`` is None when a level could not be computed (``INVALID_LEVELS``). ``volatility`` is
    the annual volatility of the last 20 daily returns, for the sizing mode ``vol_target``.
    """

    ds: dt.date
    strategy_id: str
    version_key: str
    symbol: str
    asset_class: AssetClass
    side: Side
    strategy_status: StrategyStatus
    close: Decimal
    plan: Plan | None
    size: Size
    priority: Decimal | None = None
    volatility: Decimal | None = None
    factors: dict[str, Decimal | None] = Field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()
    bars_digest: str

    @property
    def signal_id(self) -> str:
        """The deterministic name of this idea."""
        return signal_id(self.ds, self.strategy_id, self.symbol)

    @property
    def failed(self) -> tuple[str, ...]:
        """The names of the filters that did not pass, in declared order."""
        return tuple(v.name for v in self.verdicts if v.kind == "filter" and not v.passed)


class Signal(_Part):
    """A trade idea in one book, from its decision to its end; every fact is made from it.

    ``quantity`` is what was ordered (0 when refused before sizing succeeded),
    ``planned_quantity`` what sizing asked for before it was rounded to the step. ``valid_until``
    is the last session in which the entry may fill. ``ended_ds`` is the business date of the
    end, ``end_reason`` its cause (``NOT_TRIGGERED``, ``CANCEL_IF``, ``SUBMIT_WINDOW_MISSED`` …).
    ``split_factor`` is shares now per share at ``ds``; levels keep the units of ``ds``.
    """

    book: str
    signal_id: str
    ds: dt.date
    strategy_id: str
    version_key: str
    policy_key: str
    symbol: str
    asset_class: AssetClass
    side: Side
    status: SignalStatus
    decided_at: AwareDatetime
    engine_digest: str
    bars_digest: str
    close: Decimal
    plan: Plan | None
    priority: Decimal | None = None
    factors: dict[str, Decimal | None] = Field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()
    rejection_reason: str | None = None
    rejection_reasons: tuple[str, ...] = ()
    quantity: Decimal = Decimal(0)
    planned_quantity: Decimal = Decimal(0)
    equity_at_decision: Decimal
    valid_until: dt.date
    ended_ds: dt.date | None = None
    end_reason: str = ""
    broker_code: str = ""
    split_factor: Decimal = Decimal(1)
