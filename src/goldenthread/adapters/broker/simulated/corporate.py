"""What splits and delistings do to holdings and resting orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from goldenthread.adapters.broker.answers import name_of
from goldenthread.domain.order import Fill, OrderSide
from goldenthread.domain.strategy import Side
from goldenthread.rules.calendar import session_close, session_open
from goldenthread.rules.rounding import round_entry, round_stop, round_target
from goldenthread.rules.splits import split_price, split_quantity

if TYPE_CHECKING:
    import datetime as dt
    from decimal import Decimal

    from goldenthread.adapters.broker.simulated.executions import Desk
    from goldenthread.adapters.broker.simulated.tickets import Ticket
    from goldenthread.domain.asset import Asset
    from goldenthread.rules.ledger import Stake


def apply_split(desk: Desk, symbol: str, ratio: Decimal, ds: dt.date) -> None:
    """Scale the resting orders and the stake of a symbol at the open of ``ds``.

    Quantities go down to the step and prices to the tick. What a holder of shares has left over
    is paid in cash, at the open of the bar or, without a bar, at the scaled last close.
    """
    asset = desk.bars.asset(symbol)
    for ticket in desk.state.orders.open_of(symbol):
        _split_order(desk, ticket, ratio, ds)
    left = desk.state.ledger.split(symbol, ratio, asset.quantity_step)
    if left is not None:
        bar = desk.bars.bar(symbol, ds)
        _pay_out(desk, left, left.mark if bar is None else bar.open, ("SPLIT_CASH", ds))


def pay_out_delisted(desk: Desk, symbol: str, ds: dt.date) -> None:
    """Cancel the orders of a symbol that stopped trading, and pay its stake at the last close."""
    for ticket in desk.state.orders.open_of(symbol):
        if ticket.report.status.is_open:
            desk.cancel(ticket, ds)
    stake = desk.state.ledger.stakes.get(symbol)
    if stake is not None:
        _pay_out(desk, stake, stake.mark, ("DELISTED", ds))


def _pay_out(
    desk: Desk,
    stake: Stake,
    price: Decimal,
    cause: tuple[Literal["SPLIT_CASH", "DELISTED"], dt.date],
) -> None:
    """An execution without an order: no slippage, no fee."""
    flag, ds = cause
    order_id = name_of(flag, stake.symbol, ds.isoformat())
    instant = session_open if flag == "SPLIT_CASH" else session_close
    fill = Fill(
        execution_id=name_of(order_id, "1"),
        broker_order_id=order_id,
        fill_no=1,
        symbol=stake.symbol,
        side=OrderSide.SELL if stake.quantity > 0 else OrderSide.BUY,
        quantity=abs(stake.quantity),
        price=price,
        ds=ds,
        filled_at=instant(stake.asset_class, ds),
        flags=(flag,),
    )
    desk.state.record(fill)


def _split_order(desk: Desk, ticket: Ticket, ratio: Decimal, ds: dt.date) -> None:
    asset = desk.bars.asset(ticket.report.symbol)
    report = ticket.report
    remaining, _ = split_quantity(ticket.remaining, ratio, asset.quantity_step)
    if not remaining:
        desk.cancel(ticket, ds)
        return
    filled = report.filled_quantity * ratio
    average = report.average_price
    after = ticket.updated(
        ds,
        quantity=filled + remaining,
        filled_quantity=filled,
        average_price=None if average is None else split_price(average, ratio),
        limit_price=_split_level(report.limit_price, ticket, ratio, asset),
        stop_price=_split_level(report.stop_price, ticket, ratio, asset),
    )
    reserve = split_price(ticket.reserve, ratio)
    desk.state.put(after.model_copy(update={"reserve": reserve}))


def _split_level(
    price: Decimal | None, ticket: Ticket, ratio: Decimal, asset: Asset
) -> Decimal | None:
    """The level after the split, rounded as if it were made anew."""
    if price is None:
        return None
    scaled = split_price(price, ratio)
    buys = ticket.report.side is OrderSide.BUY
    if ticket.reserve:
        is_limit = ticket.report.stop_price is None
        side = Side.LONG if buys else Side.SHORT
        return round_entry(scaled, asset, side, "limit" if is_limit else "stop")
    rounded = round_target if ticket.report.stop_price is None else round_stop
    return rounded(scaled, asset, Side.SHORT if buys else Side.LONG)
