"""How much a nightly run may ask of the cloud: counted on the wire, on the engines' stand-ins."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from app.night import Counts, cloud_night
from goldenthread.warehouse.tables import TABLES

if TYPE_CHECKING:
    from emulators.bigquery import BigQueryEmulator

pytestmark = pytest.mark.slow


@pytest.fixture(name="counts", scope="module")
def _counts(
    tmp_path_factory: pytest.TempPathFactory, firestore_emulator: str, bigquery: BigQueryEmulator
) -> Counts:
    folder = tmp_path_factory.mktemp("night")
    with cloud_night(folder, (firestore_emulator, bigquery)) as measured:
        counts = measured()
    assert counts.report.decided > 50
    assert counts.report.sent > 20
    return counts


def test_a_signal_takes_at_most_four_writes_to_the_hot_store(counts: Counts) -> None:
    assert len(counts.batches) <= counts.report.sent + 20
    assert len(counts.batches) <= 4 * counts.report.decided
    assert max(map(len, counts.batches)) > 50  # what is decided together is written together


def test_a_signal_handled_takes_a_handful_of_documents(counts: Counts) -> None:
    assert counts.documents <= 5 * len(counts.handled)


def test_a_table_takes_one_load_and_one_merge(counts: Counts) -> None:
    written = Counter(counts.written)
    assert set(written.values()) == {1}
    for kind in ("LOAD", "MERGE"):
        tables = {table for what, table in written if what == kind}
        assert {"fact_rejected_signals", "fact_orders", "fact_bars", "job_runs"} <= tables
        assert tables <= set(TABLES)


def test_alpaca_is_asked_far_less_than_its_limit_of_a_minute(counts: Counts) -> None:
    assert len(counts.requests) <= 40 + 3 * counts.report.sent
    assert len(counts.requests) < 200
