"""How a page is laid out: the document, chapters, sections, and parts beside each other."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from goldenthread.reports.style import STYLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def document(title: str, body: Iterable[str]) -> str:
    """One self-contained page of parts already in HTML, empty ones left out; nothing is fetched."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body><main>\n"
        + "\n".join(part for part in body if part)
        + "\n</main></body></html>\n"
    )


def section(title: str, about: str, body: str) -> str:
    """A headed part of the page, with a line about it when there is something to say."""
    line = f'<p class="about">{escape(about)}</p>' if about else ""
    return f"<section><h2>{escape(title)}</h2>{line}{body}</section>"


def chapter(name: str, title: str, *sections: str) -> str:
    """Sections under a common heading that ``contents`` leads to; nothing when all are empty."""
    body = "\n".join(part for part in sections if part)
    return f'<h2 class="chapter" id="{name}">{escape(title)}</h2>\n{body}' if body else ""


def contents(chapters: Mapping[str, str]) -> str:
    """The way to the chapters: their titles by name."""
    links = (f'<a href="#{name}">{escape(title)}</a>' for name, title in chapters.items())
    return f'<nav aria-label="Contents">{"".join(links)}</nav>'


def halves(*parts: str) -> str:
    """Parts two by two beside each other, where the page is wide enough."""
    return f'<div class="halves">{"".join(parts)}</div>'


def half(title: str, body: str) -> str:
    """One part of ``halves`` under its title."""
    return f"<div><h3>{escape(title)}</h3>{body}</div>"
