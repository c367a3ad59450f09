"""A backtest on disk: one folder a run, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, NamedTuple

import polars as pl

from goldenthread.domain.errors import UsageError
from goldenthread.domain.ids import canonical

_READABLE = 0o755


class Contents(NamedTuple):
    """What a folder holds: what was asked, the strategies as decided, files as read, results.

    ``texts`` maps the place of each file in the folder to what it says.
    """

    config: Mapping[str, Any]
    strategies: Mapping[str, object]
    texts: Mapping[str, str]
    frames: Mapping[str, pl.DataFrame]
    metrics: object
    manifest: Mapping[str, object]


def save(contents: Contents, folder: Path) -> Path:
    """The folder, now holding the run.

    ``config.toml`` says what was asked, ``strategies/ID.toml`` each strategy's file as it
    was read, ``ID.json`` as it decided (canonical, parameters changed), ``factors/NAME.py`` the
    Python factors they call, ``manifest.json`` the
    digests of bars, strategies, policy, engine and every file beside it, ``metrics.json`` the
    figures; the rest are frames as Parquet. All of it is written beside the folder first and
    moved into place, so that a run that dies leaves nothing that could be taken for whole.

    Raises:
        UsageError: The folder is there already and holds something.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        msg = f"{folder} is there already; name a new folder with --out, nothing was written"
        raise UsageError(msg)
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write(contents, draft)
        draft.chmod(_READABLE)
        with suppress(FileNotFoundError):
            folder.rmdir()
        os.replace(draft, folder)  # noqa: PTH105  # the one call that moves a folder at once
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def digest_of(frame: pl.DataFrame) -> str:
    """The sha256 of a frame's content: column names, then every row as CSV."""
    return hashlib.sha256(frame.write_csv().encode()).hexdigest()


def _write(contents: Contents, draft: Path) -> None:
    (draft / "config.toml").write_text(_toml(contents.config), encoding="utf-8")
    (draft / "strategies").mkdir()
    for name, config in contents.strategies.items():
        _json(draft / "strategies" / f"{name}.json", config)
    for name, text in contents.texts.items():
        (draft / name).parent.mkdir(exist_ok=True)
        (draft / name).write_text(text, encoding="utf-8")
    for name, frame in contents.frames.items():
        frame.write_parquet(draft / f"{name}.parquet")
    _json(draft / "metrics.json", contents.metrics)
    files = sorted(path for path in draft.rglob("*") if path.is_file())
    sums = {str(p.relative_to(draft)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
    _json(draft / "manifest.json", {**contents.manifest, "files": sums})


def _json(path: Path, content: Any) -> None:  # noqa: ANN401  # any JSON value
    text = json.dumps(canonical(content), indent=1, sort_keys=True, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _toml(config: Any) -> str:  # noqa: ANN401  # a mapping of plain values and mappings
    """Plain values first, then a table for each mapping."""
    plain = {key: value for key, value in config.items() if not isinstance(value, dict)}
    lines = [f"{key} = {_literal(value)}" for key, value in plain.items()]
    for key, table in config.items():
        if isinstance(table, dict):
            lines += ["", f"[{key}]", *(f"{k} = {_literal(v)}" for k, v in table.items())]
    return "\n".join(lines) + "\n"


def _literal(value: object) -> str:
    """A value as TOML; exact numbers as text, dates as dates."""
    plain = canonical(value)
    if isinstance(plain, str) and not isinstance(value, str):
        return plain
    return json.dumps(plain)
