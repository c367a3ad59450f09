"""The token bucket, on a clock that only moves when somebody sleeps."""

from __future__ import annotations

import datetime as dt

import pytest

from goldenthread.adapters.alpaca.throttle import Throttle

START = dt.datetime(2024, 1, 3, tzinfo=dt.UTC)


class _Clock:
    def __init__(self) -> None:
        self.at = START

    def now(self) -> dt.datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.at += dt.timedelta(seconds=seconds)


@pytest.mark.fault(
    "F7", "300 requests against 200 a minute, virtual clock", engines="Alpaca engine over HTTP"
)
def test_three_hundred_requests_take_as_long_as_the_limit_says() -> None:
    clock = _Clock()
    throttle = Throttle(clock, per_minute=150, burst=30)
    for _ in range(300):
        throttle.take()
    # 30 at once, 270 at 2.5 a second
    assert abs((clock.at - START).total_seconds() - 108) < 0.1
    assert throttle.requests == 300


def test_an_idle_minute_fills_the_bucket_and_no_more() -> None:
    clock = _Clock()
    throttle = Throttle(clock, per_minute=60, burst=5)
    clock.sleep(3600)
    before = clock.at
    for _ in range(6):
        throttle.take()
    assert abs((clock.at - before).total_seconds() - 1) < 0.01


def test_no_request_is_sent_before_the_reset() -> None:
    clock = _Clock()
    throttle = Throttle(clock)
    reset = START + dt.timedelta(seconds=42)
    throttle.obey({"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": f"{reset.timestamp():.0f}"})
    throttle.take()
    assert clock.at == reset


def test_no_request_is_sent_before_the_seconds_to_wait_are_over() -> None:
    clock = _Clock()
    throttle = Throttle(clock)
    throttle.obey({"Retry-After": "7"})
    throttle.take()
    assert clock.at == START + dt.timedelta(seconds=7)
    reset = clock.at + dt.timedelta(seconds=42)
    named = {"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": f"{reset.timestamp():.0f}"}
    throttle.obey({**named, "Retry-After": "7"})  # the later of the two
    throttle.take()
    assert clock.at == reset


def test_a_reset_far_ahead_stops_for_two_minutes_at_most() -> None:
    clock = _Clock()
    throttle = Throttle(clock)
    throttle.obey({"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": "9999999999"})
    throttle.take()
    assert clock.at == START + dt.timedelta(minutes=2)


def test_headers_that_say_nothing_change_nothing() -> None:
    clock = _Clock()
    throttle = Throttle(clock)
    throttle.obey({})
    throttle.obey({"X-Ratelimit-Remaining": "7", "X-Ratelimit-Reset": "9999999999"})
    throttle.obey({"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": "soon"})
    throttle.obey({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"})
    throttle.take()
    assert clock.at == START
