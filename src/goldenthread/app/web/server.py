"""The dashboard on its port, until it is stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldenthread.app.engines.embedded import copies_kept_open
from goldenthread.app.listening.sockets import bound
from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    import uvicorn

    from goldenthread.app.web.terms import ServeTerms


class DashboardServer:
    """A dashboard that has its port and answers while ``run`` does; port 0 takes a free one.

    ``run`` is uvicorn's: it returns when ``stop`` was called, and stops at a signal of the system.

    Raises:
        UsageError: The port is taken, or the packages of the extra ``web`` are not installed.
    """

    def __init__(self, terms: ServeTerms) -> None:
        self._server = _server(terms)
        self._socket = bound(terms.port, "--port", terms.host)
        port = self._socket.getsockname()[1]
        name = terms.names[0] if terms.names else terms.host
        self.url = f"http://{name}:{port}/"

    def run(self) -> None:
        """Answer until stopped; the port is free again then."""
        try:
            with copies_kept_open():
                self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()

    def stop(self) -> None:
        """End ``run``, from another thread."""
        self._server.should_exit = True


def _server(terms: ServeTerms) -> uvicorn.Server:
    try:
        import uvicorn  # noqa: PLC0415  # an extra

        from goldenthread.app.web.site import dashboard  # noqa: PLC0415  # an extra
    except ImportError as error:
        msg = f"{error}; the dashboard needs `pip install goldenthread[web]`"
        raise UsageError(msg) from error
    config = uvicorn.Config(
        lambda: dashboard(terms, is_closing=lambda: server.should_exit),
        factory=True,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    return server
