"""The clock of our own exchange, moved from outside; Alpaca's moves by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests

from goldenthread.domain.errors import EngineError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

_ADVANCE_S = 600
"""A long way ahead takes the exchange a while."""


def advancing(admin_url: str) -> Callable[[dt.date], None]:
    """A function that has the exchange behind ``admin_url`` meet every date up to the one given."""

    def advance(ds: dt.date) -> None:
        try:
            answer = requests.post(
                f"{admin_url}/advance", json={"ds": ds.isoformat()}, timeout=_ADVANCE_S
            )
        except requests.RequestException as error:
            cause = type(error).__name__
            msg = f"no exchange at {admin_url} ({cause}); start `goldenthread exchange`"
            raise EngineError(msg) from error
        if not answer.ok:
            msg = f"the exchange at {admin_url} does not advance to {ds}: {answer.text[:200]}"
            raise EngineError(msg)

    return advance
