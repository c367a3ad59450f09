"""What a backtest is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from goldenthread.domain.strategy import StrategyStatus
from goldenthread.market.bars import KnownBars, run_at
from goldenthread.positions.session import Session
from goldenthread.signals.engine import CompiledStrategy, engine_digest
from goldenthread.signals.evaluation import no_inputs

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Mapping

    from goldenthread.domain.asset import AssetClass
    from goldenthread.domain.bar import Steps
    from goldenthread.domain.policy import Policy

BOOK = "sim:backtest"
"""The book of every record of a backtest; nothing of it is ever stored in one."""


@dataclass(frozen=True)
class Account:
    """The account a backtest trades: its first cash and the equities a unit of equity carries."""

    start_cash: Decimal = Decimal(100_000)
    multiplier: Decimal = Decimal(2)


@dataclass(frozen=True)
class Setup:
    """One backtest: who decides on what, on which bars, under which policy, from when to when.

    ``members`` maps each strategy id to the symbols it decides on, ``inputs`` gives
    the values of point-in-time tables, ``texts`` the files it was made of by ``strategies/ID.toml``
    or ``factors/NAME.py``. Both dates are decided on. ``benchmarks`` names the symbol the account
    is held against, by asset class.
    """

    strategies: tuple[CompiledStrategy, ...]
    members: Mapping[str, tuple[str, ...]]
    market: KnownBars
    policy: Policy
    account: Account
    first: dt.date
    last: dt.date
    inputs: Callable[[str, str], Steps] = no_inputs
    texts: Mapping[str, str] = field(default_factory=dict)
    benchmarks: Mapping[AssetClass, str] = field(default_factory=dict)

    @property
    def deciding(self) -> list[CompiledStrategy]:
        """The strategies that decide: all but the paused ones."""
        paused = StrategyStatus.PAUSED
        return [c for c in self.strategies if c.strategy.status is not paused]

    def session(self, ds: dt.date, symbols: Iterable[str]) -> Session:
        """What a run of ``ds`` knows of these symbols."""
        market = self.market
        wanted = sorted(set(symbols))
        bars = {s: bar for s in wanted if (bar := market.bar(s, ds)) is not None}
        closes = {s: close for s in wanted if (close := market.last_close(s, ds)) is not None}
        return Session(
            book=BOOK,
            ds=ds,
            now=run_at(ds),
            policy=self.policy,
            assets=market.assets,
            bars=bars,
            closes=closes,
            actions=[action for s in wanted for action in market.bars.actions(s)],
            last_ds=None,
            engine_digest=engine_digest(),
        )
