"""The tables of docs/figures.md, made from the definitions that the report shows.

``python tests/architecture/figures_page.py`` renews them; a test says when they have drifted.
"""

from __future__ import annotations

import re
from pathlib import Path

from goldenthread.reports.definitions import definitions

PAGE = Path(__file__).parents[2] / "docs" / "figures.md"
_PLACE = re.compile(r"<!-- figures of (\w+) -->\n.*?<!-- end -->\n", re.DOTALL)
_HEAD = "| figure | formula | unit | null when | source |\n|---|---|---|---|---|\n"


def renewed(page: str) -> str:
    """The page with today's tables between its marks."""
    return _PLACE.sub(lambda place: _table(place[1]), page)


def _table(part: str) -> str:
    rows = [
        f"| {' | '.join((f'`{each.figure}`', *each[2:]))} |\n".replace("|  |", "| |")
        for each in definitions()
        if each.part == part
    ]
    return f"<!-- figures of {part} -->\n{_HEAD}{''.join(rows)}<!-- end -->\n"


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
