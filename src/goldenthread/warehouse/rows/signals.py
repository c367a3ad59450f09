"""The three ends of a signal as rows: traded, refused, or ended unfilled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from goldenthread.domain.asset import AssetClass
from goldenthread.domain.signal import Plan, Signal, SignalStatus, TargetLevel
from goldenthread.domain.strategy import Side
from goldenthread.rules.calendar import add_sessions
from goldenthread.warehouse.rows.columns import (
    OPERATIONAL,
    Day,
    Float,
    Instant,
    Loaded,
    Name,
    Numeric,
    Raw,
    Text,
    Whole,
    numeric,
    numeric_or_null,
)
from goldenthread.warehouse.rows.structs import (  # noqa: TC001  # pydantic reads annotations
    Factor,
    TargetField,
    VerdictField,
)

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from goldenthread.domain.signal import Verdict
    from goldenthread.domain.trade import Outcome, Trade


class Decided(Loaded):
    """What all three signal facts say about the decision."""

    book: Name = Field(description="The account and engine, for example sim:main.")
    ds: Day = Field(description="The partition: the business date the fact belongs to.")
    signal_ds: Day = Field(description="The date of the decision.")
    strategy_id: Name = Field(description="The strategy that decided.")
    version_key: Name = Field(description="The version of the strategy: sha256 of its config.")
    policy_key: Name = Field(description="The version of the policy: sha256 of its config.")
    symbol: Name = Field(description="The asset, crypto written BTC/USD.")
    asset_class: Name = Field(description="EQUITY or CRYPTO.")
    side: Name = Field(description="long or short.")
    decided_at: Instant = Field(description="The run's business now; joins exactly one version.")
    engine_digest: Annotated[Name, OPERATIONAL] = Field(
        description="The code that decided: rules, signals, TA-Lib, numpy."
    )
    bars_digest: Name = Field(
        description="What the decision read: its bars, others it names or compares, tables."
    )
    close: Numeric = Field(description="The close of the decision's bar.")
    order_type: Name | None = Field(
        default=None, description="market, limit or stop; null when a level was not computable."
    )
    planned_entry: Numeric | None = Field(
        default=None, description="Limit or stop price; the close for a market order."
    )
    planned_stop: Numeric | None = Field(default=None, description="The protective stop.")
    targets: list[TargetField] = Field(description="Profit targets, nearest first.")
    trail: Numeric | None = Field(default=None, description="Trailing distance in price.")
    breakeven_after: Whole | None = Field(
        default=None, description="After which target the stop moves to the average entry."
    )
    valid_bars: Whole | None = Field(default=None, description="Sessions the entry may wait.")
    max_bars: Whole | None = Field(default=None, description="Sessions after which it is closed.")
    priority: Float | None = Field(default=None, description="Who gets the cash first.")
    factors: list[Factor] = Field(description="Every factor of the strategy, by name.")
    verdicts: list[VerdictField] = Field(description="Every filter, term and gate, in order.")
    quantity: Numeric = Field(description="What was ordered; 0 when refused before sizing.")
    planned_quantity: Numeric = Field(description="What sizing asked for before rounding.")
    equity_at_decision: Numeric = Field(description="The equity everything was sized from.")
    split_factor: Numeric = Field(description="Shares at the end per share on signal_ds.")
    revision: Day = Field(description="The last business date whose values the row uses.")


class Priced(Decided):
    """The theoretical outcome of a signal that was not traded."""

    outcome_status: Name = Field(description="RESOLVED, OPEN or UNPRICEABLE.")
    priced_as: Name = Field(description="PLANNED (its own order) or MARKET_NEXT_OPEN.")
    theoretical_entry_ds: Day | None = Field(default=None, description="When it would enter.")
    theoretical_entry_price: Numeric | None = Field(default=None, description="At which price.")
    theoretical_exit_ds: Day | None = Field(default=None, description="When it would leave.")
    theoretical_exit_price: Numeric | None = Field(default=None, description="At which price.")
    theoretical_exit_reason: Name | None = Field(default=None, description="By which exit rule.")
    theoretical_bars_held: Whole | None = Field(default=None, description="Sessions, entry is 1.")
    theoretical_gross_pnl: Numeric | None = Field(default=None, description="Before fees.")
    theoretical_fees: Numeric | None = Field(
        default=None, description="In quote currency, borrow among them."
    )
    theoretical_dividends: Numeric | None = Field(
        default=None, description="Received, or owed by a short (negative)."
    )
    theoretical_net_pnl: Numeric | None = Field(
        default=None, description="What it would have made; null unless RESOLVED, never 0."
    )
    theoretical_r_multiple: Numeric | None = Field(
        default=None, description="Net P&L over what the initial stop risked."
    )
    theoretical_note: Text = Field(
        description="Why there is no figure (not triggered, no levels, no bars); often empty."
    )


class RejectedSignalRow(Priced):
    """One refused signal."""

    signal_id: Name = Field(description="The one id of the idea, equal across books.")
    rejection_reason: Name = Field(description="The first filter or gate that failed.")
    rejection_reasons: list[Name] = Field(description="All that failed, in declared order.")
    broker_code: Text = Field(description="The broker's own code when BROKER_REFUSED.")


class ExpiredSignalRow(Priced):
    """One signal that ended without a fill."""

    signal_id: Name = Field(description="The one id of the idea, equal across books.")
    status: Name = Field(description="EXPIRED or INVALIDATED.")
    end_reason: Name = Field(description="NOT_TRIGGERED, CANCEL_IF, SUBMIT_WINDOW_MISSED …")
    valid_until: Day = Field(description="The last session the entry could fill in.")


class TradeRow(Decided):
    """One closed trade."""

    trade_id: Name = Field(description="The signal_id of the idea that became the trade.")
    entry_ds: Day = Field(description="The session of the first entry fill.")
    exit_ds: Day = Field(description="The session of the last exit fill; equals ds.")
    entry_at: Instant = Field(description="The first entry fill.")
    exit_at: Instant = Field(description="The last exit fill.")
    traded_quantity: Numeric = Field(description="What was bought or sold short, exit units.")
    entry_price: Numeric = Field(description="Average entry in the split units of the exit.")
    exit_price: Numeric = Field(description="Average exit in the split units of the exit.")
    initial_stop: Numeric = Field(description="The first stop in the split units of the exit.")
    gross_pnl: Numeric = Field(description="Before fees, in quote currency.")
    fees: Numeric = Field(description="All fees, borrow among them, coins at their entry price.")
    dividends: Numeric | None = Field(
        default=None, description="Received, or owed by a short (negative); null when not told."
    )
    borrow_fees: Numeric | None = Field(
        default=None, description="What of the fees a short paid for borrowed shares; or null."
    )
    net_pnl: Numeric = Field(description="gross_pnl - fees + dividends.")
    return_fraction: Numeric = Field(description="net_pnl over the entry's cost.")
    r_multiple: Numeric | None = Field(
        default=None, description="net_pnl over what the initial stop risked."
    )
    mfe: Numeric | None = Field(default=None, description="Best move, fraction of the entry.")
    mae: Numeric | None = Field(default=None, description="Worst move, fraction of the entry.")
    bars_held: Whole = Field(description="Sessions from entry to exit, the entry's being 1.")
    exit_reason: Name = Field(description="STOP, STOP_GAPPED, TARGET, TRAIL, TIME, RULE …")
    is_final: bool = Field(description="Whether the broker's fees for it are known.")
    flags: list[Name] = Field(description="AMBIGUOUS_BAR, NEGATIVE_CASH … of its fills.")


def decided_row(signal: Signal, ds: dt.date | None) -> Raw:
    """What all three facts say about the decision of a signal, in the partition ``ds``."""
    return {
        "book": signal.book,
        "ds": ds,
        "signal_ds": signal.ds,
        "strategy_id": signal.strategy_id,
        "version_key": signal.version_key,
        "policy_key": signal.policy_key,
        "symbol": signal.symbol,
        "asset_class": signal.asset_class.value,
        "side": signal.side.value,
        "decided_at": signal.decided_at,
        "engine_digest": signal.engine_digest,
        "bars_digest": signal.bars_digest,
        "close": numeric(signal.close),
        **_levels(signal.plan),
        "priority": None if signal.priority is None else float(signal.priority),
        "factors": [
            {"name": name, "value": None if value is None else float(value)}
            for name, value in signal.factors.items()
        ],
        "verdicts": [_verdict(verdict) for verdict in signal.verdicts],
        "quantity": numeric(signal.quantity),
        "planned_quantity": numeric(signal.planned_quantity),
        "equity_at_decision": numeric(signal.equity_at_decision),
        "split_factor": numeric(signal.split_factor),
    }


def rejected_row(signal: Signal, outcome: Outcome) -> Raw:
    """The refused signal with what it would have made."""
    return {
        **decided_row(signal, signal.ds),
        **_priced(outcome),
        "signal_id": signal.signal_id,
        "rejection_reason": signal.rejection_reason,
        "rejection_reasons": list(signal.rejection_reasons),
        "broker_code": signal.broker_code,
    }


def expired_row(signal: Signal, outcome: Outcome) -> Raw:
    """The unfilled signal on the day it ended, with what it would have made."""
    return {
        **decided_row(signal, signal.ended_ds),
        **_priced(outcome),
        "signal_id": signal.signal_id,
        "status": signal.status.value,
        "end_reason": signal.end_reason,
        "valid_until": signal.valid_until,
    }


def trade_row(trade: Trade, signal: Signal, revision: dt.date | None = None) -> Raw:
    """The closed trade with the decision it came from; ``revision`` is its exit unless given."""
    return {
        **decided_row(signal, trade.ds),
        "split_factor": numeric(trade.split_factor),
        "revision": revision or trade.ds,
        "trade_id": trade.trade_id,
        "entry_ds": trade.entry_ds,
        "exit_ds": trade.exit_ds,
        "entry_at": trade.entry_at,
        "exit_at": trade.exit_at,
        "traded_quantity": numeric(trade.quantity),
        "entry_price": numeric(trade.entry_price),
        "exit_price": numeric(trade.exit_price),
        "initial_stop": numeric(trade.initial_stop),
        "gross_pnl": numeric(trade.gross_pnl),
        "fees": numeric(trade.fees),
        "dividends": numeric_or_null(trade.dividends),
        "borrow_fees": numeric_or_null(trade.borrow_fees),
        "net_pnl": numeric(trade.net_pnl),
        "return_fraction": numeric(trade.return_fraction),
        "r_multiple": numeric_or_null(trade.r_multiple),
        "mfe": numeric_or_null(trade.mfe),
        "mae": numeric_or_null(trade.mae),
        "bars_held": trade.bars_held,
        "exit_reason": trade.exit_reason.value,
        "is_final": trade.is_final,
        "flags": list(trade.flags),
    }


def traded_signal(row: Mapping[str, Any]) -> Signal:
    """The signal a row of ``fact_trades`` came from, without its factors and verdicts.

    The way back of ``trade_row``: what prices and sizes the trade is exact in the row.
    """
    kind = AssetClass(row["asset_class"])
    same = (*_SAME, "quantity", "planned_quantity", "equity_at_decision", "split_factor")
    return Signal(
        **{name: row[name] for name in same},
        signal_id=row["trade_id"],
        ds=row["signal_ds"],
        asset_class=kind,
        side=Side(row["side"]),
        status=SignalStatus.CLOSED,
        plan=Plan(
            order=row["order_type"],
            entry=row["planned_entry"],
            stop=row["planned_stop"],
            targets=tuple(TargetLevel(**target) for target in row["targets"]),
            **{name: row[name] for name in _PLANNED},
        ),
        valid_until=add_sessions(kind, row["signal_ds"], row["valid_bars"]),
        ended_ds=row["exit_ds"],
    )


_PLANNED = ("trail", "breakeven_after", "valid_bars", "max_bars")
_SAME = (
    *("book", "strategy_id", "version_key", "policy_key", "symbol", "decided_at"),
    *("engine_digest", "bars_digest", "close"),
)


_NO_LEVELS: Raw = {
    "order_type": None,
    "planned_entry": None,
    "planned_stop": None,
    "targets": [],
    "trail": None,
    "breakeven_after": None,
    "valid_bars": None,
    "max_bars": None,
}


def _levels(plan: Plan | None) -> Raw:
    if plan is None:
        return _NO_LEVELS
    return {
        "order_type": plan.order,
        "planned_entry": numeric(plan.entry),
        "planned_stop": numeric(plan.stop),
        "targets": [{"price": numeric(t.price), "sell": numeric(t.sell)} for t in plan.targets],
        "trail": numeric_or_null(plan.trail),
        "breakeven_after": plan.breakeven_after,
        "valid_bars": plan.valid_bars,
        "max_bars": plan.max_bars,
    }


def _verdict(verdict: Verdict) -> Raw:
    return {
        "name": verdict.name,
        "kind": verdict.kind,
        "value": None if verdict.value is None else float(verdict.value),
        "threshold": None if verdict.threshold is None else float(verdict.threshold),
        "passed": verdict.passed,
    }


def _priced(outcome: Outcome) -> Raw:
    return {
        "outcome_status": outcome.status.value,
        "priced_as": outcome.priced_as,
        "revision": outcome.revision,
        "theoretical_entry_ds": outcome.entry_ds,
        "theoretical_entry_price": numeric_or_null(outcome.entry_price),
        "theoretical_exit_ds": outcome.exit_ds,
        "theoretical_exit_price": numeric_or_null(outcome.exit_price),
        "theoretical_exit_reason": outcome.exit_reason,
        "theoretical_bars_held": outcome.bars_held,
        "theoretical_gross_pnl": numeric_or_null(outcome.gross_pnl),
        "theoretical_fees": numeric_or_null(outcome.fees),
        "theoretical_dividends": numeric_or_null(outcome.dividends),
        "theoretical_net_pnl": numeric_or_null(outcome.net_pnl),
        "theoretical_r_multiple": numeric_or_null(outcome.r_multiple),
        "theoretical_note": outcome.note,
    }
