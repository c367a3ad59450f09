"""The closed set of queries, each served by deploy/firestore.indexes.json."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.cloud.firestore import FieldFilter, Query

from goldenthread.adapters.hot_store.bodies import check_equal

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from google.cloud.firestore import CollectionReference

PAGE = 500
"""The largest answer of one call."""


def matching(collection: CollectionReference, equal: Mapping[str, str] | None) -> Query:
    """The documents whose fields are equal to these.

    Raises:
        DataError: A field is not queried.
    """
    check_equal(equal)
    query = Query(collection)
    for field, value in (equal or {}).items():
        query = query.where(filter=FieldFilter(field, "==", value))
    return query


def dated(query: Query, ds_from: dt.date | None, ds_to: dt.date | None) -> Query:
    """Those of them with a ``ds`` in the range, oldest first."""
    for bound, operator in ((ds_from, ">="), (ds_to, "<=")):
        if bound is not None:
            query = query.where(filter=FieldFilter("ds", operator, bound.isoformat()))
    return query.order_by("ds").order_by("__name__")


def page(query: Query, after: tuple[str, str] | None, limit: int) -> Query:
    """At most ``limit`` documents after that (ds, id)."""
    if after is not None:
        query = query.start_after({"ds": after[0], "__name__": after[1]})
    return query.limit(limit)


def due(collection: CollectionReference, now: dt.datetime, limit: int) -> Query:
    """At most ``limit`` documents whose time to live is over, the longest due first."""
    overdue = Query(collection).where(filter=FieldFilter("delete_at", "<=", now))
    return overdue.order_by("delete_at").order_by("__name__").limit(limit)
