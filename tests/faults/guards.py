"""A guard taken out of the code: one line of one function replaced, and put back afterwards."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class Removal(NamedTuple):
    """What is replaced in which function; ``forget`` empties what it may have cached."""

    function: Callable[..., Any]
    guard: str
    instead: str
    forget: Callable[[], None] = lambda: None


@contextmanager
def removed(removal: Removal) -> Iterator[None]:
    """The function without its guard, for all who imported it, until the block ends."""
    function: Any = inspect.unwrap(removal.function)
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(removal.guard) == 1, f"{function.__qualname__} has not {removal.guard!r}"
    source = source.replace(removal.guard, removal.instead)
    made: dict[str, Any] = {}
    program = compile(
        f"from __future__ import annotations\n{source}", function.__code__.co_filename, "exec"
    )
    exec(program, function.__globals__, made)  # noqa: S102  our own source, one line changed
    kept = function.__code__
    removal.forget()
    function.__code__ = inspect.unwrap(made[function.__name__]).__code__
    try:
        yield
    finally:
        function.__code__ = kept
        removal.forget()
