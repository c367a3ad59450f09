"""What we ask of a broker; the unit of truth for fills and cash."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import datetime as dt
    from decimal import Decimal

    from goldenthread.domain.account import AccountState
    from goldenthread.domain.order import Fill, OrderReport, OrderRequest


class Broker(Protocol):
    """Orders in, fills out.

    Every call may raise EngineBusyError (try later), EngineRefusedError (with the broker's code;
    never try again) or, from ``submit replace cancel``, UnknownOutcomeError (ask first).
    """

    def meet(self, ds: dt.date) -> None:
        """Return when everything the session ``ds`` did to our orders is visible here."""
        ...

    def account(self) -> AccountState:
        """The account with its holdings, marked at the last closes met."""
        ...

    def submit(self, request: OrderRequest) -> tuple[OrderReport, ...]:
        """The order as accepted, then its legs (take profit first).

        A client order id the broker already knows is looked up, never sent twice.
        """
        ...

    def replace(
        self, broker_order_id: str, client_order_id: str, stop_price: Decimal
    ) -> OrderReport:
        """The order that took the place of a resting stop, with its stop at ``stop_price``.

        A stop_limit keeps its limit in proportion. A client order id already known is looked up.
        """
        ...

    def cancel(self, broker_order_id: str) -> OrderReport:
        """The order after the request: canceled, pending_cancel, or the fill that was faster."""
        ...

    def find_order(self, client_order_id: str) -> tuple[OrderReport, ...]:
        """The order and its legs; empty when the broker never saw that id."""
        ...

    def orders(self, since: dt.date) -> list[OrderReport]:
        """Every order open now or changed on or after ``since``, legs included, by id."""
        ...

    def fills(self, since: dt.date) -> list[Fill]:
        """Executions with ``ds >= since``, each once, oldest first, with empty ``order_key``."""
        ...
