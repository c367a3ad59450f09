"""Strategies: what each made, its versions, and what changed between them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from goldenthread.app.web.views.columns import STRATEGY, cents, figure, pairs, words
from goldenthread.app.web.views.today import callout
from goldenthread.reports.layout import section
from goldenthread.reports.markup import Column, table, written
from goldenthread.reports.notation import exact, number, percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def strategies(shown: Mapping[str, Any]) -> list[str]:
    """A row a strategy; the name leads to its versions."""
    columns = [
        STRATEGY,
        words("Status", "status"),
        figure("Versions", "versions"),
        Column("Since", lambda row: f"{row['since']:%Y-%m-%d}", figure=False),
        figure("Trades", "trades"),
        Column("Win rate", written("win_rate", percent)),
        cents("Net P&L", "net_pnl"),
        Column("Profit factor", written("profit_factor", number)),
        Column("R", written("average_r", number)),
        figure("Rejected", "rejected"),
        figure("Expired", "expired"),
        cents("Refused would have made", "refused_net_pnl"),
    ]
    about = (
        "Refused would have made: what its refused signals would have made, those with a known"
        " result, priced as their own order."
    )
    none = "The book has had no strategy yet; its first run takes those of strategies/."
    return [section("What each made", about, table(columns, _filled(shown["strategies"]), none))]


def strategy(shown: Mapping[str, Any]) -> list[str]:
    """One strategy: versions, changes, how its file differs, and what is in force."""
    parts = [_versions(shown)]
    for version in shown["versions"]:
        if version["changed"]:
            columns = [
                words("Setting", "setting"),
                _value("Before", "before"),
                _value("After", "after"),
            ]
            title = f"What {version['version']} changed"
            parts.append(section(title, "", table(columns, version["changed"], "")))
    parts.append(_file(shown))
    rules = {name: _told(value) for name, value in _flat("", shown["config"]) if value is not None}
    parts.append(section("In force", "The last version, as it decides.", pairs(rules)))
    return parts


def _versions(shown: Mapping[str, Any]) -> str:
    columns = [
        words("Version", "version"),
        words("From", "valid_from"),
        Column("To", lambda row: exact(row["valid_to"] or "in force"), figure=False),
        figure("Trades", "trades"),
        cents("Net P&L", "net_pnl"),
    ]
    about = "Every fact names the version that decided it."
    return section("Versions", about, table(columns, shown["versions"], "None yet."))


def _file(shown: Mapping[str, Any]) -> str:
    if shown["unread"]:
        return callout(f"The file cannot be compared: {shown['unread']}")
    columns = [
        words("Setting", "setting"),
        _value("In force", "in_force"),
        _value("File", "file"),
    ]
    about = "What the next run will take up from the folder."
    same = "The file says what is in force."
    return section("File", about, table(columns, shown["file"], same))


def _filled(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with every figure there is, unknown where nothing ended yet."""
    figures = (
        "trades", "win_rate", "net_pnl", "profit_factor", "average_r", "rejected", "expired",
        "refused_net_pnl",
    )  # fmt: skip
    return [{**dict.fromkeys(figures), **row} for row in rows]


def _value(head: str, name: str) -> Column:
    return Column(head, lambda row: _told(row[name]), figure=False)


def _told(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _flat(prefix: str, value: object) -> Iterator[tuple[str, object]]:
    """Settings by their path; a list of pairs is a table, too."""
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list) and value and all(isinstance(i, list) for i in value):
        items = [(str(name), rest) for name, rest in value]
    else:
        yield prefix, value
        return
    for name, inner in items:
        yield from _flat(f"{prefix}.{name}" if prefix else name, inner)
