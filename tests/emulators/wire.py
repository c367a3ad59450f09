"""A wire between a client and a server that can lose what goes over it, either way."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import Literal, Self

Fault = Literal["", "answers", "requests"]
SILENCE_S = 0.25
"""How long after the last request an answer is on its way at the latest."""


class Wire:
    """Passes bytes on until ``lose`` is called; use it as a context manager."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._fault: Fault = ""
        self._for_s = 0.0
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self.drops = 0

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self._cut()

    def lose(self, fault: Fault, for_s: float = SILENCE_S) -> None:
        """Lose the next answers or requests for that long, then drop the line once and heal."""
        self._for_s = for_s
        self._fault = fault

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._target)
                self._pairs.append((near, far))
                for source, sink, what in ((near, far, "requests"), (far, near, "answers")):
                    threading.Thread(
                        target=self._pump, args=(source, sink, what), daemon=True
                    ).start()

    def _pump(self, source: socket.socket, sink: socket.socket, what: Fault) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if what == "requests" and self._fault:
                    self._begin_to_heal()
                if self._fault == what:
                    continue
                sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)

    def _begin_to_heal(self) -> None:
        for_s, self._for_s = self._for_s, 0.0
        if for_s:
            threading.Thread(target=self._heal, args=(for_s,), daemon=True).start()

    def _heal(self, after_s: float) -> None:
        time.sleep(after_s)
        self.drops += 1
        self._fault = ""  # first: the client calls again the moment its line is dropped
        self._cut()

    def _cut(self) -> None:
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()
