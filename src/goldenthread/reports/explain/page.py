"""The page about one signal: the explanation and its candles, in one file that can be sent."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from goldenthread.domain.order import OrderSide
from goldenthread.reports.explain.candles import Candle, CandleChart, Level, Mark, candle_chart
from goldenthread.reports.explain.story import explain
from goldenthread.reports.layout import document
from goldenthread.reports.markup import scrolled
from goldenthread.reports.notation import exact, price
from goldenthread.rules.splits import ratio_between

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping, Sequence
    from decimal import Decimal

    from goldenthread.domain.asset import CorporateAction
    from goldenthread.domain.bar import Bar
    from goldenthread.reports.explain.passages import Line, Section
    from goldenthread.reports.explain.story import ExplainInput


def page(facts: ExplainInput, bars: Sequence[Bar], now: dt.datetime) -> str:
    """One self-contained HTML page: the sentence, the chart, then every section.

    Args:
        facts: The rows of the signal.
        bars: Raw bars of its symbol around its life, oldest first.
        now: When the page was made.
    """
    name = explain(facts).signal_id
    body = [_header(name, facts, now), *chapters(facts, bars)]
    return document(f"{facts.signal['symbol']} · {name}", body)


def chapters(facts: ExplainInput, bars: Sequence[Bar]) -> list[str]:
    """The page below its head, as parts in HTML: the sentence, the candles, every section."""
    told = explain(facts)
    return [
        f'<section class="callout"><p>{escape(told.summary)}</p></section>',
        _chart(facts, bars),
        *(_section(section) for section in told.sections),
    ]


def _header(name: str, facts: ExplainInput, now: dt.datetime) -> str:
    signal = facts.signal
    said = {"Book": signal["book"], "Signal": name, "Made": exact(now)}
    pairs = "".join(f"<div><dt>{k}</dt> <dd>{escape(v)}</dd></div>" for k, v in said.items())
    title = escape(f"{signal['symbol']}, {signal['signal_ds']}, {signal['strategy_id']}")
    return f"<header><h1>{title}</h1><dl>{pairs}</dl></header>"


def _section(section: Section) -> str:
    lines = "".join(_line(line) for line in section.lines)
    return f'<section><h2>{escape(section.title)}</h2><dl class="lines">{lines}</dl></section>'


def _line(line: Line) -> str:
    label, text = line
    tone = ' class="loss"' if text.startswith("FAILED") else ""
    inner = ' class="inner"' if label.startswith(" ") else ""
    return f"<dt{inner}>{escape(label.strip())}</dt><dd{tone}>{escape(text)}</dd>"


def _chart(facts: ExplainInput, bars: Sequence[Bar]) -> str:
    signal = facts.signal
    units = _Units(signal["signal_ds"], facts.actions)
    last = bars[-1].ds if bars else signal["signal_ds"]
    end = min(last_day(signal) or last, last)
    chart = CandleChart(
        title=f"{signal['symbol']} around {signal['signal_ds']}",
        decided=signal["signal_ds"],
        candles=[
            Candle(b.ds, *(units.price(p, b.ds) for p in (b.open, b.high, b.low, b.close)))
            for b in bars
        ],
        levels=list(_levels(facts, units, end)),
        marks=[mark for mark in _marks(facts, units) if mark.ds <= last],
        label=lambda value: f"{value:,.6g}",
    )
    split = " It was split since or before." if units.is_split(bars) else ""
    about = f"Prices in the units of {signal['signal_ds']}, the day of the decision.{split}"
    return (
        f'<section><h2>Candles</h2><p class="about">{escape(about)} {_legend(signal)}</p>'
        f"{scrolled(candle_chart(chart))}</section>"
    )


def last_day(signal: Mapping[str, Any]) -> dt.date | None:
    """The date the signal's story ends, traded or as it would have been; None while it is open."""
    if "trade_id" in signal:
        day: dt.date | None = signal["exit_ds"]
    elif "outcome_status" not in signal or signal["outcome_status"] == "OPEN":
        day = None
    else:
        day = signal["theoretical_exit_ds"] or signal["ds"]
    return day


class _Units:
    """Prices of any day in the units of the decision's."""

    def __init__(self, decided: dt.date, actions: Sequence[CorporateAction]) -> None:
        self._decided, self._actions = decided, actions

    def ratio(self, ds: dt.date) -> Decimal:
        """Units of ``ds`` per unit of the decision's day."""
        later = ratio_between(self._actions, self._decided, ds)
        return later / ratio_between(self._actions, ds, self._decided)

    def price(self, amount: Decimal, ds: dt.date) -> float:
        """A price of ``ds``."""
        return float(amount * self.ratio(ds))

    def is_split(self, bars: Sequence[Bar]) -> bool:
        """Whether a split lies between two of the bars."""
        return any(self.ratio(bar.ds) != 1 for bar in bars)


def _levels(facts: ExplainInput, units: _Units, end: dt.date) -> Iterator[Level]:
    signal, decided = facts.signal, facts.signal["signal_ds"]
    if signal["planned_entry"] is None:
        return
    entry = signal["planned_entry"]
    yield Level(f"entry {price(entry)}", "entry", ((decided, float(entry)),), end)
    steps = [(decided, float(signal["planned_stop"]))]
    for row in facts.positions.sort("ds").iter_rows(named=True) if len(facts.positions) else ():
        stop = units.price(row["stop"], row["ds"])
        if stop != steps[-1][1]:
            steps.append((row["ds"], stop))
    moved = (
        f"{price(signal['planned_stop'])}" if len(steps) == 1 else f"{steps[-1][1]:,.6g} at last"
    )
    yield Level(f"stop {moved}", "stop", tuple(steps), end)
    for place, target in enumerate(signal["targets"], start=1):
        at = target["price"]
        yield Level(f"target {place} {price(at)}", "target", ((decided, float(at)),), end)


def _marks(facts: ExplainInput, units: _Units) -> Iterator[Mark]:
    if facts.fills.is_empty():
        yield from _would_be(facts.signal)
    sums: dict[tuple[dt.date, str], tuple[Decimal, Decimal]] = {}
    for row in facts.fills.iter_rows(named=True):
        key = (row["ds"], row["order_side"])
        quantity, amount = sums.get(key, (row["quantity"] * 0, row["notional"] * 0))
        sums[key] = (quantity + row["quantity"], amount + row["notional"])
    for (ds, side), (quantity, amount) in sorted(sums.items()):
        at = units.price(amount / quantity, ds)
        words = f"{side} {float(quantity / units.ratio(ds)):,.6g} at {at:,.6g}"
        yield Mark(ds, at, words, side, below=side == OrderSide.BUY)


def _would_be(signal: Mapping[str, Any]) -> Iterator[Mark]:
    """Where the rules say that it would have come in and gone out, in the decision's units."""
    sides = ("buy", "sell") if signal["side"] == "long" else ("sell", "buy")
    for side, what in zip(sides, ("entry", "exit"), strict=True):
        ds, amount = (signal.get(f"theoretical_{what}_{name}") for name in ("ds", "price"))
        if ds is not None and amount is not None:
            words = f"would {side} at {float(amount):,.6g}"
            yield Mark(ds, float(amount), words, "would", below=side == OrderSide.BUY)


def _legend(signal: Mapping[str, Any]) -> str:
    if "trade_id" in signal or "outcome_status" not in signal:
        return "Arrows are executions, the steps show how the stop moved."
    return "Hollow arrows show where the fill rules say it would have gone in and out."
