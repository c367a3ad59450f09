"""``goldenthread exchange`` as a process of its own: started, traded with, ended by Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import requests

from app.command import PROGRAM, process
from app.exchange.sdk import QUIET_BARS, clients

if TYPE_CHECKING:
    from collections.abc import Iterator

from alpaca.trading.requests import MarketOrderRequest

SOURCE = str(Path(__file__).parents[3] / "src")


class Running(NamedTuple):
    """The process and what it said about itself."""

    process: subprocess.Popen[str]
    said: Any


@pytest.fixture(name="served")
def _served(tmp_path: Path) -> Iterator[Running]:
    bars = tmp_path / "bars.parquet"
    QUIET_BARS.write_parquet(bars)
    words = ["exchange", "--port", "0", "--admin-port", "0", "--bars", str(bars), "--json"]
    started = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": SOURCE},
    )
    assert started.stdout is not None
    try:
        yield Running(started, json.loads(started.stdout.readline()))
    finally:
        started.kill()
        started.communicate(timeout=10)


def test_it_says_where_it_listens_trades_and_ends_quietly_on_ctrl_c(served: Running) -> None:
    said = served.said
    assert said["url"].startswith("http://127.0.0.1:")
    assert (said["met"], said["bars"]) == ("2024-01-02", "2024-01-02 to 2024-01-05")
    trading = clients(said["url"], said["key"], said["secret"]).trading
    order = MarketOrderRequest(symbol="AAPL", qty=1, side="buy", time_in_force="gtc")
    placed = trading.submit_order(order)
    told = requests.post(f"{said['admin']}/advance", json={"days": 1}, timeout=10).json()
    assert told["events"][0]["order_id"] == str(placed.id)
    headers = {"APCA-API-KEY-ID": said["key"], "APCA-API-SECRET-KEY": said["secret"]}
    clock = requests.get(f"{said['url']}/v2/clock", headers=headers, timeout=10)
    assert clock.headers["X-Ratelimit-Limit"] == "200"
    served.process.send_signal(signal.SIGINT)
    assert served.process.wait(timeout=10) == 0
    assert served.process.stderr is not None
    assert served.process.stderr.read() == "exchange: closed; what it held is gone\n"


def test_it_listens_on_this_machine_only(served: Running) -> None:
    ports = {int(served.said[name].rpartition(":")[2]) for name in ("url", "admin")}
    lines = Path(f"/proc/{served.process.pid}/net/tcp").read_text(encoding="ascii").splitlines()
    found = {
        (row.split()[1].split(":")[0], int(row.split()[1].split(":")[1], 16)) for row in lines[1:]
    }
    assert {address for address, port in found if port in ports} == {"0100007F"}


def test_a_port_in_use_and_missing_bars_are_said_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        answer = process(
            "exchange", "--port", port, "--admin-port", "0", variables={"PYTHONPATH": SOURCE}
        )
    assert (answer.code, answer.out) == (2, "")
    assert f"cannot listen on 127.0.0.1:{port}" in answer.err
    assert "choose another port with --port" in answer.err
    bars = ("exchange", "--bars", str(tmp_path / "none"))
    missing = process(*bars, variables={"PYTHONPATH": SOURCE})
    assert (missing.code, missing.err.count("\n")) == (2, 1)
    assert "is not a file" in missing.err
