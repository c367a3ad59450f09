"""Fees that a broker posts after the trade was archived reach the trade on the next run."""

from __future__ import annotations

import datetime as dt
import shutil
from contextlib import closing
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from emulators.exchange import over_http
from goldenthread.app import late_fees
from goldenthread.app.api.desks import open_desk
from goldenthread.app.api.records import facts
from goldenthread.app.book import dates_between, frozen_run
from goldenthread.app.day import run_day
from goldenthread.warehouse.patches import patch_fill_fees

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from goldenthread.app.book import FrozenRun
    from goldenthread.app.desk import Desk
    from goldenthread.domain.order import Fill
    from goldenthread.domain.position import Position
    from goldenthread.ports.warehouse import Warehouse
    from goldenthread.warehouse.loading import RunStamp

FIRST = dt.date(2012, 6, 21)
DAYS = 25
BOOK = "paper:PA7"
TRADES = """
SELECT trade_id, symbol, ds, fees, net_pnl, is_final FROM fact_trades
WHERE book = @book AND ds BETWEEN @first AND @last ORDER BY trade_id
"""
FILLS = """
SELECT order_key, fill_no, fee, fee_quantity FROM fact_fills
WHERE book = @book AND ds BETWEEN @first AND @last ORDER BY order_key, fill_no
"""
ERROR = """
SELECT MAX(ABS(money_error)) AS worst FROM snapshot_accounts
WHERE book = @book AND ds = @last AND ds >= @first
"""
ALWAYS = (dt.date(2012, 1, 1), dt.date(2012, 12, 31))


def _traded(
    imported: Path,
    folder: Path,
    *,
    late_days: int,
    day: Callable[[Desk, FrozenRun], object] = lambda desk, run: run_day(desk, run, archiving=True),
) -> dict[str, pl.DataFrame]:
    """The trades, executions and last money error of a paper book, its fees posted so late."""
    shutil.copytree(imported, folder)
    with over_http(folder, "PA7", FIRST) as (project, exchange):
        if late_days:
            exchange.fault("late_fees", days=late_days)
        span = (FIRST, FIRST + dt.timedelta(days=DAYS - 1))
        with closing(open_desk(project, BOOK, span, durable=False)) as desk:
            for ds in dates_between(*span):
                day(desk, frozen_run(ds, ds))
    last = FIRST + dt.timedelta(days=DAYS - 1)
    return {
        "trades": facts(project, BOOK, TRADES, ALWAYS),
        "fills": facts(project, BOOK, FILLS, ALWAYS),
        "error": facts(project, BOOK, ERROR, (FIRST, last)),
    }


@pytest.mark.slow
def test_fees_posted_a_day_late_end_in_the_trades_as_those_posted_at_once(
    imported: Path, tmp_path: Path
) -> None:
    prompt = _traded(imported, tmp_path / "prompt", late_days=0)
    late = _traded(imported, tmp_path / "late", late_days=1)
    sold = prompt["fills"].filter(pl.col("fee") > 0)
    assert len(sold) > 0  # crypto was sold, so there is a fee to come late
    assert prompt["trades"]["ds"].max() == FIRST + dt.timedelta(days=DAYS - 3)
    assert late["trades"].equals(prompt["trades"])
    assert late["fills"].equals(prompt["fills"])  # by order key: no stop was refused on the way
    assert prompt["trades"]["is_final"].all()
    assert sum(prompt["trades"]["fees"], Decimal(0)) > 0
    assert late["error"]["worst"][0] < Decimal("0.0001")


@pytest.mark.slow
def test_a_run_that_dies_between_archive_and_hot_store_loses_no_late_fee(
    imported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patch, died = patch_fill_fees, []

    def dying(warehouse: Warehouse, fills: Sequence[tuple[Fill, Position]], stamp: RunStamp) -> Any:  # noqa: ANN401  # passed on
        if fills and stamp.ds not in died:
            died.append(stamp.ds)
            message = "the power went"
            raise RuntimeError(message)
        return patch(warehouse, fills, stamp)

    def again(desk: Desk, run: FrozenRun) -> None:
        try:
            run_day(desk, run, archiving=True)
        except RuntimeError:
            run_day(desk, run, archiving=True)

    prompt = _traded(imported, tmp_path / "prompt", late_days=0)
    monkeypatch.setattr(late_fees, "patch_fill_fees", dying)
    late = _traded(imported, tmp_path / "late", late_days=2, day=again)
    assert died
    assert late["fills"].equals(prompt["fills"])
    assert late["trades"].equals(prompt["trades"])
