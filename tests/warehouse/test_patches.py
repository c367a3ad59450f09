from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

from goldenthread.domain.trade import Trade
from goldenthread.warehouse import loops
from goldenthread.warehouse.patches import patch_fees, patch_prices
from warehouse.examples import (
    ALL,
    day,
    empty,
    expired_signal,
    resolved,
    run,
    signal,
    trade,
    waiting,
)

if TYPE_CHECKING:
    import polars as pl

    from goldenthread.ports.warehouse import Warehouse


def images(warehouse: Warehouse) -> pl.DataFrame:
    sql = "SELECT * FROM audit_log WHERE ds BETWEEN @from AND @to ORDER BY id"
    return warehouse.query(sql, ALL)


def test_a_resolved_price_replaces_an_open_one_and_the_old_image_is_kept() -> None:
    warehouse = empty()
    loops.load_rejected(warehouse, [(signal(), waiting())], run())
    loops.load_expired(warehouse, [(expired_signal(), waiting(day(1)))], run())
    first, second = patch_prices(
        warehouse,
        [(signal(), resolved(day(3), "95.5"))],
        [(expired_signal(), resolved(day(3), "-20"))],
        run(day(3)),
    )
    assert (first.updated, second.updated) == (1, 1)
    prices = warehouse.query(
        "SELECT theoretical_net_pnl AS p FROM fact_signals_expired WHERE ds BETWEEN @from AND @to",
        ALL,
    )
    assert prices["p"].to_list() == [Decimal(-20)]
    kept = images(warehouse)
    assert kept["action"].to_list() == ["PATCH_PRICES", "PATCH_PRICES"]
    old = json.loads(kept["detail"][0])
    assert (old["outcome_status"], old["revision"], old["theoretical_net_pnl"]) == (
        "OPEN",
        "2024-03-04",
        None,
    )
    assert kept["subject"][0] == f"fact_rejected_signals/{signal().signal_id}"


def test_patching_again_changes_nothing_and_keeps_no_second_image() -> None:
    warehouse = empty()
    loops.load_rejected(warehouse, [(signal(), waiting())], run())
    for _ in range(2):
        result, _ = patch_prices(warehouse, [(signal(), resolved(day(3)))], [], run(day(3)))
    assert (result.updated, result.unchanged) == (0, 1)
    assert images(warehouse).height == 1


def test_an_interrupted_patch_is_completed_without_a_second_image() -> None:
    warehouse = empty()
    loops.load_rejected(warehouse, [(signal(), waiting())], run())
    patch_prices(warehouse, [(signal(), resolved(day(3)))], [], run(day(3)))
    kept = images(warehouse)
    torn = empty()  # the image was written, the merge was not
    loops.load_rejected(torn, [(signal(), waiting())], run())
    act = kept.row(0, named=True)
    loops.audit(
        torn,
        [
            {
                **{k: act[k] for k in ("id", "acted_at", "actor", "action", "subject")},
                "detail": json.loads(act["detail"]),
            }
        ],
        run(day(3)),
    )
    result, _ = patch_prices(torn, [(signal(), resolved(day(3)))], [], run(day(3)))
    assert result.updated == 1
    assert images(torn)["id"].to_list() == kept["id"].to_list()


def test_an_open_price_that_only_grew_older_leaves_no_image() -> None:
    warehouse = empty()
    loops.load_rejected(warehouse, [(signal(), waiting())], run())
    result, _ = patch_prices(warehouse, [(signal(), waiting(day(1)))], [], run(day(1)))
    assert result.updated == 1
    assert images(warehouse).is_empty()


def test_fees_known_later_change_fees_and_what_follows_from_them() -> None:
    warehouse = empty()
    booked, idea = trade("99", day(4), is_final=False)
    loops.load_trades(warehouse, [(booked, idea)], run(day(4)))
    final = Trade(
        **{
            **booked.model_dump(),
            "fees": Decimal("1.5"),
            "net_pnl": Decimal("98.5"),  # 100 - 1.5
            "r_multiple": Decimal("0.985"),
            "is_final": True,
        }
    )
    assert patch_fees(warehouse, [(final, idea)], run(day(5))).updated == 1
    row = warehouse.query("SELECT * FROM fact_trades WHERE ds BETWEEN @from AND @to", ALL).row(
        0, named=True
    )
    assert (row["fees"], row["net_pnl"], row["is_final"], row["revision"]) == (
        Decimal("1.5"),
        Decimal("98.5"),
        True,
        day(5),
    )
    old = json.loads(images(warehouse)["detail"][0])
    assert (old["fees"], old["is_final"]) == (1, False)
    stale = loops.load_trades(warehouse, [(booked, idea)], run(day(4)))
    assert (stale.updated, stale.unchanged) == (0, 1)
