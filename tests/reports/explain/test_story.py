from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from goldenthread.domain.asset import AssetClass
from goldenthread.domain.ids import order_key, signal_id
from goldenthread.domain.position import ExitReason
from goldenthread.domain.signal import Plan, Signal, SignalStatus, TargetLevel, Verdict
from goldenthread.domain.strategy import Side
from goldenthread.domain.trade import Outcome, OutcomeStatus, Trade
from goldenthread.reports.explain.story import ExplainInput, Explanation, explain
from goldenthread.warehouse.rows.signals import expired_row, rejected_row, trade_row

DAY = dt.date(2024, 1, 2)
AT = dt.datetime(2024, 1, 3, 0, 5, tzinfo=dt.UTC)
SIGNAL = Signal(
    book="sim:x",
    signal_id=signal_id(DAY, "breakout", "AAPL"),
    ds=DAY,
    strategy_id="breakout",
    version_key="v1",
    policy_key="p1",
    symbol="AAPL",
    asset_class=AssetClass.EQUITY,
    side=Side.LONG,
    status=SignalStatus.REJECTED,
    decided_at=AT,
    engine_digest="e1",
    bars_digest="b1",
    close=Decimal("100.5"),
    plan=Plan(
        order="limit",
        entry=Decimal(100),
        stop=Decimal(95),
        targets=(TargetLevel(price=Decimal(110), sell=Decimal("0.5")),),
        trail=Decimal(6),
        breakeven_after=1,
        valid_bars=3,
        max_bars=40,
    ),
    factors={"rsi": Decimal("61.5"), "market_up": None},
    verdicts=(
        Verdict(
            name="VOLUME_TOO_LOW",
            kind="filter",
            value=Decimal("1.2"),
            threshold=Decimal("1.5"),
            passed=False,
        ),
        Verdict(name="CALM", kind="filter", passed=True),
        Verdict(name="CALM[1]", kind="term", value=Decimal(1), threshold=Decimal(2), passed=True),
        Verdict(
            name="MAX_POSITIONS", kind="gate", value=Decimal(3), threshold=Decimal(10), passed=True
        ),
    ),
    rejection_reason="VOLUME_TOO_LOW",
    rejection_reasons=("VOLUME_TOO_LOW",),
    quantity=Decimal(200),
    planned_quantity=Decimal("200.75"),
    equity_at_decision=Decimal(100_000),
    valid_until=dt.date(2024, 1, 5),
)
MADE = Outcome(
    status=OutcomeStatus.RESOLVED,
    priced_as="PLANNED",
    revision=dt.date(2024, 1, 9),
    entry_ds=dt.date(2024, 1, 3),
    entry_price=Decimal(100),
    exit_ds=dt.date(2024, 1, 9),
    exit_price=Decimal(95),
    exit_reason="STOP",
    bars_held=5,
    gross_pnl=Decimal(-1000),
    fees=Decimal(2),
    net_pnl=Decimal(-1002),
    r_multiple=Decimal("-1.002"),
)
TRADE = Trade(
    book="sim:x",
    trade_id=SIGNAL.signal_id,
    ds=dt.date(2024, 1, 9),
    signal_ds=DAY,
    entry_ds=dt.date(2024, 1, 3),
    exit_ds=dt.date(2024, 1, 9),
    strategy_id="breakout",
    version_key="v1",
    policy_key="p1",
    symbol="AAPL",
    asset_class=AssetClass.EQUITY,
    side=Side.LONG,
    quantity=Decimal(200),
    entry_price=Decimal(100),
    exit_price=Decimal(108),
    initial_stop=Decimal(95),
    planned_entry=Decimal(100),
    gross_pnl=Decimal(1600),
    fees=Decimal("1.50"),
    net_pnl=Decimal("1598.50"),
    return_fraction=Decimal("0.079925"),
    r_multiple=Decimal("1.5985"),
    mfe=Decimal("0.11"),
    mae=Decimal("-0.02"),
    bars_held=5,
    exit_reason=ExitReason.TARGET,
    entry_at=AT,
    exit_at=AT,
    split_factor=Decimal(1),
    is_final=False,
    flags=("AMBIGUOUS_BAR",),
)
VERSION = {
    "valid_from": AT,
    "valid_to": None,
    "git_hash": "abc",
    "config": json.dumps({"size": {"mode": "risk", "risk_fraction": "0.01", "cash": None}}),
}


def _lines(explanation: Explanation, title: str) -> dict[str, str]:
    section = next(s for s in explanation.sections if s.title == title)
    return dict(section.lines)


def _titles(explanation: Explanation) -> list[str]:
    return [section.title for section in explanation.sections]


def test_a_refused_signal_says_why_and_what_it_would_have_made() -> None:
    told = explain(ExplainInput(rejected_row(SIGNAL, MADE), VERSION))
    assert told.signal_id == SIGNAL.signal_id
    assert told.summary == (
        "breakout saw a long in AAPL on 2024-01-02: refused by VOLUME_TOO_LOW; "
        "it would have made -$1,002.00."
    )
    theory = _lines(told, "What it would have made")
    assert theory["net P&L"] == "-$1,000.00 gross - $2.00 fees = -$1,002.00"
    assert theory["out"] == "2024-01-09 at 95.00 by STOP, after 5 session(s)"
    assert "Result" not in _titles(told)


def test_each_filter_shows_value_threshold_and_verdict_and_its_terms() -> None:
    told = explain(ExplainInput(rejected_row(SIGNAL, MADE)))
    filters = _lines(told, "Filters")
    assert filters == {
        "VOLUME_TOO_LOW": "FAILED: value 1.2, threshold 1.5",
        "CALM": "passed",
        "  CALM[1]": "passed: value 1, threshold 2",
    }
    assert _lines(told, "Gates") == {"MAX_POSITIONS": "passed: value 3, threshold 10"}


def test_factors_are_listed_and_an_unknown_one_is_a_dash() -> None:
    bar = {"open": 99.0, "high": 101.0, "low": 98.5, "close": 100.5, "volume": 1_000_000.0}
    told = _lines(explain(ExplainInput(rejected_row(SIGNAL, MADE), bar=bar)), "Candle and factors")
    assert (told["rsi"], told["low"], told["volume"]) == ("61.5", "98.5", "1,000,000")
    assert told["market_up"] == "\N{EN DASH}"
    without = _lines(explain(ExplainInput(rejected_row(SIGNAL, MADE))), "Candle and factors")
    assert without["close"] == "100.5"


def test_levels_and_size_show_their_arithmetic() -> None:
    told = explain(ExplainInput(rejected_row(SIGNAL, MADE), VERSION))
    assert _lines(told, "Plan") == {
        "entry": "limit at 100.00, 3 session(s)",
        "stop": "95.00: 5.00 a unit at risk",
        "target 1": "110.00, sells 0.5",
        "trail": "6.00 behind the best price",
        "breakeven": "after target 1",
        "at most": "40 sessions",
    }
    assert _lines(told, "Size") == {
        "equity": "$100,000.00",
        "rule": "risk, risk_fraction 0.01",
        "by the rule": "$100,000.00 x 0.01 / 5.00 = 200.00",
        "asked for": "200.75, ordered 200",
        # 200 x 100 and 200 x 5 of 100,000
        "cost": "200 x 100.00 = $20,000.00, 20.00% of equity",
        "at risk": "200 x (100.00 - 95.00) = $1,000.00, 1.00% of equity",
    }


def test_a_signal_without_levels_says_so() -> None:
    bare = SIGNAL.model_copy(update={"plan": None, "quantity": Decimal(0)})
    told = explain(ExplainInput(rejected_row(bare, MADE)))
    assert _lines(told, "Plan") == {"levels": "could not be computed (INVALID_LEVELS)"}
    assert "cost" not in _lines(told, "Size")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"status": OutcomeStatus.OPEN, "net_pnl": None}, "what it would have made is OPEN"),
        (
            {"priced_as": "MARKET_NEXT_OPEN"},
            "its order was never touched, a market order would have made -$1,002.00",
        ),
    ],
)
def test_an_expired_signal_says_how_it_ended(change: dict[str, Any], words: str) -> None:
    late = SIGNAL.model_copy(
        update={
            "status": SignalStatus.EXPIRED,
            "end_reason": "NOT_TRIGGERED",
            "ended_ds": dt.date(2024, 1, 5),
            "rejection_reason": None,
        }
    )
    told = explain(ExplainInput(expired_row(late, MADE.model_copy(update=change))))
    assert told.summary.endswith(f"EXPIRED on 2024-01-05 (NOT_TRIGGERED); {words}.")


@pytest.mark.parametrize(
    ("reason", "because"),
    [
        ("NOT_TRIGGERED", "no session of that time reached the price of the entry"),
        ("CANCEL_IF", "the strategy's cancel_if was true on that close: close < 90"),
    ],
)
def test_an_order_never_filled_says_how_long_it_could_wait_and_what_ended_it(
    reason: str, because: str
) -> None:
    late = SIGNAL.model_copy(
        update={
            "status": SignalStatus.EXPIRED,
            "end_reason": reason,
            "ended_ds": dt.date(2024, 1, 5),
            "rejection_reason": None,
        }
    )
    config = {"size": {"mode": "equal"}, "entry": {"cancel_if": "close < 90"}}
    version = {**VERSION, "config": json.dumps(config)}
    told = explain(ExplainInput(expired_row(late, MADE), version))
    assert _lines(told, "End") == {
        "could wait": "until the session of 2024-01-05",
        "ended": f"2024-01-05 EXPIRED ({reason})",
        "because": because,
    }
    assert "End" not in _titles(explain(ExplainInput(rejected_row(SIGNAL, MADE), version)))


def test_a_size_over_its_cap_shows_both_quantities() -> None:
    size = {"mode": "risk", "risk_fraction": "0.01", "max_position_fraction": "0.15"}
    version = {**VERSION, "config": json.dumps({"size": size})}
    told = _lines(explain(ExplainInput(rejected_row(SIGNAL, MADE), version)), "Size")
    assert told["by the rule"] == "$100,000.00 x 0.01 / 5.00 = 200.00"  # costs 20,000
    assert told["capped at"] == "$100,000.00 x 0.15 / 100.00 = 150.00"


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ({"mode": "cash", "cash": "5000"}, "$5,000.00 / 100.00 = 50.00"),
        ({"mode": "fraction", "fraction": "0.1"}, "$100,000.00 x 0.1 / 100.00 = 100.00"),
        ({"mode": "equal"}, None),  # the row does not know how many places there are
    ],
)
def test_the_size_is_computed_again_where_the_row_has_every_figure(
    size: dict[str, str], words: str | None
) -> None:
    version = {**VERSION, "config": json.dumps({"size": size})}
    told = _lines(explain(ExplainInput(rejected_row(SIGNAL, MADE), version)), "Size")
    assert told.get("by the rule") == words


def test_the_text_has_80_columns_and_no_line_loses_a_word() -> None:
    told = explain(ExplainInput(rejected_row(SIGNAL, MADE), VERSION))
    text = told.as_text()
    assert max(len(line) for line in text.splitlines()) <= 80
    words = text.split()
    for section in told.sections:
        for _, line in section.lines:
            assert all(word in words for word in line.split())


def test_an_open_outcome_has_no_money() -> None:
    unknown = Outcome(status=OutcomeStatus.OPEN, priced_as="PLANNED", revision=DAY)
    told = _lines(explain(ExplainInput(rejected_row(SIGNAL, unknown))), "What it would have made")
    assert told == {"outcome": "OPEN with the bars up to 2024-01-02", "priced as": "PLANNED"}


def test_a_trade_shows_how_its_result_came_about() -> None:
    told = explain(ExplainInput(trade_row(TRADE, SIGNAL), synthetic=True))
    assert told.summary == (
        "breakout saw a long in AAPL [SYNTHETIC] on 2024-01-02: traded, closed by TARGET on "
        "2024-01-09 with +$1,598.50 (1.60 R)."
    )
    result = _lines(told, "Result")
    assert result["net P&L"] == "+$1,600.00 gross - $1.50 fees = +$1,598.50"
    # 200 x (108 - 100)
    assert result["gross P&L"] == "200 x (108.00 - 100.00) = +$1,600.00"
    assert result["risked"] == "200 x |100.00 - 95.00| = $1,000.00"
    assert result["moved"] == "11.0% at best, -2.0% at worst"
    assert result["flags"] == "AMBIGUOUS_BAR"
    assert result["fees"] == "the broker's final fees are not known yet"
    assert "What it would have made" not in _titles(told)


def test_orders_and_fills_are_listed_in_their_order() -> None:
    asked: dict[str, Any] = {
        "ds": DAY,
        "leg": "entry1",
        "attempt": 1,
        "order_side": "buy",
        "quantity": Decimal(200),
        "order_type": "limit",
        "order_class": "bracket",
        "time_in_force": "gtc",
        "limit_price": Decimal(100),
        "stop_price": None,
        "take_profit": Decimal(110),
        "stop_loss": Decimal(95),
        "status": "DONE",
        "broker_status": "filled",
        "refusal_code": "",
        "refusal": "",
    }
    refused = {
        **asked,
        "attempt": 2,
        "status": "REFUSED",
        "broker_status": "",
        "refusal_code": "40310000",
        "refusal": "insufficient buying power",
    }
    asked["order_key"] = order_key(SIGNAL.signal_id, "entry1", 1)
    refused["order_key"] = order_key(SIGNAL.signal_id, "entry1", 2)
    fill: dict[str, Any] = {
        "order_key": asked["order_key"],
        "fill_no": 1,
        "ds": DAY,
        "order_side": "buy",
        "quantity": Decimal("0.5"),
        "price": Decimal(100),
        "notional": Decimal(50),
        "fee": Decimal("0.13"),
        "fee_quantity": Decimal("0.00125"),
        "filled_at": AT,
        "flags": ["AT_OPEN"],
    }
    later = {**fill, "fill_no": 2, "ds": dt.date(2024, 1, 3), "fee": Decimal(0), "flags": []}
    told = explain(
        ExplainInput(
            trade_row(TRADE, SIGNAL),
            orders=pl.DataFrame([refused, asked]),
            fills=pl.DataFrame([later, fill]),
        )
    )
    levels = "2024-01-02 buy 200 limit bracket gtc limit 100.00 take profit 110.00 stop loss 95.00"
    assert list(_lines(told, "Orders").items()) == [
        (
            "entry1-1",
            f"{levels}: DONE filled",
        ),
        (
            "entry1-2",
            f"{levels}: REFUSED (40310000 insufficient buying power)",
        ),
    ]
    assert list(_lines(told, "Fills").items()) == [
        (
            "2024-01-02",
            "buy 0.5 at 100.00 = $50.00, fee $0.13, fee 0.00125 in coin [AT_OPEN]; as planned",
        ),
        ("2024-01-03", "buy 0.5 at 100.00 = $50.00, fee 0.00125 in coin; as planned"),
    ]


def test_the_version_that_decided_is_named() -> None:
    told = _lines(explain(ExplainInput(rejected_row(SIGNAL, MADE), VERSION)), "Versions")
    assert told["strategy"] == "breakout v1"
    assert told["before it"] == "none: it is the first version of this strategy in this book"
    assert told["valid"] == "2024-01-03 00:05:00 UTC until now"
    assert (told["policy"], told["code"], told["bars"], told["git"]) == ("p1", "e1", "b1", "abc")


def test_a_live_signal_shows_its_status() -> None:
    live = {**rejected_row(SIGNAL, MADE), "status": "WAITING", "rejection_reason": None}
    for name in [name for name in live if name.startswith("theoretical_")]:
        del live[name]
    del live["outcome_status"], live["priced_as"]
    told = explain(ExplainInput(live))
    assert told.summary == "breakout saw a long in AAPL on 2024-01-02: WAITING."
    assert "What it would have made" not in _titles(told)


def test_text_and_json_say_the_same() -> None:
    told = explain(ExplainInput(rejected_row(SIGNAL, MADE), VERSION))
    text = " ".join(told.as_text().split())  # lines are folded
    assert text.startswith(f"{told.signal_id} {told.summary}")
    assert "FILTERS" in text
    plain = told.as_dict()
    assert json.loads(json.dumps(plain)) == plain
    for section in plain["sections"]:
        for line in section["lines"]:
            assert line["text"] in text
            assert line["label"] in text
