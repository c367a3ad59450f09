from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from goldenthread.domain.trade import Outcome, OutcomeStatus
from goldenthread.reports.divergence.causes import divide
from goldenthread.reports.divergence.course import Cause, NoTrade
from goldenthread.reports.divergence.rows import traded
from goldenthread.reports.divergence.theory import theoretical

IN, OUT, LATER = dt.date(2024, 1, 3), dt.date(2024, 1, 9), dt.date(2024, 1, 10)
D = Decimal
TRADE = {
    "side": "long",
    "split_factor": D(2),  # two for one while it was held
    "quantity": D(100),
    "traded_quantity": D(200),
    "entry_ds": IN,
    "exit_ds": OUT,
    "entry_price": D(25),
    "exit_price": D("27.5"),
    "gross_pnl": D(500),  # 2.50 x 200
    "fees": D(2),
    "net_pnl": D(501),  # with dividends of 3
    "exit_reason": "TARGET",
}
OUTCOME = Outcome(
    status=OutcomeStatus.RESOLVED,
    priced_as="PLANNED",
    revision=OUT,
    entry_ds=IN,
    entry_price=D(50),
    exit_ds=OUT,
    exit_price=D(55),
    exit_reason="TARGET",
    gross_pnl=D(500),
    fees=D(2),
    dividends=D(3),
    net_pnl=D(501),
)


def test_a_trade_and_its_theory_are_the_same_course_in_the_units_of_the_signal() -> None:
    assert traded(TRADE, ()) == theoretical(TRADE, OUTCOME)
    assert divide(theoretical(TRADE, OUTCOME), traded(TRADE, ())) == {}


@pytest.mark.parametrize(
    ("changed", "causes"),
    [
        # in theory bought at 49.90: 0.10 x 100 more for the theory
        (
            {"entry_price": D("49.9"), "gross_pnl": D(510), "net_pnl": D(511)},
            {Cause.PRICE: D(-10)},
        ),
        # in theory left a day later, at 56
        (
            {"exit_ds": LATER, "exit_price": D(56), "gross_pnl": D(600), "net_pnl": D(601)},
            {Cause.TIMING: D(-100)},
        ),
        ({"fees": D("0.5"), "net_pnl": D("502.5")}, {Cause.FEES: D("-1.5")}),
        ({"dividends": None, "net_pnl": D(498)}, {Cause.INCOME: D(3)}),
    ],
)
def test_what_the_trade_made_over_its_theory_has_a_cause(
    changed: dict[str, object], causes: dict[Cause, Decimal]
) -> None:
    theory = theoretical(TRADE, OUTCOME.model_copy(update=changed))
    assert divide(theory, traded(TRADE, ())) == causes


def test_a_part_fill_is_a_missed_fill_for_theory_fills_all() -> None:
    part = {**TRADE, "traded_quantity": D(80), "gross_pnl": D(200), "net_pnl": D(201)}
    # 60 of 100 were not filled, 5 each
    assert divide(theoretical(part, OUTCOME), traded(part, ())) == {Cause.MISSED_FILL: D(-300)}


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (OutcomeStatus.OPEN, Cause.STILL_OPEN),
        (OutcomeStatus.UNPRICEABLE, Cause.MISSING_DATA),
        (OutcomeStatus.RESOLVED, Cause.MISSED_FILL),
    ],
)
def test_a_theory_without_a_result_has_no_money_and_says_why(
    status: OutcomeStatus, cause: Cause
) -> None:
    unknown = Outcome(status=status, priced_as="PLANNED", revision=OUT, note="not triggered")
    found = theoretical(TRADE, unknown)
    assert found == NoTrade(cause, "in theory not triggered")
    assert divide(found, traded(TRADE, ())) == {cause: D(501)}
