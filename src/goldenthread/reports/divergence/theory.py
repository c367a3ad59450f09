"""The theory of a closed trade: what the rules alone say it would have made."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from goldenthread.domain.strategy import Side
from goldenthread.domain.trade import OutcomeStatus
from goldenthread.reports.divergence.course import Cause, Course, Leg, NoTrade

if TYPE_CHECKING:
    from collections.abc import Mapping

    from goldenthread.domain.trade import Outcome
    from goldenthread.reports.divergence.course import Taken

_NO_OUTCOME = {
    OutcomeStatus.OPEN: Cause.STILL_OPEN,
    OutcomeStatus.UNPRICEABLE: Cause.MISSING_DATA,
    OutcomeStatus.RESOLVED: Cause.MISSED_FILL,
}
"""What it is when theory knows no result: a resolved one without money was never filled."""


def theoretical(trade: Mapping[str, Any], outcome: Outcome) -> Taken:
    """The course the rules alone give the signal of the row, at the quantity it ordered.

    Where they give none (still open, no price, never filled), that is the cause of the whole
    difference.
    """
    known = outcome.entry_ds, outcome.exit_ds, outcome.entry_price, outcome.exit_price
    entry_ds, exit_ds, entry, leave = known
    if outcome.net_pnl is None or not (entry_ds and exit_ds) or entry is None or leave is None:
        return NoTrade(_NO_OUTCOME[outcome.status], f"in theory {outcome.note or outcome.status}")
    return Course(
        side=Side(trade["side"]),
        ordered=trade["quantity"],
        quantity=trade["quantity"],
        entry=Leg((entry_ds,), entry, None),
        exit=Leg((exit_ds,), leave, None),
        gross=outcome.gross_pnl or Decimal(0),
        fees=outcome.fees or Decimal(0),
        income=outcome.dividends or Decimal(0),
        reason=outcome.exit_reason or "",
    )
