"""What each figure is: formula, unit, when it is unknown, who defined it; kept in one table."""

from __future__ import annotations

import csv
from functools import cache
from html import escape
from importlib.resources import files
from typing import NamedTuple

from goldenthread.reports.layout import section

TITLES = {
    "curve": "The curve",
    "trades": "Closed trades",
    "benchmark": "Against a benchmark",
    "portfolio": "Strategies as a portfolio",
    "returns": "Over time, and while held",
    "costs": "What trading cost",
    "shadow": "What was refused",
}
"""The parts of the definitions, in their order."""


class Definition(NamedTuple):
    """One figure; ``figure`` is its name in rows, ``formula`` plain text."""

    part: str
    figure: str
    formula: str
    unit: str
    null_when: str
    source: str


@cache
def definitions() -> tuple[Definition, ...]:
    """Every figure, by parts in their order."""
    text = (files("goldenthread.reports") / "definitions.csv").read_text(encoding="utf-8")
    return tuple(Definition(**row) for row in csv.DictReader(text.splitlines()))


def defined() -> str:
    """All definitions as a section of a page; a figure of the page links to its own."""
    parts = [
        f"<h3>{escape(title)}</h3><dl class='terms'>{_listed(part)}</dl>"
        for part, title in TITLES.items()
    ]
    about = (
        "The figures behind each name on this page, as docs/figures.md of the project has them. "
        "Not defined or not known is a dash, never 0."
    )
    return section("Definitions", about, "".join(parts))


def _listed(part: str) -> str:
    """Each figure of a part; one that two parts name links to the first."""
    first = {each.figure: each.part for each in reversed(definitions())}
    return "".join(
        f"<dt{_anchor(each, first[each.figure])}>{escape(each.figure)}</dt>"
        f"<dd>{escape(each.formula)} <span>({escape(_more(each))})</span></dd>"
        for each in definitions()
        if each.part == part
    )


def _anchor(each: Definition, part: str) -> str:
    return f' id="define-{each.figure}"' if each.part == part else ""


def _more(each: Definition) -> str:
    source = each.source.replace("**e**", "empyrical").replace("`", "")
    missing = "" if each.null_when.startswith("never") else f"unknown: {each.null_when}"
    return "; ".join(part for part in (each.unit, missing, source) if part)
