"""Which strategies and policy are in force: files compared with the versions of the book."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from goldenthread.domain.errors import ConflictError, UsageError
from goldenthread.domain.ids import canonical, text_digest
from goldenthread.domain.strategy import Strategy, Version
from goldenthread.ports.hot_store import Create, Replace
from goldenthread.signals.engine import compile_strategy
from goldenthread.warehouse.scd2 import advance, asset_configs

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from goldenthread.domain.asset import Asset
    from goldenthread.domain.policy import Policy
    from goldenthread.ports.hot_store import Document, HotStore
    from goldenthread.positions.blotter import Blotter
    from goldenthread.signals.engine import CompiledStrategy, Evaluator

_STRATEGIES = "strategy-versions"
_POLICIES = "policy-versions"
_ASSETS = "asset-versions"
_CODE = "code-"
_ROOM = 500_000
"""Bytes of versions in one document; a hot store takes bodies of 900,000."""


@dataclass(frozen=True)
class VersionStamp:
    """When versions are compared, and by which code."""

    at: dt.datetime
    git_hash: str
    engine_digest: str


class Library:
    """The strategies of the files, and every version a book still refers to, compiled once.

    Args:
        strategies: Those of the files.
        runs_code: Whether the Python factors that older versions were kept with may run.
    """

    def __init__(self, strategies: Iterable[Strategy], *, runs_code: bool = False) -> None:
        self.current = tuple(compile_strategy(s) for s in strategies)
        self._runs_code = runs_code
        self._compiled = {c.strategy.version_key: c for c in self.current}

    def version(self, store: HotStore, key: str) -> CompiledStrategy | None:
        """The strategy of that version, from the files or from the book's history.

        None when the book has no such version, or its Python factors may not run any more.
        """
        if key not in self._compiled:
            for version in strategy_versions(store):
                if version.version_key == key and (strategy := self._kept(store, version.config)):
                    self._compiled[key] = compile_strategy(strategy)
        return self._compiled.get(key)

    def holds(
        self,
        store: HotStore,
        evaluator: Evaluator,
        version_key: str,
        rule: Literal["exit", "cancel"],
        symbol: str,
        ds: dt.date,
    ) -> bool | None:
        """Whether ``exit.when`` or ``entry.cancel_if`` of a version held, where the evaluator is.

        None where it cannot be told, so too when the version's own code fails on these bars: a
        correction of the file would not reach it.
        """
        try:
            compiled = self.version(store, version_key)
            return None if compiled is None else evaluator.holds(compiled, rule, symbol, ds)
        except UsageError:
            return None

    def _kept(self, store: HotStore, text: str) -> Strategy | None:
        """The strategy of a kept configuration with the code kept beside it; None without."""
        config = json.loads(text)
        code = {}
        for file, digest in config.get("code", {}).items():
            document = store.get("strategies", f"{_CODE}{digest}") if self._runs_code else None
            if document is None or text_digest(document.body["text"]) != digest:
                return None
            code[file] = document.body["text"]
        return Strategy.from_canonical(config, code)


def strategy_versions(store: HotStore) -> list[Version]:
    """Every version row of every strategy of the book."""
    return _read(store, _STRATEGIES)


def policy_versions(store: HotStore) -> list[Version]:
    """Every version row of the policy of the book."""
    return _read(store, _POLICIES)


def asset_versions(store: HotStore) -> list[Version]:
    """Every version row of every asset of the book."""
    return _read(store, _ASSETS)


def kept_code(store: HotStore, versions: Iterable[Version]) -> dict[str, str]:
    """The text of each file of Python factors that a version calls, by its sha256."""
    wanted = {sha for v in versions for sha in json.loads(v.config).get("code", {}).values()}
    found = {sha: store.get("strategies", f"{_CODE}{sha}") for sha in sorted(wanted)}
    return {sha: document.body["text"] for sha, document in found.items() if document}


class Configs(NamedTuple):
    """What versions are kept of: version key and canonical text by id, and the text of code.

    ``kinds`` are strategies, policy and assets; ``code`` maps the sha256 of each file of Python
    factors to its text.
    """

    kinds: Mapping[str, Mapping[str, tuple[str, str]]]
    code: Mapping[str, str]


def configs_of(library: Library, policy: Policy, assets: Iterable[Asset]) -> Configs:
    """Everything versions are kept of, as it is in the files now."""
    strategies = [c.strategy for c in library.current]
    kinds = {
        _STRATEGIES: {s.strategy_id: (s.version_key, _text(s.canonical())) for s in strategies},
        _POLICIES: {policy.policy_id: (policy.policy_key, _text(canonical(policy.model_dump())))},
        _ASSETS: asset_configs(assets),
    }
    return Configs(kinds, {text_digest(t): t for s in strategies for t in s.code.values()})


def sync_versions(blotter: Blotter, store: HotStore, configs: Configs, stamp: VersionStamp) -> bool:
    """Whether a row was opened, closed or reopened to match ``configs`` as of ``stamp.at``.

    Code is kept first, under its digest, so that a version is never without it.
    """
    for digest, text in configs.code.items():
        store.put_if_absent("strategies", f"{_CODE}{digest}", {"text": text})
    kinds = configs.kinds.items()
    changed = [_advance(blotter, store, name, found, stamp) for name, found in kinds]
    return any(changed)


def _advance(
    blotter: Blotter,
    store: HotStore,
    name: str,
    configs: Mapping[str, tuple[str, str]],
    stamp: VersionStamp,
) -> bool:
    documents = _documents(store, name)
    rows = [row for document in documents for row in document.body["versions"]]
    held = {row["id"]: row["version_key"] for row in rows if row["valid_to"] is None}
    if documents and held == {key: config[0] for key, config in configs.items()}:
        return False
    current = [Version.model_validate(row) for row in rows]
    after = advance(current, configs, stamp.at, stamp.git_hash, stamp.engine_digest)
    parts = _parted([version.model_dump(mode="json") for version in after])
    bodies: list[dict[str, Any]] = [{"versions": part} for part in parts]
    if len(parts) > 1:
        bodies[0]["parts"] = len(parts)
    new = bodies[len(documents) :]
    creates = [Create("strategies", _part(name, len(documents) + n), b) for n, b in enumerate(new)]
    pairs = zip(documents, bodies, strict=False)
    blotter.write([*(Replace(d, b) for d, b in pairs if d.body != b), *creates])
    return True


def _parted(rows: list[Any]) -> list[list[Any]]:
    """The rows in as many parts as documents can hold, in order; at least one part."""
    parts: list[list[Any]] = [[]]
    room = _ROOM
    for row in rows:
        size = len(json.dumps(row))
        if size > room and parts[-1]:
            parts.append([])
            room = _ROOM
        parts[-1].append(row)
        room -= size
    return parts


def _documents(store: HotStore, name: str) -> list[Document]:
    """The documents that hold the versions of a kind, in order; the first says how many."""
    first = store.get("strategies", name)
    if first is None:
        return []
    others = [store.get("strategies", _part(name, n)) for n in range(1, first.body.get("parts", 1))]
    if None in others:
        msg = f"a part of strategies/{name} vanished; restore the hot store from a backup"
        raise ConflictError(msg)
    return [first, *(document for document in others if document)]


def _part(name: str, number: int) -> str:
    return f"{name}-{number + 1}" if number else name


def _read(store: HotStore, name: str) -> list[Version]:
    documents = _documents(store, name)
    return [Version.model_validate(row) for d in documents for row in d.body["versions"]]


def _text(config: object) -> str:
    return json.dumps(config, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
