"""Figures that are no numbers, or no prices, never become an order (fault F12)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from goldenthread.domain.account import AccountState
from goldenthread.domain.policy import Gates
from goldenthread.domain.signal import Candidate, SignalStatus
from goldenthread.domain.strategy import Side, Size
from goldenthread.positions.gates import judge
from positions.rig import D, candidate, day, plan
from positions.test_gates import capacity, session

if TYPE_CHECKING:
    from faults.chaos import Tally
    from goldenthread.domain.bar import FloatArray

NO_NUMBERS = ("NaN", "sNaN", "Infinity", "-Infinity")
NO_PRICES = ("-37.63", "0", "-0")
"""Oil settled at -37.63 on 20 April 2020."""
PLANNED = ("entry", "stop", "target", "trail")
MEASURED = ("close", "volatility", "priority", "factor", "verdict")
ACCOUNT = ("equity", "buying_power", "crypto_buying_power", "cash")
SIZES = (
    Size(mode="cash", cash=D(1000)),
    Size(mode="risk", risk_fraction=D("0.01")),
    Size(mode="fraction", fraction=D("0.1")),
    Size(mode="vol_target", vol_target=D("0.1")),
    Size(mode="equal"),
)


def idea(field: str, value: str, side: Side, size: Size, order: str) -> Candidate:
    """A sound candidate but for one figure."""
    sign = side.sign
    sound: dict[str, Any] = {
        "entry": "100",
        "stop": str(100 - 10 * sign),
        "target": str(100 + 10 * sign),
        "trail": "5",
        "close": "100",
        "volatility": "0.3",
        "priority": "1",
        "factor": "1",
        "verdict": "1",
    }
    figures = {**sound, field: value}
    levels = plan(
        figures["entry"],
        figures["stop"],
        [(figures["target"], "0.5")],
        trail=D(figures["trail"]),
        order=order,
    )
    whole = candidate("AAPL", 2, levels, side=side, size=size).model_dump()
    seen = {"name": "F", "kind": "filter", "value": figures["verdict"], "passed": True}
    measured = {name: figures[name] for name in ("close", "volatility", "priority")}
    return Candidate.model_validate(
        {**whole, **measured, "factors": {"f": figures["factor"]}, "verdicts": (seen,)}
    )


@pytest.mark.fault("F12")
def test_a_candidate_with_a_figure_that_is_none_is_refused_before_an_order(tally: Tally) -> None:
    cases: Counter[str] = Counter()

    @given(
        st.sampled_from(PLANNED + MEASURED),
        st.sampled_from(NO_NUMBERS + NO_PRICES),
        st.sampled_from(list(Side)),
        st.sampled_from(SIZES),
        st.sampled_from(["market", "limit", "stop"]),
    )
    @settings(max_examples=600, deadline=None, derandomize=True)
    def ask(field: str, value: str, side: Side, size: Size, order: str) -> None:
        cases["asked"] += 1
        try:
            one = idea(field, value, side, size, order)
        except ValidationError:
            cases["no record"] += 1
            return
        assert value not in NO_NUMBERS
        (signal,) = judge(session(), [one], capacity())
        if field in PLANNED or (field == "volatility" and size.mode == "vol_target"):
            assert signal.status is SignalStatus.REJECTED, (field, value, signal)
            cases["rejected"] += 1

    ask()
    assert min(cases["no record"], cases["rejected"]) > 100
    tally("candidates with a level or figure that is no number or no price", cases["asked"])


@pytest.mark.fault("F12")
def test_an_account_with_an_amount_that_is_none_is_no_account(tally: Tally) -> None:
    now = session().now
    sound = {
        "account_id": "a",
        "as_of": now,
        "cash": "1",
        "equity": "1",
        "buying_power": "1",
        "crypto_buying_power": "1",
        "long_value": "0",
        "short_value": "0",
    }
    wrong = [(field, value) for field in ACCOUNT for value in NO_NUMBERS]
    for field, value in wrong:
        with pytest.raises(ValidationError):
            AccountState.model_validate({**sound, field: value})
    assert AccountState.model_validate(sound).equity == 1
    tally("answers of a broker with an amount that is no number", len(wrong))


@pytest.mark.fault("F12")
def test_without_equity_or_with_returns_that_are_none_nothing_is_bought(tally: Tally) -> None:
    sound = candidate("AAPL", 2, plan())
    accounts = [capacity(equity=D(value)) for value in NO_PRICES]
    accounts += [capacity(buying_power=D(value)) for value in NO_PRICES]

    def spoiled(value: float) -> FloatArray:
        returns = np.sin(np.arange(60, dtype=np.float64))
        returns[17] = value
        return returns

    for value in (np.nan, np.inf, -np.inf):
        returns = spoiled(value)
        accounts.append(
            capacity(held={"IBM": Side.LONG}, returns=lambda _s, _n, found=returns: found)
        )
    for account in accounts:
        (signal,) = judge(session(Gates()), [sound], account)
        assert signal.status is SignalStatus.REJECTED
    (signal,) = judge(session(), [sound], capacity())
    assert (signal.status, signal.ds) == (SignalStatus.WAITING, day(2))
    tally("accounts without money, returns that are no numbers", len(accounts))
