"""Orders, executions, and the account and positions at the end of a day, as rows."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import Field

from goldenthread.domain.ids import order_key, split_order_key
from goldenthread.domain.position import Position
from goldenthread.warehouse.rows.columns import (
    OPERATIONAL,
    Day,
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

if TYPE_CHECKING:
    from goldenthread.domain.account import AccountSnapshot
    from goldenthread.domain.order import Fill, OrderIntent


class Mark(NamedTuple):
    """An open position as it stood after business date ``ds``, and the close it is worth."""

    ds: dt.date
    position: Position
    close: Decimal


class _OfPosition(Loaded):
    book: Name = Field(description="The account and engine, for example sim:main.")
    ds: Day = Field(description="The partition: the business date the row belongs to.")
    strategy_id: Name = Field(description="The strategy that decided.")
    version_key: Name = Field(description="The version of the strategy.")
    policy_key: Name = Field(description="The version of the policy.")
    decided_at: Instant = Field(description="The run's business now; joins exactly one version.")
    symbol: Name = Field(description="The asset, crypto written BTC/USD.")


class OrderRow(_OfPosition):
    """One order: what was asked, what was answered, how it stands."""

    order_key: Name = Field(description="Our client order id: signal, leg, attempt.")
    signal_id: Name = Field(description="The signal it serves.")
    leg: Name = Field(description="entry, stop, tp or exit with its number.")
    attempt: Whole = Field(description="1, then 2 for its replacement …")
    kind: Name = Field(description="new, leg (made by the broker) or replace.")
    intended_at: Instant = Field(description="The business now of the commit that decided it.")
    order_side: Name = Field(description="buy or sell.")
    order_type: Name = Field(description="market, limit, stop or stop_limit.")
    time_in_force: Name = Field(description="day, gtc …")
    order_class: Name = Field(description="simple, bracket, oto or oco.")
    quantity: Numeric = Field(description="As ordered.")
    limit_price: Numeric | None = Field(default=None, description="Of a limit or stop_limit.")
    stop_price: Numeric | None = Field(default=None, description="Of a stop or stop_limit.")
    take_profit: Numeric | None = Field(default=None, description="The bracket's target.")
    stop_loss: Numeric | None = Field(default=None, description="The bracket's stop.")
    replaces: Text = Field(description="The order key it took the place of.")
    parent_key: Text = Field(description="The order key of its parent.")
    not_after: Annotated[Instant | None, OPERATIONAL] = Field(
        default=None, description="When an entry is stale."
    )
    status: Name = Field(description="Our side: PENDING UNKNOWN WORKING DONE REFUSED DROPPED.")
    broker_status: Text = Field(description="The broker's side; empty before an answer.")
    filled_quantity: Numeric = Field(description="Executed so far.")
    average_price: Numeric | None = Field(default=None, description="Of what was executed.")
    refusal_code: Text = Field(description="The broker's code when REFUSED.")
    refusal: Text = Field(description="The broker's words when REFUSED.")
    broker_order_id: Annotated[Text, OPERATIONAL] = Field(description="The broker's own id.")
    submitted_at: Annotated[Instant | None, OPERATIONAL] = Field(
        default=None, description="When the broker took it."
    )
    revision: Annotated[Day, OPERATIONAL] = Field(description="The run that saw it last.")


class FillRow(_OfPosition):
    """One execution, in the units of its own day."""

    order_key: Name = Field(
        description="The order it belongs to; leg external1, external2 … of what nobody ordered."
    )
    fill_no: Whole = Field(description="Counts from 1 within the order.")
    position_id: Name = Field(description="The position, equal to signal_id and trade_id.")
    order_side: Name = Field(description="buy or sell.")
    quantity: Numeric = Field(description="Executed, in the split units of ds.")
    price: Numeric = Field(description="In the split units of ds.")
    notional: Numeric = Field(description="quantity x price: the figure every ledger uses.")
    fee: Numeric = Field(description="In quote currency.")
    fee_quantity: Numeric = Field(description="In coin (crypto buys).")
    filled_at: Instant = Field(description="When it was executed.")
    flags: list[Name] = Field(description="AT_OPEN, GAPPED, AMBIGUOUS_BAR …")
    execution_id: Annotated[Text, OPERATIONAL] = Field(description="The broker's own id.")
    broker_order_id: Annotated[Text, OPERATIONAL] = Field(description="The broker's own id.")
    revision: Day = Field(description="The business date of its last fee.")


class AccountRow(Loaded):
    """The account at the end of one day."""

    book: Name = Field(description="The account and engine, for example sim:main.")
    ds: Day = Field(description="The business date.")
    equity: Numeric = Field(description="Cash plus positions at the closes of ds.")
    cash: Numeric = Field(description="May be negative; then it was flagged.")
    buying_power: Numeric = Field(description="As the broker grants it.")
    initial_margin: Numeric = Field(description="Held against new positions.")
    maintenance_margin: Numeric = Field(description="Below this the broker liquidates.")
    gross_exposure: Numeric = Field(description="long_value + abs(short_value).")
    long_value: Numeric = Field(description="At the closes of ds.")
    short_value: Numeric = Field(description="At the closes of ds, negative.")
    accrued_fees: Numeric = Field(description="Known to be due, not yet taken.")
    fees_paid: Numeric = Field(description="Since the book began, borrow among them.")
    dividends: Numeric | None = Field(
        default=None, description="Received since the book began, less owed ones, as far as told."
    )
    realised_pnl: Numeric = Field(description="Since the book began, before fees.")
    unrealised_pnl: Numeric = Field(description="Of open positions, before fees.")
    start_equity: Numeric = Field(description="What the book began with.")
    peak_equity: Numeric = Field(description="The highest so far.")
    drawdown: Numeric = Field(description="Fraction below the peak.")
    open_positions: Whole = Field(description="How many are held.")
    waiting_signals: Whole = Field(description="How many entries wait.")
    money_error: Numeric = Field(description="Equity less what our ledger expects; 0 is right.")


class PositionRow(_OfPosition):
    """One open position at the end of one day."""

    position_id: Name = Field(description="Equal to signal_id and, later, trade_id.")
    side: Name = Field(description="long or short.")
    status: Name = Field(description="OPEN or CLOSING.")
    entry_ds: Day | None = Field(default=None, description="The session of the first fill.")
    quantity: Numeric = Field(description="Held, after coin fees and exits.")
    average_entry: Numeric | None = Field(default=None, description="Fees apart.")
    close: Numeric = Field(description="The last known raw close.")
    market_value: Numeric = Field(description="quantity x close, negative when short.")
    unrealised_pnl: Numeric = Field(description="Before fees.")
    realised_pnl: Numeric = Field(description="Of the part already sold, before fees.")
    fees: Numeric = Field(description="So far, in quote currency, borrow among them.")
    dividends: Numeric | None = Field(
        default=None, description="Received so far, or owed (negative), as far as told."
    )
    initial_stop: Numeric = Field(description="The first stop, in today's units.")
    stop: Numeric = Field(description="Where the stop stands now.")
    stop_source: Name = Field(description="STOP, TRAIL or BREAKEVEN.")
    bars_held: Whole = Field(description="Sessions since the entry, the entry's being 1.")
    split_factor: Numeric = Field(description="Shares now per share at the signal.")
    flags: list[Name] = Field(description="What was odd about it.")


def order_row(intent: OrderIntent, position: Position, revision: dt.date) -> Raw:
    """The order with the decision it serves, as run ``revision`` saw it."""
    request, report = intent.request, intent.report
    _, leg, attempt = split_order_key(intent.order_key)
    return {
        **_of_position(position, intent.ds),
        "order_key": intent.order_key,
        "signal_id": intent.signal_id,
        "leg": leg,
        "attempt": attempt,
        "kind": intent.kind,
        "intended_at": intent.decided_at,
        "order_side": request.side.value,
        "order_type": request.type.value,
        "time_in_force": request.time_in_force.value,
        "order_class": request.order_class.value,
        "quantity": numeric(request.quantity),
        "limit_price": numeric_or_null(request.limit_price),
        "stop_price": numeric_or_null(request.stop_price),
        "take_profit": numeric_or_null(request.take_profit),
        "stop_loss": numeric_or_null(request.stop_loss),
        "replaces": intent.replaces,
        "parent_key": intent.parent_key,
        "not_after": intent.not_after,
        "status": intent.status.value,
        "broker_status": report.status.value if report else "",
        "filled_quantity": numeric(report.filled_quantity) if report else Decimal(0),
        "average_price": numeric_or_null(report.average_price) if report else None,
        "refusal_code": intent.refusal_code,
        "refusal": intent.refusal,
        "broker_order_id": report.broker_order_id if report else "",
        "submitted_at": report.submitted_at if report else None,
        "revision": revision,
    }


def fill_row(fill: Fill, position: Position) -> Raw:
    """The execution with the decision it serves."""
    return {
        **_of_position(position, fill.ds),
        "order_key": fill.order_key or _external_key(fill, position),
        "fill_no": fill.fill_no,
        "position_id": position.position_id,
        "order_side": fill.side.value,
        "quantity": numeric(fill.quantity),
        "price": numeric(fill.price),
        "notional": numeric(fill.notional),
        "fee": numeric(fill.fee),
        "fee_quantity": numeric(fill.fee_quantity),
        "filled_at": fill.filled_at,
        "flags": list(fill.flags),
        "execution_id": fill.execution_id,
        "broker_order_id": fill.broker_order_id,
        "revision": fill.ds,
    }


def _external_key(fill: Fill, position: Position) -> str:
    """The key of an execution without an order of ours: a payment in cash, a sale by hand."""
    external = [f.execution_id for f in position.fills if not f.order_key]
    return order_key(position.position_id, f"external{external.index(fill.execution_id) + 1}", 1)


def account_row(snapshot: AccountSnapshot) -> Raw:
    """The account at the end of its day."""
    values: Raw = {
        name: numeric(value) if isinstance(value, Decimal) else value for name, value in snapshot
    }
    return {**values, "money_error": numeric(snapshot.money_error)}


def position_row(mark: Mark) -> Raw:
    """The open position at the end of the day of its mark."""
    position, close = mark.position, mark.close
    held = position.open_quantity
    return {
        **_of_position(position, mark.ds),
        "position_id": position.position_id,
        "side": position.side.value,
        "status": position.status.value,
        "entry_ds": position.entry_ds,
        "quantity": numeric(held),
        "average_entry": numeric_or_null(position.average_entry),
        "close": numeric(close),
        "market_value": numeric(held * close * position.side.sign),
        "unrealised_pnl": numeric(position.unrealised_pnl(close)),
        "realised_pnl": numeric(position.realised_pnl),
        "fees": numeric(position.fees),
        "dividends": numeric(position.dividends),
        "initial_stop": numeric(position.initial_stop),
        "stop": numeric(position.stop),
        "stop_source": position.stop_source,
        "bars_held": position.bars_held,
        "split_factor": numeric(position.split_factor),
        "flags": list(position.flags),
    }


def _of_position(position: Position, ds: dt.date) -> Raw:
    return {
        "book": position.book,
        "ds": ds,
        "strategy_id": position.strategy_id,
        "version_key": position.version_key,
        "policy_key": position.policy_key,
        "decided_at": position.decided_at,
        "symbol": position.symbol,
    }
