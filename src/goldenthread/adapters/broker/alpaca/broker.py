"""The port ``Broker`` on Alpaca's REST interface; what it answers when asked is the truth."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from goldenthread.adapters.alpaca.accounts import account_from_json, clock_from_json
from goldenthread.adapters.alpaca.connection import AlpacaRefusedError, Connection
from goldenthread.adapters.alpaca.errors import Kind
from goldenthread.adapters.alpaca.instruments import asset_from_json
from goldenthread.adapters.alpaca.orders import TRIGGERED, request_json
from goldenthread.adapters.alpaca.sdk import TradingClient
from goldenthread.adapters.alpaca.values import instant, text
from goldenthread.adapters.broker.alpaca.families import Families, has_legs
from goldenthread.adapters.broker.alpaca.listings import executions, order_rows
from goldenthread.adapters.broker.answers import limit_in_proportion
from goldenthread.domain.errors import EngineBusyError, EngineRefusedError, UnknownOutcomeError
from goldenthread.domain.order import OrderSide, OrderStatus, OrderType
from goldenthread.domain.strategy import Side
from goldenthread.rules.rounding import round_stop

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from goldenthread.adapters.alpaca.connection import Access
    from goldenthread.adapters.alpaca.values import Json
    from goldenthread.domain.account import AccountState
    from goldenthread.domain.asset import Asset
    from goldenthread.domain.clock import Clock
    from goldenthread.domain.order import Fill, OrderReport, OrderRequest

_DAY = dt.timedelta(days=1)
_LOOKS = 5
_LOOK_S = 0.4


class AlpacaBroker:
    """One Alpaca account; implements the port ``Broker``.

    ``paper`` chooses Alpaca's paper or live address where the access names none. ``advance`` is
    for our own exchange, whose clock somebody must move: called with each date to meet.
    """

    def __init__(
        self,
        access: Access,
        clock: Clock,
        *,
        paper: bool = True,
        advance: Callable[[dt.date], None] | None = None,
    ) -> None:
        secret = access.secret_key.get_secret_value()
        client = TradingClient(
            access.key_id, secret, paper=paper, url_override=access.url, raw_data=True
        )
        self._line = Connection(access, clock)
        self._client = self._line.adopt(client)
        self._clock = clock
        self._advance = advance
        self._families = Families()
        self._assets: dict[str, Asset] = {}

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self._line.requests

    def now(self) -> dt.datetime:
        """The broker's own clock."""
        return clock_from_json(self._get("/clock")).now

    def meet(self, ds: dt.date) -> None:
        """See the port; Alpaca shows everything at once, so only its clock is asked.

        Raises:
            EngineBusyError: The date is not over there yet.
        """
        if self._advance is not None:
            self._advance(ds)
            return
        now, over = self.now(), dt.datetime.combine(ds + _DAY, dt.time(), dt.UTC)
        if now < over:
            msg = f"{ds} is not over by Alpaca's clock ({now:%Y-%m-%d %H:%M} UTC); run later"
            raise EngineBusyError(msg)

    def account(self) -> AccountState:
        """See the port; Alpaca marks at its last prices."""
        return account_from_json(
            self._get("/account"), self._get("/positions"), self._get("/clock")
        )

    def submit(self, request: OrderRequest) -> tuple[OrderReport, ...]:
        """See the port; after an unknown outcome the order is looked up once."""
        body = request_json(request)
        try:
            row = self._line.change(lambda: self._client.post("/orders", body))
        except AlpacaRefusedError as error:
            if error.kind is not Kind.DUPLICATE:
                raise
            return self._known(request.client_order_id, error)
        except UnknownOutcomeError as error:
            return self._known(request.client_order_id, error)
        return self._complete(row)

    def replace(
        self, broker_order_id: str, client_order_id: str, stop_price: Decimal
    ) -> OrderReport:
        """See the port; that Alpaca takes it does not say the fill was not faster."""
        row = self._order(broker_order_id)
        old = self._families.one(row)
        change = {"stop_price": text(stop_price), "client_order_id": client_order_id}
        limit = limit_in_proportion(old, stop_price)
        if limit is not None:
            side = Side.LONG if old.side is OrderSide.SELL else Side.SHORT
            change["limit_price"] = text(round_stop(limit, self._asset(old.symbol), side))
        try:
            answer = self._line.change(
                lambda: self._client.patch(f"/orders/{broker_order_id}", change)
            )
        except AlpacaRefusedError as error:
            return self._known(client_order_id, error)[0]
        except UnknownOutcomeError as error:
            return self._known(client_order_id, error)[0]
        return self._families.one({"replaces": broker_order_id, **answer})

    def cancel(self, broker_order_id: str) -> OrderReport:
        """See the port; asked until it is final or Alpaca says that it waits."""
        try:
            self._line.change(lambda: self._client.delete(f"/orders/{broker_order_id}"))
        except AlpacaRefusedError as error:
            if error.kind not in {Kind.NOT_CANCELABLE, Kind.REFUSED}:
                raise
            return self._families.one(self._order(broker_order_id))
        for look in range(_LOOKS):
            if look:
                self._clock.sleep(_LOOK_S)
            report = self._families.one(self._order(broker_order_id))
            if not report.status.is_open or report.status is OrderStatus.PENDING_CANCEL:
                return report
        return report.model_copy(update={"status": OrderStatus.PENDING_CANCEL})

    def find_order(self, client_order_id: str) -> tuple[OrderReport, ...]:
        """See the port."""
        query = {"client_order_id": client_order_id}
        try:
            row = self._line.read(lambda: self._client.get("/orders:by_client_order_id", query))
        except AlpacaRefusedError as error:
            if error.kind is Kind.NOT_FOUND:
                return ()
            raise
        return self._complete(row)

    def orders(self, since: dt.date) -> list[OrderReport]:
        """See the port."""
        found = self._families.flat(order_rows(self._get, since))
        wanted = [
            (row, report)
            for row, report in found
            if report.status.is_open or _changed_on(row) >= since
        ]
        return self._with_triggers(wanted)

    def fills(self, since: dt.date) -> list[Fill]:
        """See the port; with the fees posted so far."""
        return executions(self._get, since)

    def close(self) -> None:
        """Let go of the connection."""
        self._client._session.close()  # noqa: SLF001  # the SDK never closes it

    def _known(
        self, client_order_id: str, cause: EngineRefusedError | UnknownOutcomeError
    ) -> tuple[OrderReport, ...]:
        """The order of that id, or the cause again when Alpaca does not show one."""
        try:
            found = self.find_order(client_order_id)
        except EngineBusyError:
            raise cause from None
        if found:
            return found
        if isinstance(cause, AlpacaRefusedError) and cause.kind is Kind.DUPLICATE:
            msg = f"Alpaca calls {client_order_id} a duplicate but does not show it yet"
            raise UnknownOutcomeError(msg) from cause
        raise cause

    def _complete(self, row: Json) -> tuple[OrderReport, ...]:
        if has_legs(row):
            row = self._order(row["id"])
        return self._families.with_legs(row, self._order)

    def _order(self, broker_order_id: str) -> Json:
        row: Json = self._get(f"/orders/{broker_order_id}", {"nested": "true"})
        return row

    def _get(self, path: str, query: Json | None = None) -> Any:  # noqa: ANN401  # any JSON answer
        return self._line.read(lambda: self._client.get(path, dict(query or {})))

    def _asset(self, symbol: str) -> Asset:
        if symbol not in self._assets:
            found = asset_from_json(self._get(f"/assets/{symbol}"))
            if found is None:
                msg = f"{symbol} is not tradable at Alpaca any more"
                raise EngineRefusedError(msg)
            self._assets[symbol] = found
        return self._assets[symbol]

    def _with_triggers(self, found: list[tuple[Json, OrderReport]]) -> list[OrderReport]:
        """The reports; a stop_limit that rests beyond its limit was crossed, though untold."""
        untold = {
            report.broker_order_id
            for row, report in found
            if report.type is OrderType.STOP_LIMIT and report.status.is_open
            if TRIGGERED not in row
        }
        if not untold:
            return [report for _, report in found]
        prices = {h.symbol: h.market_price for h in self.account().holdings}
        return [
            report.model_copy(update={"triggered": _left_behind(report, prices.get(report.symbol))})
            if report.broker_order_id in untold
            else report
            for _, report in found
        ]


def _changed_on(row: Json) -> dt.date:
    return instant(row.get("updated_at") or row["created_at"], "updated_at").date()


def _left_behind(report: OrderReport, price: Decimal | None) -> bool:
    """Whether the price is beyond the limit, which it can only reach through the stop."""
    if price is None or report.limit_price is None:
        return False
    return (price - report.limit_price) * report.side.sign > 0
