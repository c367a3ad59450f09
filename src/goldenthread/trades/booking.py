"""A closed position as one row of the books."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from goldenthread.domain.account import money
from goldenthread.domain.errors import DataError
from goldenthread.domain.position import ExitReason, PositionStatus
from goldenthread.domain.trade import Trade
from goldenthread.trades.pnl import excursion, exit_price, r_multiple, return_fraction

if TYPE_CHECKING:
    from goldenthread.domain.position import Position
    from goldenthread.domain.signal import Signal

_SIMULATED = "sim:"


def book(position: Position, signal: Signal) -> Trade:
    """The closed position as one trade, dated by its last exit.

    Fees are final at once in a simulation; elsewhere a later patch settles them, and nobody tells
    dividends and borrow fees.

    Raises:
        DataError: The position is not closed, or ``signal`` is another one's.
    """
    ends = _ends(position, signal)
    gross, fees = position.realised_pnl, position.fees
    net = gross - fees + position.dividends
    moves, simulated = excursion(position), position.book.startswith(_SIMULATED)
    return Trade(
        book=position.book,
        trade_id=position.position_id,
        ds=ends.exit_ds,
        signal_ds=signal.ds,
        entry_ds=position.entries[0].ds,
        exit_ds=ends.exit_ds,
        strategy_id=position.strategy_id,
        version_key=position.version_key,
        policy_key=position.policy_key,
        symbol=position.symbol,
        asset_class=position.asset_class,
        side=position.side,
        quantity=money(position.bought),
        entry_price=ends.entry_price,
        exit_price=exit_price(position),
        initial_stop=position.initial_stop,
        planned_entry=money(ends.planned_entry / position.split_factor),
        gross_pnl=gross,
        fees=fees,
        dividends=position.dividends if simulated else None,
        borrow_fees=position.borrow_fees if simulated else None,
        net_pnl=net,
        return_fraction=return_fraction(position, net),
        r_multiple=r_multiple(position, net),
        mfe=None if moves is None else moves.mfe,
        mae=None if moves is None else moves.mae,
        bars_held=position.bars_held,
        exit_reason=ends.reason,
        entry_at=position.entries[0].filled_at,
        exit_at=position.exits[-1].filled_at,
        split_factor=position.split_factor,
        is_final=simulated,
        flags=_flags(position),
    )


class _Ends(NamedTuple):
    entry_price: Decimal
    planned_entry: Decimal
    exit_ds: dt.date
    reason: ExitReason


def _ends(position: Position, signal: Signal) -> _Ends:
    """How the position began and ended, once both are known to be there."""
    entry, end, reason = position.average_entry, position.exit_ds, position.exit_reason
    closed = position.status is PositionStatus.CLOSED and position.position_id == signal.signal_id
    if not closed or entry is None or end is None or reason is None or signal.plan is None:
        msg = (
            f"position {position.position_id} ({position.status}) with signal {signal.signal_id}"
            " makes no trade; only a CLOSED position with its own signal does"
        )
        raise DataError(msg)
    return _Ends(entry, signal.plan.entry, end, reason)


def _flags(position: Position) -> tuple[str, ...]:
    """What is unusual about the position or any of its executions, each once."""
    found = dict.fromkeys(position.flags)
    for fill in position.fills:
        found |= dict.fromkeys(flag for flag in fill.flags if flag != "AT_OPEN")
    return tuple(found)
