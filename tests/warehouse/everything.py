"""A little of everything in every table: what two engines are compared on."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from goldenthread.domain.asset import ActionKind, CorporateAction
from goldenthread.domain.bar import BAR_SCHEMA
from goldenthread.domain.order import IntentStatus
from goldenthread.domain.strategy import Version
from goldenthread.warehouse import loops
from goldenthread.warehouse.patches import patch_fees, patch_prices
from warehouse.examples import (
    BOOK,
    DAY,
    account,
    at,
    day,
    expired_signal,
    fill,
    intent,
    position,
    resolved,
    run,
    signal,
    trade,
    waiting,
)

if TYPE_CHECKING:
    from goldenthread.ports.warehouse import Warehouse

CONFIG = '{"assets":["AAPL","É€"],"deep":{"limit":0.1,"none":null},"rsi_max":70}'


def fill_with_everything(warehouse: Warehouse) -> list[loops.LoopResult]:
    """The loops of two days and their patches; what each did, in order."""
    first, second = run(), run(day(3), "run-2")
    trades = [
        trade("100.123456789", day(2), "A"),
        trade("-40", day(3), "B"),
        trade("-80.000000001", day(3), "C"),
        trade("30", day(3), "D"),
        trade("33.333333333", day(5), "E"),
    ]
    refused = [
        (signal("F"), resolved(day(4), "25")),
        (signal("G"), waiting()),
        (signal("H"), resolved(day(4), "999", priced_as="MARKET_NEXT_OPEN")),
    ]
    later = [(signal("G"), resolved(day(6), "-10.5")), (signal("F"), resolved(day(7), "26"))]
    expired = [(expired_signal("I"), waiting()), (expired_signal("J"), resolved(day(4), "7"))]
    held = position()
    return [
        *loops.load_dimensions(warehouse, (_versions(), _versions(), _versions()), {}, first),
        loops.load_dates(warehouse, DAY, DAY, first),
        loops.load_trades(warehouse, trades, first),
        *patch_prices(warehouse, refused, expired, first),
        *patch_prices(warehouse, later, expired, second),
        patch_fees(warehouse, [_with_fee(trades[0])], second),
        *loops.load_snapshots(
            warehouse,
            [account(), account(day(1))],
            [loops.Mark(DAY, held, Decimal(104))],
            first,
        ),
        *loops.load_bars(warehouse, _bars("GOOD", "SUSPECT"), [_split()], first),
        *loops.load_bars(warehouse, _bars("GOOD", "CONFIRMED", "GOOD"), [_split()], second),
        *loops.load_orders(warehouse, [(intent(), held)], [(fill(held.position_id), held)], first),
        *loops.load_orders(warehouse, [(intent(IntentStatus.DONE), held)], [], second),
        loops.audit(warehouse, [_act()], first),
        loops.load_run(warehouse, _job(), [], first),
    ]


def _versions() -> list[Version]:
    opened = Version(
        id="breakout",
        version_key="v1",
        config=CONFIG,
        valid_from=at(DAY),
        git_hash="",
        engine_digest="engine",
    )
    closed = opened.model_copy(update={"valid_to": at(day(2))})
    return [closed, opened.model_copy(update={"version_key": "v2", "valid_from": at(day(2))})]


def _with_fee(pair: Any) -> Any:  # noqa: ANN401  # a trade and its signal
    booked, idea = pair
    changed = {"fees": Decimal("1.25"), "net_pnl": booked.net_pnl - Decimal("0.25")}
    return booked.model_copy(update=changed), idea


def _bars(*states: str) -> pl.DataFrame:
    rows = [
        {
            "symbol": "AAPL",
            "ds": day(n),
            "open": 99.5,
            "high": 102.25,
            "low": 99.0,
            "close": 100.1 + n,
            "volume": 1_000.0,
            "source": "test",
            "known_at": at(day(n), 21),
            "state": state,
        }
        for n, state in enumerate(states)
    ]
    return pl.DataFrame(rows, schema=BAR_SCHEMA)


def _split() -> CorporateAction:
    return CorporateAction(
        symbol="AAPL",
        kind=ActionKind.SPLIT,
        ex_ds=dt.date(2014, 6, 9),
        ratio=Decimal(7),
        source="test",
        known_at=at(DAY),
    )


def _act() -> dict[str, object]:
    return {
        "id": "halt-1",
        "acted_at": at(DAY),
        "actor": "ada",
        "action": "HALT",
        "subject": BOOK,
        "detail": {"why": "news, as “they” say"},
    }


def _job() -> dict[str, object]:
    return {
        "job": "run",
        "status": "DONE",
        "started_at": at(DAY),
        "finished_at": at(DAY, 1),
        "duration_s": 3600.0,
        "git_hash": "",
        "engine_digest": "engine",
        "detail": {"symbols": 1},
    }
