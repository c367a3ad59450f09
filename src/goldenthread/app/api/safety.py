"""The operator's requests: halt, pause, freeze, flatten; read by every run before every entry."""

from __future__ import annotations

import datetime as dt
import getpass
from typing import TYPE_CHECKING

from goldenthread.app.book import REQUESTS, SUPERSEDED
from goldenthread.app.clock import SystemClock
from goldenthread.app.engines.wiring import open_hot_store
from goldenthread.app.operators.acts import REPLAY
from goldenthread.app.versions import strategy_versions
from goldenthread.domain.errors import UsageError
from goldenthread.positions.session import STANDING, Stops

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from goldenthread.app.api.project import Project
    from goldenthread.ports.hot_store import Body, Document, HotStore

_FIELDS = ("action", "reason", "actor", "asked_at", "strategy_id", "symbol", "outcome")


def halt(project: Project, book: str, reason: str, by: str = "") -> dict[str, object]:
    """The book's new state: no new entry until ``resume``; exits go on.

    ``by`` is who asked, here and below; the user of this process when nobody is named.
    """
    store, act = _opened(project, book), _act("HALT", reason, by)
    return _stand(project, book, store, "halt", {**act, "active": True})


def resume(project: Project, book: str, strategy_id: str = "", by: str = "") -> dict[str, object]:
    """The book's new state: entries allowed again, and a standing flatten withdrawn.

    With a strategy its pause alone ends; without one every pause and freeze stays.

    Raises:
        UsageError: The strategy is not paused.
    """
    store, act = _opened(project, book), _act("RESUME", "", by)
    if strategy_id:
        _must_stand("paused", strategy_id, Stops.in_force(store).paused)
        body = {**act, "strategy_id": strategy_id, "active": False, "status": SUPERSEDED}
        return _stand(project, book, store, f"pause-{strategy_id}", body)
    if store.get("operator_requests", "flatten") is not None:
        _stand(project, book, store, "flatten", {**act, "active": False})
    return _stand(project, book, store, "halt", {**act, "active": False})


def pause(
    project: Project, book: str, strategy_id: str, reason: str, by: str = ""
) -> dict[str, object]:
    """The strategy's new state: its signals are refused and priced until it is resumed.

    What it holds is managed on, to its exit.

    Raises:
        UsageError: Neither the book nor the folder knows the strategy.
    """
    store = _opened(project, book)
    known = {version.id for version in strategy_versions(store)}
    if strategy_id not in known:  # the files only then: a broken one must not be in the way
        known |= {strategy.strategy_id for strategy in project.strategies()}
    _must_know("strategy", strategy_id, known)
    act = _act("PAUSE", reason, by)
    body = {**act, "strategy_id": strategy_id, "active": True, "status": STANDING}
    return _stand(project, book, store, f"pause-{strategy_id}", body)


def freeze(
    project: Project, book: str, symbol: str, reason: str, by: str = ""
) -> dict[str, object]:
    """The symbol's new state: no strategy enters it until it is thawed; exits go on.

    Raises:
        UsageError: There are no bars of the symbol.
    """
    _must_know("symbol", symbol, {asset.symbol for asset in project.market_data.assets()})
    store, act = _opened(project, book), _act("FREEZE", reason, by)
    body = {**act, "symbol": symbol, "active": True, "status": STANDING}
    return _stand(project, book, store, _freeze_of(symbol), body)


def thaw(project: Project, book: str, symbol: str, by: str = "") -> dict[str, object]:
    """The symbol's new state: what an operator froze may be entered again.

    Raises:
        UsageError: No operator froze it. What a run froze, a run thaws: when the broker holds
            what our executions make.
    """
    store = _opened(project, book)
    _must_stand(
        "frozen by an operator (what a run froze, a run thaws)",
        symbol,
        Stops.in_force(store).frozen,
    )
    body = {**_act("THAW", "", by), "symbol": symbol, "active": False, "status": SUPERSEDED}
    return _stand(project, book, store, _freeze_of(symbol), body)


def replay_later(project: Project, book: str, by: str = "") -> dict[str, object]:
    """The request that the next archive of the book loads again what is in quarantine."""
    store, act = _opened(project, book), _act("REPLAY_QUARANTINE", "", by)
    return _stand(project, book, store, REPLAY, {**act, "active": True, "status": STANDING})


def flatten(project: Project, book: str, confirm: str, by: str = "") -> dict[str, object]:
    """The book's new state: halted, and the next run closes everything.

    Raises:
        UsageError: ``confirm`` is not the book's name.
    """
    name = project.book(book)
    if confirm != name:
        msg = f"--confirm got {confirm!r}; type the book's name to flatten it: --confirm {name}"
        raise UsageError(msg)
    store, act = _opened(project, book), _act("FLATTEN", "operator", by)
    _stand(project, book, store, "halt", {**act, "active": True})
    return _stand(project, book, store, "flatten", {**act, "active": True})


def _opened(project: Project, book: str) -> HotStore:
    return open_hot_store(project.settings, project.root, project.book(book))


def _act(action: str, reason: str, by: str) -> Body:
    """Who asks for what, now: one act, in however many requests it stands."""
    asked_at = SystemClock().now()
    return {
        "action": action,
        "reason": reason,
        "actor": by or getpass.getuser(),
        "asked_at": asked_at.isoformat(),
        "ds": asked_at.date().isoformat(),
    }


def _freeze_of(symbol: str) -> str:
    return f"freeze-{symbol.replace('/', '|')}"


def _must_know(kind: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        msg = f"no {kind} {name!r}; there are: {', '.join(sorted(known)) or 'none yet'}"
        raise UsageError(msg)


def _must_stand(state: str, name: str, standing: Mapping[str, str]) -> None:
    if name not in standing:
        msg = f"{name} is not {state}; what is: {', '.join(sorted(standing)) or 'nothing'}"
        raise UsageError(msg)


def _stand(
    project: Project, book: str, store: HotStore, name: str, body: Body
) -> dict[str, object]:
    """The request as it now stands; the act it replaces is kept first, so that none is lost."""
    document, created = store.put_if_absent("operator_requests", name, body)
    if not created:
        _keep(store, document)
        document = store.compare_and_set(document, body)
    told = {key: value for key, value in document.body.items() if key not in {"ds", "status"}}
    return {"book": project.book(book), "request": name, **told}


def _keep(store: HotStore, replaced: Document) -> None:
    """Keep an act for the archive; one that touched two requests is kept once."""
    act = {key: replaced.body[key] for key in _FIELDS if key in replaced.body}
    day = dt.datetime.fromisoformat(act["asked_at"]).date()
    of = "" if replaced.id in {*REQUESTS, REPLAY} else f"{replaced.id.partition('-')[2]}-"
    name = f"{act['action'].lower()}-{of}{act['asked_at']}"
    body = {**act, "status": SUPERSEDED, "ds": day.isoformat()}
    store.put_if_absent("operator_requests", name, body)
