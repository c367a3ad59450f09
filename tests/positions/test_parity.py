"""A traded signal makes what the shadow says it would have made: one set of fill rules."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goldenthread.adapters.broker.simulated import SimulatedSettings
from goldenthread.domain.asset import ActionKind
from goldenthread.domain.position import Position, PositionStatus
from goldenthread.domain.strategy import Side, Size
from goldenthread.domain.trade import OutcomeStatus
from goldenthread.research.shadow import PriceQuery, price
from goldenthread.rules.calendar import is_session
from goldenthread.rules.tape import PATIENCE
from positions.rig import ASSETS, POLICY, D, Market, Rig, candidate, day
from positions.rig import plan as plan_of

if TYPE_CHECKING:
    from goldenthread.domain.policy import Profile
    from goldenthread.domain.signal import Plan, Signal

LAST = 29
SLIPPING = POLICY.model_copy(update={"slippage_bps": D(5)})


@st.composite
def markets(draw: st.DrawFn, symbol: str) -> Market:
    """Four weeks of wild bars around 100, some missing, perhaps a split or a dividend."""
    market = Market()
    close = 100.0
    split_on = draw(st.sampled_from([None, None, 9, 12])) if symbol == "AAPL" else None
    ratio = draw(st.sampled_from(["2", "1.5", "0.5", "7"])) if split_on else "1"
    market.add(symbol, 2, "100 101 99 100")
    paid_on = draw(st.sampled_from([None, 4, 5, 9])) if symbol == "AAPL" else None
    if paid_on:
        market.act(ActionKind.DIVIDEND, symbol, paid_on, amount="0.24")
    for number in range(3, LAST + 1):
        if split_on == number:
            market.act(ActionKind.SPLIT, symbol, number, ratio)
            close /= float(ratio)
        opened = close * draw(st.sampled_from([0.9, 0.97, 1.0, 1.0, 1.02, 1.1]))
        close = opened * draw(st.sampled_from([0.93, 0.98, 1.0, 1.03, 1.08]))
        high = max(opened, close) * draw(st.sampled_from([1.0, 1.01, 1.06]))
        low = min(opened, close) * draw(st.sampled_from([1.0, 0.99, 0.93]))
        has_bar = draw(st.integers(0, 9)) or number in {3, split_on}
        if has_bar and is_session(ASSETS[symbol].asset_class, day(number)):
            market.add(symbol, number, f"{opened:.2f} {high:.2f} {low:.2f} {close:.2f}")
    return market


@st.composite
def plans(draw: st.DrawFn, side: Side) -> Plan:
    """Any shape of plan around an entry near 100."""
    order = draw(st.sampled_from(["market", "limit", "stop"]))
    entry = {"market": "100", "limit": "97", "stop": "103"}[order]
    if side is Side.SHORT and order != "market":
        entry = {"limit": "103", "stop": "97"}[order]
    sign = side.sign
    at = [D(entry) + sign * gain for gain in (6, 12)]
    sells = draw(st.sampled_from([(), ("0.5",), ("1",), ("0.3", "0.3"), ("0.5", "0.5"), ("0.05",)]))
    return plan_of(
        entry,
        str(D(entry) - sign * draw(st.sampled_from([4, 9]))),
        [(str(level), sell) for level, sell in zip(at, sells, strict=False)],
        order=order,
        trail=draw(st.sampled_from([None, D(7)])),
        breakeven_after=draw(st.sampled_from([None, 1])) if sells else None,
        valid_bars=draw(st.sampled_from([1, 3])),
        max_bars=draw(st.sampled_from([2, 5])),
    )


def traded(rig: Rig, symbol: str, idea: Plan, side: Side, rules: frozenset[int]) -> Signal:
    (signal,) = rig.run(2, candidate(symbol, 2, idea, side=side))
    for number in range(3, LAST + 1):
        rig.run(number, rules=[symbol] if number in rules else [])
        for shot in rig.snapshots[-1:]:
            assert abs(shot.money_error) <= D("1e-9") * shot.equity
    return signal


def agree(position: Position, signal: Signal, rig: Rig, rules: frozenset[int]) -> None:
    bars = [b for (_, ds), b in sorted(rig.market.bars.items()) if ds > signal.ds]
    query = PriceQuery(
        asset=ASSETS[signal.symbol],
        actions=rig.market.actions,
        policy=rig.policy,
        upto=day(LAST),
        rule_exits=frozenset(day(n) for n in rules),
    )
    told = price(signal, bars, query)
    if position.status is PositionStatus.FAILED:
        assert (told.status, told.note) == (OutcomeStatus.RESOLVED, "not triggered")
        return
    if position.status is not PositionStatus.CLOSED:
        assert told.status is not OutcomeStatus.RESOLVED
        return
    if told.status is OutcomeStatus.UNPRICEABLE:  # it gave up waiting for bars that came at last
        assert position.bars_held >= position.max_bars + PATIENCE
        return
    assert told.status is OutcomeStatus.RESOLVED
    assert (told.exit_ds, told.exit_reason, told.bars_held) == (
        position.exit_ds,
        position.exit_reason,
        position.bars_held,
    )
    assert told.gross_pnl is not None
    assert abs(told.gross_pnl - position.realised_pnl) <= D("1e-6")
    assert told.fees == position.fees
    assert told.dividends == position.dividends


QUIET = "200 201 199 200"
SPLIT_DAYS = {
    "stopped on the day after": (QUIET, "200 201 170 175"),
    "stopped on the day of the split": ("200 201 170 175", "175 176 174 175"),
    "targets met on the day after": (QUIET, "200 250 199 240"),
    "targets met on the day of the split": ("200 250 199 210", "210 211 209 210"),
    "one target met on the day of the split": ("200 225 199 210", "210 245 209 210"),
}


@pytest.mark.parametrize("bars", SPLIT_DAYS.values(), ids=SPLIT_DAYS)
@pytest.mark.parametrize("ratio", ["0.5", "0.3"])
@pytest.mark.parametrize(
    ("shares", "targets"),
    [
        (2, [("110", "0.5"), ("120", "0.5")]),
        (2, [("110", "0.5")]),
        (10, [("110", "0.5"), ("120", "0.5")]),
        (10, [("120", "0.5"), ("110", "0.5")]),
        (15, [("110", "0.34"), ("120", "0.34")]),
    ],
)
def test_what_only_the_tranches_together_keep_of_a_reverse_split_agrees(
    tmp_path: Path, shares: int, targets: list[tuple[str, str]], ratio: str, bars: tuple[str, str]
) -> None:
    market = Market().add("AAPL", 2, "100 101 99 100", *["100 101 99 100"] * 3)
    market.act(ActionKind.SPLIT, "AAPL", 8, ratio)
    later = [*bars, *["210 211 209 210"] * 3, "", "", "", *["210 211 209 210"] * 3]
    for number, text in enumerate(later, 8):
        prices = [f"{D(p) * D('0.5') / D(ratio):.2f}" for p in text.split()]
        market.add("AAPL", number, " ".join(prices))
    rig = Rig(tmp_path, market, policy=POLICY)
    idea = candidate(
        "AAPL",
        2,
        plan_of("100", "90", targets, max_bars=8),
        size=Size(mode="cash", cash=D(100 * shares)),
    )
    (signal,) = rig.run(2, idea)
    for number in range(3, LAST + 1):
        rig.run(number)

    agree(rig.position(), signal, rig, frozenset())


@pytest.mark.parametrize(
    ("symbol", "side"),
    [("AAPL", Side.LONG), ("AAPL", Side.SHORT), ("BTC/USD", Side.LONG)],
)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data())
def test_trade_and_shadow_agree_on_wild_bars(symbol: str, side: Side, data: st.DataObject) -> None:
    market = data.draw(markets(symbol))
    idea = data.draw(plans(side))
    rules = data.draw(st.frozensets(st.integers(3, LAST), max_size=3))
    profiles: tuple[Profile, ...] = ("paper", "live_like")
    profile = data.draw(st.sampled_from(profiles))
    account = SimulatedSettings("t", D(100_000), profile=profile, slippage_bps=D(5))
    policy = SLIPPING.model_copy(update={"profile": profile})
    with tempfile.TemporaryDirectory() as folder:
        rig = Rig(Path(folder), market, policy=policy, settings=account)
        signal = traded(rig, symbol, idea, side, rules)
        agree(rig.position(), signal, rig, rules)
        assert rig.bare() == {} or rig.position().status is PositionStatus.CLOSING
