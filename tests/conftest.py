"""Fixtures every test folder may use."""

from __future__ import annotations

import os
import shutil
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from faults import chaos

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emulators.bigquery import BigQueryEmulator

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


def pytest_configure(config: pytest.Config) -> None:
    """Know the faults; where every engine must be there, miss no library: a file would skip."""
    config.pluginmanager.register(chaos)
    if os.environ.get("GOLDENTHREAD_REQUIRE_ENGINES") == "1":
        for library in ("google.cloud.firestore", "apprise"):
            import_module(library)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what talks to real accounts unless it is asked for by ``-m live``.

    Files with slow tests come first, so that no worker waits for the other's at the end.
    """
    if "live" not in str(config.getoption("markexpr")):
        live = [item for item in items if item.get_closest_marker("live")]
        config.hook.pytest_deselected(items=live)
        items[:] = [item for item in items if not item.get_closest_marker("live")]
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: ("parity" not in item.path.parts, item.path not in slow))
    for item in items:
        _expect_gap(item)


def _expect_gap(item: pytest.Item) -> None:
    """What an engine cannot do is expected to fail; when it can one day, the test says so."""
    chosen = getattr(item, "callspec", None)
    for mark in item.iter_markers("gap"):
        engine, reason = mark.args
        if chosen is not None and engine in chosen.params.values():
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))


@pytest.fixture(scope="session")
def firestore_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of Google's Firestore emulator; skips where there is none."""
    pytest.importorskip("google.cloud.firestore", reason="needs the extra gcp")
    from emulators import firestore  # noqa: PLC0415  # needs the extra

    if reason := firestore.missing():
        engine_is_missing(f"no Firestore emulator: {reason}")
    with firestore.running(tmp_path_factory.mktemp("firestore")) as host:
        yield host


@pytest.fixture(scope="session")
def bigquery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BigQueryEmulator]:
    """A running BigQuery emulator; skips where it is not installed."""
    from emulators import bigquery as emulator  # noqa: PLC0415  # only who asks for it needs Google's client

    if not (emulator.INSTALLED / "bin" / "local-bigquery").exists():
        engine_is_missing(emulator.MISSING)
    with emulator.running(tmp_path_factory.mktemp("bigquery")) as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> str:
    """The system's Chromium; skips where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        engine_is_missing("no Chromium; `make ci-setup` installs it")
    return str(found)


def engine_is_missing(message: str) -> None:
    """Skip the test, or fail it where every engine must be there."""
    if os.environ.get("GOLDENTHREAD_REQUIRE_ENGINES") == "1":
        pytest.fail(message)
    pytest.skip(message)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests measured, whichever worker they ran on."""
    passed: list[pytest.TestReport] = terminalreporter.stats.get("passed", [])
    figures = [text for r in passed for name, text in r.user_properties if name == "figure"]
    if figures:
        terminalreporter.section("figures")
    for text in figures:
        terminalreporter.write_line(str(text))
