"""Every durable write and every outside call of a run, counted, named, and cut on demand.

A *point* lies before and after each of them. Between two neighbouring calls nothing durable
happens, so a process killed after the one is a process killed before the other.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from goldenthread.domain.errors import EngineBusyError, UnknownOutcomeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from goldenthread.app.engines.wiring import Engines

Act = Literal["", "kill", "stop", "busy", "unknown", "oserror"]

_WATCHED = {
    "hot_store": {"put_if_absent", "compare_and_set", "commit", "sweep"},
    "leases": {"acquire", "renew", "release"},
    "broker": {
        "meet", "account", "submit", "replace", "cancel", "find_order", "orders", "fills",
    },
    "warehouse": {"ensure", "merge", "execute", "query", "publish"},
    "notifier": {"notify"},
}  # fmt: skip
"""The calls that write something durable or leave the process, by engine."""


@dataclasses.dataclass
class Tripwire:
    """Counts the calls and does ``act`` at the one numbered ``at``.

    ``kill`` and ``stop`` act after the call (``at`` 0: before the first), ``busy`` and
    ``oserror`` in its place, ``unknown`` after it took effect. Names go to ``log``, a line each.
    """

    at: int = -1
    act: Act = ""
    log: str = ""
    calls: int = 0
    names: Counter[str] = dataclasses.field(default_factory=Counter)

    def call(self, name: str, inner: Callable[..., Any], *args: Any, **more: Any) -> Any:  # noqa: ANN401  any call is passed through
        """What the call gives back, unless this is the point where something happens."""
        if self.calls == 0 and self.at == 0:
            self._cut(name)
        self.calls += 1
        self.names[name] += 1
        label = f"{name}#{self.names[name]}"
        if self.log:
            with Path(self.log).open("a") as file:
                file.write(f"{label}\n")
        here = self.calls == self.at
        if here and self.act == "busy":
            message = f"{label} is busy (injected)"
            raise EngineBusyError(message)
        if here and self.act == "oserror":
            raise OSError(28, f"no space left for {label} (injected)")
        answer = inner(*args, **more)
        if here:
            self._cut(label)
        return answer

    def _cut(self, label: str) -> None:
        if self.act == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.act == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        if self.act == "unknown":
            message = f"no answer to {label} (injected)"
            raise UnknownOutcomeError(message)


class Wired:
    """An engine whose watched calls go through the wire; all else is the engine's own."""

    def __init__(self, inner: object, name: str, wire: Tripwire) -> None:
        self._inner = inner
        self._name = name
        self._wire = wire

    def __getattr__(self, attribute: str) -> Any:  # noqa: ANN401  whatever the engine has
        found = getattr(self._inner, attribute)
        if attribute not in _WATCHED[self._name]:
            return found
        label = f"{self._name}.{attribute}"

        def through(*args: Any, **more: Any) -> Any:  # noqa: ANN401  any call is passed through
            return self._wire.call(label, found, *args, **more)

        return through


def wire_engines(engines: Engines, wire: Tripwire) -> Engines:
    """The same engines behind the wire."""
    wired: dict[str, Any] = {name: Wired(getattr(engines, name), name, wire) for name in _WATCHED}
    return dataclasses.replace(engines, **wired)


def install(wire: Tripwire) -> None:
    """Put the wire into this process: under every desk it opens, and inside a publication."""
    from goldenthread.adapters.warehouse.session import DuckDBSession  # noqa: PLC0415  it is heavy
    from goldenthread.app.api import desks  # noqa: PLC0415
    from goldenthread.app.engines import wiring  # noqa: PLC0415

    opened = wiring.open_engines

    def open_wired(*args: Any, **more: Any) -> Engines:  # noqa: ANN401  passed on as they are
        return wire_engines(opened(*args, **more), wire)

    def within(name: str, inner: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **more: wire.call(name, inner, *args, **more)

    checkpoint = within("warehouse.checkpoint", DuckDBSession.publish)
    setattr(desks, "open_engines", open_wired)  # noqa: B010  mypy forbids the plain form
    setattr(DuckDBSession, "publish", checkpoint)  # noqa: B010
    setattr(shutil, "copyfile", within("warehouse.copy", shutil.copyfile))  # noqa: B010
