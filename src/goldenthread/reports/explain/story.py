"""One signal explained from its rows: what was seen, asked, refused, ordered, made, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from textwrap import TextWrapper, wrap
from typing import TYPE_CHECKING, Any

import polars as pl

from goldenthread.reports.explain import execution, lineage, passages
from goldenthread.reports.notation import number, signed_money

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from goldenthread.domain.asset import CorporateAction
    from goldenthread.reports.explain.passages import Line, Section

WIDTH = 80
"""Columns of the text."""


@dataclass(frozen=True)
class ExplainInput:
    """The rows that tell of one signal.

    Attributes:
        signal: Its row of ``fact_trades``, ``fact_rejected_signals`` or ``fact_signals_expired``;
            of a live signal the same columns with its ``status``.
        version: The row of ``dim_strategies`` in force when it was decided.
        previous: The row before that one; None when it was the first.
        bar: The raw bar of the decision (``open high low close volume``).
        orders: Its rows of ``fact_orders``.
        fills: Its rows of ``fact_fills``.
        positions: Its rows of ``snapshot_positions``.
        actions: Corporate actions of its symbol.
        synthetic: Whether the symbol's prices were generated.
        holder: Whose signal held the symbol, when that is why it was refused.
    """

    signal: Mapping[str, Any]
    version: Mapping[str, Any] | None = None
    previous: Mapping[str, Any] | None = None
    bar: Mapping[str, Any] | None = None
    orders: pl.DataFrame = field(default_factory=pl.DataFrame)
    fills: pl.DataFrame = field(default_factory=pl.DataFrame)
    positions: pl.DataFrame = field(default_factory=pl.DataFrame)
    actions: Sequence[CorporateAction] = ()
    synthetic: bool = False
    holder: str = ""


@dataclass(frozen=True)
class Explanation:
    """A signal in one sentence, then in sections of labelled lines."""

    signal_id: str
    summary: str
    sections: tuple[Section, ...]

    def as_text(self) -> str:
        """The explanation as plain text of 80 columns, labels in one column."""
        width = max(len(label) for section in self.sections for label, _ in section.lines)
        parts = [self.signal_id, *wrap(self.summary, WIDTH, break_on_hyphens=False)]
        for section in self.sections:
            parts += ["", section.title.upper()]
            parts += [part for line in section.lines for part in _folded(line, width)]
        return "\n".join(parts) + "\n"

    def as_dict(self) -> dict[str, Any]:
        """The explanation as plain values, for JSON."""
        sections = [
            {
                "title": section.title,
                "lines": [{"label": label.strip(), "text": text} for label, text in section.lines],
            }
            for section in self.sections
        ]
        return {"signal_id": self.signal_id, "summary": self.summary, "sections": sections}


def explain(facts: ExplainInput) -> Explanation:
    """The explanation of one signal: only what its rows say, with the arithmetic written out."""
    signal = facts.signal
    sections = (
        passages.decision(signal, facts.bar),
        passages.verdicts(signal, "Filters", ("filter", "term")),
        passages.plan(signal),
        passages.sizing(signal, facts.version),
        passages.verdicts(signal, "Gates", ("gate",)),
        _holder(facts.holder),
        execution.orders(facts.orders),
        execution.fills(facts.fills, facts.orders, signal, facts.actions),
        execution.stops(facts.positions),
        passages.result(signal),
        passages.ending(signal, facts.version),
        passages.theory(signal),
        lineage.version(signal, facts.version, facts.previous),
        lineage.rows(signal, facts.version, _beside(facts)),
    )
    return Explanation(
        signal_id=_signal_id(signal),
        summary=_summary(signal, synthetic=facts.synthetic),
        sections=tuple(section for section in sections if section.lines),
    )


def _beside(facts: ExplainInput) -> dict[str, tuple[str, pl.DataFrame]]:
    return {
        "fact_orders": ("signal_id", facts.orders),
        "fact_fills": ("position_id", facts.fills),
        "snapshot_positions": ("position_id", facts.positions),
    }


def _folded(line: Line, width: int) -> list[str]:
    """A line as text, what does not fit going on below its own beginning."""
    label, text = line
    first, after = f"  {label:<{width}}  ", " " * (width + 4)
    folded = TextWrapper(
        WIDTH, initial_indent=first, subsequent_indent=after, break_on_hyphens=False
    )
    return folded.wrap(text) or [first.rstrip()]


def _holder(name: str) -> Section:
    held = f"held or waited for by {name}: an account holds one strategy a symbol"
    return passages.Section("Duplicate symbol", (("the symbol", held),) if name else ())


def _signal_id(signal: Mapping[str, Any]) -> str:
    return str(signal.get("signal_id") or signal["trade_id"])


def _summary(signal: Mapping[str, Any], *, synthetic: bool) -> str:
    symbol = f"{signal['symbol']} [SYNTHETIC]" if synthetic else signal["symbol"]
    who = f"{signal['strategy_id']} saw a {signal['side']} in {symbol} on {signal['signal_ds']}"
    return f"{who}: {_ending(signal)}."


def _ending(signal: Mapping[str, Any]) -> str:
    if "trade_id" in signal:
        made = f"{signed_money(signal['net_pnl'], 2)} ({number(signal['r_multiple'])} R)"
        return f"traded, closed by {signal['exit_reason']} on {signal['exit_ds']} with {made}"
    if signal.get("rejection_reason"):
        return f"refused by {', '.join(signal['rejection_reasons'])}; {_would_have(signal)}"
    if signal.get("end_reason"):
        ended = f"{signal['status']} on {signal['ds']} ({signal['end_reason']})"
        return f"{ended}; {_would_have(signal)}"
    return str(signal["status"])


def _would_have(signal: Mapping[str, Any]) -> str:
    if signal["outcome_status"] != "RESOLVED":
        return f"what it would have made is {signal['outcome_status']}"
    if signal["theoretical_net_pnl"] is None:
        return f"it would have made nothing ({signal['theoretical_note']})"
    made = signed_money(signal["theoretical_net_pnl"], 2)
    if signal["priced_as"] == "PLANNED":
        return f"it would have made {made}"
    return f"its order was never touched, a market order would have made {made}"
