"""What the report was made from: bars that lacked, the command, versions and digests."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import polars as pl

from goldenthread.reports.chapters.tables import labelled
from goldenthread.reports.layout import section
from goldenthread.reports.markup import Column, table, text

if TYPE_CHECKING:
    from collections.abc import Mapping

GAP_ROWS = 60
"""How many symbols with gaps are listed before the rest is only counted."""


def coverage_gaps(coverage: pl.DataFrame, synthetic: frozenset[str]) -> str:
    """The symbols with sessions that had no usable bar; nothing is ever filled in."""
    if coverage.is_empty():
        return ""
    gaps = pl.col("missing") + pl.col("suspect") + pl.col("quarantined")
    lacking = coverage.filter(gaps > 0).sort(gaps, "symbol", descending=[True, False])
    rows = labelled(lacking.head(GAP_ROWS).to_dicts(), synthetic)
    columns = [
        Column("Symbol", text("symbol"), figure=False),
        Column("First bar", text("first"), figure=False),
        Column("Last bar", text("last"), figure=False),
        *(Column(name.capitalize(), text(name)) for name in ("sessions", "bars")),
        *(Column(name.capitalize(), text(name)) for name in ("missing", "suspect", "quarantined")),
    ]
    more = f" The first {GAP_ROWS} are listed." if lacking.height > GAP_ROWS else ""
    about = f"{lacking.height} of {coverage.height} symbols lack bars; none is filled in.{more}"
    return section("Coverage gaps", about, table(columns, rows, "Every session has its bar."))


def made_from(told: Mapping[str, str]) -> str:
    """What the page was made from, a line each; nothing when nothing is told."""
    if not told:
        return ""
    lines = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in told.items())
    about = (
        "The same command on the same facts gives the same page but for the time it was made. "
        "The digest is over everything that was decided; equal on every machine and engine."
    )
    return section("Made from", about, f'<dl class="lines">{lines}</dl>')
