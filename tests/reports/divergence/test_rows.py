from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from goldenthread.domain.order import OrderSide
from goldenthread.domain.strategy import Side
from goldenthread.reports.divergence.course import Course, Leg
from goldenthread.reports.divergence.rows import TO_COME, Execution, held, traded

IN, MID, OUT = dt.date(2012, 6, 4), dt.date(2012, 6, 8), dt.date(2012, 6, 12)
BUY, SELL = OrderSide.BUY, OrderSide.SELL
D = Decimal


def trade(**changes: object) -> dict[str, Any]:
    """100 bought at 50.10, half sold at 54 on a limit, half at 51.90 by a stop at 52."""
    row = {
        "side": "long",
        "quantity": D(120),
        "traded_quantity": D(100),
        "split_factor": D(1),
        "entry_ds": IN,
        "exit_ds": OUT,
        "entry_price": D("50.10"),
        "exit_price": D("52.95"),  # (54 + 51.90) / 2
        "gross_pnl": D(285),
        "fees": D("1.50"),
        "net_pnl": D("293.50"),  # a dividend of 10
        "exit_reason": "STOP",
    }
    return {**row, **changes}


FILLS = (
    Execution(IN, BUY, D(100), D("50.10"), D("50.00")),
    Execution(MID, SELL, D(50), D(54), D(54)),
    Execution(OUT, SELL, D(50), D("51.90"), D(52)),
)


def test_a_trade_has_its_sessions_its_average_prices_and_what_was_offered() -> None:
    assert traded(trade(), FILLS) == Course(
        side=Side.LONG,
        ordered=D(120),
        quantity=D(100),
        entry=Leg((IN,), D("50.10"), D(50)),
        exit=Leg((MID, OUT), D("52.95"), D(53)),  # (54 + 52) / 2
        gross=D(285),
        fees=D("1.50"),
        income=D(10),
        reason="STOP",
    )


def test_one_execution_without_a_reference_leaves_its_leg_without() -> None:
    unknown = traded(trade(), (*FILLS[:2], FILLS[2]._replace(reference=None)))
    assert (unknown.entry.reference, unknown.exit.reference) == (D(50), None)


def test_without_executions_the_row_says_the_sessions() -> None:
    bare = traded(trade(), ())
    assert (bare.entry, bare.exit) == (Leg((IN,), D("50.10"), None), Leg((OUT,), D("52.95"), None))


def test_after_a_split_a_trade_is_told_in_the_units_of_its_signal() -> None:
    # two for one between entry and exits: the row has 200 at 25.05, sold at 27 and 25.95
    row = trade(
        traded_quantity=D(200), split_factor=D(2), entry_price=D("25.05"), exit_price=D("26.475")
    )
    fills = (
        FILLS[0],
        Execution(MID, SELL, D(100), D(27), D(27)),
        Execution(OUT, SELL, D(100), D("25.95"), D(26)),
    )
    assert traded(row, fills) == traded(trade(), FILLS)


def test_what_is_held_is_marked_at_the_close_without_slippage() -> None:
    # 50 of 100 sold at 54; the other 50 are worth 53 at the close
    row = {
        "ds": OUT,
        "side": "long",
        "entry_ds": IN,
        "quantity": D(50),
        "average_entry": D("50.10"),
        "close": D(53),
        "split_factor": D(1),
        "realised_pnl": D(195),  # 3.90 x 50
        "unrealised_pnl": D(145),  # 2.90 x 50
        "fees": D("0.50"),
        "dividends": None,
    }
    found = held(row, D(120), FILLS[:2])
    assert found.exit == Leg((MID, TO_COME), D("53.5"), D("53.5"))  # (54 + 53) / 2
    assert found.entry == Leg((IN,), D("50.10"), D(50))
    assert (found.ordered, found.quantity, found.net) == (D(120), D(100), D("339.50"))
