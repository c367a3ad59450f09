"""What answers are written on: HTML from templates that escape all they are given, and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from starlette.responses import HTMLResponse, JSONResponse
from typing_extensions import override

from goldenthread.app.api.browsing.plain import plain
from goldenthread.app.api.browsing.wanted import NEWEST, Wanted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.requests import Request

PAGES = {
    "/": "Today",
    "/signals": "Signals",
    "/positions": "Positions",
    "/trades": "Trades",
    "/strategies": "Strategies",
    "/shadow": "Shadow",
    "/data": "Data",
    "/jobs": "Jobs",
    "/controls": "Controls",
    "/health": "Health",
}
"""The pages of the navigation, by their address."""


class Listed(NamedTuple):
    """What stands above a long list: its title, what is wanted, and what there is to choose."""

    title: str
    wanted: Wanted
    strategies: Sequence[str]
    outcomes: Sequence[str] = ()


class JSON(JSONResponse):
    """An answer in JSON: exact numbers as texts, dates and instants in ISO form."""

    @override
    def render(self, content: Any) -> bytes:
        return json.dumps(plain(content), ensure_ascii=False, allow_nan=False).encode()


def paper(
    request: Request, template: str, shown: Mapping[str, Any], status: int = 200
) -> HTMLResponse:
    """The template as a page, with the navigation around it."""
    place = "/" + request.url.path.split("/")[1]
    common = {
        "pages": PAGES,
        "place": place,
        "asked": request.app.state.access.is_asked,
        "seen": getattr(request.state, "seen", ""),
        "book": "",
    }
    text = _environment().get_template(template).render({**common, **shown})
    return HTMLResponse(text, status)


def page(
    request: Request, shown: Mapping[str, Any], title: str, body: Iterable[str]
) -> HTMLResponse:
    """A page of parts drawn from what is shown, its ``book`` above them."""
    return paper(request, "page.html", {"book": shown["book"], "title": title, "body": _html(body)})


def paged(
    request: Request, shown: Mapping[str, Any], listed: Listed, body: Iterable[str]
) -> HTMLResponse:
    """A page of a long list, under the form that filters it; ``shown`` says what is ``older``."""
    said = listed.wanted.named()
    older = shown["older"] and "?" + urlencode({**said, "after": shown["older"]})
    values = {
        **listed._asdict(),
        "book": shown["book"],
        "body": _html(body),
        "said": said,
        "older": older,
        "newest": "" if listed.wanted.after == NEWEST else "?" + urlencode(said),
    }
    return paper(request, "list.html", values)


def _html(parts: Iterable[str]) -> Markup:
    """Parts already in HTML, from ``reports.markup``, which escapes every text itself."""
    return Markup("\n").join(Markup(part) for part in parts if part)  # noqa: S704  # as it says


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("goldenthread.app.web"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
