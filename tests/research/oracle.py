"""One signal's life, told slowly: a second reading of the fill rules, for comparison only.

Written from the design and the page ``goldenthread rules`` by somebody who had not read the
engines, and kept apart from them: plain Decimal, one session after the other, its own rounding.
Only the records of ``domain`` and the dated fee tables are shared. Speed is no aim here.

Where page and design are silent it was mended to say what the engines say:

- a fill is slipped to 0.000001 (below one dollar to 0.000000001), not to the tick;
- a limit order filled at an open pays as a taker even if it rested for days, and so does a
  stop_limit that rested at its limit;
- a stop entry in coins is a stop_limit 5 % wide, and such limits are rounded like stops;
- a market entry in coins that found no bar on its first session has its stop a bar later;
- a split's levels, trail and best price keep nine decimals before they are rounded;
- a split's remainder is paid at the open, without a bar at the last close;
- a fee in coin is missing from what is sold last;
- an exit of everything, once due, keeps its reason;
- where trail and breakeven meet on one level, the trail has moved the stop;
- a delisting ends a position in its first session without a bar, and no wait.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple

from goldenthread.domain.account import money
from goldenthread.domain.asset import Asset, AssetClass, ExitMode
from goldenthread.domain.bar import Bar
from goldenthread.domain.order import OrderSide
from goldenthread.domain.policy import Policy
from goldenthread.domain.signal import Plan
from goldenthread.domain.strategy import Side
from goldenthread.rules.fees import FeeQuery, fee_for

ZERO = Decimal(0)
ONE = Decimal(1)
STOP_LIMIT_DISTANCE = Decimal("0.05")
BORROW_A_YEAR = Decimal("0.0030")
DAYS_A_YEAR = 360
SESSIONS_WITHOUT_AN_END = 5


class Day(NamedTuple):
    """One session: its bar (None: none), the split at its open, what the rules say at its close.

    ``dividend`` is of a share over the close before, ``nights`` are those to the next session.
    """

    ds: dt.date
    bar: Bar | None
    ratio: Decimal = ONE
    leave: bool = False
    cancel: bool = False
    dividend: Decimal = ZERO
    nights: int = 1


class History(NamedTuple):
    """One signal and the sessions after it; ``close`` is the last close before them."""

    asset: Asset
    side: Side
    plan: Plan
    quantity: Decimal
    policy: Policy
    close: Decimal
    days: tuple[Day, ...]
    at_market: bool = False
    delisted: dt.date | None = None


class Execution(NamedTuple):
    """One fill, in the units of its date; ``reason`` is ENTRY or why it left."""

    ds: dt.date
    side: OrderSide
    price: Decimal
    quantity: Decimal
    fee: Decimal
    coin_fee: Decimal
    reason: str


class Ending(NamedTuple):
    """What became of a signal; a short's ``dividends`` are negative."""

    executions: tuple[Execution, ...]
    status: str
    bars_held: int
    reason: str
    stop: Decimal | None
    dividends: Decimal
    borrow: Decimal


@dataclass
class Part:
    """A tranche: what is left of it, its target, what was ordered, whether it was touched."""

    quantity: Decimal
    target: Decimal | None
    size: Decimal = ZERO
    touched: bool = False


def follow(history: History) -> Ending:
    """The whole life of one signal."""
    life = _Life(history)
    for day in history.days:
        life.meet(day)
        if life.status not in {"WAITING", "OPEN"}:
            break
    stop = life.stop if life.entered else None
    done, money_held = tuple(life.done), (life.dividends, life.borrow)
    return Ending(done, life.status, life.bars_held, life.reason, stop, *money_held)


def round_to(price: Decimal, asset: Asset, *, up: bool) -> Decimal:
    """The price on its tick, where it is within 1e-12; equities below a dollar have a finer one."""
    tick = asset.price_tick
    if asset.asset_class is AssetClass.EQUITY and price < 1:
        tick = Decimal("0.0001")
    ticks = price / tick
    if abs(ticks - round(ticks)) > ticks * Decimal("1e-12"):
        ticks = ticks.to_integral_value(ROUND_CEILING if up else ROUND_FLOOR)
    return round(ticks) * tick


def floor_to(quantity: Decimal, step: Decimal) -> Decimal:
    """The quantity on its step, down."""
    return (quantity / step).to_integral_value(ROUND_FLOOR) * step


def divide(quantity: Decimal, plan: Plan, step: Decimal) -> list[Part]:
    """The tranches of a position: one a target, then the runner (or none when all is sold)."""
    parts = [Part(floor_to(quantity * t.sell, step), t.price) for t in plan.targets]
    rest = quantity - sum((p.quantity for p in parts), ZERO)
    if plan.targets and sum(t.sell for t in plan.targets) == 1:
        parts[-1].quantity += rest
    else:
        parts.append(Part(rest, None))
    for part in parts:
        part.size = part.quantity
    return parts


@dataclass
class _Life:
    history: History
    status: str = "WAITING"
    reason: str = ""
    sessions: int = 0
    bars_held: int = 0
    entered: bool = False
    entered_at_open: bool = False
    fresh: bool = False
    """Entered in this very session."""
    due: str = ""
    elected: bool = False
    """A stop_limit entry that was gapped through: it rests at its limit."""
    cost: Decimal = ZERO
    bought: Decimal = ZERO
    coin_fee: Decimal = ZERO
    """Coins the entry cost: tranches sell in full until only less than one is there."""
    loose: Decimal = ZERO
    """Shares that only the tranches together keep of a split: bare until its session closes."""
    best: Decimal | None = None
    stop_by: str = "STOP"
    dividends: Decimal = ZERO
    borrow: Decimal = ZERO
    done: list[Execution] = field(default_factory=list)

    def __post_init__(self) -> None:
        history = self.history
        plan = history.plan
        self.asset = history.asset
        self.sign = history.side.sign
        self.long = history.side is Side.LONG
        self.resting = history.asset.exit_mode is ExitMode.RESTING
        self.order = "market" if history.at_market else plan.order
        self.level = plan.entry
        self.stop = plan.stop
        self.trail = plan.trail
        self.parts = divide(history.quantity, plan, history.asset.quantity_step)
        self.last_close = history.close
        self.slippage = history.policy.slippage_bps / 10_000

    # -- one session ---------------------------------------------------------------------------

    def meet(self, day: Day) -> None:
        """Everything one session does: its open, its course, its close."""
        self.sessions += 1
        self.fresh = False
        if self.status == "OPEN" and self.history.policy.profile == "live_like":
            self.dividends += self.sign * self.held * day.dividend
        if day.ratio != 1:
            self.split(day)
        if self.status == "WAITING" and day.bar is not None:
            self.try_to_enter(day, day.bar)
        if self.status == "OPEN":
            self.bars_held += 1
            if day.bar is not None:
                self.leave_where_touched(day, day.bar)
            elif self.history.delisted is not None and day.ds >= self.history.delisted:
                self.delist(day)
            if self.status == "OPEN":
                self.at_the_close(day)
        elif self.status == "WAITING":
            self.still_waiting(day)
        if day.bar is not None:
            self.last_close = day.bar.close

    def still_waiting(self, day: Day) -> None:
        """Cancelled, out of time, or still waiting."""
        plan = self.history.plan
        if day.cancel and day.bar is not None:
            self.status = "CANCELLED"
        elif self.history.at_market:
            if self.sessions >= plan.max_bars + SESSIONS_WITHOUT_AN_END:
                self.status = "UNPRICEABLE"
        elif self.sessions >= plan.valid_bars:
            self.status = "NOT_TRIGGERED"

    # -- entry ---------------------------------------------------------------------------------

    def try_to_enter(self, day: Day, bar: Bar) -> None:
        """Fill the entry if this bar does."""
        price, at_open = self.entry_price(bar)
        if price is None or not self.held:
            return
        maker = self.order == "limit" and not at_open
        self.entered = self.fresh = True
        self.entered_at_open = at_open
        self.status = "OPEN"
        if self.resting:
            for part in self.parts:
                self.enter(day, part.quantity, price, maker=maker)
        else:
            self.enter(day, self.held, price, maker=maker)
            self.coin_fee = self.done[-1].coin_fee

    def entry_price(self, bar: Bar) -> tuple[Decimal | None, bool]:
        """The price, and whether it is that of the open; None when the bar does not fill it."""
        if self.order == "market":
            return self.slipped(bar.open, buying=self.long), True
        if self.order == "limit":
            return self.limit_price(bar, self.level)
        if self.resting:
            return self.stop_price(bar)
        limit = round_to(self.level * (1 + STOP_LIMIT_DISTANCE), self.asset, up=True)
        if self.elected:
            return self.limit_price(bar, limit)
        price, at_open = self.stop_price(bar)
        self.elected = price is not None
        if at_open and bar.open > limit:
            return (limit if bar.low <= limit else None), False
        return (None if price is None else min(price, limit)), at_open

    def limit_price(self, bar: Bar, limit: Decimal) -> tuple[Decimal | None, bool]:
        """The better of open and limit when touched."""
        if (bar.open - limit) * self.sign <= 0:
            return bar.open, True
        touched = bar.low <= limit if self.long else bar.high >= limit
        return (limit if touched else None), False

    def stop_price(self, bar: Bar) -> tuple[Decimal | None, bool]:
        """The worse of open and stop when crossed, slipped."""
        if (bar.open - self.level) * self.sign >= 0:
            return self.slipped(bar.open, buying=self.long), True
        crossed = (self.best_of(bar) - self.level) * self.sign >= 0
        return (self.slipped(self.level, buying=self.long) if crossed else None), False

    # -- exits within a session ------------------------------------------------------------------

    def leave_where_touched(self, day: Day, bar: Bar) -> None:
        """What is due goes at the open; then the stop, then targets that rest."""
        if self.due:
            self.leave_as_due(day, bar)
        if self.status != "OPEN":
            return
        if self.resting:
            self.resting_exits(day, bar)
        elif not self.fresh or (self.order == "market" and self.sessions == 1):
            self.stop_limit(day, bar)

    def leave_as_due(self, day: Day, bar: Bar) -> None:
        """Sell by market, at the open, what was decided on an earlier close."""
        price = self.slipped(bar.open, buying=not self.long)
        going = self.parts
        if self.due == "TARGET":
            going = [part for part in self.parts if part.touched]
        else:
            self.gather()
        self.leave(day, going, price, self.due)
        self.due = ""

    def resting_exits(self, day: Day, bar: Bar) -> None:
        """Stop and targets of an equity, all resting at the broker; the stop comes first."""
        from_the_open = not self.fresh or self.entered_at_open
        if from_the_open:
            if self.stopped_by(bar.open):
                self.stop_out(day, bar.open)
                return
            for part in self.parts:
                if part.target is not None and self.reached(part.target, bar.open):
                    self.take(day, part, bar.open)
        if self.stopped_by(self.worst_of(bar)):
            self.stop_out(day, self.stop)
        elif from_the_open:
            for part in self.parts:
                if part.target is not None and self.reached(part.target, self.best_of(bar)):
                    self.take(day, part, part.target)

    def take(self, day: Day, part: Part, price: Decimal) -> None:
        """A resting target sells its tranche, without slippage."""
        part.touched = True
        self.leave(day, [part], price, "TARGET")

    def stop_out(self, day: Day, price: Decimal) -> None:
        """Each tranche's own stop, slipped."""
        price = self.slipped(price, buying=not self.long)
        for part in self.parts:
            self.leave(day, [part], price, self.stop_reason)

    def stop_limit(self, day: Day, bar: Bar) -> None:
        """The one stop_limit of a coin position."""
        if not self.stopped_by(self.worst_of(bar)):
            return
        limit = round_to(self.stop * (1 - STOP_LIMIT_DISTANCE), self.asset, up=False)
        trigger = bar.open if self.stopped_by(bar.open) else self.stop
        if (trigger - limit) * self.sign >= 0:
            price = self.slipped(trigger, buying=not self.long)
            self.leave(day, self.parts, max(price, limit), self.stop_reason)
        elif (self.best_of(bar) - limit) * self.sign >= 0:
            self.leave(day, self.parts, limit, self.stop_reason)
        else:
            self.due = "STOP_GAPPED"

    # -- the close -------------------------------------------------------------------------------

    def at_the_close(self, day: Day) -> None:
        """Targets touched, stop moved, and what becomes due at the next open."""
        self.gather()
        if day.bar is not None:
            if not self.fresh or self.entered_at_open:
                self.watch(self.best_of(day.bar))
            self.tighten()
        self.pay_for_borrowing(day)
        self.decide(day)
        if self.bars_held >= self.history.plan.max_bars + SESSIONS_WITHOUT_AN_END:
            self.status = "UNPRICEABLE"

    def pay_for_borrowing(self, day: Day) -> None:
        """A short's value at the close, or at the last one there was, for the nights to come."""
        if self.history.policy.profile == "live_like" and not self.long:
            close = self.last_close if day.bar is None else day.bar.close
            year = self.held * close * BORROW_A_YEAR
            cents = year * day.nights / DAYS_A_YEAR * 100
            self.borrow += cents.to_integral_value(ROUND_CEILING) / 100

    def watch(self, best: Decimal) -> None:
        """Remember the best price, and which targets it touched."""
        if self.best is None or (best - self.best) * self.sign > 0:
            self.best = best
        for part in self.parts:
            if part.target is not None and self.reached(part.target, best):
                part.touched = True

    def tighten(self) -> None:
        """Breakeven and trail, for the next session."""
        if self.trail is not None and self.best is not None:
            self.move_stop(self.best - self.trail * self.sign, "TRAIL")
        after = self.history.plan.breakeven_after
        if after is not None and self.parts[after - 1].touched:
            self.move_stop(money(self.cost / self.bought), "STOP")

    def move_stop(self, price: Decimal, by: str) -> None:
        """A stop only tightens."""
        price = round_to(price, self.asset, up=not self.long)
        if (price - self.stop) * self.sign > 0:
            self.stop = price
            self.stop_by = by

    def decide(self, day: Day) -> None:
        """What leaves at the next open: TIME before RULE before TARGET; it stays due."""
        if self.due in {"STOP_GAPPED", "TIME", "RULE"}:
            return
        if self.bars_held >= self.history.plan.max_bars:
            self.due = "TIME"
        elif day.leave and day.bar is not None:
            self.due = "RULE"
        elif not self.resting and any(p.touched and p.quantity for p in self.parts):
            self.due = "TARGET"

    # -- corporate actions -----------------------------------------------------------------------

    def split(self, day: Day) -> None:
        """Scale levels and quantities; what is left over of a position is paid in cash."""
        ratio = day.ratio
        step = self.asset.quantity_step
        before = self.held
        self.last_close = money(self.last_close / ratio)
        self.bought *= ratio
        # A limit goes toward the market, a stop away from it: up for a long in both cases.
        self.level = round_to(money(self.level / ratio), self.asset, up=self.long)
        self.stop = round_to(money(self.stop / ratio), self.asset, up=not self.long)
        self.trail = None if self.trail is None else money(self.trail / ratio)
        self.best = None if self.best is None else money(self.best / ratio)
        for part in self.parts:
            part.quantity = floor_to(part.quantity * ratio, step)
            part.size = floor_to(part.size * ratio, step)
            if part.target is not None:
                part.target = round_to(money(part.target / ratio), self.asset, up=not self.long)
        if self.status == "OPEN":
            self.settle(day, before * ratio)

    def settle(self, day: Day, exact: Decimal) -> None:
        """Whole shares stay; the fraction is sold for cash. Resting orders were scaled alone."""
        whole = floor_to(exact, self.asset.quantity_step)
        self.loose = ZERO
        self.loose = whole - self.held
        if exact > whole:
            price = money(self.last_close) if day.bar is None else day.bar.open
            self.pay(day, price, exact - whole, "SPLIT_CASH")
        if not whole:
            self.status, self.reason = "CLOSED", "SPLIT_CASH"
            self.bars_held += 1

    def gather(self) -> None:
        """The run of the session gives what is loose to the last tranche there still is."""
        if self.loose:
            last = ([part for part in self.parts if part.size] or self.parts)[-1]
            last.quantity += self.loose
            self.loose = ZERO

    def delist(self, day: Day) -> None:
        """Closed at the last close."""
        self.pay(day, self.last_close, self.held, "DELISTED")
        self.status, self.reason = "CLOSED", "DELISTED"

    def pay(self, day: Day, price: Decimal, quantity: Decimal, reason: str) -> None:
        """Cash for shares without an order, free of fees."""
        cash = Execution(day.ds, self.exit_side, price, quantity, ZERO, ZERO, reason)
        self.done.append(cash)

    # -- words -----------------------------------------------------------------------------------

    @property
    def held(self) -> Decimal:
        return sum((part.quantity for part in self.parts), ZERO) + self.loose - self.coin_fee

    @property
    def exit_side(self) -> OrderSide:
        return OrderSide.SELL if self.long else OrderSide.BUY

    @property
    def stop_reason(self) -> str:
        return self.stop_by

    def best_of(self, bar: Bar) -> Decimal:
        return bar.high if self.long else bar.low

    def worst_of(self, bar: Bar) -> Decimal:
        return bar.low if self.long else bar.high

    def stopped_by(self, price: Decimal) -> bool:
        return (price - self.stop) * self.sign <= 0

    def reached(self, target: Decimal, price: Decimal) -> bool:
        return (price - target) * self.sign >= 0

    def slipped(self, price: Decimal, *, buying: bool) -> Decimal:
        """Moved against us."""
        worse = price * (1 + self.slippage if buying else 1 - self.slippage)
        step = Decimal("0.000001") if price >= 1 else Decimal("0.000000001")
        return worse.quantize(step, ROUND_CEILING if buying else ROUND_FLOOR)

    # -- executions ------------------------------------------------------------------------------

    def enter(self, day: Day, quantity: Decimal, price: Decimal, *, maker: bool) -> None:
        if quantity:
            side = OrderSide.BUY if self.long else OrderSide.SELL
            self.execute(day, side, (quantity, price, "ENTRY"), maker=maker)
            self.bought += quantity
            self.cost += quantity * price

    def leave(self, day: Day, going: list[Part], price: Decimal, reason: str) -> None:
        """One order for these tranches; the last of them ends the position."""
        nominal = sum((part.quantity for part in going), ZERO)
        quantity = min(nominal, self.held)
        if not quantity:
            return
        self.coin_fee -= nominal - quantity
        self.execute(day, self.exit_side, (quantity, price, reason))
        for part in going:
            part.quantity = ZERO
        if not self.held:
            self.status, self.reason = "CLOSED", reason

    def execute(
        self,
        day: Day,
        side: OrderSide,
        fill: tuple[Decimal, Decimal, str],
        *,
        maker: bool = False,
    ) -> None:
        quantity, price, reason = fill
        profile = self.history.policy.profile
        fee = fee_for(
            FeeQuery(self.asset.asset_class, side, quantity, price, day.ds, profile, maker)
        )
        self.done.append(Execution(day.ds, side, price, quantity, fee.quote, fee.coin, reason))
