"""docs/reliability.md: every fault has its row or says why not, every guard is missed."""

from __future__ import annotations

import re

from faults.chaos import Row
from faults.page import PAGE, Told, written

TEXT = PAGE.read_text(encoding="utf-8")
FAULTS = {f"F{number}" for number in range(1, 26)}
ROWS = [line.strip("| ").split(" | ") for line in re.findall(r"^\| F\d+ \|.*$", TEXT, re.MULTILINE)]


def test_every_fault_has_a_row_or_says_why_not() -> None:
    told = {row[0] for row in ROWS}
    without = set(re.findall(r"^- (F\d+): \S+", TEXT, re.MULTILINE))
    assert told | without == FAULTS
    assert told & without == set()


def test_nothing_was_lost_doubled_or_otherwise_wrong() -> None:
    assert [row for row in ROWS if row[3:6] != ["0", "0", "0"] or row[2] == "0"] == []


def test_every_guard_that_was_removed_was_missed() -> None:
    table = TEXT.partition("<!-- guards: begin -->")[2].partition("<!-- guards: end -->")[0]
    found = re.findall(r"^\| .* \| `\S.*::test_.*` \| (\w+) \|$", table, re.MULTILINE)
    assert len(found) >= 13
    assert set(found) == {"failed"}
    assert f"{len(found)} guards removed, {len(found)} detected." in table


def test_a_fault_that_was_run_takes_the_place_of_its_rows_and_of_no_others() -> None:
    told = Told()
    told.rows = [
        Row("F2", "new", cases, 0, 0, 0, "embedded", seed) for cases, seed in ((2, 1), (3, 2))
    ]
    page = (
        "<!-- faults: begin -->\n| F1 | kept | 1 | 0 | 0 | 0 | embedded | 1 |\n"
        "| F2 | old | 1 | 0 | 0 | 0 | embedded | 1 |\n<!-- faults: end -->\n"
        "<!-- machine: begin -->\n<!-- machine: end -->\n"
    )
    lines = [line for line in written(page, told).splitlines() if line.startswith("| F")]
    assert lines == [
        "| F1 | kept | 1 | 0 | 0 | 0 | embedded | 1 |",
        "| F2 | new | 5 | 0 | 0 | 0 | embedded | 2 |",
    ]
