"""What Alpaca refuses before an order exists: class x type x time in force x size x increment.

Codes are Alpaca's: 40310000 is answered with HTTP 403, the other two with 422. What depends on
the account (buying power, held quantity, wash trades) is the broker's to say.

Source: Alpaca Trading API 2.0.1 and its pages "Orders", "Crypto orders" and "Fractional
trading". Two old reports say that brackets with a stop entry are refused; the pages do not, and
such entries are let through here.
"""

from __future__ import annotations

from decimal import Context, Decimal
from typing import TYPE_CHECKING, NamedTuple

from goldenthread.domain.asset import AssetClass
from goldenthread.domain.order import OrderClass, OrderSide, OrderType, TimeInForce
from goldenthread.rules.rounding import price_tick

if TYPE_CHECKING:
    from goldenthread.domain.asset import Asset
    from goldenthread.domain.order import OrderRequest

_MALFORMED = "40010001"
_UNPROCESSABLE = "42210000"
_FORBIDDEN = "40310000"

_CRYPTO_TYPES = {OrderType.MARKET, OrderType.LIMIT, OrderType.STOP_LIMIT}
_CRYPTO_TIMES = {TimeInForce.GTC, TimeInForce.IOC}
_COMPLEX_TIMES = {TimeInForce.DAY, TimeInForce.GTC}
_AUCTION_TIMES = {TimeInForce.OPG, TimeInForce.CLS}
_AUCTION_TYPES = {OrderType.MARKET, OrderType.LIMIT}
_OPENING_CLASSES = {OrderClass.BRACKET, OrderClass.OTO}
_WITH_LIMIT = {OrderType.LIMIT, OrderType.STOP_LIMIT}
_WITH_STOP = {OrderType.STOP, OrderType.STOP_LIMIT}
_PRICES = ("limit_price", "stop_price", "take_profit", "stop_loss")
_LEG_DISTANCE = Decimal("0.01")
_FRACTION_STEP = Decimal("0.000000001")
_FRACTION_MINIMUM = Decimal(1)
_EXACT = Context(prec=60, traps=[])  # a quotient of more digits is NaN: no multiple


class Violation(NamedTuple):
    """A refusal as the broker would word it."""

    code: str
    message: str


def violation(
    request: OrderRequest, asset: Asset, reference: Decimal | None = None
) -> Violation | None:
    """The first rule an order breaks, or None when the broker would take it.

    Args:
        request: The order, with rounded prices and quantity.
        asset: Its asset.
        reference: The last price, to judge the size of a market order and its legs; without it
            these two rules pass over market orders.
    """
    price = request.limit_price or request.stop_price or reference
    return (
        _form(request)
        or (_crypto(request) if asset.asset_class is AssetClass.CRYPTO else None)
        or (_equity(request, asset) if asset.asset_class is AssetClass.EQUITY else None)
        or _increments(request, asset)
        or _legs(request, price)
        or _minimum(request, asset, price)
    )


def _form(request: OrderRequest) -> Violation | None:
    """Quantity and prices that the type needs, present and positive, and no others."""
    if request.quantity <= 0:
        return Violation(_MALFORMED, "qty must be > 0")
    for name, needed in (
        ("limit_price", request.type in _WITH_LIMIT),
        ("stop_price", request.type in _WITH_STOP),
    ):
        price = getattr(request, name)
        if needed and price is None:
            return Violation(_MALFORMED, f"{request.type} orders require {name}")
        if not needed and price is not None:
            return Violation(_MALFORMED, f"{request.type} orders require no {name}")
    for name in _PRICES:
        price = getattr(request, name)
        if price is not None and price <= 0:
            return Violation(_MALFORMED, f"{name.replace('_', ' ')} must be > 0")
    return None


def _crypto(request: OrderRequest) -> Violation | None:
    if request.type not in _CRYPTO_TYPES:
        return Violation(_MALFORMED, "invalid order type for crypto order")
    if request.order_class is not OrderClass.SIMPLE:
        message = f"crypto orders not allowed for advanced order_class: {request.order_class}"
        return Violation(_UNPROCESSABLE, message)
    if request.time_in_force not in _CRYPTO_TIMES:
        return Violation(_UNPROCESSABLE, "invalid crypto time_in_force")
    return None


def _equity(request: OrderRequest, asset: Asset) -> Violation | None:
    is_simple = request.order_class is OrderClass.SIMPLE
    if not is_simple and request.time_in_force not in _COMPLEX_TIMES:
        return Violation(_UNPROCESSABLE, "complex orders must be DAY or GTC orders")
    if request.time_in_force in _AUCTION_TIMES and request.type not in _AUCTION_TYPES:
        message = f"{request.time_in_force} orders must be market or limit orders"
        return Violation(_UNPROCESSABLE, message)
    opens_short = request.order_class in _OPENING_CLASSES and request.side is OrderSide.SELL
    if opens_short and not asset.shortable:
        return Violation(_FORBIDDEN, f'asset "{asset.symbol}" cannot be sold short')
    return None if _is_multiple(request.quantity, Decimal(1)) else _fraction(request, asset)


def _fraction(request: OrderRequest, asset: Asset) -> Violation | None:
    """The rules of equity orders that are not in whole shares."""
    if not asset.fractionable:
        return Violation(_FORBIDDEN, f'asset "{asset.symbol}" is not fractionable')
    if request.order_class is not OrderClass.SIMPLE:
        return Violation(_UNPROCESSABLE, "fractional orders must be simple orders")
    if request.time_in_force is not TimeInForce.DAY:
        return Violation(_UNPROCESSABLE, "fractional orders must be DAY orders")
    return None


def _increments(request: OrderRequest, asset: Asset) -> Violation | None:
    is_crypto = asset.asset_class is AssetClass.CRYPTO
    step = asset.quantity_step if is_crypto else _FRACTION_STEP
    if not _is_multiple(request.quantity, step):
        return Violation(_UNPROCESSABLE, f"qty {request.quantity} is not a multiple of {step}")
    for name in _PRICES:
        price = getattr(request, name)
        if price is not None and not _is_multiple(price, price_tick(asset, price)):
            reason = (
                f"price increment is {asset.price_tick}"
                if is_crypto
                else "sub-penny increment does not fulfill minimum pricing criteria"
            )
            return Violation(_UNPROCESSABLE, f"invalid {name} {price}. {reason}")
    return None


def _legs(request: OrderRequest, price: Decimal | None) -> Violation | None:
    """The legs each class needs, on their sides of the entry price and of each other."""
    gain, loss = request.take_profit, request.stop_loss
    if request.order_class is OrderClass.OCO:
        if request.type is not OrderType.LIMIT:
            return Violation(_UNPROCESSABLE, "oco orders must be limit orders")
        gain = request.limit_price
    needed = _missing_leg(request.order_class, gain, loss)
    if needed:
        return Violation(_UNPROCESSABLE, f"{request.order_class} orders {needed}")
    # An OCO closes a position, so its own side is the opposite of the entry's.
    sign = request.side.sign if request.order_class is not OrderClass.OCO else -request.side.sign
    if gain is not None and loss is not None and (gain - loss) * sign <= 0:
        relation = ">" if sign > 0 else "<"
        message = f"take_profit.limit_price must be {relation} stop_loss.stop_price"
        return Violation(_UNPROCESSABLE, message)
    if price is None or request.order_class not in _OPENING_CLASSES:
        return None
    return _leg_distance(request, price)


def _missing_leg(order_class: OrderClass, gain: Decimal | None, loss: Decimal | None) -> str | None:
    given = (gain is not None) + (loss is not None)
    if order_class is OrderClass.SIMPLE:
        return "must have neither take_profit nor stop_loss" if given else None
    if order_class is OrderClass.OTO:
        return None if given == 1 else "require exactly one of take_profit and stop_loss"
    if gain is None:
        return "require take_profit.limit_price"
    return "require stop_loss.stop_price" if loss is None else None


def _leg_distance(request: OrderRequest, price: Decimal) -> Violation | None:
    """Each leg at least a cent beyond the entry price, on its own side."""
    sign = request.side.sign
    for name, leg, side in (
        ("take_profit.limit_price", request.take_profit, sign),
        ("stop_loss.stop_price", request.stop_loss, -sign),
    ):
        if leg is not None and (leg - price) * side < _LEG_DISTANCE:
            bound = (
                f">= base_price + {_LEG_DISTANCE}"
                if side > 0
                else f"<= base_price - {_LEG_DISTANCE}"
            )
            return Violation(_UNPROCESSABLE, f"{name} must be {bound}")
    return None


def _minimum(request: OrderRequest, asset: Asset, price: Decimal | None) -> Violation | None:
    """The least cost of crypto buys and of fractional equity orders."""
    if price is None:
        return None
    if asset.asset_class is AssetClass.CRYPTO:
        least = asset.min_notional if request.side is OrderSide.BUY else Decimal(0)
    else:
        least = Decimal(0) if _is_multiple(request.quantity, Decimal(1)) else _FRACTION_MINIMUM
    if request.quantity * price >= least:
        return None
    return Violation(_FORBIDDEN, f"cost basis must be >= minimal amount of order {least}")


def _is_multiple(value: Decimal, step: Decimal) -> bool:
    return _EXACT.remainder(value, step) == 0
