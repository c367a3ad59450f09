"""Ids are compared one by one: no violation hides another."""

from __future__ import annotations

from goldenthread.reports.thread import NAMED, Breaks, Holding, breaks

WHOLE = {"lost": 0, "duplicated": 0, "undecided": 0, "unmatched_fills": 0}
TRADES = frozenset({"a", "b"})


def of_signals(decided: list[str], *ends: tuple[str, str]) -> Breaks:
    return breaks(decided, ends, [], [], frozenset())


def of_fills(executed: list[str], *held: Holding) -> Breaks:
    return breaks([], [], executed, held, TRADES)


def test_one_end_each_is_a_whole_thread() -> None:
    found = of_signals(["a", "b"], ("a", "TRADED"), ("b", "REJECTED"))
    assert (found.counts(), found.named()) == (WHOLE, [])


def test_a_lost_signal_is_not_made_up_for_by_a_doubled_one() -> None:
    found = of_signals(["a", "b"], ("a", "TRADED"), ("a", "REJECTED"))
    assert found.counts() == {**WHOLE, "lost": 1, "duplicated": 1}
    assert found.named() == [
        "lost b: decided, and found nowhere",
        "duplicated a: ends as REJECTED and TRADED",
    ]


def test_two_facts_of_one_outcome_are_two_ends() -> None:
    found = of_signals(["a"], ("a", "TRADED"), ("a", "TRADED"))
    assert found.named() == ["duplicated a: ends as TRADED and TRADED"]


def test_an_end_nobody_decided_does_not_replace_a_lost_signal() -> None:
    found = of_signals(["a"], ("x", "EXPIRED"))
    assert found.counts() == {**WHOLE, "lost": 1, "undecided": 1}
    assert found.named()[1] == "undecided x: EXPIRED, never decided"


def test_two_ledgers_may_tell_of_one_holding() -> None:
    assert of_fills(["f"], Holding("f", "a"), Holding("f", "a")).counts() == WHOLE


def test_every_way_a_fill_can_miss_its_one_trade_is_said() -> None:
    found = of_fills(
        ["none", "two", "twice", "gone"],
        Holding("two", "a"),
        Holding("two", "b"),
        Holding("twice", "a", 2),
        Holding("gone", "z"),
    )
    assert found.counts() == {**WHOLE, "unmatched_fills": 4}
    assert found.named() == [
        "unmatched fill gone: of z, which is no trade and no open position",
        "unmatched fill none: in no trade and no position",
        "unmatched fill twice: in a (2 times)",
        "unmatched fill two: in a and b",
    ]


def test_all_are_counted_and_a_few_named() -> None:
    found = of_signals([f"s{n:02}" for n in range(NAMED + 7)])
    assert found.counts()["lost"] == NAMED + 7
    assert [words.split()[1] for words in found.named()] == [f"s{n:02}:" for n in range(NAMED)]
