"""The simulated exchange of a book."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from goldenthread.adapters.broker.simulated import SimulatedBroker, SimulatedSettings
from goldenthread.domain.asset import ActionKind

if TYPE_CHECKING:
    from pathlib import Path

    from goldenthread.app.settings import Settings
    from goldenthread.market.bars import KnownBars


def exchange_file(book: str) -> str:
    """The name of the file that holds the exchange of a book."""
    return f"exchange-{book.partition(':')[2]}.sqlite"


def exchange(
    settings: Settings,
    folder: Path,
    book: str,
    market: KnownBars,
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
