"""A book of thirty strategies in several versions each: every page helps, fits, comes at once."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import time
from typing import TYPE_CHECKING

import pytest
import requests

from app.web.serving import PAGES, asked, serving
from goldenthread.app.api.days import simulate
from goldenthread.app.api.project import Project
from goldenthread.app.api.reporting import write_report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

MANY = 30
SPANS = tuple(
    (dt.date(2012, 5, 15), last)
    for last in (dt.date(2012, 6, 8), dt.date(2012, 6, 29), dt.date(2012, 7, 20))
)
"""Up to each of these days with files of their own: three versions."""
SIZES = {"desk": (1280, 900), "phone": (390, 844)}
_SLOW_S = 10
"""What a page may take on a machine that does other things; a tenth of it is usual."""


def written(folder: Path, texts: list[str], version: int) -> None:
    """Thirty strategies from the eight of the templates, each filter's cooldown by its version."""
    for number in range(MANY):
        text = texts[number % len(texts)]
        text = re.sub(r'strategy_id = "(\w+)"', rf'strategy_id = "\1_{number:02d}"', text, count=1)
        text = re.sub(r"cooldown_bars = \d+", f"cooldown_bars = {version + 1}", text)
        (folder / "strategies" / f"s{number:02d}.toml").write_text(text)


@pytest.fixture(scope="module")
def crowd(imported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project whose book has run through the three versions."""
    folder = tmp_path_factory.mktemp("crowd") / "project"
    shutil.copytree(imported, folder)
    files = sorted((folder / "strategies").glob("*.toml"))
    texts = [file.read_text() for file in files]
    for file in files:
        file.unlink()
    for version, span in enumerate(SPANS):
        written(folder, texts, version)
        simulate(Project.open(folder), "main", span)
    return folder


@pytest.fixture(scope="module")
def site(crowd: Path) -> Iterator[str]:
    """The address of its dashboard."""
    with serving(crowd) as url:
        yield url


def shown(url: str) -> list[str]:
    """Every page of the navigation, and a signal, a strategy and a filter of the book."""
    row = next(r for r in asked(f"{url}/api/shadow")["refused"] if r["kind"] == "filter")
    strategy = f"/strategies/{row['strategy_id']}"
    story = f"/signals/{asked(f'{url}/api/signals')['signals'][0]['signal_id']}"
    return [*PAGES, strategy, story, f"/shadow/{row['strategy_id']}/{row['name']}"]


def test_all_thirty_are_there_with_their_versions(site: str) -> None:
    rows = asked(f"{site}/api/strategies")["strategies"]
    assert len(rows) == MANY
    assert sum(row["versions"] == len(SPANS) for row in rows) >= MANY / 2
    changed = next(row for row in rows if row["versions"] == len(SPANS))
    story = asked(f"{site}/api/strategies/{changed['strategy_id']}")
    settings = [[row["setting"] for row in version["changed"]] for version in story["versions"]]
    assert settings == [["size.cooldown_bars"], ["size.cooldown_bars"], []]
    detail = requests.get(f"{site}/strategies/{changed['strategy_id']}", timeout=120).text
    assert re.findall(r"<td>(2012[^<]*|in force)</td>", detail) == [
        "2012-07-01 00:05:00 UTC", "in force",
        "2012-06-10 00:05:00 UTC", "2012-07-01 00:05:00 UTC",
        "2012-05-16 00:05:00 UTC", "2012-06-10 00:05:00 UTC",
    ]  # fmt: skip
    page = requests.get(f"{site}/strategies", timeout=120).text
    assert all(f'href="/strategies/{row["strategy_id"]}"' in page for row in rows)


def test_what_their_filters_refused_is_one_table(site: str) -> None:
    refused = asked(f"{site}/api/shadow")["refused"]
    page = requests.get(f"{site}/shadow", timeout=120).text
    kinds = {row["kind"] for row in refused}
    assert (page.count("<table>"), page.count("<tr>")) == (len(kinds), len(refused) + len(kinds))


def test_every_page_comes_at_once_and_none_fails(site: str) -> None:
    for path in shown(site):
        requests.get(f"{site}{path}", timeout=120)  # what is compiled or worked out once
        begun = time.monotonic()
        answer = requests.get(f"{site}{path}", timeout=120)
        took = time.monotonic() - begun
        assert (answer.status_code, "Traceback" in answer.text) == (200, False), path
        assert took < _SLOW_S, path


@pytest.mark.parametrize("size", SIZES)
def test_every_page_and_the_report_fit(
    browser: Browser, site: str, crowd: Path, size: str, tmp_path: Path
) -> None:
    report = write_report(Project.open(crowd), "", tmp_path / "report.html").report
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height})
    context.set_default_timeout(120_000)
    page = context.new_page()
    kept = os.environ.get("GOLDENTHREAD_SCREENSHOTS", str(tmp_path))
    for path in (*(f"{site}{path}" for path in shown(site)), report.as_uri()):
        page.goto(path)
        wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wider <= 0, f"{path} is {wider} px wider than the {size}"
        name = path.rpartition(":")[2].partition("/")[2].replace("/", "-")[-40:] or "today"
        page.screenshot(path=f"{kept}/thirty-{size}-{name}.png", full_page=True)
    context.close()
