"""One session of a ride: splits, entry, exits, the stop from the next bar on, what is due."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from goldenthread.domain.position import ExitReason
from goldenthread.rules.kernel.booking import Fill, book, pay_borrow, receive_dividend
from goldenthread.rules.kernel.fills import (
    Touch,
    limit_fill,
    market_fill,
    reaches,
    stop_fill,
    stop_limit_fill,
    to_tick,
)
from goldenthread.rules.kernel.state import Bar, Desk, Part, State, compiled
from goldenthread.rules.tape import LIMIT, MARKET, REASONS
from goldenthread.rules.ticks import beyond, split_price, split_units, trailed

if TYPE_CHECKING:
    from collections.abc import Sequence

_STOP = REASONS.index(ExitReason.STOP)
_STOP_GAPPED = REASONS.index(ExitReason.STOP_GAPPED)
_TARGET = REASONS.index(ExitReason.TARGET)
_TRAIL = REASONS.index(ExitReason.TRAIL)
_TIME = REASONS.index(ExitReason.TIME)
_RULE = REASONS.index(ExitReason.RULE)
_DELISTED = REASONS.index(ExitReason.DELISTED)
_SPLIT_CASH = REASONS.index(ExitReason.SPLIT_CASH)
_NONE = -1


@compiled
def meet(desk: Desk, s: State, parts: Sequence[Part], leaves: bool) -> None:
    """Take the session at hand; ``leaves`` is what the exit rule said on its close."""
    day = desk.day
    bar = Bar(day.open, day.high, day.low, day.close)
    s.sessions += 1
    receive_dividend(day, s)
    if day.split != 1.0:
        _split(desk, s, parts, bar.open)
    if s.entered >= 0:
        s.bars_held += 1
    if not np.isnan(bar.open):
        _trade(desk, s, parts, bar)
        s.last_close, s.last_bar = bar.close, day.at
    elif s.held > 0 and day.at >= desk.terms.delisted:
        book(desk, s, Fill(s.held, s.last_close, _DELISTED, _NONE, maker=False, is_free=True))
    if s.held > 0:
        pay_borrow(day, s, s.last_close)
        if day.split != 1.0 and not desk.terms.managed:
            _even_out(s, parts)
        _decide(desk, s, parts, leaves and s.last_bar == day.at)


@compiled
def _trade(desk: Desk, s: State, parts: Sequence[Part], bar: Bar) -> None:
    is_entry, at_open = s.entered < 0, True
    if is_entry:
        at_open = _enter(desk, s, parts, bar)
    elif s.due != _NONE:
        _leave_when_due(desk, s, parts, bar)
    if s.held == 0:
        return
    seen = bar if at_open else Bar(s.entry_price, bar.high, bar.low, bar.close)
    if not desk.terms.managed:
        _meet_brackets(desk, s, parts, seen, at_open)
    elif not is_entry or (s.order == MARKET and s.sessions == 1):
        _meet_stop_limit(desk, s, seen)
    if s.held > 0:
        loss = bar.low if s.sign > 0 else bar.high
        s.worst = loss if np.isnan(s.worst) or (loss - s.worst) * s.sign < 0.0 else s.worst
        if at_open:
            _observe(s, parts, bar)
        _tighten(desk, s, parts)


@compiled
def _enter(desk: Desk, s: State, parts: Sequence[Part], bar: Bar) -> bool:
    """The entry if the bar executes it; whether it was at the open."""
    total = _ordered(parts)
    if total == 0:
        return True
    touch = _entry_touch(desk, s, bar)
    if not touch.filled:
        return True
    maker = s.order == LIMIT and not touch.at_open
    s.entered, s.bars_held = desk.day.at, 1
    s.entry_price, s.entry_ratio = touch.price, s.ratio
    if desk.terms.managed:
        book(desk, s, Fill(total, touch.price, _NONE, _NONE, maker=maker, is_free=False))
        return touch.at_open
    for part in range(len(parts)):
        if parts[part].units > 0:
            book(
                desk,
                s,
                Fill(parts[part].units, touch.price, _NONE, part, maker=maker, is_free=False),
            )
    return touch.at_open


@compiled
def _ordered(parts: Sequence[Part]) -> int:
    total = 0
    for part in range(len(parts)):
        total += parts[part].units
    return total


@compiled
def _entry_touch(desk: Desk, s: State, bar: Bar) -> Touch:
    terms = desk.terms
    if s.order == MARKET:
        return market_fill(bar, s.sign, terms.slippage)
    if s.order == LIMIT:
        return limit_fill(bar, s.sign, s.planned)
    if not terms.managed:
        return stop_fill(bar, s.sign, s.planned, terms.slippage)
    limit = to_tick(beyond(s.planned, s.sign), s.sign, terms)
    if s.entry_triggered:
        return limit_fill(bar, s.sign, limit)
    s.entry_triggered = reaches(s.planned, s.sign, bar.high if s.sign > 0 else bar.low)
    return stop_limit_fill(bar, s.sign, s.planned, limit, terms.slippage)


@compiled
def _leave_when_due(desk: Desk, s: State, parts: Sequence[Part], bar: Bar) -> None:
    """What the last close decided, by market at this open."""
    touch = market_fill(bar, -s.sign, desk.terms.slippage)
    units, reason = s.held, s.due
    s.due = _NONE
    if reason == _TARGET:
        met = 0
        for part in range(len(parts)):
            if parts[part].touched:
                met += parts[part].units
                parts[part].units = 0
        units = min(units, met)
        s.stop_triggered = False
    if units > 0:
        book(desk, s, Fill(units, touch.price, reason, _NONE, maker=False, is_free=False))


@compiled
def _meet_brackets(desk: Desk, s: State, parts: Sequence[Part], bar: Bar, at_open: bool) -> None:
    """Stop and target of each tranche: what executes at the open first, stops before targets."""
    stop = stop_fill(bar, -s.sign, s.stop, desk.terms.slippage)
    if not stop.filled and not (at_open and _is_any_reached(s, parts, bar)):
        return
    for at_the_open in (True, False):
        for is_stop in (True, False):
            for part in range(len(parts)):
                found, reached = _first_exit(s, parts, part, bar, stop)
                if not at_open and stop.filled:
                    found, reached = stop, False
                due = found.filled and found.at_open == at_the_open and reached != is_stop
                if not due or parts[part].units == 0:
                    continue
                reason = _TARGET if reached else _stop_reason(s)
                maker = reached and not found.at_open
                units = parts[part].units
                parts[part].units = 0
                book(desk, s, Fill(units, found.price, reason, part, maker=maker, is_free=False))


@compiled
def _is_any_reached(s: State, parts: Sequence[Part], bar: Bar) -> bool:
    for part in range(len(parts)):
        if parts[part].units > 0 and limit_fill(bar, -s.sign, parts[part].target).filled:
            return True
    return False


@compiled
def _first_exit(
    s: State, parts: Sequence[Part], part: int, bar: Bar, stop: Touch
) -> tuple[Touch, bool]:
    """The exit of a tranche when stop and target both rest; True when it is the target."""
    reach = limit_fill(bar, -s.sign, parts[part].target)
    if reach.filled and (not stop.filled or (reach.at_open and not stop.at_open)):
        return reach, True
    return stop, False


@compiled
def _stop_reason(s: State) -> int:
    return _TRAIL if s.is_trailed else _STOP


@compiled
def _meet_stop_limit(desk: Desk, s: State, bar: Bar) -> None:
    terms, sign = desk.terms, -s.sign
    if not s.stop_triggered and not reaches(s.stop, sign, bar.high if sign > 0 else bar.low):
        return
    limit = to_tick(beyond(s.stop, sign), sign, terms)
    if s.stop_triggered:
        touch = limit_fill(bar, sign, limit)
    else:
        touch = stop_limit_fill(bar, sign, s.stop, limit, terms.slippage)
    s.stop_triggered = True
    if touch.filled:
        book(desk, s, Fill(s.held, touch.price, _stop_reason(s), _NONE, maker=False, is_free=False))


@compiled
def _observe(s: State, parts: Sequence[Part], bar: Bar) -> None:
    """The best price so far, and the targets the bar touched."""
    gain = bar.high if s.sign > 0 else bar.low
    if np.isnan(s.best) or (gain - s.best) * s.sign > 0.0:
        s.best = gain
    for part in range(len(parts)):
        if limit_fill(bar, -s.sign, parts[part].target).filled:
            parts[part].touched = True


@compiled
def _tighten(desk: Desk, s: State, parts: Sequence[Part]) -> None:
    """The stop from the next bar on: trailed, or at the average entry, never loosened."""
    if not np.isnan(s.trail) and not np.isnan(s.best):
        _raise_stop(desk, s, trailed(s.best, s.sign, s.trail), is_trailed=True)
    if 0 < s.breakeven < len(parts) and parts[s.breakeven - 1].touched:
        _raise_stop(desk, s, split_price(s.entry_price, s.ratio / s.entry_ratio), is_trailed=False)


@compiled
def _raise_stop(desk: Desk, s: State, level: float, is_trailed: bool) -> None:
    if (level - s.stop) * s.sign <= 0.0:
        return
    stop = to_tick(level, -s.sign, desk.terms)
    if (stop - s.stop) * s.sign > 0.0:
        s.stop, s.is_trailed = stop, is_trailed


@compiled
def _decide(desk: Desk, s: State, parts: Sequence[Part], leaves: bool) -> None:
    """What is due at the next open; an exit of everything stays due once decided."""
    if s.due not in (_NONE, _TARGET):
        return
    if desk.terms.managed and s.stop_triggered:
        s.due = _STOP_GAPPED
    elif s.bars_held >= s.max_bars:
        s.due = _TIME
    elif leaves:
        s.due = _RULE
    elif desk.terms.managed and _is_any_touched(parts):
        s.due = _TARGET


@compiled
def _is_any_touched(parts: Sequence[Part]) -> bool:
    for part in range(len(parts)):  # noqa: SIM110  # compiled code has no any() of a generator
        if parts[part].touched and parts[part].units > 0:
            return True
    return False


@compiled
def _split(desk: Desk, s: State, parts: Sequence[Part], opened: float) -> None:
    """Levels and quantities in the units after the splits that take effect at this open."""
    ratio, terms = desk.day.split, desk.terms
    s.ratio *= ratio
    s.planned = split_price(s.planned, ratio)
    if s.order != MARKET:
        s.planned = to_tick(s.planned, s.sign, terms)
    s.stop = to_tick(split_price(s.stop, ratio), -s.sign, terms)
    s.initial = to_tick(split_price(s.initial, ratio), -s.sign, terms)
    s.last_close = _split_known(s.last_close, ratio)
    s.trail = _split_known(s.trail, ratio)
    s.best, s.worst = _split_known(s.best, ratio), _split_known(s.worst, ratio)
    for part in range(len(parts)):
        parts[part].units = split_units(parts[part].units, ratio, s.step)[0]
        parts[part].size = split_units(parts[part].size, ratio, s.step)[0]
        if not np.isnan(parts[part].target):
            parts[part].target = to_tick(split_price(parts[part].target, ratio), -s.sign, terms)
    if s.held > 0:
        _split_holding(desk, s, s.last_close if np.isnan(opened) else opened)


@compiled
def _split_known(price: float, ratio: float) -> float:
    return price if np.isnan(price) else split_price(price, ratio)


@compiled
def _split_holding(desk: Desk, s: State, price: float) -> None:
    """Whole steps are kept, the rest is paid in cash."""
    kept, remainder = split_units(s.held, desk.day.split, s.step)
    s.held = kept + remainder
    if remainder > 0:
        book(desk, s, Fill(remainder, price, _SPLIT_CASH, _NONE, maker=False, is_free=True))


@compiled
def _even_out(s: State, parts: Sequence[Part]) -> None:
    """The last tranche takes what only the tranches together make after a split.

    Each resting bracket is scaled on its own; what that leaves over gets its stop and target
    after the close, from the next session on.
    """
    loose, last = s.held - _ordered(parts), s.last_part
    for part in range(len(parts)):
        if parts[part].size > 0:
            last = part
    parts[last].units += loose
