from __future__ import annotations

from goldenthread.reports.attribution.endings import endings, outcomes
from reports.facts import expired, refused, refused_row

VOLUME = {"VOLUME_TOO_LOW": "filter"}
FULL = {"MAX_POSITIONS": "gate"}


def test_endings_tell_expired_from_invalidated_and_leave_out_untriggered_money() -> None:
    table = endings(
        expired(
            ("EXPIRED", "NOT_TRIGGERED", "MARKET_NEXT_OPEN", "50"),
            ("EXPIRED", "SUBMIT_WINDOW_MISSED", "PLANNED", "-20"),
            ("INVALIDATED", "CANCEL_IF", "MARKET_NEXT_OPEN", None),
        )
    )
    found = table.select("status", "end_reason", "signals", "untriggered", "net_pnl").rows()
    assert found == [
        ("EXPIRED", "NOT_TRIGGERED", 1, 1, None),
        ("EXPIRED", "SUBMIT_WINDOW_MISSED", 1, 0, -20.0),
        ("INVALIDATED", "CANCEL_IF", 1, 1, None),
    ]
    assert endings(expired()).is_empty()


def test_a_signal_ends_in_one_place_and_a_refusal_in_that_of_its_first_reason() -> None:
    given_up = refused(
        refused_row(VOLUME | FULL, "1"),
        refused_row(FULL, "1"),
        refused_row({"BROKER_REFUSED": "term"}, None),
    )
    ended = expired(
        ("EXPIRED", "NOT_TRIGGERED", "MARKET_NEXT_OPEN", "1"),
        ("INVALIDATED", "CANCEL_IF", "MARKET_NEXT_OPEN", "1"),
    )
    assert outcomes(7, given_up, ended) == {
        "traded": 7,
        "refused by a filter": 1,
        "refused by a gate": 1,
        "refused by the broker": 1,
        "expired": 1,
        "invalidated": 1,
    }
    assert sum(outcomes(0, refused(), expired()).values()) == 0
