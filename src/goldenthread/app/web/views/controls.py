"""What stands and what operators did, as tables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from markupsafe import Markup

from goldenthread.app.web.acts import ACTS, LIFTS
from goldenthread.app.web.views.columns import SYMBOL, words
from goldenthread.reports.layout import section
from goldenthread.reports.markup import Column, table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NOTHING = "Nothing is stopped."
_SAYS = "Each lasts until it is lifted, whatever restarts. What it refuses is priced."
_DOUBTS = "Our records and the broker's disagree here: the run that finds them equal lifts it."


def controls(shown: Mapping[str, Any]) -> dict[str, Markup]:
    """What stands (``stands``), what runs froze (``doubted``), what was done before (``done``)."""
    standing = [
        words("What", "action"),
        Column("End it", _lift, figure=False, link=_to_lift),
        words("Of", "subject"),
        Column("Since (UTC)", _minute("asked_at"), figure=False),
        words("By", "actor"),
        words("Why", "reason"),
    ]
    doubted = [SYMBOL, words("Since the run of", "ds"), words("Why", "reason")]
    acts = [
        Column("When (UTC)", _minute("acted_at"), figure=False),
        words("What", "action"),
        words("Of", "subject"),
        words("By", "actor"),
        Column("Why, and what became of it", _detail, figure=False),
    ]
    none, said = "No act is archived yet: the next archive does it.", "The newest 50 archived."
    frozen = table(doubted, shown["doubted"], "")
    parts = {
        "stands": section("Stands", _SAYS, table(standing, shown["standing"], _NOTHING)),
        "doubted": section("Frozen by runs", _DOUBTS, frozen) if shown["doubted"] else "",
        "done": section("Done", said, table(acts, shown["acts"], none)),
    }
    return {name: Markup(html) for name, html in parts.items()}  # noqa: S704  # escaped there


def _minute(name: str) -> Callable[[Mapping[str, Any]], str]:
    """How a column writes an instant of that name, to the minute."""
    return lambda row: str(row[name])[:16].replace("T", " ")


def _detail(row: Mapping[str, Any]) -> str:
    return "; ".join(str(value) for value in json.loads(row["detail"]).values() if value)


def _lift(row: Mapping[str, Any]) -> str:
    act = LIFTS.get(row["action"])
    return ACTS[act].button if act else "by the next archive"


def _to_lift(row: Mapping[str, Any]) -> str:
    act = LIFTS.get(row["action"])
    subject = {"subject": row["subject"]} if row["subject"] else {}
    return "/controls?" + urlencode({"act": act, **subject}) if act else ""
