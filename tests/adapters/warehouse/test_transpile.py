from __future__ import annotations

import datetime as dt
from decimal import Decimal
from importlib import resources

import pytest

from goldenthread.adapters.warehouse.session import DuckDBSession
from goldenthread.adapters.warehouse.transpile import select_to_duckdb, to_duckdb
from goldenthread.domain.errors import UsageError
from goldenthread.warehouse.views import prepare

STATEMENTS = sorted(
    path.name
    for path in resources.files("goldenthread.warehouse").joinpath("sql").iterdir()
    if path.name.endswith(".sql")
)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT NUMERIC '1.123456789' AS x", Decimal("1.123456789")),
        ("SELECT CAST('1.123456789' AS NUMERIC) AS x", Decimal("1.123456789")),
        ("SELECT NUMERIC '0.1' + NUMERIC '0.2' AS x", Decimal("0.3")),
        ("SELECT SAFE_DIVIDE(1, 0) AS x", None),
        ("SELECT SAFE_DIVIDE(7, 2) AS x", 3.5),
        ("SELECT DATE_ADD(DATE '2026-01-31', INTERVAL 1 MONTH) AS x", dt.date(2026, 2, 28)),
        ("SELECT DATE_SUB(DATE '2026-01-01', INTERVAL 1 DAY) AS x", dt.date(2025, 12, 31)),
        ("SELECT DATE_TRUNC(DATE '2026-03-18', ISOWEEK) AS x", dt.date(2026, 3, 16)),
        ("SELECT DATE_TRUNC(DATE '2026-03-18', MONTH) AS x", dt.date(2026, 3, 1)),
        ("SELECT COUNTIF(v > 1) AS x FROM UNNEST([1, 2, 3]) AS v", 2),
        ("SELECT SUM(v) AS x FROM UNNEST([1, 2, 3]) AS v", 6),
        ("SELECT SUM(v) AS x FROM UNNEST([NUMERIC '1', NUMERIC '2']) AS v", Decimal(3)),
        ("SELECT IF(1 > 2, 'a', 'b') AS x", "b"),
        ("SELECT SPLIT('2024-01-05|id', '|')[OFFSET(1)] AS x", "id"),
        ('SELECT JSON_VALUE(JSON \'{"a": {"b": "c"}}\', \'$.a.b\') AS x', "c"),
        (
            (
                "SELECT v AS x FROM UNNEST([1, 2, 3]) AS v "
                "QUALIFY ROW_NUMBER() OVER (ORDER BY v DESC) = 1"
            ),
            3,
        ),
    ],
)
def test_bigquery_means_the_same_here(sql: str, expected: object) -> None:
    (found,) = DuckDBSession().query(sql, {})["x"].to_list()
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize("name", STATEMENTS)
def test_every_sql_file_of_the_warehouse_has_an_equal_in_duckdb_and_runs(name: str) -> None:
    sql = resources.files("goldenthread.warehouse").joinpath("sql", name).read_text()
    (statement,) = to_duckdb(sql)
    assert "DECIMAL(18" not in statement
    session = DuckDBSession()
    prepare(session)
    values = {
        "book": "b",
        "ds": dt.date(2024, 1, 1),
        "run_id": "r",
        "loaded_at": dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
        "from": dt.date(2024, 1, 1),
        "to": dt.date(2024, 1, 1),
        "patches": ["2024-01-01|x"],
    }
    session.execute(sql, values)


@pytest.mark.parametrize("sql", ["SELEC 1", "SELECT (", "DROP TABLE t", "", "SELECT 1; SELECT 2"])
def test_what_is_not_one_select_is_refused_with_a_plain_message(sql: str) -> None:
    with pytest.raises(UsageError) as caught:
        select_to_duckdb(sql)
    assert "\x1b" not in str(caught.value)
    assert "\n" not in str(caught.value)
