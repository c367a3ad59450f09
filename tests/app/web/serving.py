"""A dashboard that answers while a test runs."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests

from goldenthread.app.api.project import Project
from goldenthread.app.web.server import DashboardServer
from goldenthread.app.web.terms import ServeTerms

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGES = (
    "/",
    "/signals",
    "/positions",
    "/trades",
    "/strategies",
    "/shadow",
    "/data",
    "/jobs",
    "/controls",
    "/health",
)
_PATIENCE_S = 20


@contextmanager
def serving(folder: Path, token: str = "", **terms: Any) -> Iterator[str]:  # noqa: ANN401  # ServeTerms'
    """The address of a dashboard of the project, without the last slash."""
    server = DashboardServer(ServeTerms(Project.open(folder), port=0, token=token, **terms))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.url.rpartition(':')[2].rstrip('/')}"
    try:
        _await(url)
        yield url
    finally:
        server.stop()
        thread.join(_PATIENCE_S)
        assert not thread.is_alive()


def asked(url: str, **query: object) -> Any:  # noqa: ANN401  # any JSON value
    """The JSON of an address that is there."""
    answer = requests.get(url, {k: str(v) for k, v in query.items()}, timeout=120)
    assert answer.status_code == 200, answer.text
    return answer.json()


def details(url: str) -> list[str]:
    """The addresses of a signal, a strategy and a filter of the book."""
    signal = asked(f"{url}/api/trades")["trades"][0]["trade_id"]
    row = next(r for r in asked(f"{url}/api/shadow")["refused"] if r["name"] == "VOLUME_TOO_LOW")
    whose = quote(row["strategy_id"])
    return [f"/signals/{signal}", f"/strategies/{whose}", f"/shadow/{whose}/{row['name']}"]


def _await(url: str) -> None:
    for _ in range(_PATIENCE_S * 20):
        try:
            requests.get(f"{url}/static/icon.svg", timeout=5)
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return
    msg = f"nobody answers at {url}"
    raise AssertionError(msg)
