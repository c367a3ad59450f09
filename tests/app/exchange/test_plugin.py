"""The pytest plugin: free until used, and the page that shows it works as it stands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest

from app.exchange.sdk import QUIET_BARS

if TYPE_CHECKING:
    from goldenthread.app.exchange.server import ExchangeServer

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "exchange.md"
HEAVY = ("starlette", "uvicorn", "websockets", "polars", "pydantic", "duckdb", "alpaca", "numpy")


def python(*words: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )


def test_the_package_registers_the_plugin() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"goldenthread": "goldenthread.app.pytest_plugin"}
    assert project["optional-dependencies"]["web"][0].startswith("starlette")


def test_loading_the_plugin_imports_nothing_heavy() -> None:
    code = (
        "import pytest, sys; before = set(sys.modules); import goldenthread.app.pytest_plugin;"
        "print(*sorted({m.split('.')[0] for m in set(sys.modules) - before}))"
    )
    loaded = python("-c", code).stdout.split()
    assert "goldenthread" in loaded
    assert set(loaded) & set(HEAVY) == set()


@pytest.mark.alpaca_exchange(bars=QUIET_BARS, start="2024-01-03", cash=2500)
def test_the_marker_says_which_bars_when_and_how_much(alpaca_exchange: ExchangeServer) -> None:
    state = alpaca_exchange.state()
    assert (state["met"], state["account"]["cash"]) == ("2024-01-03", "2500")
    assert state["symbols"] == ["AAPL", "BTC/USD"]


def test_without_a_marker_there_are_made_up_bars(alpaca_exchange: ExchangeServer) -> None:
    state = alpaca_exchange.state()
    assert (state["met"], state["last_bar"]) == ("2024-01-02", "2024-12-31")
    assert state["symbols"] == ["AAPL", "BTC/USD", "ETH/USD", "MSFT", "SPY"]


def test_the_examples_of_the_page_run_as_they_stand(tmp_path: Path) -> None:
    blocks = re.findall(r"<!-- file: (\S+) -->\n```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert [name for name, _ in blocks] == ["test_my_bot.py", "try_it.py"]
    for name, text in blocks:
        (tmp_path / name).write_text(text)
    quiet = ("-p", "no:cacheprovider", "-W", "ignore::DeprecationWarning")
    tested = python("-m", "pytest", *quiet, "test_my_bot.py", "-q", folder=tmp_path)
    assert "3 passed" in tested.stdout, tested.stdout + tested.stderr
    shown = python("try_it.py", folder=tmp_path)
    expected = re.search(r"It prints\n\n```\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert expected is not None
    assert (shown.stdout, shown.returncode) == (expected[1], 0), shown.stderr


def test_the_page_names_every_endpoint_and_every_fault() -> None:
    from goldenthread.app.exchange.faults import FaultKind  # noqa: PLC0415  # this test only

    page = PAGE.read_text()
    wire = ROOT / "src" / "goldenthread" / "app" / "exchange" / "wire"
    paths = {
        path.replace("{order_id}", "{id}")
        .replace(":path}", "}")
        .replace("{{", "{")
        .replace("}}", "}")
        for file in ("orders", "trading", "data", "admin")
        for path in re.findall(r'"(/[\w/.:{}-]+)"', (wire / f"{file}.py").read_text())
    }
    assert {path for path in paths if path not in page} == set()
    assert {kind for kind in get_args(FaultKind) if f"`{kind}`" not in page} == set()
