"""The policy: thresholds of the coded gates, sizing caps and the fee profile."""

from __future__ import annotations

from decimal import Decimal
from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from goldenthread.domain.ids import canonical, digest

Profile = Literal["paper", "live_like"]

GATE_NAMES = frozenset(
    {
        *("SHADOW_STRATEGY", "INVALID_LEVELS", "DUPLICATE_SYMBOL", "COOLDOWN", "MAX_POSITIONS"),
        *("MAX_ORDER_NOTIONAL", "MAX_POSITION_FRACTION", "MAX_ASSET_CLASS_EXPOSURE"),
        *("MAX_GROSS_EXPOSURE", "MAX_ORDERS_PER_RUN", "PRICE_COLLAR", "CORRELATION_TOO_HIGH"),
        *("DAILY_DRAWDOWN", "MAX_DRAWDOWN", "INSUFFICIENT_BUYING_POWER", "BELOW_MINIMUM_ORDER"),
        *("BROKER_RULE", "STALE_DATA", "SYMBOL_FROZEN", "STRATEGY_PAUSED"),
        "KILL_SWITCH",
    }
)
"""Names of the coded gates; a filter may not be called like one, so a name tells its kind."""


class Gates(BaseModel):
    """Thresholds of the gates, ``[gates]`` of goldenthread.toml; fractions of equity."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_positions: int = Field(default=10, ge=1)
    max_order_notional: Decimal = Field(default=Decimal(50_000), gt=0)
    max_position_fraction: Decimal = Field(default=Decimal("0.25"), gt=0)
    max_equity_exposure: Decimal = Field(default=Decimal("1.5"), ge=0)
    max_crypto_exposure: Decimal = Field(default=Decimal("0.5"), ge=0)
    max_gross_exposure: Decimal = Field(default=Decimal("1.8"), ge=0)
    max_orders_per_run: int = Field(default=20, ge=1)
    price_collar: Decimal = Field(default=Decimal("0.20"), gt=0)
    """The largest distance of a planned entry from the close, as a fraction of the close."""
    correlation_max: Decimal = Field(default=Decimal("0.95"), gt=0, le=1)
    correlation_bars: int = Field(default=60, ge=20, le=250)
    daily_drawdown: Decimal = Field(default=Decimal("0.05"), gt=0)
    max_drawdown: Decimal = Field(default=Decimal("0.50"), gt=0)
    stale_sessions: int = Field(default=5, ge=1)


class Policy(BaseModel):
    """What the account allows; versioned like a strategy."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy_id: str = "policy"
    gates: Gates = Gates()
    profile: Profile = "paper"
    slippage_bps: Decimal = Field(default=Decimal(5), ge=0)

    @cached_property
    def policy_key(self) -> str:
        """The sha256 of the canonical policy."""
        return digest(canonical(self.model_dump()))
