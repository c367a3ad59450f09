"""The warehouse from outside: tables made, questions asked within a budget, digests told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from goldenthread.app.api.records import begun_book
from goldenthread.app.clock import SystemClock
from goldenthread.app.engines.wiring import open_hot_store, open_warehouse, read_hot_store
from goldenthread.warehouse import quarantine as ward
from goldenthread.warehouse.budget import Budget, guarded_query, ledger_rows, with_range
from goldenthread.warehouse.digest import combined, table_digests
from goldenthread.warehouse.loading import LoopResult, RunStamp
from goldenthread.warehouse.tables import TABLES, UNDIGESTED
from goldenthread.warehouse.views import prepare

if TYPE_CHECKING:
    import datetime as dt

    import polars as pl

    from goldenthread.app.api.project import Project

_LEDGER = "logs/query_bytes.jsonl"


def migrate(project: Project) -> list[str]:
    """What was created or added so that every table and view is there."""
    warehouse = open_warehouse(project.settings, project.root)
    try:
        done = prepare(warehouse)
        warehouse.publish()
    finally:
        warehouse.close()
    return done


def query(project: Project, sql: str, span: tuple[dt.date, dt.date]) -> pl.DataFrame:
    """The rows of a SELECT; tables it leaves without dates are held to the span.

    Raises:
        UsageError: It is not one SELECT, or would read more bytes than the settings allow.
    """
    budget = Budget(
        project.settings.warehouse.max_query_bytes, project.root / _LEDGER, SystemClock()
    )
    warehouse = open_warehouse(project.settings, project.root)
    bounded = with_range(sql, *span)
    return guarded_query(warehouse, bounded, {"from": span[0], "to": span[1]}, budget)


def digest(project: Project, book: str) -> dict[str, str]:
    """The digest of the book's decided rows, table by table and over all of them.

    Only tables whose rows belong to a book are in it: another book's bars do not change it.
    """
    warehouse, name = open_warehouse(project.settings, project.root), begun_book(project, book)
    tables = [
        t.name
        for t in TABLES.values()
        if t.name not in UNDIGESTED and "book" in {column.name for column in t.columns}
    ]
    parts = table_digests(warehouse, name, tables)
    return {"digest": combined(parts), **parts}


def cost(project: Project) -> list[dict[str, Any]]:
    """The bytes every guarded query read, oldest first."""
    return ledger_rows(project.root / _LEDGER)


def quarantined(project: Project, book: str) -> list[dict[str, object]]:
    """The refused rows of the book, with field, value and reason."""
    store = read_hot_store(project.settings, project.root, project.book(book))
    kept = ("id", "ds", "model", "field", "value", "reason", "schema_version")
    return [{name: getattr(row, name) for name in kept} for row in ward.ls(store)]


def replay_quarantine(project: Project, book: str) -> list[dict[str, object]]:
    """What became of every row in quarantine: loaded, or refused again."""
    name = project.book(book)
    store = open_hot_store(project.settings, project.root, name)
    warehouse = open_warehouse(project.settings, project.root)
    now = SystemClock().now()
    stamp = RunStamp(f"{name}/quarantine/{now:%Y%m%dT%H%M%S}", name, now.date(), now)
    try:
        results = ward.replay(store, warehouse, stamp)
        warehouse.publish()
    finally:
        warehouse.close()
    return [_loaded(result) for result in results]


def _loaded(result: LoopResult) -> dict[str, object]:
    counts = {key: getattr(result, key) for key in ("offered", "inserted", "updated")}
    return {"table": result.table, **counts, "refused": len(result.refused)}
