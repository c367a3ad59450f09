"""A project on the stand-ins of Firestore, BigQuery and Alpaca, its settings alone changed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from emulators.bigquery_guard import BigQueryGuard
from emulators.exchange import over_http
from goldenthread.adapters.warehouse.bigquery.terms import connect
from goldenthread.app.api.project import Project
from goldenthread.app.engines.google import bigquery_terms
from goldenthread.app.exchange.server import ExchangeServer

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from emulators.bigquery import BigQueryEmulator


class Cloud(NamedTuple):
    """The project, the exchange it trades on, and the guard before its warehouse."""

    project: Project
    exchange: ExchangeServer
    guard: BigQueryGuard


@contextmanager
def in_the_cloud(
    folder: Path,
    book: tuple[str, dt.date],
    stores: tuple[str, BigQueryEmulator],
    more: Mapping[str, object] | None = None,
) -> Iterator[Cloud]:
    """The project with the book ``sim:<name>`` begun on a date, with an account of its own.

    ``stores`` are the address of Firestore's emulator and BigQuery's; ``more`` are settings.
    """
    (name, first), (firestore, bigquery) = book, stores
    settings = {
        **(more or {}),
        "hot_store.engine": "firestore",
        "hot_store.project": f"test-{uuid4().hex[:12]}",
        "hot_store.emulator_host": firestore,
        "warehouse.engine": "bigquery",
        "warehouse.project": "test",
        "warehouse.dataset": f"t_{uuid4().hex[:12]}",
        "warehouse.api_endpoint": bigquery.url,
    }
    with over_http(folder, f"SIM-{name}", first, settings) as (project, exchange):
        yield Cloud(project, exchange, _guarded(project, bigquery))


def _guarded(project: Project, bigquery: BigQueryEmulator) -> BigQueryGuard:
    """The guard between the project and the emulator: what Google refuses, it refuses."""
    terms = bigquery_terms(project.settings)
    guard = BigQueryGuard(connect.__wrapped__(terms))
    connect(terms)._http.mount(bigquery.url, guard)
    return guard
