"""The sections of the tear sheet for benchmarks and for what made the figures."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from goldenthread.reports.markup import Column, section, table, text, written
from goldenthread.reports.notation import number, signed_percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from goldenthread.reports.figures.benchmark import BenchmarkFigures


def benchmarks(found: Sequence[BenchmarkFigures]) -> str:
    """One row a benchmark: what it made, and how the account moved with it."""
    columns = [
        Column("Benchmark", text("benchmark"), figure=False),
        Column("Of", lambda row: row["asset_class"].lower(), figure=False),
        Column("Its return", written("benchmark_return", signed_percent), signed=True),
        Column("Alpha", written("alpha", signed_percent), signed=True, hint="a year"),
        Column("Beta", written("beta", number)),
        Column("Correlation", written("correlation", number)),
        Column("Returns", text("returns"), hint="pairs of days both have"),
        Column("A year", written("periods", lambda n: number(n, 1)), hint="returns a year"),
        Column("Note", written("note", str), figure=False),
    ]
    about = (
        "The whole account beside each, on the days both have a point; dividends of the benchmark "
        "are reinvested. Alpha is a year's return beyond beta times the benchmark's."
    )
    rows = [asdict(figures) for figures in found]
    return section("Benchmarks", about, table(columns, rows, "The settings name no benchmark."))
