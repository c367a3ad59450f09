"""A project in which every day is a busy one, and all that can be seen of it afterwards."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import sqlite3
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from goldenthread.adapters.warehouse.session import DuckDBSession
from goldenthread.app.api.bars import import_bars
from goldenthread.app.api.project import Project, init_project
from goldenthread.app.demo import demo_bars
from goldenthread.warehouse.digest import table_digests

if TYPE_CHECKING:
    import pytest

FIRST, EVE, BUSY_DAY = dt.date(2012, 7, 2), dt.date(2012, 8, 15), dt.date(2012, 8, 16)
NEXT_DAY = BUSY_DAY + dt.timedelta(days=1)
_HISTORY, _FUTURE = dt.date(2012, 5, 1), dt.date(2012, 9, 28)
_SAID = 300
STRATEGIES = Path(__file__).with_name("strategies")
BOOK = "sim:main"


@cache
def bars() -> pl.DataFrame:
    """Five months of the demo's bars."""
    return demo_bars().filter(pl.col("ds").is_between(_HISTORY, _FUTURE))


def build(folder: Path) -> Path:
    """A new project with the busy strategies and the bars, and no day run yet."""
    init_project(folder)
    shutil.rmtree(folder / "strategies")
    shutil.copytree(STRATEGIES, folder / "strategies")
    file = folder / "bars.parquet"
    bars().write_parquet(file)
    report = import_bars(Project.open(folder), file, {})
    assert report.refused == report.quarantined == 0, report
    return folder


def copy(project: Path, to: Path) -> Path:
    """The project as it is now, in another folder."""
    shutil.copytree(project, to)
    return to


def seen(folder: Path, book: str = BOOK) -> dict[str, Any]:
    """Everything that was decided, archived or executed, by name.

    The digest of each table of the warehouse, each document of the hot store (how often it was
    written and when it may go are nobody's business), and the exchange's own ledger (in which
    row an order stands is nobody's business either).
    """
    state, name = folder / "state", book.partition(":")[2]
    documents = _rows(
        state / "hot.sqlite", "SELECT collection, id, body FROM document WHERE book = ?", book
    )
    exchange = state / f"exchange-{name}.sqlite"
    orders = [json.loads(body) for (body,) in _rows(exchange, "SELECT body FROM tickets")]
    fills = [json.loads(body) for (body,) in _rows(exchange, "SELECT body FROM fills")]
    return {
        **digests(folder, book),
        **{f"{collection}/{key}": json.loads(body) for collection, key, body in documents},
        **{f"order/{o['report']['client_order_id']}": {**o, "number": 0} for o in orders},
        **{f"fill/{fill['execution_id']}": fill for fill in fills},
        **{f"held/{row[0]}": row for row in _rows(exchange, "SELECT * FROM stakes")},
        "account": _rows(exchange, "SELECT account_id, met, cash FROM account"),
        "executed": (len(orders), len(fills)),
    }


def digests(folder: Path, book: str = BOOK) -> dict[str, str]:
    """The digest of each table that ``warehouse digest`` covers, and those without a book."""
    published = DuckDBSession(str(folder / "warehouse" / "wh.read.duckdb"), copy=True)
    try:
        return {f"table/{name}": sha for name, sha in table_digests(published, book).items()}
    finally:
        published.close()


class Unlike(NamedTuple):
    """What one state of a book has less, more, or otherwise than another."""

    lost: list[str]
    duplicated: list[str]
    differ: list[str]


def compare(found: dict[str, Any], expected: dict[str, Any]) -> Unlike:
    """What is lost, what is there twice or too much, and what differs, by name."""
    both = found.keys() & expected.keys()
    return Unlike(
        sorted(expected.keys() - found.keys()),
        sorted(found.keys() - expected.keys()),
        sorted(
            _difference(k, found[k], expected[k])[:_SAID] for k in both if found[k] != expected[k]
        ),
    )


def _difference(name: str, found: Any, expected: Any) -> str:  # noqa: ANN401  any JSON
    """Where two values differ, in few words."""
    if isinstance(found, dict) and isinstance(expected, dict):
        keys = [k for k in {**expected, **found} if found.get(k) != expected.get(k)]
        return f"{name}: " + "; ".join(_difference(k, found.get(k), expected.get(k)) for k in keys)
    if isinstance(found, list) and isinstance(expected, list):
        less = [item for item in expected if item not in found]
        return f"{name}: misses {less}, adds {[i for i in found if i not in expected]}"
    return f"{name} is {found}, not {expected}"


def figure(request: pytest.FixtureRequest, text: str) -> None:
    """Keep a measured figure for the summary of the test run."""
    request.node.user_properties.append(("figure", text))


def _rows(file: Path, sql: str, *values: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        return connection.execute(sql, values).fetchall()
    finally:
        connection.close()
