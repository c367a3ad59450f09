"""Slowly changing dimensions, type 2: what was in force when, without overlap or gap."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from goldenthread.domain.errors import ConflictError
from goldenthread.domain.ids import canonical, digest
from goldenthread.domain.strategy import Version

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from goldenthread.domain.asset import Asset

Config = tuple[str, str]
"""A version key and the canonical configuration it is the sha256 of, as JSON text."""


def advance(
    current: Sequence[Version],
    configs: Mapping[str, Config],
    at: dt.datetime,
    git_hash: str,
    engine_digest: str,
) -> list[Version]:
    """The versions after ``configs`` came into force at ``at``, by id and time.

    An id with another key gets its row closed at ``at`` and a new one opened there; an id that
    is gone is closed; one that returns is opened again, also with a key it had before. Nothing
    changed, nothing changes.

    Raises:
        ConflictError: ``at`` is not after the row it would close: time went backwards.
    """
    versions = list(current)
    for index, version in enumerate(current):
        if version.valid_to is None and configs.get(version.id, ("", ""))[0] != version.version_key:
            if at <= version.valid_from:
                raise ConflictError(_backwards(version, at))
            versions[index] = version.model_copy(update={"valid_to": at})
    in_force = {version.id for version in versions if version.valid_to is None}
    versions += [
        Version(
            id=name,
            version_key=key,
            config=text,
            valid_from=at,
            git_hash=git_hash,
            engine_digest=engine_digest,
        )
        for name, (key, text) in configs.items()
        if name not in in_force
    ]
    return sorted(versions, key=lambda version: (version.id, version.valid_from))


def in_force(versions: Iterable[Version], name: str, at: dt.datetime) -> Version | None:
    """The one version of ``name`` that was valid at ``at``, or None."""
    for version in versions:
        started = version.id == name and version.valid_from <= at
        if started and (version.valid_to is None or at < version.valid_to):
            return version
    return None


def asset_configs(assets: Iterable[Asset]) -> dict[str, Config]:
    """The configuration of each asset by symbol, for ``advance``."""
    found: dict[str, Config] = {}
    for asset in assets:
        plain = canonical(asset.model_dump())
        text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        found[asset.symbol] = (digest(plain), text)
    return found


def _backwards(version: Version, at: dt.datetime) -> str:
    return (
        f"{version.id} was changed at {at.isoformat()}, not after {version.valid_from.isoformat()} "
        f"when its version in force began; a change acts from the next business date on"
    )
