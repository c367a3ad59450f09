"""Faults a test may order: what the wire does to requests, streams and fees."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

FaultKind = Literal["refuse", "html", "accept_then", "hang", "drop_stream", "late_fees"]
"""What goes wrong.

``refuse``: answer ``status`` in Alpaca's JSON, and do nothing. ``html``: the same as a page of a
proxy. ``accept_then``: do what was asked, then answer ``status``. ``hang``: do what was asked,
then say nothing for ``seconds``. ``drop_stream``: when the next execution is due on the stream,
close every stream instead. ``late_fees``: post fees ``days`` dates late.
"""

_KINDS: tuple[FaultKind, ...] = get_args(FaultKind)
_STATUS = {"refuse": 429, "html": 502, "accept_then": 504, "hang": 504}


@dataclass
class Fault:
    """One fault, for the next ``times`` requests of a method below a path; empty means any."""

    kind: FaultKind
    method: str = ""
    path: str = ""
    times: int = 1
    status: int = 429
    seconds: float = 30.0
    days: int = 1


class Request(NamedTuple):
    """One request as it came."""

    method: str
    path: str
    query: str
    at: dt.datetime


class Faults:
    """The faults in force, oldest first, and the requests that came."""

    def __init__(self) -> None:
        self.armed: list[Fault] = []
        self.requests: list[Request] = []

    def arm(self, body: Mapping[str, object]) -> Fault:
        """Put a fault in force.

        Raises:
            UsageError: The body does not describe one.
        """
        fault = parse_fault(body)
        self.armed.append(fault)
        return fault

    def clear(self) -> None:
        """Take every fault out of force."""
        self.armed.clear()

    def hit(self, method: str, path: str) -> Fault | None:
        """The fault that strikes this request, counted down."""
        for fault in self.armed:
            strikes = fault.kind in _STATUS and fault.method in {"", method}
            if strikes and path.startswith(fault.path):
                return self._spend(fault)
        return None

    def drops_stream(self) -> bool:
        """Whether the execution that is due now is lost with its stream."""
        for fault in self.armed:
            if fault.kind == "drop_stream":
                self._spend(fault)
                return True
        return False

    def _spend(self, fault: Fault) -> Fault:
        fault.times -= 1
        if not fault.times:
            self.armed.remove(fault)
        return fault


def parse_fault(body: Mapping[str, object]) -> Fault:
    """The fault a body of ``POST /faults`` describes.

    Raises:
        UsageError: Names the field, what was got and what is allowed.
    """
    kind = next((k for k in _KINDS if k == body.get("kind")), None)
    if kind is None:
        msg = f"kind got {body.get('kind')!r}; allowed: {', '.join(_KINDS)}"
        raise UsageError(msg)
    fields = tuple(Fault.__dataclass_fields__)
    unknown = set(body) - set(fields)
    if unknown:
        msg = f"a fault has no {', '.join(sorted(unknown))}; it has {', '.join(fields)}"
        raise UsageError(msg)
    return Fault(
        kind=kind,
        method=str(body.get("method") or "").upper(),
        path=str(body.get("path") or ""),
        times=int(_number(body, "times", 1, (1, 10_000))),
        status=int(_number(body, "status", _STATUS.get(kind, 429), (400, 599))),
        seconds=_number(body, "seconds", 30.0, (0, 600)),
        days=int(_number(body, "days", 1, (1, 365))),
    )


def _number(
    body: Mapping[str, object], field: str, default: float, allowed: tuple[float, float]
) -> float:
    value = body.get(field, default)
    low, high = allowed
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        msg = f"{field} got {value!r}; a number from {low} to {high} is allowed"
        raise UsageError(msg)
    return value
