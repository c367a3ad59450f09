"""What an exchange is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt

    from goldenthread.domain.policy import Profile

KEY_ID, SECRET_KEY = "PKOFFLINE", "offline-secret"  # they open nothing but this machine
"""The key pair an exchange takes unless told otherwise."""

RATE_LIMIT = 200
"""Alpaca's own limit of requests a minute."""


@dataclass(frozen=True)
class ExchangeTerms:
    """The terms of one exchange and its one account.

    ``start`` is the last date it has met when it starts; None is the first date with bars.
    ``requests_per_minute`` None means no limit and no X-Ratelimit headers. The rest are the
    terms of the simulated account, see ``SimulatedSettings``.
    """

    start: dt.date | None = None
    key_id: str = KEY_ID
    secret_key: str = SECRET_KEY
    requests_per_minute: int | None = None
    account_id: str = "PA0OFFLINE"
    cash: Decimal = Decimal(100_000)
    profile: Profile = "paper"
    slippage_bps: Decimal = Decimal(5)
    seed: int = 0
    partial_probability: float = 0.0
    multiplier: Decimal = Decimal(2)
