"""docs/licences.md, made from the packages that requirements.lock installs.

``python tests/architecture/licences_page.py`` renews the page.
"""

from __future__ import annotations

import re
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "licences.md"
LOCK = ROOT / "requirements.lock"
BEGIN, END = "<!-- licences: begin -->\n", "<!-- licences: end -->\n"
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)
_CLASSIFIER = "License :: "

READ = {"axe-playwright-python": "MIT; axe-core in it: MPL-2.0", "ta-lib": "BSD-2-Clause"}
"""The licence of packages that do not declare one, as their licence file has it."""


class Licensed(NamedTuple):
    """A package of the lock, its version, and its licence in its own words."""

    name: str
    version: str
    licence: str


def locked() -> dict[str, str]:
    """Every package of the lock with its version."""
    return dict(_PINNED.findall(LOCK.read_text(encoding="utf-8")))


def licensed() -> list[Licensed]:
    """Every package of the lock, by name; an unknown licence is empty."""
    return [
        Licensed(name, version, licence_of(distribution(name)) or READ.get(name, ""))
        for name, version in sorted(locked().items())
    ]


def licence_of(package: Distribution) -> str:
    """What the package declares: the expression, else the classifiers, else the short text."""

    def told(field: str) -> list[str]:
        return package.metadata.get_all(field) or []

    kinds = [c for c in told("Classifier") if c.startswith(_CLASSIFIER)]
    names = ", ".join(sorted(kind.rpartition(" :: ")[2] for kind in kinds))
    first = [text.strip().splitlines()[0] for text in told("License") if text.strip()]
    return next(iter([*told("License-Expression"), *filter(None, [names]), *first]), "")


def renewed(page: str) -> str:
    """The page with today's table between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    rows = "".join(f"| {each.name} | {each.version} | {each.licence} |\n" for each in licensed())
    table = f"| package | version | licence |\n|---|---|---|\n{rows}"
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
