"""Rows of facts as courses: closed trades, and what is still held at a close."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from goldenthread.domain.account import money
from goldenthread.domain.order import OrderSide
from goldenthread.domain.strategy import Side
from goldenthread.reports.divergence.course import Course, Leg

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Row = Mapping[str, Any]


TO_COME = dt.date.max
"""The session of an exit that has not happened: what is still held is only marked."""


class Execution(NamedTuple):
    """One execution of a position, in the units of its own day; see ``Leg`` for ``reference``."""

    ds: dt.date
    side: OrderSide
    quantity: Decimal
    price: Decimal
    reference: Decimal | None


def traded(trade: Row, executions: Sequence[Execution]) -> Course:
    """The course of a row of ``fact_trades``, prices brought to the units of the signal's date."""
    side, units = Side(trade["side"]), trade["split_factor"]
    way_in, way_out = _parted(executions, side)
    return Course(
        side=side,
        ordered=trade["quantity"],
        quantity=trade["traded_quantity"] / units,
        entry=_leg(way_in, trade["entry_price"] * units, trade["entry_ds"]),
        exit=_leg(way_out, trade["exit_price"] * units, trade["exit_ds"]),
        gross=trade["gross_pnl"],
        fees=trade["fees"],
        income=trade["net_pnl"] - trade["gross_pnl"] + trade["fees"],
        reason=trade["exit_reason"],
    )


def held(position: Row, ordered: Decimal, executions: Sequence[Execution]) -> Course:
    """The course up to the close of a row of ``snapshot_positions``, as if left at that close.

    ``executions`` are those up to its date. The mark has no slippage, and stands for a session
    to come (``TO_COME``): beside a course that ended, what moves is timing.
    """
    side, units, average = (
        Side(position["side"]),
        position["split_factor"],
        position["average_entry"],
    )
    way_in, way_out = _parted(executions, side)
    close = position["close"]
    marked = Execution(TO_COME, way_in[0].side, position["quantity"], close, close)
    bought = _worth(way_in) / average
    left = [*way_out, marked]
    return Course(
        side=side,
        ordered=ordered,
        quantity=bought / units,
        entry=_leg(way_in, average * units, position["entry_ds"]),
        exit=_leg(left, _worth(left) / bought * units, TO_COME),
        gross=position["realised_pnl"] + position["unrealised_pnl"],
        fees=position["fees"],
        income=position["dividends"] or Decimal(0),
        reason="held",
    )


def _parted(executions: Sequence[Execution], side: Side) -> tuple[list[Execution], list[Execution]]:
    """The executions that opened it, and those that closed it."""
    opens = OrderSide.BUY if side is Side.LONG else OrderSide.SELL
    return [e for e in executions if e.side is opens], [
        e for e in executions if e.side is not opens
    ]


def _leg(executions: Sequence[Execution], price: Decimal, ds: dt.date) -> Leg:
    """The leg of these executions at their average price; of ``ds`` when there are none.

    The reference is taken as a share of the price, which no split changes.
    """
    sessions = tuple(sorted({e.ds for e in executions})) or (ds,)
    known = [e.quantity * e.reference for e in executions if e.reference is not None]
    if not executions or len(known) < len(executions):
        return Leg(sessions, price, None)
    share = sum(known, Decimal(0)) / _worth(executions)
    return Leg(sessions, price, price if share == 1 else money(price * share))


def _worth(executions: Sequence[Execution]) -> Decimal:
    """Quantity times price of all: the same before and after a split."""
    return sum((e.quantity * e.price for e in executions), Decimal(0))
