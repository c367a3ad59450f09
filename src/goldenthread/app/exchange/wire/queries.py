"""Queries and bodies of requests, read strictly and refused in Alpaca's form."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from uuid import UUID

from goldenthread.adapters.alpaca.values import instant, loads
from goldenthread.app.exchange.wire.views import Page
from goldenthread.domain.errors import DataError, EngineRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from goldenthread.adapters.alpaca.values import Json

MALFORMED = "40010001"
NOT_FOUND = "40410000"


def not_found(message: str) -> EngineRefusedError:
    """A refusal with status 404."""
    return EngineRefusedError(message, NOT_FOUND)


def malformed(message: str) -> EngineRefusedError:
    """A refusal with status 422, as Alpaca answers input it cannot read."""
    return EngineRefusedError(message, MALFORMED)


async def body_of(request: Request) -> Json:
    """The JSON object a request carries; its numbers are exact decimals."""
    try:
        content = loads(await request.body() or b"{}")
    except ValueError as error:
        message = "request body format is invalid"
        raise malformed(message) from error
    if not isinstance(content, dict):
        message = "request body format is invalid"
        raise malformed(message)
    return content


def order_id_of(text: str) -> str:
    """The id, if it has the form of one."""
    try:
        return str(UUID(text))
    except ValueError as error:
        message = f"order_id {text!r} is not a UUID"
        raise malformed(message) from error


def whole(params: Mapping[str, str], name: str, default: int, most: int) -> int:
    """A number from 1 to ``most``."""
    text = params.get(name, str(default))
    if not text.isdecimal() or not 1 <= int(text) <= most:
        message = f"invalid {name} {text!r}: 1 to {most} is allowed"
        raise malformed(message)
    return int(text)


def one_of(params: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    """One of the words allowed; the first when the query does not say."""
    text = params.get(name) or allowed[0]
    if text not in allowed:
        message = f"invalid {name} {text!r}: {', '.join(allowed)} are allowed"
        raise malformed(message)
    return text


def words(params: Mapping[str, str], *names: str) -> list[str]:
    """The comma-separated words of the first of the parameters that is there."""
    text = next((params[name] for name in names if params.get(name)), "")
    return [word.strip() for word in text.split(",") if word.strip()]


def instant_of(params: Mapping[str, str], name: str) -> dt.datetime | None:
    """An instant, or a date, which means its midnight in UTC; None when the query has neither."""
    text = params.get(name)
    if not text:
        return None
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        try:
            return instant(text.replace(" ", "+"), name)
        except DataError as error:
            message = f"invalid {name} {text!r}: an RFC 3339 instant or YYYY-MM-DD is allowed"
            raise malformed(message) from error
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def day_of(params: Mapping[str, str], name: str, default: dt.date) -> dt.date:
    """The date of an instant or date; ``default`` when the query has neither."""
    found = instant_of(params, name)
    return default if found is None else found.date()


def page_of(params: Mapping[str, str], size: str, default: int, most: int) -> Page:
    """The part of a list a query asks for; newest first unless it says otherwise."""
    return Page(
        size=whole(params, size, default, most),
        newest_first=one_of(params, "direction", ("desc", "asc")) == "desc",
        after=instant_of(params, "after"),
        until=instant_of(params, "until"),
    )


def flag(params: Mapping[str, str], name: str) -> bool:
    """Whether a query says yes; ``alpaca-py`` writes ``True`` with a capital."""
    return params.get(name, "").lower() == "true"
