"""Lists longer than a page: orders by submission, activities by id."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol

from goldenthread.adapters.alpaca.activities import charge_from_json, fill_from_json
from goldenthread.adapters.alpaca.values import amount, instant, instant_text
from goldenthread.adapters.broker.alpaca.charges import with_fees
from goldenthread.domain.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from goldenthread.adapters.alpaca.values import Json
    from goldenthread.domain.order import Fill

_PAGE = 500
_ACTIVITIES = 100
_MICRO = dt.timedelta(microseconds=1)
_MARGIN = dt.timedelta(days=2)
"""An execution's session may lie days after its instant (a Friday evening)."""

_LONGEST_LIFE = dt.timedelta(days=100)
"""Alpaca cancels a gtc order after 90 days, so nothing older can have changed."""


class Get(Protocol):
    """A GET request: path and query in, JSON out."""

    def __call__(self, path: str, query: Json | None = None, /) -> Any:  # noqa: ANN401  # any JSON
        """The answer."""
        ...


def order_rows(get: Get, since: dt.date) -> Iterator[Json]:
    """Every order that is open, and every one that may have changed since, legs inside.

    Alpaca filters by submission only, so what is final is read as far back as orders live.
    """
    start = dt.datetime.combine(since - _LONGEST_LIFE, dt.time(), dt.UTC)
    yield from _order_pages(get, {"status": "open"})
    yield from _order_pages(get, {"status": "closed", "after": instant_text(start)})


def executions(get: Get, since: dt.date) -> list[Fill]:
    """Executions with ``ds >= since``, oldest first, numbered within their orders, with fees."""
    start = dt.datetime.combine(since, dt.time(), dt.UTC)
    rows = _activities(get, start - _MARGIN)
    if _begins_inside_an_order(rows):
        rows = _activities(get, start - _LONGEST_LIFE)
    numbers: Counter[str] = Counter()
    fills, charges = [], []
    for row in rows:
        if row.get("activity_type") != "FILL":
            charges.append(charge_from_json(row))
            continue
        numbers[row["order_id"]] += 1
        fills.append(fill_from_json(row, numbers[row["order_id"]]))
    fills.sort(key=lambda f: f.filled_at)
    return [fill for fill in with_fees(fills, charges) if fill.ds >= since]


def _order_pages(get: Get, query: Json) -> Iterator[Json]:
    """Newest first; each page begins where the last one ended, ties included and told apart."""
    seen: set[str] = set()
    until: dt.datetime | None = None
    while True:
        page_query = {**query, "nested": "true", "limit": _PAGE, "direction": "desc"}
        if until is not None:
            page_query["until"] = instant_text(until)
        page = get("/orders", page_query)
        fresh = [row for row in page if row["id"] not in seen]
        seen.update(row["id"] for row in fresh)
        yield from fresh
        if len(page) < _PAGE:
            return
        if not fresh:
            msg = f"Alpaca shows more than {_PAGE} orders of one instant; they cannot be paged"
            raise EngineError(msg)
        until = min(instant(row["submitted_at"], "submitted_at") for row in page) + _MICRO


def _activities(get: Get, after: dt.datetime) -> list[Json]:
    """FILL, CFEE and FEE activities, oldest first and each once, in whatever order they came."""
    rows = {row["id"]: row for row in _activity_pages(get, after)}
    came: dict[tuple[str, str], int] = {}  # of one instant, orders stay as they came
    for row in rows.values():
        came.setdefault(_place(row), len(came))
    return sorted(rows.values(), key=lambda row: (_place(row)[0], came[_place(row)], _grown(row)))


def _activity_pages(get: Get, after: dt.datetime) -> Iterator[Json]:
    query: Json = {
        "activity_types": "FILL,CFEE,FEE",
        "after": instant_text(after),
        "direction": "asc",
        "page_size": _ACTIVITIES,
    }
    while True:
        page = get("/account/activities", query)
        yield from page
        if len(page) < _ACTIVITIES:
            return
        query["page_token"] = page[-1]["id"]


def _place(row: Json) -> tuple[str, str]:
    """The instant in an activity's id, and whose it is."""
    return str(row["id"]).partition("::")[0], str(row.get("order_id", row["id"]))


def _grown(row: Json) -> Decimal:
    """What its order had executed with it, which puts the parts of one instant in order."""
    return amount(row.get("cum_qty", "0"), "cum_qty")


def _begins_inside_an_order(rows: list[Json]) -> bool:
    """Whether an order executed a part before the first row: its numbers would be wrong."""
    first: dict[str, Json] = {}
    for row in rows:
        if row.get("activity_type") == "FILL":
            first.setdefault(row["order_id"], row)
    return any(
        amount(row.get("cum_qty", row["qty"]), "cum_qty") != amount(row["qty"], "qty")
        for row in first.values()
    )
