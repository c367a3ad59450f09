"""Every gate is asked, its value and threshold are kept, and only winners take capacity."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from goldenthread.domain.asset import AssetClass
from goldenthread.domain.policy import Gates, Policy
from goldenthread.domain.signal import Candidate, Signal, SignalStatus, Verdict
from goldenthread.domain.strategy import Side, Size, StrategyStatus
from goldenthread.positions.gates import GATES, judge, order_candidates, rejudge
from goldenthread.positions.session import Session
from goldenthread.positions.sizing import Capacity
from positions.rig import ASSETS, BOOK, CALM_BARS, D, candidate, day, plan, unrelated_returns

if TYPE_CHECKING:
    from decimal import Decimal

    from goldenthread.domain.bar import FloatArray

DESIGN = """
    SHADOW_STRATEGY INVALID_LEVELS DUPLICATE_SYMBOL COOLDOWN MAX_POSITIONS MAX_ORDER_NOTIONAL
    MAX_POSITION_FRACTION MAX_ASSET_CLASS_EXPOSURE MAX_GROSS_EXPOSURE MAX_ORDERS_PER_RUN
    PRICE_COLLAR CORRELATION_TOO_HIGH DAILY_DRAWDOWN MAX_DRAWDOWN INSUFFICIENT_BUYING_POWER
    BELOW_MINIMUM_ORDER BROKER_RULE STALE_DATA SYMBOL_FROZEN STRATEGY_PAUSED KILL_SWITCH
"""


def session(gates: Gates | None = None, **more: Any) -> Session:  # noqa: ANN401  fields by name
    plain = Session(
        book=BOOK,
        ds=day(2),
        now=dt.datetime(2024, 1, 3, 0, 5, tzinfo=dt.UTC),
        policy=Policy(gates=gates or Gates()),
        assets=ASSETS,
        bars=CALM_BARS,
        closes={},
        actions=(),
        last_ds=None,
        engine_digest="e",
    )
    return replace(plain, **more)


def capacity(**more: Any) -> Capacity:  # noqa: ANN401  fields by name
    plain = Capacity(
        equity=D(100_000),
        buying_power=D(200_000),
        crypto_buying_power=D(100_000),
        held={},
        exposure=dict.fromkeys(AssetClass, D(0)),
        peak_equity=D(100_000),
        previous_equity=D(100_000),
        returns=unrelated_returns,
    )
    return replace(plain, **more)


def verdict(signal: Signal, name: str) -> Verdict:
    (found,) = [v for v in signal.verdicts if v.name == name]
    return found


def alone(idea: Candidate, free: Capacity, gates: Gates | None = None) -> Signal:
    (signal,) = judge(session(gates), [idea], free)
    return signal


def test_the_gates_are_those_of_the_design_in_its_order() -> None:
    assert [gate.name for gate in GATES] == DESIGN.split()


def test_an_accepted_candidate_waits_with_every_verdict_kept() -> None:
    signal = alone(candidate("AAPL", 2, plan(valid_bars=2)), capacity())
    assert signal.status is SignalStatus.WAITING
    assert [v.name for v in signal.verdicts] == DESIGN.split()
    assert all(v.passed and v.value is not None for v in signal.verdicts)
    assert (signal.quantity, signal.equity_at_decision) == (D(10), D(100_000))
    assert signal.valid_until == day(4)
    assert signal.policy_key == Policy().policy_key


AAPL_10 = candidate("AAPL", 2, plan())  # 10 x 100 = 1000


@pytest.mark.parametrize(
    ("idea", "free", "gates", "failed", "value", "threshold"),
    [
        (
            candidate("AAPL", 2, plan(), strategy_status=StrategyStatus.SHADOW),
            capacity(),
            Gates(),
            "SHADOW_STRATEGY",
            "1",
            "0",
        ),
        (AAPL_10, capacity(held={"AAPL": Side.SHORT}), Gates(), "DUPLICATE_SYMBOL", "1", "0"),
        (
            # out on Friday 29 December, back after 3 sessions; 2 January is the first: 2 to go
            candidate("AAPL", 2, plan(), size=Size(mode="cash", cash=D(1000), cooldown_bars=3)),
            capacity(last_exits={("s", "AAPL"): dt.date(2023, 12, 29)}),
            Gates(),
            "COOLDOWN",
            "2",
            "0",
        ),
        (
            AAPL_10,
            capacity(held={"IBM": Side.SHORT}),
            Gates(max_positions=1),
            "MAX_POSITIONS",
            "1",
            "1",
        ),
        (
            AAPL_10,
            capacity(),
            Gates(max_order_notional=D(999)),
            "MAX_ORDER_NOTIONAL",
            "1000",
            "999",
        ),
        (
            AAPL_10,
            capacity(),
            Gates(max_position_fraction=D("0.009")),
            "MAX_POSITION_FRACTION",
            "0.01",
            "0.009",
        ),
        (
            AAPL_10,
            capacity(exposure={AssetClass.EQUITY: D(149_001), AssetClass.CRYPTO: D(0)}),
            Gates(),
            "MAX_ASSET_CLASS_EXPOSURE",
            "1.50001",
            "1.5",
        ),
        (
            AAPL_10,
            capacity(exposure={AssetClass.EQUITY: D(140_000), AssetClass.CRYPTO: D(39_500)}),
            Gates(),
            "MAX_GROSS_EXPOSURE",
            "1.805",
            "1.8",
        ),
        (AAPL_10, capacity(orders=20), Gates(), "MAX_ORDERS_PER_RUN", "21", "20"),
        (
            candidate("AAPL", 2, plan("121", "90", order="stop")),
            capacity(),
            Gates(),
            "PRICE_COLLAR",
            "0.21",
            "0.2",
        ),
        (AAPL_10, capacity(previous_equity=D(106_000)), Gates(), "DAILY_DRAWDOWN", None, "0.05"),
        (AAPL_10, capacity(peak_equity=D(200_000)), Gates(), "MAX_DRAWDOWN", "0.5", "0.5"),
        (
            AAPL_10,
            capacity(buying_power=D(999)),
            Gates(),
            "INSUFFICIENT_BUYING_POWER",
            "1000",
            "999",
        ),
        (
            # a short reserves 103 %
            candidate("AAPL", 2, plan(stop="110"), side=Side.SHORT),
            capacity(buying_power=D(1029)),
            Gates(),
            "INSUFFICIENT_BUYING_POWER",
            "1030",
            "1029",
        ),
        (
            candidate("AAPL", 2, plan(), size=Size(mode="cash", cash=D(99))),
            capacity(),
            Gates(),
            "BELOW_MINIMUM_ORDER",
            "0",
            "1",
        ),
        (
            candidate("BTC/USD", 2, plan(), size=Size(mode="cash", cash=D(9))),
            capacity(),
            Gates(),
            "BELOW_MINIMUM_ORDER",
            "9",
            "10",
        ),
        (AAPL_10, capacity(stale={"AAPL": 5}), Gates(), "STALE_DATA", "5", "5"),
        (AAPL_10, capacity(frozen={"AAPL": "drift"}), Gates(), "SYMBOL_FROZEN", "1", "0"),
        (AAPL_10, capacity(paused={"s": "a test"}), Gates(), "STRATEGY_PAUSED", "1", "0"),
        (AAPL_10, capacity(halted=True), Gates(), "KILL_SWITCH", "1", "0"),
    ],
)
def test_each_gate_refuses_with_its_value_and_threshold(
    idea: Candidate,
    free: Capacity,
    gates: Gates,
    failed: str,
    value: str | None,
    threshold: str,
) -> None:
    signal = alone(idea, free, gates)
    assert signal.status is SignalStatus.REJECTED
    found = verdict(signal, failed)
    if value is not None:
        assert found.value == D(value)
    assert found.threshold == D(threshold)
    assert failed in signal.rejection_reasons
    assert len([v for v in signal.verdicts if v.kind == "gate"]) == len(DESIGN.split())


def test_the_broker_rule_refuses_a_stop_off_the_tick() -> None:
    short = candidate("AAPL", 2, plan("100", "100.001"), side=Side.SHORT)
    signal = alone(short, capacity())
    assert "BROKER_RULE" in signal.rejection_reasons


def test_levels_on_the_wrong_side_are_invalid_and_unknown_levels_fail_closed() -> None:
    assert alone(candidate("AAPL", 2, plan("100", "101")), capacity()).rejection_reason == (
        "INVALID_LEVELS"
    )
    signal = alone(candidate("AAPL", 2, None), capacity())
    assert signal.rejection_reason == "INVALID_LEVELS"
    assert verdict(signal, "MAX_ORDER_NOTIONAL").value is None
    assert not verdict(signal, "MAX_ORDER_NOTIONAL").passed


def test_filters_come_before_gates_and_all_reasons_are_kept() -> None:
    filters = (
        Verdict(name="RSI_TOO_HIGH", kind="filter", value=D(80), threshold=D(70), passed=False),
        Verdict(name="MARKET_UP", kind="filter", value=D(1), threshold=D(0), passed=True),
    )
    signal = alone(candidate("AAPL", 2, plan(), verdicts=filters), capacity(halted=True))
    assert signal.rejection_reason == "RSI_TOO_HIGH"
    assert signal.rejection_reasons == ("RSI_TOO_HIGH", "KILL_SWITCH")
    assert signal.verdicts[:2] == filters


def test_correlation_is_measured_against_the_same_direction_only() -> None:
    def twins(symbol: str, n: int) -> FloatArray:
        wave: FloatArray = np.sin(np.arange(n, dtype=np.float64))
        return wave if symbol != "BTC/USD" else -wave

    held = capacity(held={"IBM": Side.LONG}, returns=twins)
    signal = alone(AAPL_10, held)
    assert signal.rejection_reasons == ("CORRELATION_TOO_HIGH",)
    assert verdict(signal, "CORRELATION_TOO_HIGH").value == 1
    other_way = capacity(held={"IBM": Side.SHORT}, returns=twins)
    assert alone(AAPL_10, other_way).status is SignalStatus.WAITING
    opposite = capacity(held={"BTC/USD": Side.LONG}, returns=twins)
    assert verdict(alone(AAPL_10, opposite), "CORRELATION_TOO_HIGH").value == 0
    unknown = capacity(held={"IBM": Side.LONG}, returns=lambda _s, _n: None)
    assert alone(AAPL_10, unknown).rejection_reasons == ("CORRELATION_TOO_HIGH",)


def test_a_correlation_equals_numpys() -> None:
    free = capacity(returns=unrelated_returns)
    expected = np.corrcoef(unrelated_returns("AAPL", 60), unrelated_returns("IBM", 60))[0, 1]
    assert free.correlation("AAPL", ["IBM"], 60) == pytest.approx(max(0, expected), abs=1e-12)


def test_no_bar_today_is_stale_data() -> None:
    (signal,) = judge(session(bars={}), [AAPL_10], capacity())
    assert signal.rejection_reasons == ("STALE_DATA",)
    assert verdict(signal, "STALE_DATA").value is None


def test_candidates_queue_by_priority_then_strategy_then_symbol() -> None:
    ideas = [
        candidate("IBM", 2, plan(), strategy_id="b", priority="1"),
        candidate("AAPL", 2, plan(), strategy_id="z"),
        candidate("AAPL", 2, plan(), strategy_id="b", priority="1"),
        candidate("BTC/USD", 2, plan(), strategy_id="a", priority="-3"),
        candidate("IBM", 2, plan(), strategy_id="c", priority="2"),
    ]
    queue = [(c.strategy_id, c.symbol) for c in order_candidates(ideas)]
    assert queue == [("c", "IBM"), ("b", "AAPL"), ("b", "IBM"), ("a", "BTC/USD"), ("z", "AAPL")]


def test_only_accepted_candidates_consume_capacity() -> None:
    free = capacity(buying_power=D(1500))
    first = candidate("AAPL", 2, plan(), strategy_id="a", strategy_status=StrategyStatus.SHADOW)
    ideas = [
        first,
        candidate("AAPL", 2, plan(), strategy_id="b"),
        candidate("AAPL", 2, plan(), strategy_id="c"),
        candidate("IBM", 2, plan(), strategy_id="c"),
    ]
    reasons = [s.rejection_reasons for s in judge(session(), ideas, free)]
    assert reasons == [
        ("SHADOW_STRATEGY",),
        (),
        ("DUPLICATE_SYMBOL", "INSUFFICIENT_BUYING_POWER"),
        ("INSUFFICIENT_BUYING_POWER",),
    ]
    assert (free.buying_power, free.orders) == (D(500), 1)
    assert free.exposure[AssetClass.EQUITY] == 1000


def test_a_symbol_that_may_not_be_submitted_expires_and_consumes_nothing() -> None:
    free = capacity()
    late = session(may_submit=frozenset({"IBM"}))
    signals = judge(late, [AAPL_10, candidate("IBM", 2, plan())], free)
    assert [(s.status, s.end_reason, s.ended_ds) for s in signals] == [
        (SignalStatus.EXPIRED, "SUBMIT_WINDOW_MISSED", day(2)),
        (SignalStatus.WAITING, "", None),
    ]
    assert list(free.held) == ["IBM"]


def test_every_gate_says_again_what_it_said_from_its_value_and_the_policy_alone() -> None:
    gates = Gates(max_positions=1, max_order_notional=D(999), correlation_max=D("0.5"))
    free = capacity(held={"IBM": Side.LONG}, buying_power=D(10), frozen={"AAPL": "units"})
    signal = alone(AAPL_10, free, gates)
    asked = [v for v in signal.verdicts if v.kind == "gate"]
    assert {v.passed for v in asked} == {True, False}
    assert [rejudge(v, gates, session().asset("AAPL")) for v in asked] == asked


def test_a_gate_judged_again_takes_its_threshold_from_the_policy_and_the_asset() -> None:
    asset = session().asset("AAPL").model_copy(update={"min_notional": D(2000)})
    policy = Gates(max_positions=2, max_equity_exposure=D(3), max_crypto_exposure=D(1))

    def again(name: str, value: str | None, threshold: str) -> tuple[Decimal | None, bool]:
        seen = None if value is None else D(value)
        said = Verdict(name=name, kind="gate", value=seen, threshold=D(threshold), passed=True)
        found = rejudge(said, policy, asset)
        return found.threshold, found.passed

    assert again("MAX_POSITIONS", "2", "10") == (D(2), False)  # fewer than two may be held
    assert again("MAX_ASSET_CLASS_EXPOSURE", "2.5", "1.5") == (D(3), True)  # of equities
    assert again("BELOW_MINIMUM_ORDER", "1999", "1") == (D(2000), False)
    assert again("PRICE_COLLAR", None, "0.2") == (D("0.20"), False)
    assert again("INSUFFICIENT_BUYING_POWER", "11", "10") == (D(10), False)  # the account's own
    assert again("NO_GATE_OF_TODAY", "1", "0") == (D(0), True)


def test_a_value_cut_to_its_threshold_keeps_what_was_said_of_it() -> None:
    said = Verdict(
        name="MAX_POSITION_FRACTION",
        kind="gate",
        value=D("0.25"),  # 0.2500000000001 at twelve digits
        threshold=D("0.25"),
        passed=False,
    )
    assert rejudge(said, Gates(), session().asset("AAPL")) == said
