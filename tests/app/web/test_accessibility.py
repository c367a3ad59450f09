"""Anybody can read and work the pages: axe-core finds nothing, and the keyboard gets everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from app.web.serving import PAGES, details
from goldenthread.app.api.project import Project
from goldenthread.app.api.reporting import write_report

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow

SIZES = {"desk": (1280, 900), "phone": (390, 844)}
HELD_TO = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_PATIENCE_MS = 120_000
"""A new machine first compiles what prices the thresholds of a filter."""

REACHABLE = """() => [...document.querySelectorAll(
    'a[href], button, input, select, textarea, summary, [tabindex="0"]'
  )].filter(each => each.checkVisibility()).map((each, n) => {
    each.dataset.reached = n;
    return each.outerHTML.slice(0, 120);
  })"""
FOCUSED = """() => {
    const at = document.activeElement, looks = getComputedStyle(at);
    return [
      at.dataset.reached ?? "",
      looks.outlineStyle !== "none" && parseFloat(looks.outlineWidth) >= 2,
    ];
  }"""


@pytest.fixture(scope="module")
def report(summer: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the book's report."""
    out = tmp_path_factory.mktemp("report") / "page.html"
    return write_report(Project.open(summer), "", out).report.as_uri()


@pytest.fixture(scope="module")
def addresses(site: str, report: str) -> list[str]:
    """Every page there is, the login, one that is not there, and the report."""
    pages = (*PAGES, *details(site), "/controls?act=halt", "/login", "/nowhere")
    return [*(f"{site}{page}" for page in pages), report]


@pytest.fixture(params=list(SIZES.values()), ids=list(SIZES))
def opened(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page in which axe-core may run: the policy of the dashboard lets no script but its own."""
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, bypass_csp=True)
    context.set_default_timeout(_PATIENCE_MS)
    yield context.new_page()
    context.close()


def test_axe_core_finds_nothing_on_any_page(opened: Page, addresses: list[str]) -> None:
    for address in addresses:
        opened.emulate_media(color_scheme="light")
        opened.goto(address)
        opened.evaluate(AXE_SCRIPT)
        assert violations(opened, HELD_TO) == [], address
        opened.emulate_media(color_scheme="dark")
        assert violations(opened, ["color-contrast"]) == [], f"{address} in the dark"


def violations(page: Page, rules: Sequence[str]) -> list[str]:
    """Which rule each element breaks, and what is wrong with it."""
    told: dict[str, Any] = page.evaluate("rules => axe.run({runOnly: rules})", rules)
    assert told["passes"]
    return [
        f"{rule['id']} {node['target']}: {node['failureSummary']}"
        for rule in told["violations"]
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("opened", [SIZES["desk"]], indirect=True)
def test_tab_gets_to_whatever_can_be_worked_and_shows_where_it_is(
    opened: Page, addresses: list[str]
) -> None:
    for address in addresses:
        opened.goto(address)
        there: list[str] = opened.evaluate(REACHABLE)
        reached, unseen = set[int](), set[int]()
        for _ in range(4 * len(there) + 10):  # a date has several stops
            opened.keyboard.press("Tab")
            number, is_seen = opened.evaluate(FOCUSED)
            if number:
                reached.add(int(number))
                unseen |= set() if is_seen else {int(number)}
            if len(reached) == len(there):
                break
        missed = set(range(len(there))) - reached
        assert [there[n] for n in sorted(missed)] == [], address
        assert [there[n] for n in sorted(unseen)] == [], address


def test_the_first_tab_offers_the_way_past_the_navigation(opened: Page, site: str) -> None:
    opened.goto(f"{site}/signals")
    opened.keyboard.press("Tab")
    skip = opened.get_by_role("link", name="To the content")
    assert skip.evaluate("each => each === document.activeElement")
    box = skip.bounding_box()
    assert box is not None
    assert (box["x"] >= 0, box["y"] >= 0) == (True, True)
    opened.keyboard.press("Enter")
    opened.keyboard.press("Tab")
    assert opened.evaluate("document.activeElement.closest('#content') !== null")
