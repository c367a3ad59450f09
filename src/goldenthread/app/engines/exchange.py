"""The simulated exchange of a book, and the bars it trades on."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from goldenthread.adapters.broker.simulated import SimulatedBroker, SimulatedSettings
from goldenthread.domain.asset import ActionKind
from goldenthread.rules.splits import ratio_between

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal
    from pathlib import Path

    from goldenthread.app.settings import Settings
    from goldenthread.domain.asset import Asset
    from goldenthread.domain.bar import Bar
    from goldenthread.market.bars import BarBook

_DAY = dt.timedelta(days=1)
_RUN_AT = dt.time(0, 5, tzinfo=dt.UTC)
_WAIT = dt.timedelta(days=14)
"""How far ahead an exchange looks for the open a market order fills at."""


@dataclass(frozen=True)
class ExchangeBars:
    """The bars a simulated exchange trades on, as a run of their date knows them.

    A revision that comes later changes no execution that has happened.
    """

    bars: BarBook
    assets: Mapping[str, Asset]

    def bar(self, symbol: str, ds: dt.date) -> Bar | None:
        """The tradable raw bar, or None for a session without one."""
        return self.bars.tradable(symbol, ds, _known(ds))

    def next_open(self, symbol: str, ds: dt.date) -> tuple[dt.date, Decimal] | None:
        """Date and open of the first tradable bar after ``ds``, as far as there is one yet."""
        for after in self.bars.bars_since(symbol, ds, ds + _WAIT):
            first = self.bar(symbol, after.ds)
            if first is not None:
                return first.ds, first.open
        return None

    def ratio(self, symbol: str, ds: dt.date) -> Decimal:
        """Shares after the open of ``ds`` for one share before."""
        return ratio_between(self.bars.actions(symbol), ds - _DAY, ds)

    def asset(self, symbol: str) -> Asset:
        """The asset of that symbol."""
        return self.assets[symbol]

    def last_close(self, symbol: str, ds: dt.date) -> Decimal | None:
        """The last known raw close up to ``ds``."""
        return self.bars.last_close(symbol, ds, _known(ds))


def exchange_file(book: str) -> str:
    """The name of the file that holds the exchange of a book."""
    return f"exchange-{book.partition(':')[2]}.sqlite"


def exchange(
    settings: Settings,
    folder: Path,
    book: str,
    market: ExchangeBars,
    synchronous: Literal["FULL", "NORMAL"],
) -> SimulatedBroker:
    """The simulated exchange of a book, in a file of its own beside the hot store."""
    name = book.partition(":")[2]
    delistings = {
        action.symbol: action.ex_ds
        for symbol in market.assets
        for action in market.bars.actions(symbol)
        if action.kind is ActionKind.DELISTING
    }
    terms = SimulatedSettings(
        account_id=f"SIM-{name}",
        start_cash=settings.sim.start_cash,
        profile=settings.policy.profile,
        slippage_bps=settings.policy.slippage_bps,
        seed=settings.sim.seed,
        partial_probability=settings.sim.partial_probability,
        multiplier=settings.sim.multiplier,
        delistings=delistings,
    )
    return SimulatedBroker(terms, market, folder / exchange_file(book), synchronous=synchronous)


def _known(ds: dt.date) -> dt.datetime:
    """The instant a run of ``ds`` starts at."""
    return dt.datetime.combine(ds + _DAY, _RUN_AT)
