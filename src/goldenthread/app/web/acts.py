"""What an operator may ask for in the browser, what each does, and what it wants typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from goldenthread.app.api import safety
from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from goldenthread.app.web.desk import Desk


@dataclass(frozen=True)
class Wish:
    """One act asked for: its name, what it is about, why, who asks, and what was typed."""

    act: str
    subject: str = ""
    reason: str = ""
    typed: str = ""
    by: str = ""


@dataclass(frozen=True)
class Act:
    """One act: what its button says, what it does in a sentence, and how it is done.

    ``about`` is what must be named, a strategy or a symbol; empty for the whole book. ``guarded``
    says that a paper or live book's name must be typed, ``explained`` that a reason is asked for.
    """

    button: str
    says: str
    do: Callable[[Desk, Wish], object]
    about: str = ""
    guarded: bool = False
    explained: bool = False


ACTS = {
    "halt": Act(
        "Halt the book",
        "No new entry of any strategy from now on; exits go on.",
        lambda desk, wish: safety.halt(*desk, wish.reason, wish.by),
        guarded=True,
        explained=True,
    ),
    "resume": Act(
        "Resume the book",
        "New entries are allowed again, and a standing flatten is withdrawn.",
        lambda desk, wish: safety.resume(*desk, by=wish.by),
        guarded=True,
    ),
    "pause": Act(
        "Pause",
        "Its signals are refused (STRATEGY_PAUSED) and priced; what it holds goes on to its exit.",
        lambda desk, wish: safety.pause(*desk, wish.subject, wish.reason, wish.by),
        about="strategy",
        explained=True,
    ),
    "unpause": Act(
        "Resume",
        "Its signals may be traded again.",
        lambda desk, wish: safety.resume(*desk, wish.subject, wish.by),
        about="strategy",
    ),
    "freeze": Act(
        "Freeze",
        "No strategy enters it (SYMBOL_FROZEN); exits go on.",
        lambda desk, wish: safety.freeze(*desk, wish.subject, wish.reason, wish.by),
        about="symbol",
        explained=True,
    ),
    "thaw": Act(
        "Thaw",
        "It may be entered again. What a run froze, only a run thaws.",
        lambda desk, wish: safety.thaw(*desk, wish.subject, wish.by),
        about="symbol",
    ),
    "replay": Act(
        "Replay the quarantine",
        "The next archive of the book loads the refused rows that are right now.",
        lambda desk, wish: safety.replay_later(*desk, wish.by),
    ),
}
LIFTS = {"HALT": "resume", "FLATTEN": "resume", "PAUSE": "unpause", "FREEZE": "thaw"}
"""The act that ends what stands."""


def act_of(wish: Wish) -> Act:
    """The act that is asked for.

    Raises:
        UsageError: There is none of that name, or what it is about is not named, or not asked for.
    """
    act = ACTS.get(wish.act)
    if act is None:
        msg = f"act: got {wish.act!r}; allowed: {', '.join(ACTS)}"
        raise UsageError(msg)
    if bool(act.about) != bool(wish.subject):
        wanted = f"one {act.about}" if act.about else "none: it is about the whole book"
        msg = f"subject of {wish.act}: got {wish.subject!r}; allowed: {wanted}"
        raise UsageError(msg)
    return act


def wants_typing(act: Act, book: str) -> bool:
    """Whether the book's name is to be typed: real money or a real account is behind it."""
    return act.guarded and not book.startswith("sim:")


def carry_out(desk: Desk, wish: Wish) -> None:
    """Have the act stand in the book's requests, from where the next archive logs it.

    Raises:
        UsageError: The book's name is wanted and was not typed, or the act is refused.
    """
    act = act_of(wish)
    if wants_typing(act, desk.book) and wish.typed != desk.book:
        msg = f"typed {wish.typed!r}; to {wish.act} this book type its name: {desk.book}"
        raise UsageError(msg)
    act.do(desk, wish)
