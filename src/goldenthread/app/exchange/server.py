"""Two loopback ports in a thread: Alpaca's API on one, the admin on the other."""

from __future__ import annotations

import asyncio
import json
import threading
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, Self

from goldenthread.app.clock import SystemClock
from goldenthread.app.exchange.faults import Faults
from goldenthread.app.exchange.terms import ExchangeTerms
from goldenthread.app.exchange.venue import Venue
from goldenthread.app.listening.sockets import HOST, bound
from goldenthread.domain.errors import EngineError, UsageError

if TYPE_CHECKING:
    import datetime as dt
    from types import TracebackType

    import uvicorn

    from goldenthread.app.exchange.market import ExchangeMarket

_PATIENCE_S = 30.0
_TICK_S = 0.005


class ExchangeServer:
    """An exchange that runs while the ``with`` block does; port 0 takes a free one.

    ``url`` is what ``url_override`` of alpaca-py's clients takes, ``stream_url`` that of
    ``TradingStream``. The other methods speak to the admin port.

    Raises:
        UsageError: A port is taken, or the packages of the extra ``web`` are not installed.
    """

    def __init__(
        self,
        market: ExchangeMarket,
        terms: ExchangeTerms | None = None,
        port: int = 0,
        admin_port: int = 0,
    ) -> None:
        self.terms = terms or ExchangeTerms()
        self._market = market
        self._sockets = (bound(port, "--port"), bound(admin_port, "--admin-port"))
        ports = [taken.getsockname()[1] for taken in self._sockets]
        self.url, self.admin_url = (f"http://{HOST}:{number}" for number in ports)
        self.stream_url = f"ws://{HOST}:{ports[0]}/stream"
        self.key_id, self.secret_key = self.terms.key_id, self.terms.secret_key
        self._servers: list[uvicorn.Server] = []
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="exchange", daemon=True)

    def __enter__(self) -> Self:
        """Itself, when both ports answer."""
        self._thread.start()
        ready = self._ready.wait(_PATIENCE_S)
        if self._failure is not None:
            raise self._failure
        if not ready:
            msg = f"the exchange did not start within {_PATIENCE_S:.0f} s; try again"
            raise EngineError(msg)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Both ports are closed, and the thread has ended."""
        for server in self._servers:
            server.should_exit = True
        self._thread.join(_PATIENCE_S)
        for taken in self._sockets:
            taken.close()

    def wait(self) -> None:
        """Return when the exchange ends by itself, which it does only if it fails."""
        while self._thread.is_alive():
            self._thread.join(0.2)

    def advance(self, ds: dt.date | str | None = None, *, days: int = 1) -> Any:  # noqa: ANN401  # JSON
        """Meet every date up to ``ds``, or ``days`` more; clock and events as JSON."""
        return self.admin("POST", "/advance", {"days": days} if ds is None else {"ds": str(ds)})

    def fault(self, kind: str, **details: object) -> Any:  # noqa: ANN401  # JSON
        """Put a fault in force, see ``faults.FaultKind``."""
        return self.admin("POST", "/faults", {"kind": kind, **details})

    def state(self) -> Any:  # noqa: ANN401  # JSON
        """Clock, account, faults in force."""
        return self.admin("GET", "/state")

    def admin(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401  # JSON
        """The answer of the admin port; None when it has no content.

        Raises:
            UsageError: The admin refused, in its words.
        """
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(self.admin_url + path, data, method=method)  # noqa: S310  # our own port
        try:
            with urllib.request.urlopen(asked, timeout=_PATIENCE_S) as answer:  # noqa: S310  # the same
                content = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                raise UsageError(json.loads(error.read())["message"]) from error
        return json.loads(content) if content else None

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001  # the thread that started this one raises it
            self._failure = error
            self._ready.set()

    async def _serve(self) -> None:
        """The engine lives in this thread only: its file and its state know one thread."""
        try:
            from goldenthread.app.exchange.wire.admin import Admin  # noqa: PLC0415  # an extra
            from goldenthread.app.exchange.wire.api import alpaca_api  # noqa: PLC0415  # an extra
            from goldenthread.app.exchange.wire.stream import Streams  # noqa: PLC0415  # an extra
            from goldenthread.app.listening.visitors import Visitors  # noqa: PLC0415  # an extra
        except ImportError as error:
            msg = f"{error}; the exchange needs `pip install goldenthread[web]`"
            raise UsageError(msg) from error
        faults, venue = Faults(), Venue(self._market, self.terms)
        streams = Streams(venue, faults)
        api = alpaca_api(venue, faults, streams, SystemClock())
        admin = Admin(venue, faults, streams).app()
        self._servers = [_server(Visitors(app)) for app in (api, admin)]
        tasks = [
            asyncio.create_task(server.serve(sockets=[taken]))
            for server, taken in zip(self._servers, self._sockets, strict=True)
        ]
        while not all(server.started for server in self._servers):  # noqa: ASYNC110  # uvicorn tells no other way
            await asyncio.sleep(_TICK_S)
        self._ready.set()
        await asyncio.gather(*tasks)


def _server(app: Any) -> uvicorn.Server:  # noqa: ANN401  # an ASGI application
    import uvicorn  # noqa: PLC0415  # an extra

    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="websockets-sansio",
            timeout_graceful_shutdown=1,
        )
    )
