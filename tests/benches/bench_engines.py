"""A nightly day on the cloud engines' stand-ins, beside the embedded ones; run with `make bench`.

Prints, asserts nothing about time. The seconds of the emulators are not Google's: the counts are.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from app.night import ASSETS, NIGHT, STRATEGIES, Counts, cloud_night, embedded_night

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from emulators.bigquery import BigQueryEmulator


def say(text: str) -> None:
    print(text)  # noqa: T201  # its result


def timed(label: str, act: Callable[[], object]) -> None:
    """The seconds of this process, our exchange over HTTP among them; the emulators' are not."""
    begun, used = time.perf_counter(), os.times()
    act()
    after = os.times()
    processor = after.user + after.system - used.user - used.system
    say(f"{label:34s} {time.perf_counter() - begun:8.2f} {processor:8.2f}")


@pytest.mark.bench
def test_a_night_of_100_assets_and_5_strategies(
    tmp_path: Path, firestore_emulator: str, bigquery: BigQueryEmulator
) -> None:
    say(f"\nthe run of {NIGHT}, {ASSETS} assets, {len(STRATEGIES)} strategies")
    say(f"{'engines':34s} {'wall s':>8s} {'cpu s':>8s}")
    embedded = embedded_night(tmp_path / "embedded")
    timed("embedded", embedded)
    counts: list[Counts] = []
    with cloud_night(tmp_path / "cloud", (firestore_emulator, bigquery)) as measured:
        timed("Firestore, BigQuery, alpaca-py", lambda: counts.append(measured()))
    tell(counts[0])


def tell(counts: Counts) -> None:
    """What went over the wires."""
    signals, commits = counts.report.decided, len(counts.batches)
    calls = ", ".join(f"{name} {n}" for name, n in sorted(counts.calls.items()))
    say(f"\n{signals} signals decided, {len(counts.handled)} handled, {counts.report.sent} sent")
    say(
        f"hot store: {counts.calls.total()} calls ({calls}),"
        f" {counts.calls.total() / signals:.1f} a signal decided"
    )
    say(
        f"hot store: {counts.documents} documents in {commits} commits,"
        f" {counts.documents / len(counts.handled):.1f} documents a signal handled,"
        f" {commits / signals:.1f} commits a signal decided"
    )
    loads = [table for kind, table in counts.written if kind == "LOAD"]
    merges = [table for kind, table in counts.written if kind == "MERGE"]
    say(
        f"BigQuery: {len(loads)} loads into {len(set(loads))} tables,"
        f" {len(merges)} merges into {len(set(merges))}: {', '.join(sorted(set(merges)))}"
    )
    say(f"Alpaca: {len(counts.requests)} requests (its limit: 200 a minute)")
