"""``make chaos``: run the tests that are marked with a fault, and write docs/reliability.md.

Reads ``CHAOS_FAULT``, ``CHAOS_SEEDS`` and ``CHAOS_SEED``. The rows of the faults that were run
take the place of theirs on the page, and only when every test passed.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from faults.chaos import GUARD, ROW, Guard, Row

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reliability.md"
FAULTS = "| fault | what was done | cases | lost | duplicated | violations | engines | seeds |"
GUARDS = "| guard removed | fault | its test | which then |"
_ROW = re.compile(r"\| (F\d+) \|")
_GIB = 2**30


class Told:
    """A pytest plugin that takes down the rows of the tests that passed."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.guards: list[Guard] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called by pytest after each test, wherever it ran."""
        if report.when != "call" or not report.passed:
            return
        for name, value in report.user_properties:
            if name == ROW:
                self.rows.append(Row(*value))  # type: ignore[misc]  # a list since it travelled
            if name == GUARD:
                self.guards.append(Guard(*value))  # type: ignore[misc]


def lines(rows: list[Row]) -> dict[str, list[str]]:
    """The table's lines by fault: rows that differ in their seed alone are one."""
    alike: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in rows:
        alike[row.fault, row.done, row.engines].append(row)
    table: dict[str, list[str]] = defaultdict(list)
    for (fault, done, engines), same in sorted(alike.items()):
        sums = [sum(row[n] for row in same) for n in range(2, 6)]  # type: ignore[misc]
        seeds = len({row.seed for row in same} - {None})
        cells = (fault, done, *(f"{n:,}" for n in sums), engines, seeds or "none: all cases")
        table[fault].append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return table


def guard_lines(guards: list[Guard]) -> list[str]:
    """The lines of the table of guards that were removed, and the sum below it."""
    table = [f"| {g.guard} | {g.fault} | `{g.test}` | {g.ended} |" for g in sorted(guards)]
    detected = sum(g.ended == "failed" for g in guards)
    return [*table, "", f"{len(guards)} guards removed, {detected} detected."]


def written(text: str, told: Told) -> str:
    """The page with the rows that were told in the place of those it had."""
    table: dict[str, list[str]] = defaultdict(list)
    for line in _between(text, "faults").splitlines():
        if found := _ROW.match(line):
            table[found[1]].append(line)
    table.update(lines(told.rows))
    faults = [line for f in sorted(table, key=lambda f: int(f[1:])) for line in table[f]]
    text = _put(text, "faults", [FAULTS, "|---|---|---|---|---|---|---|---|", *faults])
    if told.guards:
        text = _put(text, "guards", [GUARDS, "|---|---|---|---|", *guard_lines(told.guards)])
    return _put(text, "machine", [machine()])


def machine() -> str:
    """The machine the rows come from, in one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB
    return (
        f"Last renewed on {os.cpu_count()} cores with {memory:.0f} GiB,"
        f" {platform.system()} {platform.machine()}, Python {platform.python_version()}."
    )


def _between(text: str, name: str) -> str:
    return text.partition(f"<!-- {name}: begin -->\n")[2].partition(f"<!-- {name}: end -->")[0]


def _put(text: str, name: str, table: list[str]) -> str:
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    before, _, rest = text.partition(begin)
    after = rest.partition(end)[2]
    return f"{before}{begin}" + "\n".join(table) + f"\n{end}{after}"


def main() -> int:
    """Run them, print the rows, renew the page; gives pytest's exit code."""
    told = Told()
    # one fault may be one file with many seeds: those are shared out
    shared = "worksteal" if os.environ.get("CHAOS_FAULT") else "loadfile"
    workers = ["-n", "2", "--dist", shared, "--no-loadscope-reorder"]
    code = pytest.main([str(ROOT / "tests"), "-m", "fault", *workers], plugins=[told])
    for found in lines(told.rows).values():
        print("\n".join(found))  # noqa: T201  a program prints
    if code is pytest.ExitCode.OK and not os.environ.get("CHAOS_SEED"):
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), told), encoding="utf-8")
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
