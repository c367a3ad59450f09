"""Which strategies and policy are in force: files compared with the versions of the book."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from goldenthread.domain.errors import ConflictError
from goldenthread.domain.ids import canonical
from goldenthread.domain.strategy import Strategy, Version
from goldenthread.ports.hot_store import Create, Replace
from goldenthread.signals.engine import compile_strategy
from goldenthread.warehouse.scd2 import advance, asset_configs

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from goldenthread.domain.asset import Asset
    from goldenthread.domain.policy import Policy
    from goldenthread.ports.hot_store import Document, HotStore
    from goldenthread.positions.blotter import Blotter
    from goldenthread.signals.engine import CompiledStrategy

_STRATEGIES = "strategy-versions"
_POLICIES = "policy-versions"
_ASSETS = "asset-versions"
_ROOM = 500_000
"""Bytes of versions in one document; a hot store takes bodies of 900,000."""


@dataclass(frozen=True)
class VersionStamp:
    """When versions are compared, and by which code."""

    at: dt.datetime
    git_hash: str
    engine_digest: str


class Library:
    """The strategies of the files, and every version a book still refers to, compiled once."""

    def __init__(self, strategies: Iterable[Strategy]) -> None:
        self.current = tuple(compile_strategy(s) for s in strategies)
        self._compiled = {c.strategy.version_key: c for c in self.current}

    def version(self, store: HotStore, key: str) -> CompiledStrategy | None:
        """The strategy of that version, from the files or from the book's history."""
        if key not in self._compiled:
            for version in strategy_versions(store):
                if version.version_key == key:
                    strategy = Strategy.from_canonical(json.loads(version.config))
                    self._compiled[key] = compile_strategy(strategy)
        return self._compiled.get(key)


def strategy_versions(store: HotStore) -> list[Version]:
    """Every version row of every strategy of the book."""
    return _read(store, _STRATEGIES)


def policy_versions(store: HotStore) -> list[Version]:
    """Every version row of the policy of the book."""
    return _read(store, _POLICIES)


def asset_versions(store: HotStore) -> list[Version]:
    """Every version row of every asset of the book."""
    return _read(store, _ASSETS)


Configs = dict[str, dict[str, tuple[str, str]]]
"""Version key and canonical text by id, for strategies, policy and assets."""


def configs_of(library: Library, policy: Policy, assets: Iterable[Asset]) -> Configs:
    """Everything versions are kept of, as it is in the files now."""
    strategies = [c.strategy for c in library.current]
    return {
        _STRATEGIES: {s.strategy_id: (s.version_key, _text(s.canonical())) for s in strategies},
        _POLICIES: {policy.policy_id: (policy.policy_key, _text(canonical(policy.model_dump())))},
        _ASSETS: asset_configs(assets),
    }


def sync_versions(blotter: Blotter, store: HotStore, configs: Configs, stamp: VersionStamp) -> bool:
    """Whether a row was opened, closed or reopened to match ``configs`` as of ``stamp.at``."""
    changed = [_advance(blotter, store, name, found, stamp) for name, found in configs.items()]
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
