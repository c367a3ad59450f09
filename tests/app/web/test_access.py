"""Who gets in: the token once, then a key of the browser's own; five wrong ones a minute."""

from __future__ import annotations

import datetime as dt

import pytest

from goldenthread.app.web.access import COOKIE, LASTS, Access

WORD = "a-token-of-24-characters"
START = dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)


class Wall:
    """A clock a test sets."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> dt.datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += dt.timedelta(seconds=seconds)


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def access(wall: Wall) -> Access:
    return Access(WORD, wall)


def test_without_a_token_everybody_is_admitted_and_nobody_logs_in(wall: Wall) -> None:
    access = Access("", wall)
    assert (access.is_asked, access.admits("", "")) == (False, True)
    assert access.login("") is None


def test_the_right_token_gives_a_key_that_is_not_the_token(access: Access) -> None:
    assert not access.admits("", "")
    key = access.login(WORD)
    assert key is not None
    assert WORD not in key
    assert access.admits(f"other=1; {COOKIE}={key}", "")
    assert not access.admits(f"{COOKIE}={key}x", "")
    assert not access.admits(f"{COOKIE}=", "")
    assert not access.admits(f"{COOKIE}={WORD}", "")


def test_a_program_shows_the_token_itself(access: Access) -> None:
    assert access.admits("", f"Bearer {WORD}")
    for shown in (f"Basic {WORD}", WORD, "Bearer", f"Bearer {WORD}x", "Bearer \u2019"):
        assert not access.admits("", shown), shown


def test_a_login_ends_after_twelve_hours_or_when_it_is_left(access: Access, wall: Wall) -> None:
    kept, left = (f"{COOKIE}={access.login(WORD)}" for _ in range(2))
    access.logout(left)
    assert (access.admits(kept, ""), access.admits(left, "")) == (True, False)
    wall.at = START + LASTS - dt.timedelta(seconds=1)
    assert access.admits(kept, "")
    wall.at = START + LASTS
    assert not access.admits(kept, "")


def test_after_five_wrong_tokens_none_is_looked_at_until_the_next_minute(
    access: Access, wall: Wall
) -> None:
    inside = f"{COOKIE}={access.login(WORD)}"
    for number in range(5):
        assert not access.is_closed
        wrong = access.login("wrong") if number % 2 else access.admits("", "Bearer wrong")
        assert not wrong
    assert access.is_closed
    assert access.login(WORD) is None
    assert not access.admits("", f"Bearer {WORD}")
    assert access.admits(inside, "")  # who is in stays in
    wall.at = START + dt.timedelta(minutes=1)
    assert access.login(WORD) is not None


def test_right_tokens_are_not_counted(access: Access) -> None:
    assert all(access.admits("", f"Bearer {WORD}") for _ in range(20))


def test_only_the_newest_hundred_logins_are_kept(access: Access) -> None:
    keys = [access.login(WORD) for _ in range(101)]
    open_ = [access.admits(f"{COOKIE}={key}", "") for key in keys]
    assert open_ == [False, *[True] * 100]
