"""Whatever stands in a file: a typed error that says what to do, or a result; nothing else."""

from __future__ import annotations

import datetime as dt
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.command import contents
from goldenthread.app.api.bars import coverage, import_bars
from goldenthread.app.api.project import Project, init_project
from goldenthread.app.api.strategies import check_strategies
from goldenthread.domain.errors import GoldenthreadError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

FUZZ = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
FEW = settings(FUZZ, max_examples=40)
"""For examples that write files and read them back."""

pytestmark = pytest.mark.xdist_group("fuzz")

STARTER = """
strategy_id = "fuzzed"
assets = ["AAPL", "DAWN/USD"]
timeframe = "1D"
side = "long"
[params]
p = 3
[factors]
f = "SMA(close, 3)"
[entry]
when = "close > f"
price = "close"
order = "limit"
cancel_if = "close < 0"
priority = "f"
[reject_unless]
R = "f > p"
[exit]
stop = "entry * 0.9"
trail = "f"
when = "close < f"
targets = [{ at = "entry * 1.2", sell = 0.5 }]
max_bars = 5
[size]
mode = "risk"
risk_fraction = 0.01
"""
LINES = STARTER.strip().splitlines()

names = st.sampled_from(
    [
        *("close", "open", "volume", "entry", "f", "p", "SMA", "RSI", "LAG", "ref", "BBANDS"),
        *("OBV", "x", "__import__", "__class__", "__globals__", "eval", "os"),
    ]
)
numbers = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.floats().map(repr),
    st.sampled_from(["0", "-1", "1e400", "1_000", "0x10", "1e-400", "9" * 400]),
)
leaves = st.one_of(names, numbers, st.sampled_from(["'AAPL'", "True", "None", "()", "[]", "{}"]))


def _deeper(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    signs = st.sampled_from(
        ["+", "-", "*", "/", "**", "%", "<", ">=", "==", "and", "or", ",", "if", "@"]
    )
    return st.one_of(
        st.tuples(inner, signs, inner).map(" ".join),
        st.tuples(names, st.lists(inner, max_size=4)).map(lambda c: f"{c[0]}({', '.join(c[1])})"),
        inner.map(lambda text: f"({text})"),
        inner.map(lambda text: f"not {text}"),
        st.tuples(inner, names).map(lambda c: f"{c[0]}.{c[1]}"),
        inner.map(lambda text: f"{text}[0]"),
        inner.map(lambda text: f"lambda: {text}"),
        inner.map(lambda text: f"[{text} for x in {text}]"),
        inner.map(lambda text: f"({text})" * 30),
        st.tuples(inner, inner).map(lambda c: f"{c[0]} ** {c[1]} ** 9 ** 9"),
    )


expressions = st.one_of(st.recursive(leaves, _deeper, max_leaves=8), st.text(max_size=30))
toml_values = st.one_of(
    expressions.map(lambda text: '"' + text.replace("\\", "").replace('"', "'") + '"'),
    numbers,
    st.sampled_from(
        [
            "true",
            "[]",
            "{}",
            '""',
            "[1]",
            "2020-01-01",
            "nan",
            "-inf",
            "[[1]]",
            '{ at = "f", sell = 2 }',
        ]
    ),
)


def only_ours(folder: Path, path: Path) -> None:
    """Check the file as ``strategy check`` does: a row, or an error a person can act on."""
    try:
        (row,) = check_strategies(Project.open(folder), [path])
    except GoldenthreadError as error:
        assert str(error)  # noqa: PT017  # any of ours will do, with a message
        return
    assert set(row) == {"file", "candidates", "would_trade", "no_bars", "error"}
    if row["error"]:
        with pytest.raises(UsageError):
            Project.open(folder).read(path)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a few bars, so that a strategy that is right is tried at once."""
    folder = tmp_path_factory.mktemp("small")
    init_project(folder)
    shutil.rmtree(folder / "strategies")
    days = [dt.date(2021, 3, 1) + dt.timedelta(days=n) for n in range(12)]
    rows = [("DAWN/USD", ds, 5.0, 6.0, 4.0, 4.5 + n % 3 / 2, 10.0) for n, ds in enumerate(days)]
    columns = ["symbol", "ds", "open", "high", "low", "close", "volume"]
    pl.DataFrame(rows, columns, orient="row").write_parquet(folder / "bars.parquet")
    assert import_bars(Project.open(folder), folder / "bars.parquet", {}).new == 12
    return folder


def test_the_file_that_is_varied_is_right_itself(small: Path) -> None:
    (small / "starter.toml").write_text(STARTER, encoding="utf-8")
    (row,) = check_strategies(Project.open(small), [small / "starter.toml"])
    assert (row["error"], row["no_bars"]) == ("", ["AAPL"])
    assert isinstance(row["candidates"], int)
    assert row["candidates"] > 0


@FUZZ
@given(content=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_any_bytes_as_a_strategy_file(content: bytes, small: Path) -> None:
    path = small / "any.toml"
    path.write_bytes(content)
    only_ours(small, path)


@FUZZ
@given(
    line=st.integers(0, len(LINES) - 1),
    value=toml_values,
    flipped=st.tuples(st.integers(0, len(LINES) - 1), st.integers(0, len(LINES) - 1)),
)
def test_a_strategy_file_with_any_value_in_any_place(
    line: int, value: str, flipped: tuple[int, int], small: Path
) -> None:
    lines = list(LINES)
    key, equals, _ = lines[line].partition("=")
    if equals:
        lines[line] = f"{key}= {value}"
    else:  # a section moves
        one, other = flipped
        lines[one], lines[other] = lines[other], lines[one]
    path = small / "placed.toml"
    path.write_text("\n".join(lines), encoding="utf-8", errors="replace")
    only_ours(small, path)


@FUZZ
@given(where=st.sampled_from(["f", "when", "stop", "trail", "R", "priority"]), text=expressions)
def test_any_expression_in_any_rule(where: str, text: str, small: Path) -> None:
    written = text.replace("\\", "").replace("'''", "")
    lines = [
        f"{line.partition('=')[0]}= '''{written}'''" if line.startswith(f"{where} =") else line
        for line in LINES
    ]
    path = small / "expression.toml"
    path.write_text("\n".join(lines), encoding="utf-8", errors="replace")
    only_ours(small, path)


cells = st.one_of(
    st.floats().map(repr),
    st.integers(-(10**25), 10**25).map(str),
    st.sampled_from(
        ["", "AAPL", "ZZ", "BTC-USD", "BTC/USD", "nan", "1,5", "2021-03-02", "\x00", '"']
    ),
    st.dates().map(str),
    st.text(max_size=8),
)
prices = st.floats(1, 10).map(repr)
bar_rows = st.one_of(
    st.tuples(cells, cells, cells, cells, cells, cells, cells),
    st.tuples(  # nearly right, so that rows get through and meet the later rules
        st.sampled_from(["AAPL", "ZZ/USD", "ZZ-USD", "zz", "BRK.B"]),
        st.dates(dt.date(1960, 1, 1), dt.date(2070, 1, 1)).map(str),
        *(st.one_of(prices, cells) for _ in range(5)),
    ),
)
HEADER = "symbol,ds,open,high,low,close,volume"


@FEW
@given(rows=st.lists(bar_rows, max_size=6), header=st.sampled_from([HEADER, HEADER, "a,b", ""]))
def test_any_rows_as_a_csv_of_bars(
    rows: list[tuple[str, ...]], header: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = "\n".join([header, *(",".join(row) for row in rows)])
    lines = text.count("\n")  # after the header; a cell may hold one more
    imported(text.encode(errors="replace"), "bars.csv", tmp_path_factory.mktemp("csv"), lines)


@FEW
@given(content=st.binary(max_size=200), suffix=st.sampled_from(["csv", "parquet"]))
def test_any_bytes_as_a_file_of_bars(
    content: bytes, suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    imported(content, f"bars.{suffix}", tmp_path_factory.mktemp("bytes"))


kinds: st.SearchStrategy[tuple[pl.DataType, st.SearchStrategy[Any]]] = st.sampled_from(
    [
        (pl.Float64(), st.floats()),
        (pl.Int64(), st.integers(-(2**63), 2**63 - 1)),
        (pl.String(), st.text(max_size=6)),
        (pl.Date(), st.dates()),
        (pl.Datetime("us"), st.datetimes()),
        (pl.Boolean(), st.booleans()),
        (pl.Null(), st.none()),
        (pl.List(pl.Int64()), st.lists(st.integers(0, 9), max_size=2)),
    ]
)


@FEW
@given(data=st.data(), height=st.integers(0, 4))
def test_any_frame_as_a_parquet_of_bars(
    data: st.DataObject, height: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    columns = {}
    for name in HEADER.split(","):
        kind, values = data.draw(kinds)
        column = st.lists(st.none() | values, min_size=height, max_size=height)
        columns[name] = pl.Series(name, data.draw(column), kind, strict=False)
    folder = tmp_path_factory.mktemp("frame")
    pl.DataFrame(columns).write_parquet(folder / "bars.parquet")
    imported((folder / "bars.parquet").read_bytes(), "bars.parquet", folder, height)


def imported(content: bytes, name: str, folder: Path, rows: int | None = None) -> None:
    """Import the file into a new project: every row is kept or told, or nothing is stored."""
    init_project(folder)
    (folder / name).write_bytes(content)
    project = Project.open(folder)
    before = contents(folder)
    try:
        report = import_bars(project, folder / name, {})
    except UsageError as error:
        assert str(error)  # noqa: PT017  # one of ours, with a message
        assert contents(folder) == before
        return
    if rows is not None and not any(mark in content for mark in (b'"', b"\r", b"\x00")):
        assert report.new + report.same + report.revised + report.refused <= rows
    with suppress(UsageError):  # no bar was fit to keep
        assert coverage(project)["bars"].sum() == report.new
    again = import_bars(project, folder / name, {})
    assert (again.new, again.revised, again.refused) == (0, 0, report.refused)
