"""Where a dashboard listens, whom it answers, and what it asks them for."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING

from goldenthread.app.listening.sockets import HOST
from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    from goldenthread.app.api.project import Project

SHORTEST_TOKEN = 16
VARIABLE = "GOLDENTHREAD_SERVE__TOKEN"


@dataclass(frozen=True)
class ServeTerms:
    """The terms of one dashboard: its project and book, its address, its names and its token.

    ``names`` are what it may be called in a browser's address line. Without a ``token`` nobody
    is asked for one.

    Raises:
        UsageError: The address is not this machine's alone and there is no token, or no name.
    """

    project: Project
    book: str = ""
    host: str = HOST
    port: int = 8190
    names: tuple[str, ...] = ()
    token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.token and len(self.token) < SHORTEST_TOKEN:
            msg = (
                f"{VARIABLE} has {len(self.token)} characters; at least {SHORTEST_TOKEN} are"
                ' needed: python -c "import secrets; print(secrets.token_urlsafe())"'
            )
            raise UsageError(msg)
        if not _is_ours_alone(self.host):
            self._refuse_open_doors()

    @property
    def known_as(self) -> tuple[str, ...]:
        """Every name it answers to."""
        own = () if _is_everywhere(self.host) else (self.host,)
        return (HOST, "localhost", *own, *self.names)

    def _refuse_open_doors(self) -> None:
        if not self.token:
            msg = (
                f"--host {self.host} can be reached from other machines, and no token is set;"
                f" set {VARIABLE} to {SHORTEST_TOKEN} characters or more, or leave --host out"
            )
            raise UsageError(msg)
        if _is_everywhere(self.host) and not self.names:
            msg = (
                f"--host {self.host} is every address of this machine; say what browsers will"
                " call it, --name desk.example for example"
            )
            raise UsageError(msg)


def _is_ours_alone(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_everywhere(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return not host
