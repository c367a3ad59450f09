"""Coverage, quarantine, runs and health as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from goldenthread.app.web.views.columns import SYMBOL, figure, pairs, words
from goldenthread.app.web.views.today import callout
from goldenthread.reports.layout import section
from goldenthread.reports.markup import Column, table, written
from goldenthread.reports.notation import money, number, percent

if TYPE_CHECKING:
    from collections.abc import Mapping

_YES = {True: "yes", False: "no"}
_TOLD = {
    "paused",
    "frozen",
    "frozen_by_operator",
    "stale",
    "unfinished",
    "bars_lack",
    "next",
}
"""What the checks tell."""
NO_ROW = "No row was refused."


def data(shown: Mapping[str, Any]) -> list[str]:
    """Which bars there are, and which rows were set aside."""
    covered = [
        SYMBOL,
        words("First", "first"),
        words("Last", "last"),
        figure("Sessions", "sessions"),
        figure("Bars", "bars"),
        figure("Missing", "missing"),
        figure("Suspect", "suspect"),
        figure("Quarantined", "quarantined"),
    ]
    refused = [
        words("Day", "ds"),
        words("Model", "model"),
        words("Field", "field"),
        words("Value", "value"),
        words("Reason", "reason"),
        words("Row", "id"),
    ]
    about = "Sessions of each symbol's own calendar. What is missing is never filled in."
    set_aside = "Rows the warehouse refused; they wait here and are never deleted."
    bars = table(covered, shown["coverage"], shown["unread"])
    rows = table(refused, shown["quarantine"], NO_ROW)
    return [section("Coverage", about, bars), section("Quarantine", set_aside, rows)]


def jobs(shown: Mapping[str, Any]) -> list[str]:
    """What ran, for how long, and how many rows it loaded."""
    runs = [
        words("Date", "ds"),
        words("Job", "job"),
        words("Status", "status"),
        words("Started", "started_at"),
        Column("Seconds", written("duration_s", number)),
        figure("Offered", "offered"),
        figure("Inserted", "inserted"),
        figure("Updated", "updated"),
        figure("Refused", "refused"),
    ]
    read = [words("Day", "day"), figure("Queries", "queries"), figure("Bytes", "bytes")]
    none = "No run is archived yet."
    queries = "What goldenthread warehouse query read."
    return [
        section("Runs", "The newest 200, by business date.", table(runs, shown["runs"], none)),
        section("Queries", queries, table(read, shown["queries"], "No query was asked.")),
    ]


def health(shown: Mapping[str, Any]) -> list[str]:
    """Check by check, and how the book stands."""
    checks = [
        words("Check", "check"),
        Column("State", lambda row: "ok" if row["ok"] else "look", figure=False),
        words("Found", "found"),
    ]
    stands = {
        name.replace("_", " "): _YES[value] if isinstance(value, bool) else value
        for name, value in shown["stands"].items()
        if name not in _TOLD
    }
    figures = shown["stands"]
    stands["equity"] = money(figures["equity"], 2)
    stands["drawdown"] = percent(figures["drawdown"], 2)
    if lease := shown["lease"]:
        stands["run at work"] = f"{lease['owner']}, its lease until {lease['until']:%H:%M:%S} UTC"
    said = "All is well." if shown["ok"] else "Something wants a look."
    return [
        callout(shown["next"] or said),
        section("Checks", "", table(checks, shown["checks"], "")),
        section("Stands", f"Goldenthread {shown['version']}.", pairs(stands)),
    ]
