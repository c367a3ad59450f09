"""The stream ``trade_updates``: login, subscription, events in the order they happened."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from starlette.websockets import WebSocket, WebSocketDisconnect

from goldenthread.app.exchange.wire.views import event_view

if TYPE_CHECKING:
    from goldenthread.adapters.alpaca.values import Json
    from goldenthread.app.exchange.faults import Faults
    from goldenthread.app.exchange.journal import Event
    from goldenthread.app.exchange.venue import Venue

_TOPIC = "trade_updates"
_POLICY = 1008
_FAILED = 1011
_EXECUTIONS = frozenset({"fill", "partial_fill"})

_Line = asyncio.Queue["Json | None"]


class Streams:
    """Every open stream; frames are binary JSON, as those of the paper API."""

    def __init__(self, venue: Venue, faults: Faults) -> None:
        self._venue = venue
        self._faults = faults
        self._lines: set[_Line] = set()
        venue.listeners.append(self._tell)

    @property
    def listening(self) -> int:
        """How many streams receive events."""
        return len(self._lines)

    async def serve(self, socket: WebSocket) -> None:
        """One connection from login to goodbye."""
        await socket.accept()
        line: _Line = asyncio.Queue()
        try:
            if await self._login(socket):
                await asyncio.gather(self._hear(socket, line), self._speak(socket, line))
        except WebSocketDisconnect:
            pass
        finally:
            self._lines.discard(line)

    async def _login(self, socket: WebSocket) -> bool:
        asked = await _receive(socket)
        keys, terms = _part(asked, "data") or asked, self._venue.terms
        known = asked.get("action") in {"authenticate", "auth"} and (
            keys.get("key_id") or keys.get("key"),
            keys.get("secret_key") or keys.get("secret"),
        ) == (terms.key_id, terms.secret_key)
        status = "authorized" if known else "unauthorized"
        await _send(socket, "authorization", {"status": status, "action": "authenticate"})
        if not known:
            await socket.close(_POLICY)
        return known

    async def _hear(self, socket: WebSocket, line: _Line) -> None:
        """Take subscriptions; the end of the connection ends the other half, too."""
        try:
            while True:
                asked = await _receive(socket)
                if asked.get("action") == "listen":
                    streams = [_TOPIC] if _TOPIC in _part(asked, "data").get("streams", ()) else []
                    await _send(socket, "listening", {"streams": streams})
                    (self._lines.add if streams else self._lines.discard)(line)
        except WebSocketDisconnect:
            line.put_nowait(None)

    async def _speak(self, socket: WebSocket, line: _Line) -> None:
        while (data := await line.get()) is not None:
            if data.get("drop"):
                await socket.close(_FAILED)
                return
            await _send(socket, _TOPIC, data)

    def _tell(self, event: Event) -> None:
        data = event_view(self._venue, event)
        if self._lines and event.name in _EXECUTIONS and self._faults.drops_stream():
            for line in tuple(self._lines):
                line.put_nowait({"drop": True})
            self._lines.clear()
        for line in self._lines:
            line.put_nowait(data)


def _part(message: Json, name: str) -> Json:
    """The object of that name inside the message; an empty one when it is none."""
    part = message.get(name)
    return part if isinstance(part, dict) else {}


async def _receive(socket: WebSocket) -> Json:
    """The next message, as an object; anything else is taken as an empty one."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1000))
    raw = message.get("text") or message.get("bytes") or b"{}"
    try:
        content = json.loads(raw)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


async def _send(socket: WebSocket, stream: str, data: Json) -> None:
    await socket.send_bytes(json.dumps({"stream": stream, "data": data}).encode())
