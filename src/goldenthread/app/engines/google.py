"""Firestore and BigQuery, as the settings name them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from goldenthread.app.clock import SystemClock
from goldenthread.app.engines.extras import extra
from goldenthread.domain.errors import EngineError, UsageError
from goldenthread.warehouse.views import prepare

if TYPE_CHECKING:
    from goldenthread.adapters.hot_store.firestore import FirestoreHotStore
    from goldenthread.adapters.warehouse.bigquery.terms import BigQueryTerms
    from goldenthread.app.settings import Settings
    from goldenthread.ports.warehouse import Warehouse

_CLOCKS_APART = dt.timedelta(seconds=60)
"""How far apart the clocks of two runs may be, for leases to mean the same to both."""


def open_firestore(settings: Settings, book: str) -> FirestoreHotStore:
    """The hot store of a book in the Firestore database of the settings.

    Raises:
        UsageError: The settings name no project, or Google's client is not installed.
    """
    chosen = settings.hot_store
    if not chosen.project:
        msg = (
            "[hot_store] project is empty; the engine firestore needs the Google Cloud"
            ' project, "my-desk-123" for example'
        )
        raise UsageError(msg)
    with extra("gcp", '[hot_store] engine = "firestore"'):
        from goldenthread.adapters.hot_store import firestore  # noqa: PLC0415  # an extra
    place = firestore.FirestorePlace(chosen.project, chosen.database, chosen.emulator_host)
    return firestore.FirestoreHotStore(place, book, SystemClock())


def check_firestore(settings: Settings, book: str) -> str:
    """What a look at the hot store of a book found, in words.

    Raises:
        EngineError: It cannot be used, or its clock is not ours.
    """
    store = open_firestore(settings, book)
    lead = store.clock_lead()
    if abs(lead) > _CLOCKS_APART:
        ahead = "ahead of" if lead > dt.timedelta() else "behind"
        msg = (
            f"the clock of Firestore is {abs(lead).total_seconds():.0f} s {ahead} this machine's;"
            f" at most {_CLOCKS_APART.total_seconds():.0f} s: let this machine keep time (NTP)"
        )
        raise EngineError(msg)
    apart = f"clocks {abs(lead).total_seconds():.1f} s apart"
    return f"{store.count('live_signals')} live signals; read and written, {apart}"


def open_bigquery(settings: Settings, *, reach: bool) -> Warehouse:
    """The dataset of the settings.

    Raises:
        UsageError: The settings name no project, or Google's client is not installed.
    """
    if not settings.warehouse.project:
        msg = (
            '[warehouse] engine is "bigquery" and project is empty; write the id of your Google '
            "Cloud project there"
        )
        raise UsageError(msg)
    with extra("gcp", '[warehouse] engine = "bigquery"'):
        from goldenthread.adapters.warehouse.bigquery.terms import connect  # noqa: PLC0415  # an extra
        from goldenthread.adapters.warehouse.bigquery.warehouse import BigQueryWarehouse  # noqa: PLC0415  # an extra
    terms = bigquery_terms(settings)
    warehouse = BigQueryWarehouse(connect(terms), terms, SystemClock(), prepare=prepare)
    if reach:
        warehouse.reach()
    return warehouse


def bigquery_terms(settings: Settings) -> BigQueryTerms:
    """Where the tables lie and what a job may take, as the settings say."""
    from goldenthread.adapters.warehouse.bigquery.terms import BigQueryTerms  # noqa: PLC0415  # an extra

    chosen = settings.warehouse
    return BigQueryTerms(
        project=chosen.project,
        dataset=chosen.dataset,
        location=chosen.location,
        max_query_bytes=chosen.max_query_bytes,
        api_endpoint=chosen.api_endpoint,
        timeout_s=chosen.timeout_s,
        job_timeout_s=chosen.job_timeout_s,
    )
