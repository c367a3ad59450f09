"""A threshold curve as a person reads it: a row a threshold, a bar for its money."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from goldenthread.app.cli.output import emit, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from goldenthread.app.api.evaluation.curves import Curve

_BAR = 10
STAKES = (
    "every signal takes an equal stake, a tenth of $100,000; one position a symbol at a time, cash"
    " not shared, gates not asked"
)
"""Where money at equal stakes comes from, in words."""


def show_curve(curve: Curve, *, as_json: bool) -> None:
    """Print the curve, the present threshold marked."""
    if as_json:
        emit(curve, as_json=True)
        return
    rows = curve.points.to_dicts()
    most = max(abs(row["net_pnl"]) for row in rows)
    title = f"{curve.strategy_id} {curve.name}: {curve.test}"
    emit([_row(row, most) for row in rows], as_json=False, title=title)
    say(f"{STAKES}.")
    if curve.unknown:
        say(f"{curve.unknown} of {curve.signals} signals had no value: they never pass.")
    if curve.as_recorded:
        say(
            f"{curve.as_recorded} of {curve.signals} signals are of versions with another filter"
            " of that name, or none: they stay as they were recorded."
        )
    from goldenthread.reports.bootstrap import LEVEL

    if any(_is_sure(row) for row in rows):
        say(f"* {LEVEL:.0%} of histories made of the same days drawn anew agree on the sign.")
    say("Every threshold but the present one is chosen in hindsight.")


def _is_sure(row: Mapping[str, Any]) -> bool:
    """Whether the interval of the difference lies on one side of zero."""
    return row["low"] is not None and (row["low"] > 0 or row["high"] < 0)


def _row(row: Mapping[str, Any], most: float) -> dict[str, Any]:
    from goldenthread.reports.notation import percent, signed_money

    length = round(abs(row["net_pnl"]) / most * _BAR) if most else 0
    return {
        "": "now" if row["present"] else "",
        "threshold": f"{row['threshold']:.10g}",
        "trades": row["trades"],
        "P&L": signed_money(row["net_pnl"]),
        "to now": f"{signed_money(row['difference'])}{' *' if _is_sure(row) else ''}",
        "drawdown": percent(row["max_drawdown"]),
        "bar": ("\N{FULL BLOCK}" if row["net_pnl"] > 0 else "\N{LIGHT SHADE}") * length,
    }
