"""Fixtures every test folder may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("GOLDENTHREAD_SHARED", Path(__file__).parents[2] / "shared"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real daily bars; skips where there is none, fails in CI."""
    folder = SHARED / "data"
    if not (folder / "daily_bars.parquet").exists():
        message = f"no shared bars in {folder}; set GOLDENTHREAD_SHARED to the folder above data/"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return folder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests measured, whichever worker they ran on."""
    passed: list[pytest.TestReport] = terminalreporter.stats.get("passed", [])
    figures = [text for r in passed for name, text in r.user_properties if name == "figure"]
    if figures:
        terminalreporter.section("figures")
    for text in figures:
        terminalreporter.write_line(str(text))
