"""Where a listener binds."""

from __future__ import annotations

import socket

from goldenthread.domain.errors import UsageError

HOST = "127.0.0.1"
"""The address of this machine alone."""


def bound(port: int, flag: str, host: str = HOST) -> socket.socket:
    """A socket bound to the port, 0 takes a free one; ``flag`` is what chooses another.

    Raises:
        UsageError: The port is taken, or there is no such address here.
    """
    # With its protocol named, asyncio sends every answer at once (TCP_NODELAY).
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
    except (OSError, OverflowError) as error:
        taken.close()
        msg = f"cannot listen on {host}:{port}: {error}; choose another port with {flag}, or 0"
        raise UsageError(msg) from error
    return taken
