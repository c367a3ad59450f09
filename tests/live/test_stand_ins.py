"""The live tests themselves, on emulators and our exchange: they run and leave nothing behind."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from google.cloud.bigquery import Dataset

from goldenthread.adapters.hot_store.firestore import FirestorePlace
from goldenthread.adapters.hot_store.firestore.wire import _connect
from goldenthread.adapters.warehouse.bigquery.terms import connect
from goldenthread.app.clock import SystemClock
from goldenthread.app.exchange.market import open_market
from goldenthread.app.exchange.server import ExchangeServer
from goldenthread.app.exchange.terms import ExchangeTerms

if TYPE_CHECKING:
    from emulators.bigquery import BigQueryEmulator

ROOT = Path(__file__).parents[2]
NAMED = ("GOLDENTHREAD_LIVE_", "APCA_")


def live(**variables: str) -> subprocess.CompletedProcess[str]:
    """A live run in which the variables name everything there is."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(NAMED)}
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-m",
            "live",
            "tests/live",
            "-rs",
            "-p",
            "no:cacheprovider",
        ],
        cwd=ROOT,
        env={**kept, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_the_live_tests_pass_on_the_stand_ins(
    firestore_emulator: str, bigquery: BigQueryEmulator
) -> None:
    terms, database = bigquery.terms(), f"live-{uuid4().hex[:8]}"
    connect(terms).create_dataset(Dataset(terms.home))
    market = open_market(None, SystemClock().now())
    with ExchangeServer(market, ExchangeTerms(start=dt.date(2024, 3, 28))) as exchange:
        done = live(
            GOLDENTHREAD_LIVE_PROJECT="test",
            GOLDENTHREAD_LIVE_DATABASE=database,
            GOLDENTHREAD_LIVE_FIRESTORE_HOST=firestore_emulator,
            GOLDENTHREAD_LIVE_DATASET=terms.dataset,
            GOLDENTHREAD_LIVE_LOCATION=terms.location,
            GOLDENTHREAD_LIVE_BIGQUERY_ENDPOINT=bigquery.url,
            GOLDENTHREAD_LIVE_PAPER_ACCOUNT=exchange.terms.account_id,
            GOLDENTHREAD_LIVE_ALPACA_URL=exchange.url,
            APCA_API_KEY_ID=exchange.key_id,
            APCA_API_SECRET_KEY=exchange.secret_key,
        )
        left = exchange.state()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "13 passed, 1 skipped" in done.stdout, done.stdout  # the exchange has no hours
    assert left["open_orders"] == 0
    books = _connect(FirestorePlace("test", database, firestore_emulator)).collection("books")
    assert list(books.list_documents()) == []
    assert list(connect(terms).list_tables(terms.home)) == []


@pytest.mark.slow
def test_without_names_the_live_tests_touch_nothing() -> None:
    done = live()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "14 skipped" in done.stdout
    assert "GOLDENTHREAD_LIVE_PAPER_ACCOUNT is not set" in done.stdout
