"""Engines whose libraries are not always installed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def extra(name: str, setting: str) -> Iterator[None]:
    """Say what to install where an engine's library is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        msg = f"{setting} needs {error.name}: pip install 'goldenthread[{name}]'"
        raise UsageError(msg) from error
