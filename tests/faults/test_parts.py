"""Executions in parts, out of order, more than once: what is booked is what the broker did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from faults.busy_day import chances, counted, told
from faults.chaos import seeds
from faults.http_days import DAYS, HTTP, live
from faults.project import BOOK, compare, copy
from faults.scatter import Scatter
from goldenthread.app.api.project import Project
from goldenthread.app.api.records import facts

if TYPE_CHECKING:
    from pathlib import Path

    from faults.chaos import Tally
    from faults.http_days import Lived

pytestmark = [pytest.mark.slow, pytest.mark.fault("F8")]

_FILLS = """
SELECT order_key, SUM(quantity) AS quantity, SUM(quantity * price) AS paid
FROM fact_fills WHERE book = @book AND ds BETWEEN @first AND @last GROUP BY order_key
"""
_TRADES = """
SELECT trade_id, quantity, entry_price, exit_price, gross_pnl, fees, net_pnl
FROM fact_trades WHERE book = @book AND ds BETWEEN @first AND @last
"""
_PARTS = """
SELECT COUNT(*) AS n, COUNT(DISTINCT execution_id) AS executions
FROM fact_fills WHERE book = @book AND ds BETWEEN @first AND @last
"""
_OTHER = ("table/fact_fills", "table/fact_trades")  # of parts, and the best price among them


@pytest.mark.parametrize("seed", seeds(2))
def test_parts_shuffled_and_repeated_are_booked_once_and_at_the_brokers_price(
    new: Path, quiet: Lived, tmp_path: Path, *, seed: int, tally: Tally
) -> None:
    scatter = Scatter(chances(seed))
    lived = live(copy(new, tmp_path / "project"), scatter)
    parts = sum(map(len, scatter.parts.values()))
    assert scatter.told > 2 * parts > 4 * len(scatter.parts)
    (found,) = rows(lived, _PARTS)
    whole = quiet.state["executed"][1] - len(scatter.parts)
    assert found == (parts + whole, parts + whole)
    unlike = {"in parts": compare(booked(lived), booked(quiet))}
    assert told(unlike)
    tally("executions in 1 to 9 parts, shuffled, repeated", found[0], counted(unlike), engines=HTTP)


def booked(lived: Lived) -> dict[str, Any]:
    """What the days left, with the sums of each order and trade in the place of their parts."""
    tables = {name: value for name, value in lived.state.items() if name not in _OTHER}
    sums = {str(row[0]): row[1:] for sql in (_FILLS, _TRADES) for row in rows(lived, sql)}
    assert sums
    return {**tables, **sums}


def rows(lived: Lived, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a question about all the days."""
    return facts(Project.open(lived.folder), BOOK, sql, (DAYS[0], DAYS[-1])).rows()
