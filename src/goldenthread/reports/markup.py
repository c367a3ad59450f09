"""HTML from values: every text is escaped here, so nothing a strategy is called can be markup."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from goldenthread.reports.notation import exact, signed_money

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

SYNTHETIC = '<span class="tag">SYNTHETIC</span>'
"""The label beside every symbol whose prices were generated."""


@dataclass(frozen=True)
class Column:
    """One column of a table: its head, how a row is written in it, and whether it holds figures.

    ``text`` gives plain text (it is escaped). A ``signed`` figure is coloured by its sign;
    ``share`` (-1 to 1, or None) draws it as a bar from the middle of its cell as well, ``heat``
    (likewise) fills the cell. ``defined`` is the figure whose definition the head links to,
    ``link`` gives the address a row's text leads to; empty for none.
    """

    head: str
    text: Callable[[Mapping[str, Any]], str]
    figure: bool = True
    signed: bool = False
    share: Callable[[Mapping[str, Any]], float | None] | None = None
    hint: str = ""
    heat: Callable[[Mapping[str, Any]], float | None] | None = None
    defined: str = ""
    link: Callable[[Mapping[str, Any]], str] | None = None


def table(columns: Sequence[Column], rows: Iterable[Mapping[str, Any]], empty: str) -> str:
    """A table of the rows, or the sentence ``empty`` when there are none.

    A row with a true ``synthetic`` has the label SYNTHETIC in its first column.
    """
    body = [_row(columns, row) for row in rows]
    if not body:
        return f'<p class="note">{escape(empty)}</p>'
    heads = "".join(
        f"<th{_class(column, '')}{_hint(column)}>{_term(column.head, column.defined)}</th>"
        for column in columns
    )
    return scrolled(f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(body)}</tbody></table>")


def scrolled(part: str) -> str:
    """A part in a frame of its own that scrolls where the page is narrower, by keyboard, too."""
    reached = "" if "<a " in part else ' tabindex="0"'  # a link inside takes the focus anyway
    return f'<div class="scroll"{reached}>{part}</div>'


def tile(label: str, value: str, note: str = "", *, defined: str = "", signed: bool = False) -> str:
    """One headline figure: what it is, the figure (coloured by its sign?), a line of context."""
    below = f'<div class="under">{_figure(note)}</div>' if note else ""
    tone = f" {_tone(value)}" if signed else ""
    return (
        f'<div class="tile"><div class="label">{_term(label, defined)}</div>'
        f'<div class="figure{tone}">{_figure(value)}</div>{below}</div>'
    )


def text(name: str) -> Callable[[Mapping[str, Any]], str]:
    """How a column writes the value of that name as it is."""
    return lambda row: exact(row[name])


def written(name: str, how: Callable[[Any], str]) -> Callable[[Mapping[str, Any]], str]:
    """How a column writes the value of that name, in a notation."""
    return lambda row: how(row[name])


def money_column(head: str, name: str, places: int = 0, defined: str = "") -> Column:
    """A column of money with its sign, coloured by it."""
    said = written(name, lambda amount: signed_money(amount, places))
    return Column(head, said, signed=True, defined=defined)


def share_bar(shares: Mapping[str, int]) -> str:
    """Counts as one bar with a legend that names each count; empty ones are only in the legend."""
    total = sum(shares.values())
    parts, legend = [], []
    for place, (name, count) in enumerate(shares.items(), start=1):
        label = f"{escape(name)} <b>{count:,}</b>"
        legend.append(f'<li><i class="slot{place}"></i>{label}</li>')
        if count:
            width = f"{count / total * 100:.3f}%"
            hint = f"{escape(name, quote=True)}: {count:,} ({count / total:.1%})"
            parts.append(f'<i class="slot{place}" style="width:{width}" title="{hint}"></i>')
    bar = f'<div class="shares">{"".join(parts)}</div>' if parts else ""
    return f'{bar}<ul class="legend">{"".join(legend)}</ul>'


def _row(columns: Sequence[Column], row: Mapping[str, Any]) -> str:
    cells = []
    for place, column in enumerate(columns):
        text = column.text(row)
        shown = _figure(text) if column.figure else escape(text)
        if column.link and (address := column.link(row)):
            shown = f'<a href="{escape(address, quote=True)}">{shown}</a>'
        label = f" {SYNTHETIC}" if place == 0 and row.get("synthetic") else ""
        bar = _bar(column.share(row)) if column.share else ""
        tone = _tone(text) if column.signed else ""
        heat = _heat(column.heat(row)) if column.heat else ""
        cells.append(f"<td{_class(column, tone)}{heat}>{bar}{shown}{label}</td>")
    return f"<tr>{''.join(cells)}</tr>"


def _bar(share: float | None) -> str:
    width = abs(share or 0.0) * 50
    left = 50.0 if (share or 0.0) > 0 else 50 - width
    return (
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect x="{left:.1f}" width="{width:.1f}" height="10"/></svg>'
    )


def _heat(share: float | None) -> str:
    return "" if share is None else f' style="--heat:{abs(share) * 45:.0f}%"'


def _term(words: str, figure: str) -> str:
    """Words that lead to the definition of a figure, where one is named."""
    if not figure:
        return escape(words)
    return f'<a class="term" href="#define-{figure}">{escape(words)}</a>'


def _tone(text: str) -> str:
    return {"+": "gain", "-": "loss"}.get(text[:1], "")


def _class(column: Column, tone: str = "") -> str:
    names = " ".join(name for name in ("num" if column.figure else "", tone) if name)
    return f' class="{names}"' if names else ""


def _hint(column: Column) -> str:
    return f' title="{escape(column.hint, quote=True)}"' if column.hint else ""


def _figure(text: str) -> str:
    """A figure with true minus signs, that of an amount inside it too."""
    minus = "\N{MINUS SIGN}"
    own = minus if text.startswith("-") else ""
    return own + escape(text.removeprefix("-")).replace("-$", f"{minus}$")
