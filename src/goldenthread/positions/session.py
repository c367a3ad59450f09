"""What one run knows of its business date before it touches the book."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from goldenthread.domain.asset import ActionKind
from goldenthread.domain.errors import UsageError
from goldenthread.rules.calendar import is_session

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from goldenthread.domain.asset import Asset, CorporateAction
    from goldenthread.domain.bar import Bar
    from goldenthread.domain.policy import Policy
    from goldenthread.domain.position import Position
    from goldenthread.domain.signal import Signal
    from goldenthread.ports.hot_store import HotStore

STANDING = "STANDING"
"""The status of an operator's request about one strategy or symbol until it is withdrawn."""


class Records(Protocol):
    """The live records of a book, as who only looks at them sees them (a ``Blotter`` does)."""

    @property
    def positions(self) -> Mapping[str, Position]:
        """What is held or waits for its entry, by position id."""
        ...

    @property
    def signals(self) -> Mapping[str, Signal]:
        """What waits or is active, by signal id."""
        ...

    @property
    def frozen(self) -> Mapping[str, str]:
        """Why trading stands still, by symbol."""
        ...

    def stops(self) -> Stops:
        """What an operator wants no new entry of, now."""
        ...


@dataclass(frozen=True)
class Stops:
    """What an operator wants no new entry of: all, or with the reason a strategy or a symbol.

    Exits go on. Where reconciliation doubts what is held is another matter: ``Blotter.frozen``.
    """

    halted: bool = False
    paused: Mapping[str, str] = field(default_factory=dict)
    frozen: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def in_force(cls, store: HotStore) -> Stops:
        """Those that stand in the book at this moment."""
        halt = store.get("operator_requests", "halt")
        standing = store.query("operator_requests", equal={"status": STANDING})
        bodies = [document.body for document in standing]
        return cls(
            halted=halt is not None and halt.body["active"] is True,
            paused={b["strategy_id"]: b["reason"] for b in bodies if "strategy_id" in b},
            frozen={b["symbol"]: b["reason"] for b in bodies if "symbol" in b},
        )

    def of(self, strategy_id: str, symbol: str) -> str:
        """The gate that keeps an entry back; empty when none does."""
        if symbol in self.frozen:
            return "SYMBOL_FROZEN"
        if strategy_id in self.paused:
            return "STRATEGY_PAUSED"
        return "KILL_SWITCH" if self.halted else ""


@dataclass(frozen=True)
class Session:
    """One business date of one book.

    ``bars`` holds the tradable raw bars of ``ds``, ``closes`` the last known raw close of every
    symbol of interest, ``actions`` every known corporate action. ``last_ds`` is the last run
    that was finished. ``may_submit`` names the symbols that may still be entered (None: all).
    """

    book: str
    ds: dt.date
    now: dt.datetime
    policy: Policy
    assets: Mapping[str, Asset]
    bars: Mapping[str, Bar]
    closes: Mapping[str, Decimal]
    actions: Sequence[CorporateAction]
    last_ds: dt.date | None
    may_submit: frozenset[str] | None = None
    engine_digest: str = ""

    def asset(self, symbol: str) -> Asset:
        """The asset of that symbol.

        Raises:
            UsageError: The book holds a symbol no bars are known of.
        """
        found = self.assets.get(symbol)
        if found is None:
            msg = (
                f"the book {self.book} holds {symbol}, of which no asset is known; import its"
                " bars again (goldenthread data import) or flatten it"
            )
            raise UsageError(msg)
        return found

    def meets(self, symbol: str) -> bool:
        """Whether the calendar of the symbol has a session on ``ds``."""
        return is_session(self.asset(symbol).asset_class, self.ds)

    def submits(self, symbol: str) -> bool:
        """Whether an entry into the symbol may still be sent."""
        return self.may_submit is None or symbol in self.may_submit

    @property
    def since(self) -> dt.date:
        """The first date whose executions may not have been met before."""
        return self.ds if self.last_ds is None else self.last_ds + dt.timedelta(days=1)

    @cached_property
    def splits(self) -> dict[str, list[CorporateAction]]:
        """The splits effective up to ``ds``, by symbol."""
        return self._effective(ActionKind.SPLIT)

    @cached_property
    def delistings(self) -> dict[str, list[CorporateAction]]:
        """The delistings effective up to ``ds``, by symbol."""
        return self._effective(ActionKind.DELISTING)

    def _effective(self, kind: ActionKind) -> dict[str, list[CorporateAction]]:
        found: dict[str, list[CorporateAction]] = {}
        for action in self.actions:
            if action.kind is kind and action.ex_ds <= self.ds:
                found.setdefault(action.symbol, []).append(action)
        return found
