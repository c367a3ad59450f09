"""Fill rules: at which price one daily bar executes an order."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Literal, NamedTuple

from goldenthread.domain.account import MONEY_STEP
from goldenthread.domain.order import OrderSide
from goldenthread.domain.strategy import Side
from goldenthread.rules import ticks
from goldenthread.rules.rounding import round_stop
from goldenthread.rules.slippage import slipped

if TYPE_CHECKING:
    from goldenthread.domain.asset import Asset
    from goldenthread.domain.bar import Bar

_MONEY_EXPONENT = -9

StopSource = Literal["STOP", "TRAIL", "BREAKEVEN"]


FILL_RULES: tuple[tuple[str, str], ...] = (
    ("market", "A market order fills at the open of the next bar, slipped against you."),
    ("limit", "A limit order fills when the bar touches it, at the better of open and limit."),
    ("stop", "A stop order fills when crossed, at the worse of open and stop, slipped."),
    ("stop_limit", "A stop_limit fills like a stop, slipped at most to its limit."),
    ("gapped stop_limit", "Gapped through, it fills at its limit if the bar trades back."),
    ("STOP_GAPPED", "If the bar does not, the position is closed by market at the next open."),
    ("slippage", "Slippage applies to market and stop fills, never to limit fills."),
    ("one bar", "When one bar holds stop and target, the stop comes first: AMBIGUOUS_BAR."),
    ("entry past stop", "An entry opening beyond its stop is filled, then stopped at that open."),
    ("entry past target", "Opening beyond a target (equities), it sells the target at that open."),
    ("open past both", "An open past stop and target alike (a stop raised above it) is stopped."),
    ("entry bar, stop", "After a limit or stop entry the stop may trigger on the entry bar."),
    ("entry bar, target", "A target may not, unless the entry filled at the open."),
    ("crypto stop", "A crypto limit or stop entry has its stop from the next bar on."),
    ("crypto target", "A crypto target touched on a bar is sold at the open of the next one."),
    ("trail", "After each close: the stop follows the highest high since entry less the distance."),
    ("trail, entry bar", "The entry bar's high counts only if the entry filled at the open."),
    ("breakeven", "A touched target n moves the stop to the average entry, fees ignored."),
    ("tighten", "Trail and breakeven act from the next bar, only tighten, on all that is held."),
    ("time", "The entry bar is bar 1; the time exit is at the open of bar max_bars + 1."),
    ("no refusal", "An accepted order fills whatever the open costs: NEGATIVE_CASH is flagged."),
    ("no bar", "Nothing fills in a session without a bar; what is due waits for the next one."),
    ("short", "Shorts are mirrored, in whole shares, and reserve 103 % of their value."),
    ("fees, crypto", "A buy pays in coin, rounded up to 1e-9; a sell in dollars, up to the cent."),
    (
        "fees, equities",
        "Under live_like sells pay SEC and TAF, both sides CAT; under paper nothing.",
    ),
    ("fees, cents", "Each is rounded up per execution; the broker does so per day: cents less."),
    ("dividend", "Under live_like what is held over the close before ex_ds gets it at that open."),
    ("dividend, short", "A short owes it; under paper nobody gets or owes one."),
    ("dividend, split", "It counts the shares there were before a split of the same date."),
    (
        "borrow",
        "Under live_like a short pays 0.30 % of its value a year of 360 days: an assumption.",
    ),
    (
        "borrow, nights",
        "It is charged at each close for the nights to the next session, up to cents.",
    ),
    ("borrow, no bar", "A session without a bar charges it on the last close there was."),
)
"""The fill rules of DESIGN section 6 as ``goldenthread rules`` prints them: name and sentence."""


class Touch(NamedTuple):
    """An execution by a bar: its price, whether at the open, whether the open was past a stop."""

    price: Decimal
    at_open: bool
    gapped: bool


class StopLimitResult(NamedTuple):
    """A stop_limit after a bar: triggered now or before, and its execution if there was one."""

    triggered: bool
    touch: Touch | None


class StopMove(NamedTuple):
    """Where a protective stop stands after a close, and what moved it last."""

    stop: Decimal
    source: StopSource


class StopQuery(NamedTuple):
    """A protective stop before it is tightened, and what may tighten it.

    ``best`` is the most favourable price since the entry (high for longs, low for shorts; the
    entry bar counts only if it filled at the open), ``trail`` the trailing distance, and
    ``breakeven`` the average entry once its target was touched; None leaves a rule out.
    """

    side: Side
    stop: Decimal
    source: StopSource
    best: Decimal | None
    trail: Decimal | None
    breakeven: Decimal | None


def market_fill(bar: Bar, side: OrderSide, bps: Decimal) -> Touch:
    """The execution of a market order: the open of the bar, slipped."""
    return Touch(slipped(bar.open, side, bps), at_open=True, gapped=False)


def limit_fill(bar: Bar, side: OrderSide, limit: Decimal) -> Touch | None:
    """The execution of a limit order: the better of open and limit; None when not touched."""
    if not _reaches(_best_price(bar, side), side, limit):
        return None
    at_open = _reaches(bar.open, side, limit)
    price = _better(_nine_decimals(bar.open, side), limit, side) if at_open else limit
    return Touch(price, at_open, gapped=False)


def stop_fill(bar: Bar, side: OrderSide, stop: Decimal, bps: Decimal) -> Touch | None:
    """The execution of a stop order: the worse of open and stop, slipped; None when not crossed.

    ``gapped`` when the bar opened past the stop.
    """
    elected = _election(bar, side, stop)
    return elected and elected._replace(price=slipped(elected.price, side, bps))


def stop_limit_fill(
    bar: Bar, side: OrderSide, stop: Decimal, limit: Decimal, bps: Decimal, triggered: bool
) -> StopLimitResult:
    """What a bar does to a stop_limit order; pass ``triggered`` back in with the next bar.

    Elected inside its limit it fills like a stop, slipped at most to its limit. Elected beyond
    (the bar gapped through), and on later bars, it rests as a limit order: it fills when the
    bar trades back to the limit. After an election inside the bar only the close proves that.
    """
    if triggered:
        resting = limit_fill(bar, side, limit)
        return StopLimitResult(triggered=True, touch=resting and resting._replace(gapped=True))
    elected = _election(bar, side, stop)
    if elected is None:
        return StopLimitResult(triggered=False, touch=None)
    if _reaches(elected.price, side, limit):
        price = _better(slipped(elected.price, side, bps), limit, side)
        return StopLimitResult(triggered=True, touch=elected._replace(price=price))
    traded_to = _best_price(bar, side) if elected.at_open else bar.close
    back = _reaches(traded_to, side, limit)
    touch = Touch(limit, at_open=False, gapped=True) if back else None
    return StopLimitResult(triggered=True, touch=touch)


def protective_limit(stop: Decimal, exit_side: OrderSide) -> Decimal:
    """The limit of a protective stop_limit, 5 % beyond its stop; not yet on a tick."""
    return Decimal(repr(ticks.beyond(float(stop), exit_side.sign)))


def tightened_stop(query: StopQuery, asset: Asset) -> StopMove:
    """The stop from the next bar on: trailed, or at the average entry, never loosened.

    Levels are rounded as stops, away from the market. On equal levels the earlier source stays.
    """
    sign = query.side.sign
    levels: list[tuple[Decimal | float, StopSource]] = []
    if query.trail is not None and query.best is not None:
        levels.append((ticks.trailed(float(query.best), sign, float(query.trail)), "TRAIL"))
    if query.breakeven is not None:
        levels.append((query.breakeven, "BREAKEVEN"))
    move = StopMove(query.stop, query.source)
    for level, source in levels:
        stop = round_stop(level, asset, query.side)
        if (stop - move.stop) * sign > 0:
            move = StopMove(stop, source)
    return move


def _election(bar: Bar, side: OrderSide, stop: Decimal) -> Touch | None:
    """Where a stop is elected, before slippage: at the open when past it, else at the stop."""
    if not _crosses(bar.high if side is OrderSide.BUY else bar.low, side, stop):
        return None
    at_open = _crosses(bar.open, side, stop)
    return Touch(bar.open if at_open else stop, at_open, gapped=at_open and bar.open != stop)


def _best_price(bar: Bar, side: OrderSide) -> Decimal:
    return bar.low if side is OrderSide.BUY else bar.high


def _reaches(price: Decimal, side: OrderSide, limit: Decimal) -> bool:
    return price <= limit if side is OrderSide.BUY else price >= limit


def _crosses(price: Decimal, side: OrderSide, stop: Decimal) -> bool:
    return price >= stop if side is OrderSide.BUY else price <= stop


def _better(one: Decimal, other: Decimal, side: OrderSide) -> Decimal:
    return min(one, other) if side is OrderSide.BUY else max(one, other)


def _nine_decimals(price: Decimal, side: OrderSide) -> Decimal:
    """A market's price at the scale of money, against the order; shorter prices unchanged."""
    exponent = price.as_tuple().exponent
    if isinstance(exponent, int) and exponent >= _MONEY_EXPONENT:
        return price
    return price.quantize(MONEY_STEP, ROUND_CEILING if side is OrderSide.BUY else ROUND_FLOOR)
