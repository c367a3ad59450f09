"""Returns as pictures: months, years, their spread, a moving half year, the worst falls."""

from __future__ import annotations

import calendar
import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import polars as pl

from goldenthread.reports.charts import Beside, Chart, growth_ticks, line_chart
from goldenthread.reports.figures.returns import (
    distribution,
    rolling,
    rolling_beta,
    worst_drawdowns,
    yearly_returns,
)
from goldenthread.reports.layout import half, halves, section
from goldenthread.reports.markup import Column, scrolled, table, text, written
from goldenthread.reports.notation import money, number, percent, signed_percent
from goldenthread.reports.performance import drawdowns, monthly_returns
from goldenthread.reports.plots.bars import Bars, bar_chart
from goldenthread.reports.plots.plane import HEIGHT, WIDTH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from goldenthread.reports.figures.benchmark import BenchmarkFigures
    from goldenthread.reports.performance import Metrics

Row = dict[str, Any]

_STRONGEST = 0.08
"""The return of a month whose cell is filled the most."""


def growth(equity: pl.DataFrame, worth: Mapping[str, pl.DataFrame]) -> str:
    """What one unit of money became in the account and in each benchmark, equal growth as high.

    Each benchmark begins at the account's value on its own first day. Nothing without a benchmark,
    or when the account lost everything.
    """
    mine = equity.select("ds", pl.col("equity").cast(pl.Float64)) if equity.height else equity
    if mine.is_empty() or mine.select(pl.col("equity").min()).item() <= 0:
        return ""
    mine = mine.sort("ds").with_columns(pl.col("equity") / pl.col("equity").first())
    beside = [line for name, held in worth.items() if (line := _grown(name, held, mine)).days]
    if not beside:
        return ""
    own = mine["equity"].log10().to_list()
    every = [10**value for line in (own, *(b.values for b in beside)) for value in line]
    ticks = [math.log10(tick) for tick in growth_ticks(min(every), max(every))]
    chart = Chart(
        "Account", mine["ds"].to_list(), own, _times, baseline=0.0, beside=beside, ticks=ticks
    )
    about = (
        "What one unit became; equal growth is equally high. Dividends of a benchmark are "
        "reinvested, and one whose bars begin later begins where the account stood."
    )
    return section("Growth beside the benchmarks", about, scrolled(line_chart(chart)))


def months(equity: pl.DataFrame) -> str:
    """Returns by calendar month, a row a year, each cell the stronger the larger."""
    years: dict[int, Row] = {}
    for year, month, made in monthly_returns(equity).iter_rows():
        years.setdefault(year, {"year": year})[str(month)] = made
    for year, made in yearly_returns(equity).iter_rows():
        years[year]["all"] = made
    columns = [Column("Year", lambda row: str(row["year"]), figure=False)]
    columns += [_month(calendar.month_abbr[m], str(m)) for m in range(1, 13)]
    columns.append(_month("Year", "all"))
    body = table(columns, years.values(), "No equity curve yet.")
    return section("Monthly returns", "", body)


def years_and_days(equity: pl.DataFrame) -> str:
    """The return of each year, and how the returns of single days are spread."""
    made, spread = yearly_returns(equity), distribution(equity)
    by_year = Bars(
        "Return of each year",
        [str(year) for year in made["year"]],
        made["return"].to_list(),
        signed_percent,
    )
    middle = (spread["low"] + spread["high"]) / 2
    by_day = Bars(
        "Days by their return",
        [percent(low, _places(spread)) for low in spread["low"]],
        spread["days"].cast(pl.Float64).to_list(),
        lambda days: number(days, 0),
        signed=False,
        losing=int((middle < 0).sum()),
    )
    about = "The first and the last year are in part. Days without any change are left out."
    body = halves(half(by_year.title, bar_chart(by_year)), half(by_day.title, bar_chart(by_day)))
    return section("Years and days", about, body)


def moving(equity: pl.DataFrame, benchmarks: Mapping[str, pl.DataFrame]) -> str:
    """Sharpe ratio, volatility and beta of the half year before each day."""
    found = rolling(equity)
    sharpe = _line(found, "sharpe", "Sharpe ratio", number)
    volatility = _line(found, "volatility", "Volatility", percent)
    betas = [
        Beside(name, *_known(rolling_beta(equity, worth), "beta"))
        for name, worth in benchmarks.items()
    ]
    about = "Over the 182 calendar days before each day, annualised by the returns they had."
    drawn = [half("Sharpe ratio", line_chart(sharpe)), half("Volatility", line_chart(volatility))]
    drawn += [half(f"Beta to {b.name}", line_chart(_beta(b))) for b in betas if b.days]
    return section("A moving half year", about, halves(*drawn))


def falls(equity: pl.DataFrame) -> str:
    """The ten deepest falls from a peak."""
    columns = [
        Column("Peak", text("peak_ds"), figure=False),
        Column("Lowest", text("trough_ds"), figure=False),
        Column("Reached again", text("recovered_ds"), figure=False),
        Column("Depth", written("depth", percent), defined="depth"),
        Column("Days", text("days"), hint="calendar days from the peak until it was reached again"),
    ]
    rows = worst_drawdowns(equity).to_dicts()
    about = "A dash in place of a date: not reached again by the last day."
    return section("Worst drawdowns", about, table(columns, rows, "There was no fall."))


def _month(head: str, name: str) -> Column:
    def share(row: Mapping[str, Any]) -> float | None:
        made = row.get(name)
        return None if made is None else max(-1.0, min(1.0, made / _STRONGEST))

    def said(row: Mapping[str, Any]) -> str:
        return signed_percent(row.get(name))

    return Column(head, said, signed=True, heat=share, defined="return")


def _line(frame: pl.DataFrame, name: str, title: str, label: Callable[..., str]) -> Chart:
    days, values = _known(frame, name)
    return Chart(title, days, values, label, HEIGHT, WIDTH, baseline=0.0)


def _beta(line: Beside) -> Chart:
    title = f"Beta to {line.name}"
    return Chart(title, line.days, line.values, number, HEIGHT, WIDTH, baseline=0.0)


def _grown(name: str, held: pl.DataFrame, mine: pl.DataFrame) -> Beside:
    """A benchmark on the account's days, from where the account stood, as logarithms."""
    both = mine.join(held.rename({"equity": "worth"}), on="ds").sort("ds")
    if both.is_empty():
        return Beside(name, [], [])
    grown = both["worth"] / both["worth"][0] * both["equity"][0]
    return Beside(name, both["ds"].to_list(), grown.log10().to_list())


def _times(logarithm: float) -> str:
    return f"{10**logarithm:,.4g}\N{MULTIPLICATION SIGN}"


def _known(frame: pl.DataFrame, name: str) -> tuple[list[Any], list[float]]:
    known = frame.drop_nulls(name)
    return known["ds"].to_list(), known[name].to_list()


def _places(spread: pl.DataFrame) -> int:
    """Decimals that tell the borders of the steps apart."""
    if spread.is_empty():
        return 1
    width = float(spread["high"][0] - spread["low"][0]) * 100
    return 0 if width >= 1 else 1 if width >= 0.1 else 2  # noqa: PLR2004  # percent


def equity_charts(equity: pl.DataFrame, figures: Metrics) -> str:
    """Equity above its drawdown, on one time axis."""
    below = drawdowns(equity)
    by_day = equity.sort("ds") if equity.height else equity
    values = by_day["equity"].cast(pl.Float64).to_list() if equity.height else []
    days = below["ds"].to_list()
    deepest = below["drawdown"].arg_min() if below.height else None
    mark = deepest if figures.curve.max_drawdown else None
    top = Chart("Equity", days, values, money, baseline=figures.curve.start_equity)
    bottom = Chart(
        "Drawdown",
        days,
        below["drawdown"].to_list(),
        percent,
        height=160,
        baseline=0.0,
        tone="loss",
        mark=mark,
        mark_label="" if mark is None else f"{percent(below['drawdown'][mark])} on {days[mark]}",
    )
    about = "The dashed line is the equity of the first day."
    drawn = scrolled(line_chart(top)), scrolled(line_chart(bottom))
    return section("Equity", about, drawn[0]) + section("Drawdown", "", drawn[1])


def benchmarks(found: Sequence[BenchmarkFigures]) -> str:
    """One row a benchmark: what it made, and how the account moved with it."""
    columns = [
        Column("Benchmark", text("benchmark"), figure=False),
        Column("Of", lambda row: row["asset_class"].lower(), figure=False),
        Column(
            "Its return",
            written("benchmark_return", signed_percent),
            signed=True,
            defined="benchmark_return",
        ),
        Column(
            "Alpha", written("alpha", signed_percent), signed=True, hint="a year", defined="alpha"
        ),
        Column("Beta", written("beta", number), defined="beta"),
        Column("Correlation", written("correlation", number), defined="correlation"),
        Column("Returns", text("returns"), hint="pairs of days both have", defined="returns"),
        Column(
            "A year",
            written("periods", lambda n: number(n, 1)),
            hint="returns a year",
            defined="periods",
        ),
        Column("Note", written("note", str), figure=False),
    ]
    about = (
        "The whole account beside each, on the days both have a point; dividends of the benchmark "
        "are reinvested. Alpha is a year's return beyond beta times the benchmark's."
    )
    rows = [asdict(figures) for figures in found]
    return section("Benchmarks", about, table(columns, rows, "The settings name no benchmark."))
