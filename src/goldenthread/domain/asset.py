"""What can be traded, in which steps, and by which rules."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict


class AssetClass(StrEnum):
    """The class of an asset; it decides calendar, fees and exit mode."""

    EQUITY = "EQUITY"
    CRYPTO = "CRYPTO"


class ExitMode(StrEnum):
    """How exits work: resting at the broker, or decided by us on each close."""

    RESTING = "RESTING"
    MANAGED = "MANAGED"


class Asset(BaseModel):
    """One tradable instrument; crypto symbols are written ``BTC/USD``.

    ``price_tick`` is the step of prices (equities below one dollar: see ``rules.rounding``),
    ``quantity_step`` the step of quantities (equities: 1, whole shares).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbol: str
    asset_class: AssetClass
    name: str = ""
    price_tick: Decimal
    quantity_step: Decimal
    min_notional: Decimal
    shortable: bool = True
    fractionable: bool = False
    synthetic: bool = False
    source: str = ""

    @property
    def exit_mode(self) -> ExitMode:
        """RESTING for equities, MANAGED for crypto."""
        return ExitMode.RESTING if self.asset_class is AssetClass.EQUITY else ExitMode.MANAGED


class ActionKind(StrEnum):
    """The kinds of corporate action."""

    SPLIT = "SPLIT"
    DIVIDEND = "DIVIDEND"
    SYMBOL_CHANGE = "SYMBOL_CHANGE"
    DELISTING = "DELISTING"


class CorporateAction(BaseModel):
    """One corporate action as known at ``known_at``, effective at the open of ``ex_ds``.

    ``ratio`` is new shares per old share (2 for a 2:1 split, 0.05 for 1:20), ``amount`` the
    dividend a share in quote currency, ``new_symbol`` the symbol after a change.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbol: str
    kind: ActionKind
    ex_ds: dt.date
    ratio: Decimal = Decimal(1)
    amount: Decimal = Decimal(0)
    new_symbol: str = ""
    source: str
    known_at: AwareDatetime
