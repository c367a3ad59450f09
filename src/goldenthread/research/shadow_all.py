"""Many signals priced at once: ``shadow.price`` for each of them, by the compiled rules."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from goldenthread.domain.order import Fill, OrderSide
from goldenthread.domain.strategy import Side
from goldenthread.research.shadow import (
    NO_BARS,
    NO_LEVELS,
    NO_QUANTITY,
    PriceQuery,
    not_triggered,
    quantity_of,
    resolved,
    so_far,
    unpriceable,
)
from goldenthread.research.shadow_trade import Course, Execution
from goldenthread.rules import kernel
from goldenthread.rules.calendar import session_close
from goldenthread.rules.rounding import round_stop
from goldenthread.rules.splits import ratio_between, split_price
from goldenthread.rules.tape import (
    CLOSED,
    ENTRY,
    NOT_TRIGGERED,
    REASONS,
    UNPRICEABLE,
    Closes,
    Executions,
    Rides,
    Tape,
    Wanted,
    tape_of,
    tickets_of,
)

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from goldenthread.domain.bar import Bar
    from goldenthread.domain.signal import Signal
    from goldenthread.domain.trade import Outcome

_PRICES = ("open", "high", "low", "close")
_PLACES = 9


class _Ridden(NamedTuple):
    """Signals of one asset after their ride."""

    tape: Tape
    rides: Rides
    log: Executions
    upto: int


def price_all(
    signals: Sequence[Signal], bars: Mapping[str, Sequence[Bar]], queries: Sequence[PriceQuery]
) -> list[Outcome]:
    """The theoretical outcome of every signal, each equal to ``shadow.price``, in their order.

    Args:
        signals: Signals of any symbols and dates.
        bars: The tradable raw bars of each symbol from the first signal on, oldest first.
        queries: What each signal is priced with. Those that share symbol, policy, ``upto`` and
            ``rule_exits`` ride together, and so price fastest.
    """
    outcomes: dict[int, Outcome] = {}
    wanted: dict[int, Wanted] = {}
    groups: defaultdict[Hashable, list[int]] = defaultdict(list)
    for number, (signal, query) in enumerate(zip(signals, queries, strict=True)):
        plan, quantity = signal.plan, quantity_of(signal, query.asset)
        if plan is None or not quantity:
            note = NO_QUANTITY if plan else NO_LEVELS
            outcomes[number] = unpriceable(query, signal.ds, note)
        else:
            at_market = query.priced_as == "MARKET_NEXT_OPEN"
            wanted[number] = Wanted(signal.ds, signal.side, plan, quantity, at_market)
            key = (signal.symbol, query.policy.policy_key, query.upto, query.rule_exits)
            groups[key].append(number)
    for members in groups.values():
        symbol, query = signals[members[0]].symbol, queries[members[0]]
        ridden = _ride([wanted[n] for n in members], bars.get(symbol, ()), query)
        for row, number in enumerate(members):
            outcomes[number] = _told(ridden, row, signals[number], queries[number])
    return [outcomes[number] for number in range(len(signals))]


def _ride(wanted: Sequence[Wanted], bars: Sequence[Bar], query: PriceQuery) -> _Ridden:
    """The signals of one group, ridden over one tape."""
    first = min(one.ds for one in wanted)
    days = np.array([bar.ds for bar in bars], "datetime64[D]")
    columns = [np.array([getattr(bar, name) for bar in bars], np.float64) for name in _PRICES]
    span = (first, max(first, query.upto))
    tape, terms = tape_of(query.asset, [days, *columns], query.actions, query.policy, span)
    exits = np.array(sorted(query.rule_exits), "datetime64[D]").astype(np.int64)
    closes = Closes(np.isin(tape.day, exits), np.zeros(len(tape.day), np.bool_))
    upto = _session(tape, query.upto)
    rides, log = kernel.execute(tape, terms, tickets_of(wanted, tape, terms), closes, upto)
    return _Ridden(tape, rides, log, upto)


def _told(ridden: _Ridden, row: int, signal: Signal, query: PriceQuery) -> Outcome:
    """The ride as the outcome of its signal."""
    status, ended = ridden.rides.status[row], int(ridden.rides.ended[row])
    if status == NOT_TRIGGERED:
        return not_triggered(query, _date(ridden.tape, ended))
    if status == UNPRICEABLE:
        return unpriceable(query, _date(ridden.tape, ended), NO_BARS)
    course = _course(ridden, row, signal, query)
    return (resolved if status == CLOSED else so_far)(course, signal, query)


def _course(ridden: _Ridden, row: int, signal: Signal, query: PriceQuery) -> Course:
    tape, rides, log, upto = ridden
    ended, start = int(rides.ended[row]), _session(tape, signal.ds)
    last = upto if ended < 0 else ended
    seen = np.flatnonzero(~np.isnan(tape.close[start + 1 : last + 1]))
    ratio, stop = Decimal(1), Decimal(0) if signal.plan is None else signal.plan.stop
    ratios = {}
    for session in _splits(tape, start, last):
        step = _ratio(query, tape, session)
        ratio *= step
        ratios[session] = ratio
        stop = round_stop(split_price(stop, step), query.asset, signal.side)
    rows = slice(*np.searchsorted(log.ticket, [row, row + 1]))
    reason = int(rides.reason[row])
    return Course(
        executions=[_execution(ridden, n, signal, ratios) for n in range(rows.start, rows.stop)],
        ratio=ratio,
        initial_stop=stop,
        reason=REASONS[reason] if reason >= 0 else None,
        bars_held=int(rides.bars_held[row]),
        last_bar_ds=_date(tape, start + 1 + int(seen[-1])) if len(seen) else signal.ds,
    )


def _execution(
    ridden: _Ridden, row: int, signal: Signal, ratios: Mapping[int, Decimal]
) -> Execution:
    log, number = ridden.log, str(row)
    session, opens = int(log.session[row]), log.leg[row] == ENTRY
    ds = _date(ridden.tape, session)
    fill = Fill(
        execution_id=number,
        broker_order_id=number,
        fill_no=1,
        symbol=signal.symbol,
        side=OrderSide.BUY if opens == (signal.side is Side.LONG) else OrderSide.SELL,
        quantity=Decimal(int(log.units[row])).scaleb(-_PLACES),
        price=Decimal(repr(float(log.price[row]))),
        fee=Decimal(repr(float(log.fee[row]))),
        fee_quantity=Decimal(int(log.coin_fee[row])).scaleb(-_PLACES),
        ds=ds,
        filled_at=session_close(signal.asset_class, ds),
    )
    before = [ratio for split, ratio in ratios.items() if split <= session]
    return Execution(fill, before[-1] if before else Decimal(1))


def _splits(tape: Tape, start: int, last: int) -> Iterable[int]:
    """The sessions after ``start``, up to ``last``, at whose open a split takes effect."""
    return (start + 1 + int(n) for n in np.flatnonzero(tape.split[start + 1 : last + 1] != 1.0))


def _ratio(query: PriceQuery, tape: Tape, session: int) -> Decimal:
    return ratio_between(query.actions, _date(tape, session - 1), _date(tape, session))


def _session(tape: Tape, ds: dt.date) -> int:
    """The last session on or before ``ds``; -1 when there is none."""
    number = np.datetime64(ds, "D").astype(np.int64)
    return int(np.searchsorted(tape.day, number, side="right")) - 1


def _date(tape: Tape, session: int) -> dt.date:
    found: dt.date = tape.day[session].astype("datetime64[D]").item()
    return found
