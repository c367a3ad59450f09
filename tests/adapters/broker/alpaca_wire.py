"""A tiny real HTTP server that speaks just enough Alpaca to fail in every way a wire can."""

from __future__ import annotations

import datetime as dt
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr
from typing_extensions import override

from goldenthread.adapters.alpaca.connection import Access
from goldenthread.adapters.broker.alpaca import AlpacaBroker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Json = dict[str, Any]
ACCOUNT = {
    "id": "x",
    "account_number": "PA1",
    "status": "ACTIVE",
    "cash": "1000",
    "equity": "1000",
    "buying_power": "2000",
}
NOW = dt.datetime(2024, 1, 4, 0, 5, tzinfo=dt.UTC)


class PatientClock:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.at = NOW
        self.slept: list[float] = []

    def now(self) -> dt.datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += dt.timedelta(seconds=seconds)


@dataclass
class Fault:
    """What happens to the next ``times`` requests of a method whose path begins so.

    ``does`` is ``before`` (answer at once), ``after`` (do it, answer with the fault instead) or
    ``drop`` (do it, close the connection) or ``refuse`` (close it, having done nothing).
    """

    method: str
    path: str
    does: str = "before"
    status: int = 504
    body: str = "{}"
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1


@dataclass
class Wire:
    """The account behind the server: orders by id, activities, and what was asked."""

    url: str = ""
    orders: dict[str, Json] = field(default_factory=dict)
    activities: list[Json] = field(default_factory=list)
    positions: list[Json] = field(default_factory=list)
    asked: list[tuple[str, str, Json]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    now: dt.datetime = NOW
    key: str = "K"
    cancels: str = "canceled"
    answers: dict[str, Any] = field(default_factory=dict)

    def count(self, method: str, path: str = "") -> int:
        """How many requests of that method and path arrived."""
        return sum(m == method and p.startswith(path) for m, p, _ in self.asked)

    def order(self, client_order_id: str, **fields: object) -> Json:
        """A new order of the account."""
        number = len(self.orders) + 1
        row: Json = {
            "id": f"00000000-0000-0000-0000-{number:012d}",
            "client_order_id": client_order_id,
            "submitted_at": (NOW + dt.timedelta(seconds=number)).isoformat(),
            "updated_at": NOW.isoformat(),
            "symbol": "AAPL",
            "asset_class": "us_equity",
            "qty": "10",
            "filled_qty": "0",
            "filled_avg_price": None,
            "order_class": "simple",
            "type": "market",
            "side": "buy",
            "time_in_force": "gtc",
            "limit_price": None,
            "stop_price": None,
            "status": "accepted",
            "legs": None,
            **fields,
        }
        self.orders[row["id"]] = row
        return row

    def reply(self, method: str, path: str, query: Json, body: Json) -> tuple[int, Any]:
        """What Alpaca would answer."""
        if path == "/v2/orders" and method == "POST":
            if any(o["client_order_id"] == body["client_order_id"] for o in self.orders.values()):
                return 422, {"code": 40010001, "message": "client_order_id must be unique"}
            return 200, self.order(**body)
        if path.startswith("/v2/orders/"):
            return self._one(method, path.removeprefix("/v2/orders/"), body)
        wanted = query.get("client_order_id")
        found = [o for o in self.orders.values() if o["client_order_id"] == wanted]
        shown: dict[str, Callable[[], Any]] = {
            "/v2/orders": lambda: self._page(query),
            "/v2/orders:by_client_order_id": lambda: found[-1] if found else None,
            "/v2/account/activities": lambda: self._activities(query),
            "/v2/positions": lambda: self.positions,
            "/v2/clock": lambda: {"timestamp": self.now.isoformat(), "is_open": False},
            "/v2/account": lambda: ACCOUNT,
        }
        if path in self.answers:
            told = self.answers[path]
            return 200, told(query) if callable(told) else told
        show = shown.get(path)
        answer = show() if show else None
        return _not_found(path) if answer is None else (200, answer)

    def _one(self, method: str, name: str, body: Json) -> tuple[int, Any]:
        row = self.orders.get(name)
        if row is None:
            return _not_found(name)
        final = row["status"] in {"filled", "canceled", "replaced", "expired"}
        if method == "DELETE":
            if final:
                words = f'order is already in "{row["status"]}" state'
                return 422, {"code": 42210000, "message": words}
            row["status"] = self.cancels
            return 204, None
        if method == "PATCH":
            if final:
                return 422, {"code": 42210000, "message": f"cannot replace {row['status']} order"}
            row["status"] = "replaced"
            new = self.order(**{**row, "status": "new", "replaces": row["id"], **body, "id": "n-1"})
            row["replaced_by"] = new["id"]
            return 200, new
        return 200, row

    def _page(self, query: Json) -> list[Json]:
        is_open = {"new", "accepted", "held", "partially_filled", "pending_cancel"}
        rows = sorted(self.orders.values(), key=lambda o: o["submitted_at"], reverse=True)
        if query.get("status") == "open":
            rows = [o for o in rows if o["status"] in is_open]
        elif query.get("status") == "closed":
            rows = [o for o in rows if o["status"] not in is_open]
        if "until" in query:
            until = dt.datetime.fromisoformat(query["until"])
            rows = [o for o in rows if dt.datetime.fromisoformat(o["submitted_at"]) < until]
        return rows[: int(query["limit"])]

    def _activities(self, query: Json) -> list[Json]:
        after = query["after"]
        rows = [
            a for a in self.activities if (a.get("transaction_time") or a["created_at"]) >= after
        ]
        rows.sort(key=lambda a: a["id"])
        token = query.get("page_token")
        if token:
            rows = [a for a in rows if a["id"] > token]
        return rows[: int(query["page_size"])]


def _not_found(what: str) -> tuple[int, Json]:
    return 404, {"code": 40410000, "message": f"order not found for {what}"}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wire: Wire

    @override
    def log_message(self, format: str, *args: object) -> None:
        return

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        query = {k: v[0] for k, v in parse_qs(parts.query).items()}
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        wire, method, path = self.wire, self.command, parts.path
        wire.asked.append((method, path, body or query))
        if self.headers.get("APCA-API-KEY-ID") != wire.key:
            self._answer(403, json.dumps({"message": "forbidden."}), {})
            return
        fault = self._fault(method, path)
        if fault is None or fault.does in {"after", "drop"}:
            status, content = wire.reply(method, path, query, body)
        if fault is not None and fault.does in {"drop", "refuse"}:
            self.close_connection = True
            return
        if fault is not None:
            self._answer(fault.status, fault.body, fault.headers)
            return
        self._answer(status, "" if content is None else json.dumps(content), {})

    do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815  # the server's own names

    def _fault(self, method: str, path: str) -> Fault | None:
        for fault in self.wire.faults:
            if fault.times and fault.method == method and path.startswith(fault.path):
                fault.times -= 1
                return fault
        return None

    def _answer(self, status: int, text: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        content = text.encode()
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def serving() -> Iterator[Wire]:
    """A server on a free port, stopped at the end."""
    wire = Wire()
    handler = type("Handler", (_Handler,), {"wire": wire})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    wire.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield wire
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def connect(
    url: str,
    *,
    key: str = "K",
    clock: PatientClock | None = None,
    timeout_s: float = 5.0,
    advance: Callable[[dt.date], None] | None = None,
) -> AlpacaBroker:
    """The broker of the account behind ``url``."""
    access = Access(key, SecretStr("S"), url, timeout_s=timeout_s, per_minute=100_000)
    return AlpacaBroker(access, clock or PatientClock(), advance=advance)


def execution(number: int, order_id: str, **fields: str) -> Json:
    """A FILL activity of 3 January, at 10:00 New York time and ``number`` seconds."""
    at = dt.datetime(2024, 1, 3, 15, 0, tzinfo=dt.UTC) + dt.timedelta(seconds=number)
    return {
        "activity_type": "FILL",
        "id": f"{at:%Y%m%d%H%M%S}000::e{number:04d}",
        "order_id": order_id,
        "symbol": "AAPL",
        "side": "buy",
        "qty": "1",
        "price": "100",
        "cum_qty": "1",
        "leaves_qty": "0",
        "transaction_time": at.isoformat().replace("+00:00", "Z"),
        "type": "fill",
        **fields,
    }


def fee(number: int, **fields: str) -> Json:
    """A CFEE activity posted ``number`` seconds after 10:00 New York time of 3 January."""
    at = dt.datetime(2024, 1, 3, 15, 0, tzinfo=dt.UTC) + dt.timedelta(seconds=number)
    return {
        "activity_type": "CFEE",
        "id": f"{at:%Y%m%d%H%M%S}000::f{number:04d}",
        "date": "2024-01-03",
        "created_at": at.isoformat().replace("+00:00", "Z"),
        "status": "executed",
        "net_amount": "0",
        **fields,
    }


def amounts(*texts: str) -> list[Decimal]:
    """The decimals of the texts."""
    return [Decimal(text) for text in texts]
