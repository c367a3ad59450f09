"""Ways to die and to be let down: a bomb around the calls of a run, brokers that lose answers."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from goldenthread.domain.errors import EngineRefusedError, UnknownOutcomeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from goldenthread.domain.order import OrderReport, OrderRequest
    from goldenthread.domain.signal import Candidate
    from goldenthread.ports.broker import Broker
    from positions.rig import Rig


class KilledError(BaseException):
    """The process died here."""


class Bomb:
    """Counts the calls that change the outside world and dies before or after one of them."""

    def __init__(self, at: int | None = None) -> None:
        self.calls = 0
        self.at = at

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The call, with a chance to die on either side of it."""

        def guarded(*args: Any, **more: Any) -> Any:  # noqa: ANN401  any call is passed through
            self._tick()
            answer = call(*args, **more)
            self._tick()
            return answer

        return guarded

    def _tick(self) -> None:
        self.calls += 1
        if self.calls == self.at:
            raise KilledError


def wired(rig: Rig, bomb: Bomb) -> Rig:
    for name in ("submit", "replace", "cancel"):
        setattr(rig.broker, name, bomb.around(getattr(rig.broker, name)))
    wire_store(rig, bomb)
    return rig


def wire_store(rig: Rig, bomb: Bomb) -> None:
    setattr(rig.store, "commit", bomb.around(rig.store.commit))  # noqa: B010  mypy forbids the plain form


def die_before_sending(rig: Rig, number: int, *ideas: Candidate) -> None:
    """Run a date that decides, commits and dies before its first order is sent."""
    bomb = Bomb(at=1)
    setattr(rig.broker, "submit", bomb.around(rig.broker.submit))  # noqa: B010  as above
    with pytest.raises(KilledError):
        rig.run(number, *ideas)


def seen(rig: Rig) -> dict[str, Any]:
    """Our records, and the world's."""
    start = dt.date(2024, 1, 1)
    world = {"orders": rig.exchange.orders(start), "fills": rig.exchange.fills(start)}
    return {**rig.image(), **world, "snapshots": rig.snapshots}


class Watched:
    """A broker whose account may kill the run, and whose submissions are written down."""

    def __init__(self, inner: Broker, bomb: Bomb) -> None:
        self.inner = inner
        self.account = bomb.around(inner.account)
        self.symbols: list[str] = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  the rest of the broker
        return getattr(self.inner, name)

    def submit(self, request: OrderRequest) -> tuple[OrderReport, ...]:
        self.symbols.append(request.symbol)
        return self.inner.submit(request)


class Moody:
    """A broker that does as it is told and then loses its answer, or says no."""

    def __init__(self, inner: Broker, mood: str) -> None:
        self.inner = inner
        self.mood = mood
        self.submitted: list[str] = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  the rest of the broker
        return getattr(self.inner, name)

    def submit(self, request: OrderRequest) -> tuple[OrderReport, ...]:
        self.submitted.append(request.client_order_id)
        if self.mood == "refuses":
            message = "insufficient buying power"
            raise EngineRefusedError(message, "40310000")
        if self.mood == "accepts and loses":
            self.inner.submit(request)
        if self.mood in {"accepts and loses", "loses"}:
            message = "504"
            raise UnknownOutcomeError(message)
        return self.inner.submit(request)
