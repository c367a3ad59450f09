"""The views of the star schema, and everything a warehouse needs before its first row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from goldenthread.warehouse.tables import TABLES

if TYPE_CHECKING:
    from goldenthread.ports.warehouse import Warehouse


@dataclass(frozen=True)
class View:
    """One view; ``partition`` is the column a query over it must bound (None: no need).

    ``columns`` pairs each column with its meaning.
    """

    name: str
    description: str
    grain: str
    partition: str | None
    columns: tuple[tuple[str, str], ...]


_RESULT = (
    ("trades", "closed trades"),
    ("wins", "trades with a positive net P&L"),
    ("win_rate", "wins over trades; null without a trade"),
    ("gross_pnl", "before fees"),
    ("fees", "in quote currency"),
    ("dividends", "received, less those owed by shorts"),
    ("net_pnl", "gross_pnl - fees + dividends"),
    ("profit_factor", "won over lost money; null without a loss"),
)
_ENDED = (
    ("rejected", "signals refused"),
    ("expired", "signals never triggered in time"),
    ("invalidated", "signals whose cancel_if came true"),
)

VIEWS: dict[str, View] = {
    view.name: view
    for view in (
        View(
            "all_signals",
            "Every signal that ended, traded or not, with what it made or would have made: "
            "no survivorship bias.",
            "one ended signal",
            "ds",
            (
                ("book", "the account and engine"),
                ("signal_id", "the one id of the idea"),
                ("ds", "the partition of the fact it comes from"),
                ("signal_ds", "the date of the decision"),
                ("strategy_id", "the strategy"),
                ("version_key", "its version"),
                ("policy_key", "the policy's version"),
                ("symbol", "the asset"),
                ("asset_class", "EQUITY or CRYPTO"),
                ("side", "long or short"),
                ("decided_at", "the run's business now"),
                ("outcome", "TRADED, REJECTED, EXPIRED or INVALIDATED"),
                ("reason", "exit reason, rejection reason or end reason"),
                ("outcome_status", "RESOLVED, OPEN or UNPRICEABLE"),
                ("priced_as", "TRADED, PLANNED or MARKET_NEXT_OPEN"),
                ("entry_ds", "real or theoretical"),
                ("entry_price", "real or theoretical"),
                ("exit_ds", "real or theoretical"),
                ("exit_price", "real or theoretical"),
                ("bars_held", "sessions, the entry's being 1"),
                ("gross_pnl", "real or theoretical, before fees"),
                ("fees", "real or theoretical"),
                ("dividends", "real or theoretical, owed ones negative"),
                ("net_pnl", "real or theoretical; null unless RESOLVED"),
                ("r_multiple", "net_pnl over what the initial stop risked"),
                ("quantity", "what was ordered"),
                ("equity_at_decision", "what it was sized from"),
                ("theoretical_note", "why a theoretical figure is missing; empty for a trade"),
            ),
        ),
        View(
            "agg_strategy_daily",
            "What each strategy closed, and what became of its other signals, by day.",
            "one strategy of one book on one day something ended",
            "ds",
            (
                ("book", "the account and engine"),
                ("ds", "the day"),
                ("strategy_id", "the strategy"),
                *_RESULT,
                ("max_drawdown", "largest fall of the day's running net P&L, in money"),
                *_ENDED,
            ),
        ),
        View(
            "summary_strategy_performance",
            "Each strategy over its whole life in a book. Refused signals count only when "
            "RESOLVED and priced as their own order.",
            "one strategy of one book",
            None,
            (
                ("book", "the account and engine"),
                ("strategy_id", "the strategy"),
                ("first_ds", "the first day something ended"),
                ("last_ds", "the last day something ended"),
                *_RESULT,
                ("expectancy", "net P&L of the average trade"),
                ("average_r", "mean r_multiple of trades that have one"),
                ("average_bars_held", "mean sessions of a trade"),
                ("max_drawdown", "largest fall of the running net P&L of closed trades, in money"),
                *_ENDED,
                ("refused_resolved", "refused signals with a known theoretical result"),
                ("refused_net_pnl", "what those would have made together"),
            ),
        ),
        View(
            "bars_current",
            "The last known revision of every bar.",
            "one symbol on one day",
            "ds",
            (
                ("symbol", "the asset"),
                ("ds", "the day"),
                ("open", "raw"),
                ("high", "raw"),
                ("low", "raw"),
                ("close", "raw"),
                ("volume", "raw"),
                ("state", "GOOD, SUSPECT, CONFIRMED or QUARANTINED"),
                ("source", "where it came from"),
                ("known_at", "when this revision was known"),
            ),
        ),
    )
}
"""Every view, by name, in an order in which they can be made."""


@cache
def statement(name: str) -> str:
    """The BigQuery SQL of ``warehouse/sql/<name>.sql``."""
    return resources.files(__package__).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


def prepare(warehouse: Warehouse) -> list[str]:
    """What was created or added so that every table and view is there, in words.

    Raises:
        ConflictError: A stored table does not fit its model; nothing was changed.
    """
    done = warehouse.ensure(list(TABLES.values()))
    for name in VIEWS:
        warehouse.execute(statement(name), {})
    return done
