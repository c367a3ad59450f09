"""A dashboard of the summer's book, which tests only look at, and a browser to look with."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from app.web.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def site(summer: Path) -> Iterator[str]:
    """Its address."""
    with serving(summer) as url:
        yield url


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """One browser for all tests of a file."""
    root = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium has no sandbox for root
    with sync_playwright() as started:
        found = started.chromium.launch(executable_path=chromium, args=root)
        yield found
        found.close()
