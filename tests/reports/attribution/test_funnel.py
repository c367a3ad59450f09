from __future__ import annotations

import pytest

from goldenthread.reports.attribution.funnel import funnel
from reports.facts import expired, refused, refused_row


def test_every_signal_leaves_the_funnel_once() -> None:
    no = refused(
        *[refused_row({"VOLUME_TOO_LOW": "filter"}, "1")] * 4,
        *[refused_row({"MAX_POSITIONS": "gate"}, "1")] * 3,
        refused_row({"BROKER_REFUSED": "broker"}, "1"),
    )
    ended = expired(("EXPIRED", "NOT_TRIGGERED", "PLANNED", "5"))
    found = funnel(6, no, ended, {"WAITING": 2, "ACTIVE": 3})
    steps = found.select("step", "left", "lost").rows()
    assert steps == [
        ("decided", 20, 0),
        ("passed the filters", 16, 4),
        ("passed the gates", 13, 3),
        ("accepted by the broker", 12, 1),
        ("filled", 9, 3),
        ("closed", 6, 3),
    ]
    assert found["share"].to_list() == pytest.approx([1, 0.8, 0.65, 0.6, 0.45, 0.3])


def test_without_a_decision_no_share_is_known() -> None:
    found = funnel(0, refused(), expired(), {})
    assert found["left"].to_list() == [0] * 6
    assert found["share"].to_list() == [None] * 6
