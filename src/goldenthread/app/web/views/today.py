"""The morning page: account, alarms, and what the last day brought."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from goldenthread.app.web.views.columns import (
    SIDE,
    STRATEGY,
    SYMBOL,
    figure,
    price_column,
    signal_column,
    words,
)
from goldenthread.app.web.views.signals import signal_table
from goldenthread.app.web.views.trades import trade_table
from goldenthread.reports.charts import Chart, line_chart
from goldenthread.reports.layout import section
from goldenthread.reports.markup import scrolled, table, tile
from goldenthread.reports.notation import exact, money, number, percent, signed_money

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


_ENTRY = (
    signal_column("signal_id"),
    *(STRATEGY, SYMBOL, SIDE, words("In", "entry_ds"), figure("Quantity", "quantity")),
    price_column("Entry", "entry"),
)
_EXIT = (
    signal_column("signal_id"),
    *(STRATEGY, SYMBOL, words("Reason", "reason"), words("Since", "since")),
    figure("Quantity", "quantity"),
)
_ORDER = (
    signal_column("signal_id"),
    *(SYMBOL, words("Leg", "leg"), SIDE, words("Type", "type"), figure("Quantity", "quantity")),
    price_column("Price", "price"),
    words("Status", "status"),
)
_REQUEST = tuple(
    words(head, name)
    for head, name in (
        *(("Action", "action"), ("Of", "subject"), ("Reason", "reason"), ("By", "actor")),
        ("At", "asked_at"),
    )
)


def today(shown: Mapping[str, Any], curve: Sequence[Mapping[str, Any]]) -> list[str]:
    """The page; before the first run, what to do next."""
    since = f"Since {shown['before']}, the run before." if shown["before"] else ""
    if shown["ds"] is None:
        return [callout(shown["next"]), *_alarms(shown["alarms"])]
    return [
        *_alarms(shown["alarms"]),
        _account(shown),
        section(
            "Decided",
            f"Every signal of {shown['ds']}, traded or not.",
            signal_table(shown["decided"], "No strategy saw an entry.", dated=False),
        ),
        section(
            "Waiting",
            "Signals whose order has not filled yet.",
            signal_table(shown["waiting"], "Nothing waits."),
        ),
        *_waits(shown),
        section("Opened", since, table(_ENTRY, shown["opened"], "No position was opened.")),
        section("Closed", since, trade_table(shown["closed"], "No position was closed.")),
        _equity(curve),
    ]


def callout(words: str) -> str:
    """The one sentence that matters most."""
    return f'<section class="callout"><p>{escape(words)}</p></section>'


def _alarms(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        f'<section class="warn"><p><b>{escape(row["check"])}</b>: {escape(row["found"])}</p>'
        "</section>"
        for row in rows
    ]


def _account(shown: Mapping[str, Any]) -> str:
    account, run = shown["account"], shown["run"]
    if account is None:
        return callout("Nothing is archived yet: the account is shown after the next archive.")
    ran = run or {"status": None, "duration_s": None, "finished_at": None}
    tiles = [
        tile("Equity", money(account["equity"], 2), f"at the close of {account['ds']}"),
        tile(
            "Day",
            signed_money(account["day_pnl"], 2),
            f"unrealised {signed_money(account['unrealised_pnl'], 2)}",
            signed=True,
        ),
        tile(
            "Drawdown", percent(account["drawdown"], 2), f"peak {money(account['peak_equity'], 2)}"
        ),
        tile(
            "Open positions",
            exact(account["open_positions"]),
            f"exposure {money(account['gross_exposure'])}",
        ),
        tile("Cash", money(account["cash"], 2), f"power {money(account['buying_power'])}"),
        tile("Signals", exact(len(shown["decided"])), f"{len(shown['waiting'])} wait"),
        tile("Opened", exact(len(shown["opened"])), f"{len(shown['closed'])} closed"),
        tile("Run", exact(ran["status"]), f"{number(ran['duration_s'], 1)} s"),
    ]
    return f'<section class="tiles">{"".join(tiles)}</section>'


def _waits(shown: Mapping[str, Any]) -> list[str]:
    """What waits besides signals; left out where there is nothing of it."""
    tables = (
        ("Exits due", "Decided, and executed at the next bar.", _EXIT, shown["exits"]),
        ("Orders", "Not sent yet, or not final at the broker.", _ORDER, shown["orders"]),
        ("Asked for", "Until an operator withdraws it.", _REQUEST, shown["requests"]),
    )
    return [
        section(title, about, table(columns, rows, ""))
        for title, about, columns, rows in tables
        if rows
    ]


def _equity(curve: Sequence[Mapping[str, Any]]) -> str:
    chart = Chart(
        "Equity",
        [row["ds"] for row in curve],
        [float(row["equity"]) for row in curve],
        money,
        baseline=float(curve[0]["start_equity"]) if curve else None,
    )
    return section(
        "Equity", "The dashed line is what the book began with.", scrolled(line_chart(chart))
    )
