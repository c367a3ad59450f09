"""What a request is answered from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from fastapi import Depends, Request

from goldenthread.app.api.browsing.standing import standing
from goldenthread.app.api.project import Project
from goldenthread.app.engines.embedded import tells_every_write

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Desk(NamedTuple):
    """A project opened for one request, and the book it is about; empty for the one begun."""

    project: Project
    book: str

    def labelled(self, shown: Mapping[str, Any]) -> dict[str, Any]:
        """What is shown, each row of its lists knowing whether its prices were generated."""
        made_up = {asset.symbol for asset in self.project.market_data.assets() if asset.synthetic}
        return {name: _labelled(value, made_up) for name, value in shown.items()}


def _labelled(value: object, made_up: set[str]) -> object:
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        return value
    return [{**row, "synthetic": row.get("symbol") in made_up} for row in value]


def _desk(request: Request) -> Desk:
    """The desk of the request: its files are read anew, for they may have changed."""
    terms = request.app.state.terms
    desk = Desk(Project(terms.project.root, terms.project.settings), terms.book)
    request.state.seen = standing(*desk).mark  # before anything is read, so never too new
    return desk


def remembered(
    request: Request, desk: Desk, read: Callable[[Project, str], dict[str, Any]]
) -> dict[str, Any]:
    """What ``read`` tells of the whole book, read once while nothing of the book is written.

    A cloud does not tell of every write: there it is read each time.
    """
    if not tells_every_write(desk.project.settings):
        return read(*desk)
    kept, mark = request.app.state.remembered, request.state.seen
    known = kept.get(read)
    if known is None or known[0] != mark:
        known = kept[read] = (mark, read(*desk))
    return dict(known[1])


AtDesk = Annotated[Desk, Depends(_desk)]
"""How a route asks for its desk."""
