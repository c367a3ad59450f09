"""A dashboard of the summer's book, which tests only look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.web.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def site(summer: Path) -> Iterator[str]:
    """Its address."""
    with serving(summer) as url:
        yield url
