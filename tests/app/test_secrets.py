"""Secrets are planted, everything is run, and then they are looked for everywhere: 0 leaks."""

from __future__ import annotations

import base64
import io
import json
import logging
import shutil
import sqlite3
import sys
import threading
import traceback
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

import duckdb
import polars as pl
import pytest

from app.command import command
from goldenthread.app.api.project import Project
from goldenthread.app.clock import SystemClock
from goldenthread.app.exchange.market import open_market
from goldenthread.app.exchange.server import ExchangeServer
from goldenthread.app.exchange.terms import ExchangeTerms
from goldenthread.app.settings import load_settings, resolved
from goldenthread.domain.errors import GoldenthreadError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

# Apprise warns of a module of Python's own as it loads
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),
]

KEY, SECRET = "PKCANARY1QX7", "canary-2/secret+9f3"
USER, PASSWORD, TOKEN = "canary3user", "canary4password", "canary5token"
PROXY, OTHER, BEAT = "canary6proxy", "canary7nobodys", "canary8heartbeat"
CANARIES = (KEY, SECRET, USER, PASSWORD, TOKEN, PROXY, OTHER, BEAT)
FIRST, LAST = "2012-07-02", "2012-07-11"
BOOK = "sim:secret"


class Searched(NamedTuple):
    """Where a canary was found, and how many places were looked at."""

    leaks: set[str]
    places: int


class Planted(NamedTuple):
    """A project that is run with secrets, and all that was ever said about it."""

    folder: Path
    exchange: ExchangeServer
    said: dict[str, str]

    def run(self, *words: str, codes: tuple[int, ...] = (0, 1)) -> str:
        """What a command of the project says; told apart by its words."""
        answer = command(*words, "--project", str(self.folder))
        said = f"{answer.out}\n{answer.err}"
        assert answer.code in codes, f"{words}: {answer.code} {said}"
        assert "Traceback" not in said
        self.said[f"{len(self.said)} {' '.join(words)}"] = said
        return said


class _Hook(BaseHTTPRequestHandler):
    """A web hook that takes every notice."""

    def do_POST(self) -> None:  # http.server's name
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.__dict__.setdefault("paths", []).append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@contextmanager
def hook() -> Iterator[ThreadingHTTPServer]:
    """The web hook, listening."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hook)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """What every library logs while the block runs, at INFO and above."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield stream
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


@pytest.fixture(scope="module", name="planted")
def _planted(imported: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    folder = tmp_path_factory.mktemp("planted") / "project"
    shutil.copytree(imported, folder)
    terms = ExchangeTerms(
        start=_day("2012-07-01"), key_id=KEY, secret_key=SECRET, account_id="SIM-secret"
    )
    market = open_market(folder / "data", SystemClock().now())
    with (
        pytest.MonkeyPatch.context() as patch,
        hook() as receiver,
        ExchangeServer(market, terms) as exchange,
    ):
        port = receiver.server_address[1]
        urls = [f"json://{USER}:{PASSWORD}@127.0.0.1:{p}/{TOKEN}" for p in (port, 9)]
        for name, value in {
            "GOLDENTHREAD_PROJECT__BOOK": BOOK,
            "GOLDENTHREAD_BROKER__ENGINE": "alpaca",
            "GOLDENTHREAD_ALPACA__KEY_ID": KEY,
            "GOLDENTHREAD_ALPACA__SECRET_KEY": SECRET,
            "GOLDENTHREAD_ALPACA__TRADING_URL": exchange.url,
            "GOLDENTHREAD_ALPACA__ADMIN_URL": exchange.admin_url,
            "GOLDENTHREAD_ALPACA__REQUESTS_PER_MINUTE": "1000000",
            "GOLDENTHREAD_ALPACA__TIMEOUT_S": "5",
            "GOLDENTHREAD_NOTIFIER__ENGINE": "apprise",
            "GOLDENTHREAD_NOTIFIER__URLS": " ".join(urls),
            "GOLDENTHREAD_RUN__HEARTBEAT_URL": f"http://127.0.0.1:9/{BEAT}",
            "AWS_SECRET_ACCESS_KEY": OTHER,
            "DATABASE_URL": f"postgres://me:{OTHER}@host/db",
        }.items():
            patch.setenv(name, value)
        patch.setattr(SystemClock, "sleep", lambda _self, _seconds: None)
        said: dict[str, str] = {}
        with logged() as log:
            planted = Planted(folder, exchange, said)
            planted.run("simulate", "--from", FIRST, "--to", LAST, "--name", "secret")
            yield planted
        assert receiver.__dict__.get("paths", ["no notice"])
        said["log"] = log.getvalue()
        found = searched(folder, said)
        assert found.leaks == set()


def _day(text: str) -> dt.date:
    import datetime as dt  # noqa: PLC0415  # for its value here, for its type above

    return dt.date.fromisoformat(text)


def spellings() -> list[bytes]:
    """Every canary as it may be written: plain, in an address, in JSON, in a login header."""
    pairs = [f"{USER}:{PASSWORD}", f"{KEY}:{SECRET}"]
    encoded = [base64.b64encode(pair.encode()).decode().rstrip("=") for pair in pairs]
    quoted = [quote(canary, safe="") for canary in CANARIES]
    return [text.encode() for text in {*CANARIES, *quoted, json.dumps(SECRET)[1:-1], *encoded}]


def searched(folder: Path, said: dict[str, str]) -> Searched:
    """Where one of them stands: in a file, a row of a database, or in what was said."""
    places = {name: text.encode() for name, text in said.items()}
    for path in folder.rglob("*"):
        if path.is_file():
            name = str(path.relative_to(folder))
            places[name] = path.read_bytes()
            places[f"{name} (rows)"] = rows_of(path)
    wanted = spellings()
    leaks = {name for name, content in places.items() if any(c in content for c in wanted)}
    return Searched(leaks, len(places))


def rows_of(path: Path) -> bytes:
    """The rows of a database or of a compressed file, as text."""
    if path.suffix == ".sqlite":
        with sqlite3.connect(path) as file:
            return "\n".join(file.iterdump()).encode()
    if path.suffix == ".parquet":
        return str(pl.read_parquet(path).rows()).encode()
    if path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as file:
            names = [row[0] for row in file.execute("SHOW TABLES").fetchall()]
            tables = [file.execute(f'SELECT * FROM "{name}"').fetchall() for name in names]
        return str(tables).encode()
    return b""


def test_a_secret_that_stood_somewhere_would_be_found(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.sqlite") as file:
        file.execute("CREATE TABLE t (a)")
        file.execute("INSERT INTO t VALUES (?)", (f'{{"x": "{SECRET}"}}',))
    file.close()
    with duckdb.connect(str(tmp_path / "b.duckdb")) as wh:
        wh.execute("CREATE TABLE t AS SELECT ? AS a FROM range(10000)", [TOKEN])
    pl.DataFrame({"a": [PASSWORD] * 1000}).write_parquet(tmp_path / "c.parquet")
    (tmp_path / "d.html").write_text(quote(SECRET, safe=""))
    login = base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
    found = searched(tmp_path, {"log": f"Basic {login}", "clean": "nothing"})
    names = {name.removesuffix(" (rows)") for name in found.leaks}
    assert names == {"a.sqlite", "b.duckdb", "c.parquet", "d.html", "log"}


LOOKS = [
    "show-config",
    "doctor",
    "status",
    "signals",
    "orders",
    "positions",
    "trades",
    "report",
    "explain AAPL 2012-07-05",
    "check thread",
    "check broker",
    "check data",
    "check parity",
    "warehouse digest",
    "warehouse cost",
    "quarantine ls",
    "strategy ls",
    "data ls",
    "shadow --by filter",
    "plan --ds 2012-07-12",
    "halt --reason maintenance",
    "resume",
    "flatten --confirm sim:secret",
]


def test_no_command_shows_or_keeps_a_secret(planted: Planted) -> None:
    planted.exchange.advance("2012-07-12")
    for line in LOOKS:
        planted.run(*line.split())
    for line in ("show-config", "doctor", "orders", "status"):
        planted.run(*line.split(), "--json")
    planted.run("warehouse", "query", "SELECT * FROM audit_log", "--json")
    planted.run("warehouse", "query", "SELECT * FROM job_runs", "--last", "9000d", "--json")
    (signal, *_) = command("signals", "--json", "--project", str(planted.folder)).document
    page = planted.folder / "signal.html"
    planted.run("explain", signal["signal_id"], "--html", str(page))
    assert page.stat().st_size > 1_000
    planted.run(
        "backtest", "--all", "--from", FIRST, "--to", LAST, "--out", str(planted.folder / "run")
    )
    assert "**********" in planted.run("show-config")
    found = searched(planted.folder, planted.said)
    assert found.leaks == set()
    assert found.places > 60  # commands, files and databases


FAULTS = {
    "answers lost": {"kind": "accept_then", "status": 504},
    "the page of a proxy": {"kind": "html", "status": 502},
    "too many requests": {"kind": "refuse", "status": 429},
    "no answer at all": {"kind": "hang", "seconds": 1},
}
SETTINGS = {
    "a wrong secret": {"ALPACA__SECRET_KEY": f"{SECRET}x"},
    "a wrong key": {"ALPACA__KEY_ID": f"{KEY}x"},
    "a secret that is no header": {"ALPACA__SECRET_KEY": f"{SECRET}\n\u2019x"},
    "a password in the address": {"ALPACA__TRADING_URL": f"http://{USER}:{PASSWORD}@127.0.0.1"},
    "nobody there": {"ALPACA__TRADING_URL": "http://127.0.0.1:9"},
    "no such host": {
        "ALPACA__TRADING_URL": "http://canary.invalid",
        "PROJECT__BOOK": "paper:PA1",
    },
    "a token nobody asked for": {"ALPACA__TOKEN": TOKEN},
    "a section nobody has": {"VAULT__TOKEN": TOKEN},
    "an address Apprise does not know": {"NOTIFIER__URLS": f"nonsense://{USER}:{PASSWORD}@{TOKEN}"},
    "no address at all": {"NOTIFIER__URLS": TOKEN},
}
FILES = {
    "keys in the file": f'[alpaca]\nsecret_key = "{SECRET}"\n',
    "addresses in the file": f'[notifier]\nurls = "json://{USER}:{PASSWORD}@h/{TOKEN}"\n',
    "a broken line": f"[alpaca]\nsecret_key = {SECRET}\n",
    "an unknown key": f'[alpaca]\npassword = "{SECRET}"\n',
}


def test_no_failure_tells_a_secret(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    for fault in FAULTS.values():
        planted.exchange.fault(
            str(fault["kind"]), times=50, **{k: fault[k] for k in fault if k != "kind"}
        )
        monkeypatch.setenv("GOLDENTHREAD_ALPACA__TIMEOUT_S", "0.3")
        for words in (("doctor",), ("run", "--ds", "2012-07-12"), ("check", "broker")):
            planted.run(*words, codes=(0, 1, 2, 3))
        planted.exchange.admin("DELETE", "/faults")
    for changed in SETTINGS.values():
        with pytest.MonkeyPatch.context() as patch:
            for name, value in changed.items():
                patch.setenv(f"GOLDENTHREAD_{name}", value)
            for words in (("doctor",), ("show-config",), ("run", "--ds", "2012-07-12")):
                planted.run(*words, codes=(0, 1, 2, 3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOLDENTHREAD_ALPACA__TRADING_URL", "http://canary.invalid")
        patch.setenv("GOLDENTHREAD_PROJECT__BOOK", "paper:PA1")
        patch.setenv("HTTP_PROXY", f"http://{PROXY}:{PROXY}@127.0.0.1:9")
        planted.run("doctor", codes=(3,))
    file = planted.folder / "goldenthread.toml"
    before = file.read_text()
    for text in FILES.values():
        file.write_text(text)
        planted.run("doctor", codes=(2,))
    file.write_text(before)
    assert searched(planted.folder, planted.said).leaks == set()


def test_neither_a_bug_nor_a_traceback_tells_a_secret(
    planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings(planted.folder)

    def fail(*_given: object, **_named: object) -> None:
        raise RuntimeError(settings, resolved(settings), settings.model_dump())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("goldenthread.app.api.checks.greet", fail)
        answer = command("doctor", "--project", str(planted.folder))
    assert "internal error: RuntimeError" in answer.err
    planted.said["a bug"] = answer.out + answer.err
    monkeypatch.setenv("GOLDENTHREAD_ALPACA__SECRET_KEY", f"{SECRET} x")
    try:
        Project.open(planted.folder)
    except GoldenthreadError:
        planted.said["a traceback"] = "".join(traceback.format_exception(*sys.exc_info()))
    assert "allowed: letters" in planted.said["a traceback"]
    assert searched(planted.folder, planted.said).leaks == set()


BOUND: list[object] = []


def _watch(event: str, details: tuple[object, ...]) -> None:
    if event == "socket.bind":
        BOUND.append(details[1])


def test_a_day_listens_nowhere(planted: Planted) -> None:
    sys.addaudithook(_watch)  # it stays, and does no more than note addresses
    BOUND.clear()
    planted.run("run", "--ds", "2012-07-12")
    with suppress(IndexError):
        planted.run("report")
    assert BOUND == []
