"""What a backup or an export says of itself: its files with their digests, and its schemas."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from goldenthread import __version__
from goldenthread.app.clock import SystemClock
from goldenthread.app.engines.embedded import HOT_STORE_SCHEMA
from goldenthread.domain.errors import EngineError, UsageError
from goldenthread.warehouse.tables import MODELS, schema_version

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

MANIFEST = "manifest.json"
FORMAT = 1
"""How backups and exports are laid out; raised when an older version could not read them."""
_BLOCK = 1 << 20


class Manifest(BaseModel):
    """The files by name with their sha256, and what wrote them.

    ``books`` maps each book to its digest in an export, to the date of its last run in a backup.
    """

    model_config = ConfigDict(frozen=True)

    kind: Literal["backup", "export"]
    format: int = FORMAT
    goldenthread: str = __version__
    made_at: AwareDatetime
    hot_store_schema: int = HOT_STORE_SCHEMA
    table_schemas: dict[str, str]
    books: dict[str, str]
    files: dict[str, str]

    def text(self) -> str:
        """The manifest as its file has it."""
        return self.model_dump_json(indent=1) + "\n"


def manifest_of(kind: Literal["backup", "export"], folder: Path, books: dict[str, str]) -> Manifest:
    """The manifest of every file below the folder."""
    files = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        with path.open("rb") as file:
            files[path.relative_to(folder).as_posix()] = sha256_of(file)
    return Manifest(
        kind=kind,
        made_at=SystemClock().now(),
        table_schemas=table_schemas(),
        books=books,
        files=files,
    )


def table_schemas() -> dict[str, str]:
    """What changes with any column of a table, for each table."""
    return {name: schema_version(model) for name, model in MODELS.items()}


def read_manifest(text: bytes, kind: Literal["backup", "export"], source: Path) -> Manifest:
    """The manifest of ``source``, checked to be one that this version can read.

    Raises:
        UsageError: It is of another kind, or a newer version wrote it.
        EngineError: It is damaged.
    """
    try:
        found = Manifest.model_validate_json(text)
    except ValidationError as error:
        msg = (
            f"{source} has a manifest that cannot be read; nothing was changed: use another {kind}"
        )
        raise EngineError(msg) from error
    if found.format > FORMAT or found.hot_store_schema > HOT_STORE_SCHEMA:
        msg = (
            f"{source} was made by goldenthread {found.goldenthread} (format {found.format}, hot"
            f" store schema {found.hot_store_schema}), this version reads {FORMAT} and"
            f" {HOT_STORE_SCHEMA}: update goldenthread; nothing was changed"
        )
        raise UsageError(msg)
    if found.kind != kind:
        msg = f"{source} is of the kind {found.kind!r}, needed is a {kind}"
        raise UsageError(msg)
    return found


def refuse_damaged(source: Path, name: str, found: str, expected: str) -> None:
    """Nothing, when both digests are one.

    Raises:
        EngineError: They are not.
    """
    if found != expected:
        msg = (
            f"{source} is damaged: {name} is not as its manifest says (sha256 {found[:12]},"
            f" not {expected[:12]}); nothing was changed: use another one"
        )
        raise EngineError(msg)


def sha256_of(file: BinaryIO) -> str:
    """The sha256 of what is left to read of an open file."""
    sha = hashlib.sha256()
    while block := file.read(_BLOCK):
        sha.update(block)
    return sha.hexdigest()
