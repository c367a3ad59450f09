"""Files of point-in-time values: what is kept, and what is refused and why."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from goldenthread.adapters.market_data.parquet import ParquetMarketData
from goldenthread.domain.errors import UsageError
from goldenthread.market.inputs.tables import read_inputs

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

NOW = dt.datetime(2024, 3, 1, tzinfo=dt.UTC)
HEAD = "symbol,ds,known_at,value\n"
GOOD = "AAPL,2024-01-03,2024-01-03T21:30:00Z,0.5\n"


def taken(folder: Path, *lines: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    file = folder / "scores.csv"
    file.write_text(HEAD + "".join(lines))
    return read_inputs(file, "score", NOW)


def test_good_rows_are_kept_and_bad_ones_refused_with_their_reason(tmp_path: Path) -> None:
    values, refused = taken(
        tmp_path,
        GOOD,
        GOOD,
        "BTC-USD,20240104,2024-01-05T00:01:00+00:00,-1e3\n",
        "AAPL,4 Jan,2024-01-04T21:30:00Z,1\n",
        "AAPL,2024-01-05,2024-01-05 21:30,1\n",
        "AAPL,2024-01-06,,1\n",
        "AAPL,2024-01-07,2024-03-02T00:00:00Z,1\n",
        "AAPL,2024-01-08,2024-01-08T21:30:00Z,nan\n",
        "AAPL,2024-01-09,2024-01-09T21:30:00Z,high\n",
        "MSFT,2024-01-09,2024-01-09T21:30:00Z,1\n",
        "MSFT,2024-01-09,2024-01-09T21:30:00Z,2\n",
        "a b,2024-01-09,2024-01-09T21:30:00Z,1\n",
    )
    assert values.select("table", "symbol", "ds", "value").rows() == [
        ("score", "AAPL", dt.date(2024, 1, 3), 0.5),
        ("score", "BTC/USD", dt.date(2024, 1, 4), -1000.0),
    ]
    told = {
        (row["symbol"], row["value"]): (row["field"], row["reason"]) for row in refused.to_dicts()
    }
    assert told["AAPL", "4 Jan"][0] == "ds"
    assert told["AAPL", "2024-01-05 21:30"][1].startswith("not an instant with zone")
    assert told["AAPL", "(empty)"][0] == "known_at"
    assert told["AAPL", "2024-03-02T00:00:00Z"][1].startswith("after 2024-03-01 00:00 UTC")
    assert told["AAPL", "nan"][1].startswith("not a finite number")
    assert told["AAPL", "high"][0] == "value"
    assert told["MSFT", "1"] == told["MSFT", "2"]
    assert told["A B", "A B"][0] == "symbol"


@pytest.mark.parametrize("text", ["symbol,ds,value\nAAPL,2024-01-03,1\n", HEAD, "", "a\n1\n"])
def test_another_table_is_refused_whole(tmp_path: Path, text: str) -> None:
    file = tmp_path / "scores.csv"
    file.write_text(text)
    with pytest.raises(UsageError, match=r"symbol, ds, known_at, value|starts with a line"):
        read_inputs(file, "score", NOW)


def test_a_backdated_revision_is_known_from_its_import_and_the_same_is_the_same(
    tmp_path: Path,
) -> None:
    store = ParquetMarketData(tmp_path / "data")
    first, _ = taken(tmp_path, GOOD)
    assert store.save_inputs(first, NOW)[:3] == (1, 0, 0)
    assert store.save_inputs(first, NOW)[:3] == (0, 1, 0)
    changed, _ = taken(tmp_path, GOOD, "AAPL,2024-01-03,2024-01-04T09:00:00Z,0.9\n")
    later = NOW + dt.timedelta(days=3)
    assert store.save_inputs(changed, later)[:3] == (0, 1, 1)
    assert store.save_inputs(changed, later + dt.timedelta(days=1))[:3] == (0, 2, 0)
    rows = store.inputs().select("known_at", "value").rows()
    assert rows == [(dt.datetime(2024, 1, 3, 21, 30, tzinfo=dt.UTC), 0.5), (later, 0.9)]
