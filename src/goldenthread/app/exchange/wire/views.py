"""What the account looks like from outside: orders, holdings and activities in Alpaca's JSON."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from goldenthread.adapters.alpaca.accounts import account_json, position_json
from goldenthread.adapters.alpaca.orders import OrderTerms, order_json
from goldenthread.adapters.alpaca.values import text
from goldenthread.adapters.broker.answers import name_of
from goldenthread.rules.calendar import (
    previous_session,
)

if TYPE_CHECKING:
    from goldenthread.adapters.alpaca.values import Json
    from goldenthread.app.exchange.journal import Entry, Event
    from goldenthread.app.exchange.venue import Venue
    from goldenthread.domain.account import Holding
    from goldenthread.domain.order import Fill

_SHORTING = Decimal(2)


class Page(NamedTuple):
    """Which part of a list is asked for: at most ``size`` rows, newest first or oldest first."""

    size: int
    newest_first: bool
    after: dt.datetime | None = None
    until: dt.datetime | None = None


class Selection(NamedTuple):
    """Which orders are asked for; empty sets and texts leave a condition out."""

    status: str
    symbols: frozenset[str]
    side: str
    nested: bool


def order_view(venue: Venue, entry: Entry, *, nested: bool = True) -> Json:
    """The order; ``nested`` with the legs it created."""
    ticket = entry.ticket
    terms = OrderTerms(
        asset_class=ticket.asset_class,
        time_in_force=ticket.time_in_force,
        order_class=ticket.order_class,
        updated_at=entry.updated_at,
        filled_at=entry.filled_at,
        replaced_by=entry.replaced_by,
    )
    legs = venue.journal.legs(entry.id) if nested and not ticket.report.parent_id else []
    opens = "open" if ticket.reserve else "close"
    return {
        **order_json(entry.report, terms, [order_view(venue, leg) for leg in legs]),
        "expires_at": None,
        "position_intent": f"{ticket.report.side}_to_{opens}",
        "ratio_qty": None,
        "subtag": None,
        "source": None,
    }


def order_list(venue: Venue, chosen: Selection, page: Page) -> list[Json]:
    """The orders chosen; nested, an order is there when it or one of its legs is chosen."""
    found: dict[str, Entry] = {}
    for entry in venue.journal.entries.values():
        if _is_chosen(entry, chosen):
            head = entry.ticket.report.parent_id if chosen.nested else ""
            found[head or entry.id] = venue.journal.entries[head or entry.id]
    dated = [e for e in found.values() if _is_between(e.report.submitted_at, page)]
    dated.sort(key=lambda e: e.ticket.number, reverse=page.newest_first)
    return [order_view(venue, e, nested=chosen.nested) for e in dated[: page.size]]


def event_view(venue: Venue, event: Event) -> Json:
    """The data of a message on the stream ``trade_updates``."""
    entry, at = event.entry, event.at.isoformat().replace("+00:00", "Z")
    fill, order = event.fill, order_view(venue, event.entry)
    unique = name_of(entry.id, event.name, at, order["filled_qty"])
    data = {"event": event.name, "timestamp": at, "execution_id": unique, "order": order}
    return data if fill is None else data | _execution(venue, fill)


def account_view(venue: Venue) -> Json:
    """The account."""
    multiplier = venue.terms.multiplier
    shown = account_json(venue.account(), multiplier, multiplier >= _SHORTING)
    return {
        **shown,
        "last_equity": text(venue.last_equity),
        "pending_transfer_in": "0",
        "pending_transfer_out": "0",
        "pending_reg_taf_fees": "0",
        "intraday_adjustments": "0",
        "sma": "0",
        "options_buying_power": "0",
        "balance_asof": venue.met.isoformat(),
        "crypto_tier": 1,
    }


def position_views(venue: Venue) -> list[Json]:
    """What the account holds, by symbol."""
    return [position_view(venue, holding) for holding in venue.account().holdings]


def position_view(venue: Venue, holding: Holding) -> Json:
    """One holding, with what is free to be sold and the change since the last close but one."""
    free = (abs(holding.quantity) - venue.promised(holding.symbol)).copy_sign(holding.quantity)
    price = holding.market_price
    source = venue.market.source
    asset_class = source.asset(holding.symbol).asset_class
    before = previous_session(asset_class, venue.met)
    last = source.last_close(holding.symbol, before) or price
    gain = holding.quantity * (price - last)
    return {
        **position_json(holding),
        "qty_available": text(free),
        "lastday_price": text(last),
        "change_today": text(round(price / last - 1, 9)),
        "unrealized_intraday_pl": text(gain),
        "unrealized_intraday_plpc": text(round(gain / abs(holding.quantity * last), 9)),
    }


def activity_list(venue: Venue, kinds: frozenset[str], page: Page, token: str) -> list[Json]:
    """The activities after the one whose id is ``token``, in the order of the page."""
    found = [
        activity.row
        for activity in venue.activities
        if _is_between(activity.at, page) and (not kinds or activity.row["activity_type"] in kinds)
    ]
    if page.newest_first:
        found.reverse()
    ids = [row["id"] for row in found]
    start = ids.index(token) + 1 if token in ids else 0
    return found[start : start + page.size]


def _execution(venue: Venue, fill: Fill) -> Json:
    return {
        "execution_id": fill.execution_id,
        "price": text(fill.price),
        "qty": text(fill.quantity),
        "position_qty": text(venue.held(fill.symbol)),
    }


def _is_chosen(entry: Entry, chosen: Selection) -> bool:
    report = entry.ticket.report
    if chosen.status != "all" and report.status.is_open is not (chosen.status == "open"):
        return False
    if chosen.symbols and report.symbol not in chosen.symbols:
        return False
    return not chosen.side or report.side.value == chosen.side


def _is_between(at: dt.datetime, page: Page) -> bool:
    """Both ends are exclusive, as Alpaca's are."""
    return (page.after is None or at > page.after) and (page.until is None or at < page.until)
