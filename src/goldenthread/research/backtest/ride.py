"""An accepted signal on its way: what waits, what is held, and the trade it becomes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from goldenthread.domain.asset import AssetClass
from goldenthread.domain.position import ExitReason, Position, PositionStatus
from goldenthread.domain.signal import SignalStatus
from goldenthread.positions.ingestion import scaled
from goldenthread.positions.lifecycle import met
from goldenthread.rules.calendar import count_sessions
from goldenthread.rules.ledger import reserve_price
from goldenthread.rules.splits import ratio_between, split_price, split_quantity
from goldenthread.trades.booking import book

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from goldenthread.domain.account import Payment
    from goldenthread.domain.order import Fill, OrderRequest
    from goldenthread.domain.signal import Signal
    from goldenthread.domain.trade import Trade
    from goldenthread.positions.session import Session
    from goldenthread.research.backtest.path import Path

_AHEAD = frozenset({ExitReason.TIME, ExitReason.RULE, ExitReason.STOP_GAPPED, ExitReason.TARGET})
"""Exits of coins that are sent by market after a close and execute at the next open."""


@dataclass
class Ride:
    """One accepted signal, its position and its path, as of the last date met.

    ``orders`` are the quantity and the reserved price of each entry order, while they wait.
    """

    signal: Signal
    position: Position
    path: Path
    orders: list[tuple[Decimal, Decimal]]
    _fills: dict[dt.date, list[Fill]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, signal: Signal, position: Position, path: Path, requests: Iterable[OrderRequest]
    ) -> Ride:
        """The ride of a signal that was just accepted."""
        close = signal.close
        ride = cls(
            signal, position, path, [(r.quantity, reserve_price(r, close)) for r in requests]
        )
        for step in path.steps:
            ride._fills.setdefault(step.fill.ds, []).append(step.fill)
        return ride

    @property
    def is_waiting(self) -> bool:
        """Whether nothing was executed yet."""
        return not self.position.fills

    def fills_on(self, ds: dt.date) -> Sequence[Fill]:
        """What is executed on a date, in order of time."""
        return self._fills.get(ds, ())

    def ahead_on(self, ds: dt.date) -> list[Fill]:
        """What orders sent before the open of ``ds`` execute at once: coins, by market."""
        if self.signal.asset_class is not AssetClass.CRYPTO:
            return []
        steps = [step for step in self.path.steps if step.fill.ds == ds]
        return [step.fill for step in steps if self._is_market(step.reason)]

    def reserved(self) -> list[tuple[AssetClass, Decimal]]:
        """The class and worth each waiting entry order reserves."""
        if not self.is_waiting:
            return []
        return [(self.signal.asset_class, quantity * price) for quantity, price in self.orders]

    def split(self, session: Session) -> None:
        """Bring position and orders into the units of ``ds``."""
        splits = session.splits.get(self.signal.symbol, ())
        total = ratio_between(splits, self.signal.ds, session.ds)
        if total == self.position.split_factor:
            return
        ratio = total / self.position.split_factor
        step = session.asset(self.signal.symbol).quantity_step
        self.position = scaled(session, self.position, total)
        self.signal = self.signal.model_copy(update={"split_factor": total})
        kept = [(split_quantity(q, ratio, step)[0], split_price(p, ratio)) for q, p in self.orders]
        self.orders = [order for order in kept if order[0]]

    def pay(self, payment: Payment | None) -> None:
        """Take what holding it paid or cost on a date, if anything."""
        if payment is not None:
            self.position = self.position.paid([payment])

    def take(self, session: Session) -> None:
        """Take the executions of ``ds`` into the position."""
        new = self.fills_on(session.ds)
        if not new:
            return
        update = {"fills": (*self.position.fills, *new), "status": PositionStatus.OPEN}
        self.position = self.position.model_copy(update=update)
        self.signal = self.signal.model_copy(update={"status": SignalStatus.ACTIVE})

    def observe(self, session: Session) -> None:
        """Take the bar of ``ds`` into the best and worst price of what is held."""
        bar = session.bars.get(self.signal.symbol)
        if bar is not None and self.position.fills:
            self.position = met(self.position, bar)

    def booked(self, ds: dt.date) -> tuple[Position, Signal, Trade] | None:
        """The closed position, its signal and trade when the last exit was on ``ds``."""
        if self.path.ended != ds or not self.path.steps:
            return None
        reason = self.path.steps[-1].reason or ExitReason.EXTERNAL
        position = self.position
        held = count_sessions(position.asset_class, position.entry_ds or ds, ds) + 1
        closed = position.model_copy(
            update={
                "status": PositionStatus.CLOSED,
                "exit_reason": reason,
                "bars_held": held,
                "met_ds": ds,
            }
        )
        ended = {"status": SignalStatus.CLOSED, "ended_ds": ds, "end_reason": reason.value}
        signal = self.signal.model_copy(update=ended)
        return closed, signal, book(closed, signal)

    def _is_market(self, reason: ExitReason | None) -> bool:
        plan = self.signal.plan
        entered = plan is not None and plan.order == "market"
        return entered if reason is None else reason in _AHEAD
