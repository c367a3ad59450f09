from __future__ import annotations

import contextlib
import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goldenthread.domain.asset import AssetClass
from goldenthread.domain.bar import BAR_SCHEMA
from goldenthread.domain.errors import UsageError
from goldenthread.market.imports import Imported, read_bars

if TYPE_CHECKING:
    from pathlib import Path

NOW = dt.datetime(2024, 2, 1, tzinfo=dt.UTC)
HEADER = "symbol,date,open,high,low,close,volume\n"
AAPL = "AAPL,2024-01-30,190,193,187,188,1000\n"


def _read(folder: Path, text: str, **mapping: str) -> Imported:
    path = folder / "bars.csv"
    path.write_text(text, encoding="utf-8")
    return read_bars(path, mapping, "", NOW)


def _refusals(imported: Imported) -> list[tuple[str, str, str]]:
    return imported.refused.select("symbol", "field", "value").rows()


def test_a_csv_with_usual_names_is_read_in_our_schema(tmp_path: Path) -> None:
    text = (
        "Ticker,Date,Open,High,Low,Close,Adj Close,Volume\n"
        "aapl,2024-01-30,190,193,187,188,94,1000\n"
    )
    imported = _read(tmp_path, text)
    assert imported.bars.schema == pl.Schema(BAR_SCHEMA)
    closed = dt.datetime(2024, 1, 30, 21, tzinfo=dt.UTC)  # 16:00 in New York
    ds = dt.date(2024, 1, 30)
    expected = ("AAPL", ds, 190.0, 193.0, 187.0, 188.0, 1000.0, "file:bars.csv", closed, "GOOD")
    assert imported.bars.rows() == [expected]
    assert imported.refused.is_empty()
    assert imported.actions == []


def test_the_map_chooses_columns_and_gives_constants(tmp_path: Path) -> None:
    text = "date,open,high,low,close,Adj_Close,volume\n2024-01-30,90,96,93,188,94,1000\n"
    imported = _read(tmp_path, text, close="Adj_Close", low="open", symbol="=msft", source="=mine")
    row = imported.bars.row(0, named=True)
    assert (row["symbol"], row["close"], row["low"], row["source"]) == ("MSFT", 94, 90, "mine")


def test_crypto_pairs_are_written_with_a_slash_and_known_at_midnight(tmp_path: Path) -> None:
    text = HEADER + "BTC-USD,2024-01-27,1,1,1,1,5\nBRK-B,2024-01-30,1,1,1,1,5\n"
    imported = _read(tmp_path, text)
    assert imported.bars["symbol"].to_list() == ["BRK-B", "BTC/USD"]
    assert imported.bars["known_at"][1] == dt.datetime(2024, 1, 28, tzinfo=dt.UTC)


def test_an_asset_class_column_decides_what_is_a_pair(tmp_path: Path) -> None:
    header = "asset_class,symbol,date,open,high,low,close,volume\n"
    values = "2024-01-30,1,1,1,1,5\n"
    rows = [
        "crypto,BTC-USD,", "CRYPTO,ethusdt,", "CRYPTO,SOL/USD,", "EQUITY,ABC-USD,",
        "CRYPTO,XYZ,", "EQUITY,A/B,", "BOND,T,",
    ]  # fmt: skip
    imported = _read(tmp_path, header + "".join(row + values for row in rows))
    symbols = imported.bars["symbol"].to_list()
    assert symbols == ["ABC-USD", "BTC/USD", "ETH/USDT", "SOL/USD"]
    assert _refusals(imported) == [
        ("A/B", "symbol", "A/B"),
        ("T", "asset_class", "BOND"),
        ("XYZ", "symbol", "XYZ"),
    ]


def test_assets_come_in_the_steps_of_their_class(tmp_path: Path) -> None:
    text = HEADER + AAPL + "BTC-USD,2024-01-27,1,1,1,1,5\n"
    apple, bitcoin = _read(tmp_path, text, source="=SYNTHETIC seed 7").assets
    assert (apple.symbol, apple.asset_class) == ("AAPL", AssetClass.EQUITY)
    assert (apple.price_tick, apple.quantity_step) == (Decimal("0.01"), Decimal(1))
    assert (bitcoin.symbol, bitcoin.asset_class) == ("BTC/USD", AssetClass.CRYPTO)
    assert (bitcoin.price_tick, bitcoin.quantity_step, bitcoin.min_notional) == (
        Decimal("0.000001"),
        Decimal("0.000000001"),
        Decimal(10),
    )
    assert (apple.shortable, bitcoin.shortable, apple.synthetic) == (True, False, True)


@pytest.mark.parametrize(
    ("row", "field", "value"),
    [
        ("A+,2024-01-30,1,1,1,1,5", "symbol", "A+"),
        (",2024-01-30,1,1,1,1,5", "symbol", "(empty)"),
        ("AAPL,30/01/2024,1,1,1,1,5", "ds", "30/01/2024"),
        ("AAPL,2024-02-30,1,1,1,1,5", "ds", "2024-02-30"),
        ("AAPL,1706572800,1,1,1,1,5", "ds", "1706572800"),
        ('AAPL,2024-01-30,"1,5",1,1,1,5', "open", "1,5"),
        ("AAPL,2024-01-30,1,1,1,,5", "close", "(empty)"),
        ("AAPL,2024-01-30,1,1,1,nan,5", "close", "NaN"),
        ("AAPL,2024-01-30,1,1,1,inf,5", "close", "inf"),
        ("AAPL,2024-01-30,1,1,1,1,1.2M", "volume", "1.2M"),
        ("AAPL,2024-01-30,1,1,1,-1,5", "close", "-1.0"),
        ("AAPL,2024-01-27,1,1,1,1,5", "ds", "2024-01-27"),
        ("AAPL,2024-02-01,1,1,1,1,5", "ds", "2024-02-01"),
        ("AAPL,2034-01-31,1,1,1,1,5", "ds", "2034-01-31"),
    ],
)
def test_a_row_unfit_is_refused_with_its_text_and_the_others_are_kept(
    tmp_path: Path, row: str, field: str, value: str
) -> None:
    imported = _read(tmp_path, HEADER + AAPL + row + "\n")
    assert imported.bars["close"].to_list() == [188.0]
    assert imported.refused.select("field", "value").rows() == [(field, value)]
    assert len(imported.refused["reason"][0]) > 10


@pytest.mark.parametrize(
    ("date", "symbol", "ds"),
    [
        ("20240130", "AAPL", 30),
        ("2024-01-30 00:00:00", "AAPL", 30),
        ("2024-01-30T05:00:00Z", "AAPL", 30),  # midnight in New York, as Alpaca writes it
        ("2024-01-30T00:00:00Z", "AAPL", 30),  # midnight UTC stands for its date
        ("2024-01-31T02:00:00+00:00", "AAPL", 30),  # the evening of the 30th in New York
        ("2024-01-31T02:00:00+00:00", "BTC-USD", 31),
    ],
)
def test_dates_may_be_plain_compact_or_instants(
    tmp_path: Path, date: str, symbol: str, ds: int
) -> None:
    imported = _read(tmp_path, HEADER + f"{symbol},{date},1,1,1,1,5\n")
    assert imported.bars["ds"].to_list() == [dt.date(2024, 1, ds)]


def test_a_parquet_file_with_typed_columns_is_read(tmp_path: Path) -> None:
    instants = [dt.datetime(2024, 1, 30, 5, tzinfo=dt.UTC)]
    path = tmp_path / "bars.parquet"
    frame = pl.DataFrame({"symbol": ["AAPL"], "timestamp": instants, "o": [1], "h": [2], "l": [1]})
    frame.with_columns(c=pl.lit(2.0), v=pl.lit(5)).write_parquet(path)
    bars = read_bars(path, {}, "alpaca", NOW).bars
    assert bars.select("ds", "high", "source").rows() == [(dt.date(2024, 1, 30), 2.0, "alpaca")]


def test_a_given_known_at_wins_if_it_is_possible(tmp_path: Path) -> None:
    header = HEADER.strip() + ",known_at\n"
    rows = [
        "A,2024-01-30,1,1,1,1,5,2024-01-31T06:00:00Z",
        "B,2024-01-30,1,1,1,1,5,",
        "C,2024-01-30,1,1,1,1,5,2024-01-30T20:59:59Z",
        "D,2024-01-30,1,1,1,1,5,2024-02-02T00:00:00Z",
        "E,2024-01-30,1,1,1,1,5,2024-01-31 06:00",
    ]
    imported = _read(tmp_path, header + "\n".join(rows) + "\n")
    assert imported.bars.select("symbol", "known_at").rows() == [
        ("A", dt.datetime(2024, 1, 31, 6, tzinfo=dt.UTC)),
        ("B", dt.datetime(2024, 1, 30, 21, tzinfo=dt.UTC)),
    ]
    assert imported.refused.select("symbol", "field").rows() == [
        ("C", "known_at"),
        ("D", "known_at"),
        ("E", "known_at"),
    ]
    assert "before the close" in imported.refused["reason"][0]


def test_a_duplicated_row_is_kept_once(tmp_path: Path) -> None:
    imported = _read(tmp_path, HEADER + AAPL + AAPL)
    assert len(imported.bars) == 1
    assert imported.refused["reason"].to_list() == ["repeats a row that is kept"]


@pytest.mark.parametrize(
    ("text", "mapping", "words"),
    [
        ("date,open,high,low,close\n1,1,1,1,1\n", {}, "no column for symbol, volume"),
        (HEADER + AAPL, {"close": "Last"}, "no column 'Last' to read close from; it has 'symbol'"),
        (HEADER + AAPL, {"adj": "close"}, "'adj', which bars do not have; it can name symbol, ds"),
        ("", {}, "is empty"),
        (HEADER, {}, "no rows"),
        (HEADER + "AAPL,2024-01-30,1,1,1,1,5,6,7\n", {}, "cannot be read as CSV"),
    ],
)
def test_a_file_that_is_no_table_of_bars_is_a_usage_error(
    tmp_path: Path, text: str, mapping: dict[str, str], words: str
) -> None:
    with pytest.raises(UsageError, match=words.replace("(", r"\(")):
        _read(tmp_path, text, **mapping)


def test_a_file_that_is_not_there_or_not_readable_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a file"):
        read_bars(tmp_path / "none.csv", {}, "", NOW)
    with pytest.raises(UsageError, match="is not a file"):
        read_bars(tmp_path, {}, "", NOW)
    broken = tmp_path / "bars.parquet"
    broken.write_bytes(b"PAR1 no such thing PAR1")
    with pytest.raises(UsageError, match="cannot be read as Parquet"):
        read_bars(broken, {}, "", NOW)
    latin = tmp_path / "latin.csv"
    latin.write_bytes(HEADER.encode() + "ÄÖ,2024-01-30,1,1,1,1,1\n".encode("latin-1"))
    with pytest.raises(UsageError, match="UTF-8"):
        read_bars(latin, {}, "", NOW)


@pytest.mark.parametrize(
    ("field", "values"),
    [("open", [[1.0]]), ("close", [dt.date(2024, 1, 30)]), ("ds", [1.5]), ("symbol", [7])],
)
def test_a_column_of_the_wrong_kind_is_a_usage_error(
    tmp_path: Path, field: str, values: list[object]
) -> None:
    path = tmp_path / "bars.parquet"
    columns: dict[str, list[object]] = {"symbol": ["AAPL"], "ds": ["2024-01-30"]}
    columns |= {name: [1.0] for name in ("open", "high", "low", "close", "volume")}
    pl.DataFrame({**columns, field: values}).write_parquet(path)
    with pytest.raises(UsageError, match=f"{field} of bars.parquet would be a column of"):
        read_bars(path, {}, "", NOW)


_CELLS = st.one_of(
    st.sampled_from(["", "nan", "-inf", "1e400", "0", "-0.0", "1", "1.5", "1e-12", "x", "é"]),
    st.floats(width=32).map(str),
    st.integers().map(str),
)
_DAYS = st.one_of(st.dates().map(str), st.sampled_from(["2024-01-30", "2024-01-31", "2024-13-01"]))
_NAMES = st.sampled_from(["AAPL", "BTC-USD", "BTC/USD", "", " spy ", "a,b", "DOGE/usd"])
_ROWS = st.lists(st.tuples(_NAMES, _DAYS, *[_CELLS] * 5), min_size=1, max_size=8)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(_ROWS)
def test_every_row_is_either_kept_and_sane_or_refused_once(
    tmp_path: Path, rows: list[tuple[str, ...]]
) -> None:
    frame = pl.DataFrame(rows, schema=HEADER.strip().split(","), orient="row")
    path = tmp_path / "bars.csv"
    frame.write_csv(path)
    imported = read_bars(path, {}, "", NOW)
    assert len(imported.bars) + len(imported.refused) == len(rows)
    for row in imported.bars.iter_rows(named=True):
        assert 0 < row["low"] <= min(row["open"], row["close"])
        assert max(row["open"], row["close"]) <= row["high"] < float("inf")
        assert 0 <= row["volume"] < float("inf")
        assert row["known_at"] <= NOW
    assert imported.bars.select("symbol", "ds").is_duplicated().any() is False
    assert all(imported.refused["reason"])


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=200), st.sampled_from(["bars.csv", "bars.parquet"]), st.booleans())
def test_any_bytes_are_a_file_of_bars_or_a_usage_error(
    tmp_path: Path, content: bytes, name: str, with_header: bool
) -> None:
    path = tmp_path / name
    path.write_bytes((HEADER.encode() if with_header else b"") + content)
    with contextlib.suppress(UsageError):
        read_bars(path, {}, "", NOW)


@pytest.mark.shared
def test_the_shared_bars_are_read_whole(shared_data: Path) -> None:
    imported = read_bars(shared_data / "daily_bars.parquet", {}, "", NOW.replace(year=2026))
    assert (len(imported.bars), len(imported.assets)) == (95_609, 30)
    assert imported.refused.is_empty()
    pairs = [asset.symbol for asset in imported.assets if asset.asset_class is AssetClass.CRYPTO]
    assert pairs == ["ADA/USD", "BTC/USD", "DOGE/USD", "ETH/USD", "LTC/USD", "SOL/USD"]
