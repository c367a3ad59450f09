"""What refusing was worth, and what another threshold would have made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from goldenthread.app.web.views.columns import STRATEGY, address, figure, share_of, words
from goldenthread.app.web.views.today import callout
from goldenthread.reports.layout import section
from goldenthread.reports.markup import Column, money_column, table, written
from goldenthread.reports.notation import number, percent, signed_money

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_OWNERS = {"filter": "Filters", "gate": "The account's gates", "broker": "The broker"}


def shadow(shown: Mapping[str, Any]) -> list[str]:
    """A table of all filters, one of the gates, one of the broker's refusals."""
    about = (
        "Alone: signals nothing else refused, the only ones it decided. Plus is what refusing"
        " cost; right is how often refusing was. A filter leads to what other thresholds"
        " would have made: on a machine where nothing was priced before, the first takes half a"
        " minute. What a strategy would have made without it is told by goldenthread shadow."
    )
    head = f'<p class="about">{about}</p>'
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in shown["refused"]:
        groups.setdefault(_OWNERS[row["kind"]], []).append(row)
    if not groups:
        return [head, callout("Nothing has been refused yet.")]
    return [head, *(section(owner, "", _refused(rows)) for owner, rows in groups.items())]


def curve(shown: Mapping[str, Any]) -> list[str]:
    """A row a threshold, the present one marked, a bar for its money."""
    most = max((abs(row["net_pnl"]) for row in shown["points"]), default=0)
    columns = [
        Column("Present", lambda row: "now" if row["present"] else "", figure=False),
        Column("Threshold", lambda row: f"{row['threshold']:.10g}"),
        figure("Passed", "passed"),
        figure("Trades", "trades"),
        Column(
            "Net P&L",
            lambda row: signed_money(row["net_pnl"]),
            signed=True,
            share=share_of("net_pnl", most),
        ),
        Column("To now", _difference, signed=True),
        Column("Drawdown", written("max_drawdown", percent)),
    ]
    about = (
        f"{shown['name']} of {shown['strategy_id']}: {shown['test']}. At equal stakes, one position"
        " a symbol at a time, cash not shared, gates not asked. A star: nineteen of twenty"
        " histories drawn anew from the same days agree on the sign. Every threshold but the"
        " present one is chosen in hindsight."
    )
    counted = (
        f"{shown['signals']} signals; {shown['unknown']} had no value and never pass;"
        f" {shown['as_recorded']} are of versions with another filter and stay as recorded."
    )
    body = table(columns, shown["points"], "There is nothing to turn.")
    return [section("Thresholds", about, f'{body}<p class="note">{counted}</p>')]


def _refused(rows: Sequence[Mapping[str, Any]]) -> str:
    columns = [
        *([STRATEGY] if rows[0]["strategy_id"] else []),
        Column("Refused by", lambda row: str(row["name"]), figure=False, link=_curve_of),
        figure("Signals", "refused"),
        figure("Alone", "alone"),
        money_column("Alone made", "alone_net_pnl"),
        Column("Right", lambda row: percent(row["alone_hit_rate"], 0)),
        Column("R", written("alone_average_r", number)),
        Column("Interval", _interval),
        money_column("All made", "net_pnl"),
        words("Verdict", "verdict"),
    ]
    return table(columns, rows, "")


def _curve_of(row: Mapping[str, Any]) -> str:
    is_filter = row["kind"] == "filter"
    return address("shadow", row["strategy_id"], row["name"]) if is_filter else ""


def _interval(row: Mapping[str, Any]) -> str:
    if row["alone_low"] is None:
        return "\N{EN DASH}"
    return f"{signed_money(row['alone_low'])} to {signed_money(row['alone_high'])}"


def _difference(row: Mapping[str, Any]) -> str:
    sure = row["low"] is not None and (row["low"] > 0 or row["high"] < 0)
    return signed_money(row["difference"]) + (" *" if sure else "")
