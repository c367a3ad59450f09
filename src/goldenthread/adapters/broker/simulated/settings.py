"""What the simulated exchange is told: its account, its profile, and the bars it trades on."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from goldenthread.domain.asset import Asset
    from goldenthread.domain.bar import Bar
    from goldenthread.domain.policy import Profile


class BarSource(Protocol):
    """The market as the exchange sees it; raw prices in the units of their own date."""

    def bar(self, symbol: str, ds: dt.date) -> Bar | None:
        """The tradable bar of ``ds``; None for a session without one."""
        ...

    def next_open(self, symbol: str, ds: dt.date) -> tuple[dt.date, Decimal] | None:
        """Date and open of the first tradable bar after ``ds``; None when not known yet."""
        ...

    def ratio(self, symbol: str, ds: dt.date) -> Decimal:
        """New shares per old share of the split effective at the open of ``ds``; 1 for none."""
        ...

    def dividend(self, symbol: str, ds: dt.date) -> Decimal:
        """What a share held over the close before ``ds`` is paid on it; 0 for nothing."""
        ...

    def asset(self, symbol: str) -> Asset:
        """The asset.

        Raises:
            KeyError: The exchange does not list ``symbol``.
        """
        ...

    def last_close(self, symbol: str, ds: dt.date) -> Decimal | None:
        """The last believed close up to ``ds``, in the units of ``ds``; None before the first."""
        ...


@dataclass(frozen=True)
class SimulatedSettings:
    """The terms of one simulated account.

    ``multiplier`` is the buying power a unit of equity gives for equities (crypto: always 1).
    ``partial_probability`` is the chance that an execution is only a part, drawn from ``seed``,
    the order and the date. ``delistings`` maps a symbol to the date it stops trading: on the
    first session from then on without a bar, holdings are paid out at the last close.
    """

    account_id: str
    start_cash: Decimal
    profile: Profile = "paper"
    slippage_bps: Decimal = Decimal(5)
    seed: int = 0
    partial_probability: float = 0.0
    multiplier: Decimal = Decimal(2)
    delistings: Mapping[str, dt.date] = field(default_factory=dict)
