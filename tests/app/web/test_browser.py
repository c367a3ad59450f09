"""The dashboard in a real browser: no error in its console, at a desk and on a phone."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.command import SUMMER
from app.web.serving import PAGES, asked, details, serving
from goldenthread.app.api.days import simulate
from goldenthread.app.api.project import Project
from goldenthread.app.api.safety import halt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, FloatRect, Page

pytestmark = pytest.mark.slow

SIZES = {"desk": (1280, 900), "phone": (390, 844)}
_PATIENCE_MS = 120_000
"""A new machine first compiles what prices the thresholds of a filter."""
WORD = "a-token-of-24-characters"
LAST = dt.date(2012, 9, 10)
PICTURES = {
    "today": "/",
    "signals": "/signals",
    "shadow": "/shadow",
    "controls": "/controls",
    "health": "/health",
}
"""Those in docs/images, which `make images` renews; and the story of a signal."""
UPPER: FloatRect = {"x": 0, "y": 0, "width": 1280, "height": 600}
DOCUMENTS = Path(__file__).parents[3] / "docs"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page at desktop width that fails the test for whatever its console says."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    yield opened
    context.close()
    assert said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_every_page_fits_and_its_console_is_silent(
    browser: Browser, site: str, size: str, scheme: str, tmp_path: Path
) -> None:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    context.set_default_timeout(_PATIENCE_MS)
    opened, said = context.new_page(), list[str]()
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    kept = os.environ.get("GOLDENTHREAD_SCREENSHOTS", str(tmp_path))
    for path in (*PAGES, *details(site)):
        answer = opened.goto(f"{site}{path}")
        assert answer is not None
        assert (answer.status, said) == (200, []), path
        wider = opened.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wider <= 0, f"{path} is {wider} px wider than the {size}"
        name = path.strip("/").replace("/", "-") or "today"
        opened.screenshot(path=f"{kept}/{size}-{scheme}-{name[:40]}.png")
    context.close()


def test_the_pictures_of_the_documents_are_small_and_of_these_pages(
    site: str, page: Page, tmp_path: Path
) -> None:
    kept = Path(os.environ.get("GOLDENTHREAD_IMAGES", tmp_path))
    story = next(path for path in details(site) if path.startswith("/signals/"))
    for name, path in {**PICTURES, "story": story}.items():
        page.goto(f"{site}{path}")
        picture = page.screenshot(path=kept / f"dashboard-{name}.png", clip=UPPER)
        assert 5_000 < len(picture) < 150_000, name
        assert (DOCUMENTS / "images" / f"dashboard-{name}.png").is_file()


def test_filters_narrow_the_list_and_a_signal_opens_its_story(site: str, page: Page) -> None:
    page.goto(f"{site}/signals")
    assert page.locator("tbody tr").count() == 50
    page.get_by_role("link", name="Older").click()
    assert "after=" in page.url
    page.get_by_label("Outcome").select_option("traded")
    page.get_by_label("Strategy").select_option("failed_rally")
    page.get_by_role("button", name="Filter").click()
    wanted = asked(f"{site}/api/signals", outcome="traded", strategy="failed_rally")["signals"]
    assert page.locator("tbody tr").count() == len(wanted)
    assert page.get_by_label("Outcome").input_value() == "traded"
    page.locator("tbody a").first.click()
    assert page.url == f"{site}/signals/{wanted[0]['signal_id']}"
    assert page.locator("svg.candles").is_visible()
    assert wanted[0]["symbol"] in page.locator("h1").inner_text()


@pytest.fixture
def watched(summer: Path, tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A copy of the summer's project that a test goes on with, and the address of its dashboard."""
    folder = tmp_path / "project"
    shutil.copytree(summer, folder)
    with serving(folder) as url:
        yield folder, url


def test_pages_follow_a_run_beside_them_and_what_is_typed_stays(
    watched: tuple[Path, str], page: Page
) -> None:
    folder, url = watched
    page.goto(f"{url}/")
    typing = page.context.new_page()
    typing.goto(f"{url}/signals")
    typing.get_by_label("Symbol").fill("AAP")
    for each in (page, typing):
        each.evaluate("window.loadedOnce = true")
    simulate(Project.open(folder), "main", (SUMMER[0], LAST))
    page.get_by_role("heading", name=str(LAST)).wait_for()
    newest = asked(f"{url}/api/signals")["signals"][0]["signal_id"]
    typing.get_by_role("link", name=newest[:17]).wait_for()
    assert typing.get_by_label("Symbol").input_value() == "AAP"
    assert typing.evaluate("document.activeElement.name") == "symbol"
    assert all(each.evaluate("window.loadedOnce") for each in (page, typing))


def test_a_part_a_person_is_in_is_not_replaced_but_offered(
    watched: tuple[Path, str], page: Page
) -> None:
    folder, url = watched
    page.goto(f"{url}/")
    page.locator("tbody a").first.focus()
    halt(Project.open(folder), "sim:main", "rain")
    page.get_by_role("status").get_by_role("link", name="New: reload").click()
    page.get_by_text("no new entries until").wait_for()
    assert page.locator(".news").is_hidden()


def test_without_script_pages_are_the_same(site: str, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    opened = context.new_page()
    opened.goto(f"{site}/signals")
    assert opened.locator("tbody tr").count() == 50
    context.close()


def test_the_keyboard_alone_gets_to_every_page(site: str, page: Page) -> None:
    page.goto(f"{site}/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the content"
    seen = []
    for _ in PAGES:
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.getAttribute('href')"))
    assert tuple(seen) == PAGES
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site}/health")


def test_with_a_token_a_person_logs_in_and_out(summer: Path, page: Page) -> None:
    with serving(summer, WORD) as url:
        here = url.replace("127.0.0.1", "localhost")  # where a browser keeps a secure cookie
        page.goto(f"{here}/signals")
        assert page.url == f"{here}/login"
        page.get_by_label("Token").fill(WORD)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{here}/")
        assert "sim:main" in page.locator("header").inner_text()
        page.get_by_role("button", name="Leave").click()
        page.wait_for_url(f"{here}/login")
        page.goto(f"{here}/trades")
        assert page.url == f"{here}/login"


@pytest.mark.parametrize("size", SIZES)
def test_a_strategy_is_paused_by_clicks_and_resumed_by_keys(
    browser: Browser, summer: Path, tmp_path: Path, size: str
) -> None:
    folder = shutil.copytree(summer, tmp_path / "project")
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height})
    page, said = context.new_page(), list[str]()
    page.on("console", lambda message: said.append(message.text))
    kept = os.environ.get("GOLDENTHREAD_SCREENSHOTS", str(tmp_path))
    with serving(folder) as url:
        page.goto(f"{url}/controls")
        page.get_by_label("Strategy").select_option("trend_rider")
        page.get_by_role("button", name="Pause").click()
        assert page.locator("h1").inner_text() == "Pause trend_rider"
        page.get_by_label("Why").fill("earnings week")
        page.screenshot(path=f"{kept}/{size}-controls-confirm.png")
        page.get_by_role("button", name="Pause").click()
        page.wait_for_url(f"{url}/controls")
        row = page.locator("tbody tr").first.inner_text()
        assert ("PAUSE" in row, "trend_rider" in row, "earnings week" in row) == (True,) * 3
        wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wider <= 0
        page.screenshot(path=f"{kept}/{size}-controls.png")
        page.get_by_role("link", name="Resume").press("Enter")
        page.get_by_role("button", name="Resume").press("Enter")
        page.wait_for_url(f"{url}/controls")
        assert page.get_by_text("Nothing is stopped.").is_visible()
    context.close()
    assert said == []
