"""Which orders the exchange takes, in Alpaca's words when it does not; and buying power."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from goldenthread.domain.asset import AssetClass
from goldenthread.domain.errors import EngineRefusedError
from goldenthread.domain.order import OrderClass, OrderSide, OrderType, TimeInForce
from goldenthread.rules.broker_rules import violation
from goldenthread.rules.ledger import reserve_price

if TYPE_CHECKING:
    from goldenthread.adapters.broker.simulated.settings import BarSource, SimulatedSettings
    from goldenthread.adapters.broker.simulated.state import ExchangeState
    from goldenthread.adapters.broker.simulated.tickets import Ticket
    from goldenthread.domain.asset import Asset
    from goldenthread.domain.order import OrderRequest
    from goldenthread.rules.ledger import BuyingPower

_FORBIDDEN = "40310000"
_NOT_FOUND = "40410000"
_UNPROCESSABLE = "42210000"
_TAKEN = frozenset({TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.OPG})
_ANY_PRICE = frozenset({OrderType.MARKET, OrderType.STOP})


def buying_power(state: ExchangeState, settings: SimulatedSettings) -> BuyingPower:
    """What the account as it stands now, with its open orders, leaves for new ones."""
    waiting = (
        (ticket.asset_class, ticket.remaining * ticket.reserve)
        for symbol in state.orders.open_symbols()
        for ticket in state.orders.open_of(symbol)
    )
    return state.present.buying_power(waiting, settings.multiplier)


class Admission:
    """Checks one account's new orders."""

    def __init__(self, state: ExchangeState, settings: SimulatedSettings, bars: BarSource) -> None:
        self._state = state
        self._settings = settings
        self._bars = bars

    def asset(self, symbol: str) -> Asset:
        """The asset, if the exchange lists it."""
        try:
            return self._bars.asset(symbol)
        except KeyError as error:
            msg = f"asset not found for {symbol}"
            raise EngineRefusedError(msg, _NOT_FOUND) from error

    def admit(self, request: OrderRequest) -> Decimal:
        """What a unit of the order reserves of buying power; 0 when it closes.

        Raises:
            EngineRefusedError: The order breaks a rule, or the account cannot carry it.
        """
        asset = self.asset(request.symbol)
        self._check_rules(request, asset)
        if request.time_in_force not in _TAKEN:
            msg = (
                f"time_in_force {request.time_in_force} is not simulated; use day, gtc, ioc or opg"
            )
            raise EngineRefusedError(msg, _UNPROCESSABLE)
        self._check_wash_trade(request)
        held = self._held(request.symbol)
        if request.order_class is OrderClass.OCO or held * request.side.sign < 0:
            self._check_quantity(request, held, request.quantity)
            return Decimal(0)
        reserve = self._reserve(request, asset)
        self._check_cost(asset, request.quantity * reserve)
        return reserve

    def readmit(self, request: OrderRequest, old: Ticket) -> Decimal:
        """What a unit reserves of the order that takes the place of ``old``; as ``admit``."""
        asset = self.asset(request.symbol)
        self._check_rules(request, asset)
        more = request.quantity - old.remaining
        if not old.reserve:
            if more > 0:
                self._check_quantity(request, self._held(request.symbol), more)
            return Decimal(0)
        reserve = self._reserve(request, asset)
        self._check_cost(asset, request.quantity * reserve - old.remaining * old.reserve)
        return reserve

    def _check_rules(self, request: OrderRequest, asset: Asset) -> None:
        broken = violation(request, asset, self._bars.last_close(asset.symbol, self._state.met))
        if broken is not None:
            raise EngineRefusedError(broken.message, broken.code)

    def _held(self, symbol: str) -> Decimal:
        stake = self._state.present.stakes.get(symbol)
        return Decimal(0) if stake is None else stake.quantity

    def _check_wash_trade(self, request: OrderRequest) -> None:
        if request.order_class is not OrderClass.SIMPLE:
            return
        for other in self._state.orders.open_of(request.symbol):
            if other.is_group_exit or other.report.side is request.side:
                continue
            if _would_meet(request, other):
                msg = f"potential wash trade detected. use complex orders (existing: {other.id})"
                raise EngineRefusedError(msg, _FORBIDDEN)

    def _check_quantity(self, request: OrderRequest, held: Decimal, wanted: Decimal) -> None:
        """Every share can be promised to one exit only."""
        promised = self._state.orders.promised(request.symbol, request.side)
        available = max(Decimal(0), abs(held) - promised)
        if held * request.side.sign > 0 or wanted > available:
            msg = (
                f"insufficient qty available for order "
                f"(requested: {wanted}, available: {available})"
            )
            raise EngineRefusedError(msg, _FORBIDDEN)

    def _reserve(self, request: OrderRequest, asset: Asset) -> Decimal:
        """The price a unit is reserved at: its limit, its stop, or the last close."""
        is_short = request.side is OrderSide.SELL
        if is_short and asset.asset_class is AssetClass.CRYPTO:
            coin = request.symbol.partition("/")[0]
            msg = f"insufficient balance for {coin} (requested: {request.quantity}, available: 0)"
            raise EngineRefusedError(msg, _FORBIDDEN)
        if is_short and not asset.shortable:
            msg = f'asset "{request.symbol}" cannot be sold short'
            raise EngineRefusedError(msg, _FORBIDDEN)
        close = self._bars.last_close(request.symbol, self._state.met)
        price = request.limit_price or request.stop_price or close
        if price is None:
            msg = f"no price is known for {request.symbol} yet; wait for its first bar"
            raise EngineRefusedError(msg, _UNPROCESSABLE)
        return reserve_price(request, close or price)

    def _check_cost(self, asset: Asset, cost: Decimal) -> None:
        power = buying_power(self._state, self._settings)
        if cost <= power.of(asset.asset_class):
            return
        msg = f"insufficient buying power (cost basis: {cost}, available: {power.equities})"
        if asset.asset_class is AssetClass.CRYPTO:
            msg = f"insufficient balance for USD (requested: {cost}, available: {power.crypto})"
        raise EngineRefusedError(msg, _FORBIDDEN)


def _would_meet(request: OrderRequest, other: Ticket) -> bool:
    """Whether two orders of opposite sides could execute against each other."""
    resting = other.report
    if request.type in _ANY_PRICE or resting.type in _ANY_PRICE:
        return True
    if request.limit_price is None or resting.limit_price is None:
        return True
    return (request.limit_price - resting.limit_price) * request.side.sign >= 0
