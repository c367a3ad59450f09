"""The orders of one position: its entry with the legs that protect it, and what replaces them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from goldenthread.domain.asset import ExitMode
from goldenthread.domain.order import OrderClass, OrderRequest, OrderType
from goldenthread.domain.position import Tranche
from goldenthread.rules.fills import protective_limit
from goldenthread.rules.rounding import round_entry, round_stop, tranche_quantities

if TYPE_CHECKING:
    from decimal import Decimal

    from goldenthread.domain.asset import Asset
    from goldenthread.domain.order import OrderSide
    from goldenthread.domain.position import Position
    from goldenthread.domain.signal import Plan
    from goldenthread.domain.strategy import Side

_ENTRY_TYPES = {
    "market": OrderType.MARKET,
    "limit": OrderType.LIMIT,
    "stop": OrderType.STOP,
}


@dataclass(frozen=True)
class EntryTicket:
    """What an entry is made of: its plan, side, size and asset."""

    plan: Plan
    side: Side
    entry_side: OrderSide
    quantity: Decimal
    asset: Asset

    @property
    def tranches(self) -> tuple[Tranche, ...]:
        """One part for each target, then the runner if any is left; a target's part may be 0.

        A target too small for a share of its own still moves the stop to breakeven.
        """
        sells = [target.sell for target in self.plan.targets]
        parts = tranche_quantities(self.quantity, sells, self.asset.quantity_step)
        levels = [*(target.price for target in self.plan.targets), None]
        return tuple(
            Tranche(number=number, quantity=part, target=level)
            for number, (part, level) in enumerate(zip(parts, levels, strict=True), 1)
            if part > 0 or level is not None
        )

    def requests(self, signal_id: str) -> list[OrderRequest]:
        """The entry orders, named ``entry1 entry2 …``; empty when the quantity is 0.

        RESTING: one bracket a tranche, an OTO where it has no target. MANAGED: one order.
        """
        if self.asset.exit_mode is ExitMode.MANAGED:
            whole = self._entry(f"{signal_id}-entry1-1", self.quantity)
            return [whole] if self.quantity > 0 else []
        return [
            self._entry(f"{signal_id}-entry{tranche.number}-1", tranche.quantity).model_copy(
                update={
                    "order_class": OrderClass.OTO if tranche.target is None else OrderClass.BRACKET,
                    "take_profit": tranche.target,
                    "stop_loss": self.plan.stop,
                }
            )
            for tranche in self.tranches
            if tranche.quantity > 0
        ]

    def _entry(self, key: str, quantity: Decimal) -> OrderRequest:
        kind = _ENTRY_TYPES[self.plan.order]
        limit = self.plan.entry if kind is OrderType.LIMIT else None
        stop = self.plan.entry if kind is OrderType.STOP else None
        if stop is not None and self.asset.exit_mode is ExitMode.MANAGED:
            kind = OrderType.STOP_LIMIT
            wide = protective_limit(stop, self.entry_side)
            limit = round_entry(wide, self.asset, self.side, "limit")
        return OrderRequest(
            client_order_id=key,
            symbol=self.asset.symbol,
            asset_class=self.asset.asset_class,
            side=self.entry_side,
            type=kind,
            quantity=quantity,
            limit_price=limit,
            stop_price=stop,
        )


def exit_request(position: Position, key: str, quantity: Decimal) -> OrderRequest:
    """A market order that closes ``quantity`` of the position."""
    return OrderRequest(
        client_order_id=key,
        symbol=position.symbol,
        asset_class=position.asset_class,
        side=position.exit_side,
        type=OrderType.MARKET,
        quantity=quantity,
    )


def stop_request(position: Position, key: str, quantity: Decimal, asset: Asset) -> OrderRequest:
    """The protective stop alone: a stop for equities, a stop_limit for crypto."""
    request = exit_request(position, key, quantity)
    kind, limit = OrderType.STOP, None
    if asset.exit_mode is ExitMode.MANAGED:
        kind = OrderType.STOP_LIMIT
        wide = protective_limit(position.stop, position.exit_side)
        limit = round_stop(wide, asset, position.side)
    return request.model_copy(
        update={"type": kind, "stop_price": position.stop, "limit_price": limit}
    )


def pair_request(position: Position, key: str, quantity: Decimal, target: Decimal) -> OrderRequest:
    """The OCO of target and stop for a part of a position that has no entry order any more."""
    return exit_request(position, key, quantity).model_copy(
        update={
            "type": OrderType.LIMIT,
            "order_class": OrderClass.OCO,
            "limit_price": target,
            "stop_loss": position.stop,
        }
    )
