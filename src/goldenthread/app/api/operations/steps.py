"""Work in steps, for those who want to see how far it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Progress = Callable[[int, int], None]
"""Is called with how many steps are done, and how many there are."""

_Thing = TypeVar("_Thing")


def unseen(_done: int, _total: int) -> None:
    """Let nobody see."""


def steps(things: Sequence[_Thing], progress: Progress) -> Iterator[_Thing]:
    """Each thing in turn; ``progress`` hears of the beginning, and of each one done."""
    progress(0, len(things))
    for number, thing in enumerate(things, start=1):
        yield thing
        progress(number, len(things))
