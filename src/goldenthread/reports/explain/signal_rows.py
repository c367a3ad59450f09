"""A signal as one row: what became of it, and what its money stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from goldenthread.domain.signal import SignalStatus
from goldenthread.domain.trade import OutcomeStatus

if TYPE_CHECKING:
    from collections.abc import Mapping


def live_row(body: Mapping[str, Any]) -> dict[str, Any]:
    """The row of a signal that waits or is active, from its document."""
    outcome = "open" if body["status"] == SignalStatus.ACTIVE else "waiting"
    return {
        "signal_id": body["signal_id"],
        "signal_ds": body["ds"],
        **{key: body[key] for key in ("strategy_id", "symbol", "side")},
        "outcome": outcome,
        "reason": None,
        "outcome_status": None,
        "priced_as": None,
        "net_pnl": None,
        "note": None,
    }


def ended_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row of an ended signal; ``theoretical_note`` becomes ``note``.

    ``note`` says why a theoretical figure is missing, or what it stands for; None otherwise.
    """
    told = dict(row)
    note = told.pop("theoretical_note")
    if told["outcome_status"] == OutcomeStatus.OPEN:
        note = "still open"
    elif told["priced_as"] == "MARKET_NEXT_OPEN" and not note:
        note = "as a market order at the next open"
    return {**told, "note": note or None}
