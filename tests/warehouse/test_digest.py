from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pytest

from goldenthread.domain.errors import UsageError
from goldenthread.ports.warehouse import Column
from goldenthread.warehouse import loops
from goldenthread.warehouse.digest import _feed, digest, table_digests
from warehouse.examples import (
    BOOK,
    account,
    day,
    empty,
    expired_signal,
    position,
    resolved,
    run,
    signal,
    trade,
    waiting,
)

if TYPE_CHECKING:
    from goldenthread.ports.warehouse import Warehouse

SOURCES = Path(__file__).parents[2]


def filled(*, reverse: bool = False) -> Warehouse:
    """A few rows of most tables, loaded forwards or backwards."""
    warehouse = empty()
    step = -1 if reverse else 1
    refused = [(signal(s), resolved(day(3))) for s in ("A", "B", "C")]
    for pair in refused[::step]:
        loops.load_rejected(warehouse, [pair], run(run_id="backwards" if reverse else "forwards"))
    loops.load_expired(warehouse, [(expired_signal("D"), waiting())], run())
    loops.load_trades(warehouse, [trade("10", day(4), s) for s in ("E", "F")][::step], run())
    marks = [loops.Mark(day(0), position(), Decimal(104))]
    loops.load_snapshots(warehouse, [account(), account(day(1))][::step], marks, run())
    return warehouse


def test_equal_decisions_have_equal_digests_whatever_the_order_and_the_run() -> None:
    assert digest(filled(), BOOK) == digest(filled(reverse=True), BOOK)


def test_the_digest_is_the_same_under_another_time_zone_and_locale() -> None:
    code = "from warehouse.test_digest import filled, digest, BOOK; print(digest(filled(), BOOK))"
    zone = {"TZ": "Pacific/Apia", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
    paths = os.pathsep.join(str(SOURCES / name) for name in ("src", "tests"))
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **zone, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == digest(filled(), BOOK)


def test_a_changed_decision_changes_the_digest_of_its_table_only() -> None:
    before, after = filled(), filled()
    loops.load_rejected(after, [(signal("Z"), waiting())], run())
    first, second = table_digests(before, BOOK), table_digests(after, BOOK)
    assert {name for name in first if first[name] != second[name]} == {"fact_rejected_signals"}
    assert digest(before, BOOK) != digest(after, BOOK)


@pytest.mark.parametrize(
    "change",
    [
        {"priority": None},
        {"priority": Decimal("1.76")},
        {"factors": {"rsi": None, "volume_ratio": None}},
        {"factors": {"volume_ratio": None, "rsi": Decimal("61.5")}},
        {"rejection_reasons": ("VOLUME_", "TOO_LOW")},
        {"rejection_reasons": ()},
        {"quantity": Decimal("20.000000001")},
        {"split_factor": Decimal(7)},
    ],
)
def test_every_decided_value_is_in_the_digest(change: dict[str, Any]) -> None:
    one, other = empty(), empty()
    loops.load_rejected(one, [(signal(), waiting())], run())
    loops.load_rejected(other, [(signal(**change), waiting())], run())
    assert digest(one, BOOK) != digest(other, BOOK)


def test_where_one_text_ends_and_the_next_begins_is_in_the_digest() -> None:
    one, other = empty(), empty()
    loops.load_rejected(one, [(signal(rejection_reasons=("AB", "C")), waiting())], run())
    loops.load_rejected(other, [(signal(rejection_reasons=("A", "BC")), waiting())], run())
    assert digest(one, BOOK) != digest(other, BOOK)


def test_no_list_and_an_empty_list_are_not_the_same() -> None:
    column = Column("tags", "STRINGS", nullable=True, decided=True, description="")
    hashes = []
    values: tuple[list[str] | None, ...] = (None, [])
    for value in values:
        sha = hashlib.sha256()
        _feed(sha, pa.array([value], pa.list_(pa.string())), column)
        hashes.append(sha.hexdigest())
    assert hashes[0] != hashes[1]


def test_operational_values_are_not_in_the_digest() -> None:
    one, other = empty(), empty()
    loops.load_rejected(one, [(signal(), waiting())], run())
    loops.load_rejected(other, [(signal(engine_digest="new"), waiting())], run(run_id="other"))
    assert digest(one, BOOK) == digest(other, BOOK)


def test_books_are_apart_and_two_that_decided_the_same_are_equal() -> None:
    warehouse = filled()
    before = digest(warehouse, BOOK)
    twin = signal("A", book="sim:twin")
    loops.load_rejected(warehouse, [(twin, resolved(day(3)))], run())
    assert digest(warehouse, BOOK) == before
    only_a = empty()
    loops.load_rejected(only_a, [(signal("A"), resolved(day(3)))], run())
    tables = ["fact_rejected_signals"]
    assert digest(warehouse, "sim:twin", tables) == digest(only_a, BOOK, tables)


def test_how_the_answer_is_chunked_makes_no_difference() -> None:
    class Chunked:
        """A warehouse that answers in pieces."""

        def __init__(self, inner: Warehouse) -> None:
            self.inner = inner

        def __getattr__(self, name: str) -> object:
            return getattr(self.inner, name)

        def query(self, sql: str, parameters: dict[str, object]) -> pl.DataFrame:
            frame = self.inner.query(sql, parameters)
            pieces = [frame.slice(n, 1) for n in range(frame.height)] or [frame]
            return pl.concat(pieces, rechunk=False)

    warehouse = filled()
    assert digest(Chunked(warehouse), BOOK) == digest(warehouse, BOOK)  # type: ignore[arg-type]


def test_a_table_without_a_digest_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="no digest of job_runs"):
        digest(empty(), BOOK, ["job_runs"])
