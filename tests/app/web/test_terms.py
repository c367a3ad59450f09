"""Where a dashboard may listen: on this machine, elsewhere only behind a token and under a name."""

from __future__ import annotations

from pathlib import Path

import pytest

from goldenthread.app.api.project import Project
from goldenthread.app.settings import Settings
from goldenthread.app.web.terms import ServeTerms
from goldenthread.domain.errors import UsageError

EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104  # refused, never bound
DESK = Project(Path(), Settings())
WORD = "a-token-of-24-characters"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_this_machine_alone_wants_no_token(host: str) -> None:
    assert ServeTerms(DESK, host=host).token == ""


@pytest.mark.parametrize(
    "host", [*EVERYWHERE, "192.0.2.7", "desk.example", "127.0.0.1.example", "::ffff:0:0"]
)
def test_any_other_address_refuses_to_start_without_one(host: str) -> None:
    with pytest.raises(UsageError, match="GOLDENTHREAD_SERVE__TOKEN"):
        ServeTerms(DESK, host=host, names=("desk.example",))


@pytest.mark.parametrize("host", ["127.0.0.1", "192.0.2.7"])
def test_a_token_that_can_be_guessed_is_none(host: str) -> None:
    with pytest.raises(UsageError, match=r"has 15 characters; at least 16") as caught:
        ServeTerms(DESK, host=host, token=WORD[:15])
    assert WORD[:15] not in str(caught.value)


@pytest.mark.parametrize("host", EVERYWHERE)
def test_every_address_at_once_needs_a_name(host: str) -> None:
    with pytest.raises(UsageError, match=r"--name desk\.example"):
        ServeTerms(DESK, host=host, token=WORD)
    terms = ServeTerms(DESK, host=host, token=WORD, names=("desk.example",))
    assert set(terms.known_as) == {"127.0.0.1", "localhost", "desk.example"}


def test_an_address_is_a_name_and_the_token_is_not_shown() -> None:
    terms = ServeTerms(DESK, host="192.0.2.7", token=WORD)
    assert set(terms.known_as) == {"127.0.0.1", "localhost", "192.0.2.7"}
    assert WORD not in repr(terms)
