"""What was refused, as pictures: the way from decisions to trades, and other thresholds."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from goldenthread.reports.attribution.endings import endings, outcomes
from goldenthread.reports.attribution.funnel import funnel
from goldenthread.reports.attribution.refusals import ranked
from goldenthread.reports.layout import half, halves, section
from goldenthread.reports.markup import Column, money_column, share_bar, table, text, written
from goldenthread.reports.notation import UNKNOWN, number, percent, signed_money
from goldenthread.reports.plots.curve import Curve, curve_chart

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import polars as pl

Row = dict[str, Any]


@dataclass(frozen=True)
class ThresholdCurve:
    """What a strategy would have made at other thresholds of one filter.

    ``points`` has ``threshold present difference low high``, by threshold; ``test`` is the
    filter's condition as it is written.
    """

    strategy_id: str
    name: str
    test: str
    points: pl.DataFrame


def way_to_trades(
    traded: int, refused: pl.DataFrame, expired: pl.DataFrame, waiting: Mapping[str, int]
) -> str:
    """How many signals were left after each step, from every decision to closed trades."""
    columns = [
        Column("Step", text("step"), figure=False),
        Column("Left", text("left"), defined="left"),
        Column("Ended here", text("lost")),
        Column("Of all", written("share", percent), share=lambda row: row["share"]),
    ]
    rows = funnel(traded, refused, expired, waiting).to_dicts()
    return section("From decisions to trades", "", table(columns, rows, ""))


def other_thresholds(curves: Sequence[ThresholdCurve]) -> str:
    """A curve for each filter whose refusals weigh most: its money against the present value."""
    if not curves:
        return ""
    drawn = [half(f"{c.strategy_id}: {c.name}", _drawn(c)) for c in curves]
    about = (
        "What the strategy would have made more or less at another threshold, from the values "
        "that were recorded, at equal stakes; the shade is the interval. Every threshold but the "
        "present one is chosen in hindsight."
    )
    return section("Other thresholds", about, halves(*drawn))


def _drawn(curve: ThresholdCurve) -> str:
    rows: list[dict[str, Any]] = curve.points.sort("threshold").to_dicts()
    here = next((n for n, row in enumerate(rows) if row["present"]), None)
    drawn = Curve(
        title=curve.test,
        thresholds=[row["threshold"] for row in rows],
        values=[row["difference"] for row in rows],
        bounds=[None if row["low"] is None else (row["low"], row["high"]) for row in rows],
        present=here,
        label=signed_money,
    )
    return f'<p class="note">{escape(curve.test)}</p>{curve_chart(drawn)}'


def refusals(attribution: pl.DataFrame) -> str:
    """What each filter, gate and the broker refused, what that was worth, and the verdict."""
    rows = ranked(attribution).to_dicts()
    made = written("alone_net_pnl", signed_money)
    columns = [
        Column("Name", text("name"), figure=False),
        Column("Strategy", _whose, figure=False),
        Column("Refused", text("refused"), defined="refused"),
        Column("Alone", text("alone"), hint="nothing else refused these", defined="alone"),
        Column("Resolved", text("alone_resolved"), defined="alone_resolved"),
        Column("Right", written("alone_hit_rate", percent), defined="alone_hit_rate"),
        Column("R", written("alone_average_r", number), defined="alone_average_r"),
        Column(
            "Would have made",
            made,
            signed=True,
            share=_share_of("alone_net_pnl", rows),
            defined="alone_net_pnl",
        ),
        Column("Interval", _interval, defined="interval"),
        Column("Verdict", text("verdict"), figure=False, defined="verdict"),
        Column("Open", text("alone_open"), defined="alone_open"),
        Column("No price", text("alone_unpriceable"), defined="alone_unpriceable"),
        Column("Untriggered", text("alone_untriggered"), defined="alone_untriggered"),
        money_column("All would have made", "net_pnl"),
    ]
    about = (
        "Alone: signals that nothing else refused, the only ones a filter decided by itself; the "
        "figures after it are theirs. Right: the share of the resolved that would have lost. "
        "Would have made: their theoretical net P&L together; plus is what the refusals cost, "
        "minus what they saved. Interval: where that sum lies when the days are drawn anew; a "
        "verdict stands only where all of it is on one side of zero. Many are judged at once: "
        "one in twenty without effect gets a verdict by chance."
    )
    return section("Filters and gates", about, table(columns, rows, "No signal was refused."))


def signal_outcomes(
    trades: pl.DataFrame,
    refused: pl.DataFrame,
    expired: pl.DataFrame,
    waiting: Mapping[str, int],
) -> str:
    """How every decided signal ended, and what the never-filled ones answer."""
    counts = outcomes(trades.height, refused, expired)
    open_now = {name.lower(): count for name, count in waiting.items()}
    columns = [
        Column("Ended", text("status"), figure=False),
        Column("Because", text("end_reason"), figure=False),
        Column("Signals", text("signals")),
        Column("Resolved", text("resolved")),
        Column("Open", text("open")),
        Column("No price", text("unpriceable")),
        Column("Untriggered", text("untriggered")),
        money_column("Would have made", "net_pnl"),
    ]
    ended = table(columns, endings(expired).iter_rows(named=True), "No signal expired.")
    total = sum(counts.values()) + sum(open_now.values())
    about = f"{total:,} signals were decided; each is in exactly one place."
    return section("Outcomes of signals", about, share_bar({**counts, **open_now}) + ended)


def _interval(row: Mapping[str, Any]) -> str:
    if row["alone_low"] is None:
        return UNKNOWN
    return f"{signed_money(row['alone_low'])} to {signed_money(row['alone_high'])}"


def _whose(row: Mapping[str, Any]) -> str:
    """Whose filter it is; a gate is the account's, and the broker is the broker."""
    return str(row["strategy_id"] or row["kind"])


def _share_of(name: str, rows: Sequence[Row]) -> Callable[[Mapping[str, Any]], float | None]:
    largest = max((abs(row[name] or 0.0) for row in rows), default=0.0)
    return lambda row: row[name] / largest if row[name] and largest else None
