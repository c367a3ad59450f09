"""A project in one file, as of one moment between two runs, and a project made from it."""

from __future__ import annotations

import os
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from goldenthread.app.api.operations.manifest import (
    MANIFEST,
    Manifest,
    manifest_of,
    read_manifest,
    refuse_damaged,
    sha256_of,
)
from goldenthread.app.api.operations.steps import Progress, steps, unseen
from goldenthread.app.api.project import Project
from goldenthread.app.book import read_book
from goldenthread.app.desk import LEASE
from goldenthread.app.engines.embedded import copy_stores, no_run_at_work, refuse_elsewhere
from goldenthread.app.engines.wiring import open_warehouse, read_hot_store
from goldenthread.app.settings import FILE_NAME
from goldenthread.domain.errors import EngineError, UsageError

_TEXTS = (FILE_NAME, "universes.toml", "strategies/**/*", "factors/**/*")
"""What a person wrote: settings, universes, strategies and Python factors."""
_PASSING = "__pycache__"


@dataclass(frozen=True)
class Kept:
    """A backup, or what was restored of it: where, how much, and each book's last run."""

    file: Path
    project: Path
    files: int
    bytes: int
    books: dict[str, str]


def backup(project: Project, target: Path, progress: Progress = unseen) -> Kept:
    """The project in one new file; in a folder, under a name that says when.

    The stores are copied while the lease of every book is held: runs at work end first, one that
    begins meanwhile is refused with exit code 4. The file appears whole or not at all.
    ``progress`` hears of each file that is packed.

    Raises:
        UsageError: A store is no file of the project, or the target is there already.
        LeaseHeldError: A run did not end in time.
        EngineError: A store cannot be read, or the backup not written.
    """
    refuse_elsewhere(project.settings, project.root)
    _refuse_unfit(target)
    try:
        with TemporaryDirectory(dir=_folder_of(target), prefix=".goldenthread-") as scratch:
            return _backed_up(project, target, Path(scratch), progress)
    except OSError as error:
        msg = f"the backup {target} cannot be written: {error}; make room or name another place"
        raise EngineError(msg) from error


def restore(file: Path, root: Path, progress: Progress = unseen) -> Kept:
    """The project of a backup in a new or empty folder, its tables brought up to this version.

    Every file is compared with its digest first; the settings come last, so that a folder that was
    left half way is not a project. ``progress`` hears of each file.

    Raises:
        UsageError: The folder holds something, or the file is no backup this version reads.
        EngineError: The backup is damaged, or the folder cannot be written.
    """
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        msg = (
            f"{root.resolve()} is not empty; a backup is restored into a new or empty folder:"
            " name one with --project, or move what is there away"
        )
        raise UsageError(msg)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=root, prefix=".restoring-") as scratch:
            return _restored(file, root, Path(scratch), progress)
    except OSError as error:
        msg = f"{file} cannot be restored into {root}: {error}; make room or name another folder"
        raise EngineError(msg) from error


def _backed_up(project: Project, target: Path, scratch: Path, progress: Progress) -> Kept:
    inside = scratch / "project"
    inside.mkdir()
    with no_run_at_work(project.settings, project.root, LEASE) as held:
        copy_stores(project.settings, project.root, inside, held)
        _copy_texts(project.root, inside)
        last = {book: _last_run(project, book) for book in held}
    manifest = manifest_of("backup", inside, last)
    file = (
        target / f"goldenthread-{manifest.made_at:%Y%m%dT%H%M%SZ}.zip"
        if target.is_dir()
        else target
    )
    _refuse_unfit(file)
    packed = scratch / "packed"
    with packed.open("xb") as out:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as pack:
            pack.writestr(MANIFEST, manifest.text())
            for name in steps(list(manifest.files), progress):
                pack.write(inside / name, name)
        out.flush()
        os.fsync(out.fileno())
    packed.chmod(0o600)
    packed.replace(file)
    return _kept(file, project.root, manifest)


def _restored(file: Path, root: Path, scratch: Path, progress: Progress) -> Kept:
    try:
        with zipfile.ZipFile(file) as pack:
            manifest = read_manifest(pack.read(MANIFEST), "backup", file)
            for name, expected in steps(list(manifest.files.items()), progress):
                _extract(pack, name, scratch)
                with (scratch / name).open("rb") as written:
                    refuse_damaged(file, name, sha256_of(written), expected)
    except (zipfile.BadZipFile, KeyError) as error:
        msg = f"{file} is no whole backup ({error}); nothing was restored: use another one"
        raise EngineError(msg) from error
    warehouse = open_warehouse(Project.open(scratch).settings, scratch)
    try:
        warehouse.publish()  # for readers, who would have to wait for the next run
    finally:
        warehouse.close()
    for path in sorted(scratch.iterdir(), key=lambda path: path.name == FILE_NAME):
        path.replace(root / path.name)
    return _kept(file, root, manifest)


def _extract(pack: zipfile.ZipFile, name: str, scratch: Path) -> None:
    """Write one file below the folder and nowhere else."""
    place = PurePosixPath(name)
    if place.is_absolute() or ".." in place.parts or "\\" in name:
        msg = f"{pack.filename} holds {name!r}, a path out of its folder; it is no backup of ours"
        raise EngineError(msg)
    target = scratch / place
    target.parent.mkdir(parents=True, exist_ok=True)
    with pack.open(name) as packed, target.open("xb") as file:
        shutil.copyfileobj(packed, file)
    target.chmod(0o600)


def _copy_texts(root: Path, to: Path) -> None:
    for pattern in _TEXTS:
        for source in root.glob(pattern):
            if source.is_file() and _PASSING not in source.parts:
                target = to / source.relative_to(root)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)


def _last_run(project: Project, book: str) -> str:
    state = read_book(read_hot_store(project.settings, project.root, book))
    return str(state.last_ds) if state and state.last_ds else ""


def _refuse_unfit(target: Path) -> None:
    if target.is_file():
        msg = f"{target} is there already; a backup never overwrites: name another file"
        raise UsageError(msg)
    if not _folder_of(target).is_dir():
        msg = f"there is no folder {_folder_of(target)}; make it, or name another place"
        raise UsageError(msg)


def _folder_of(target: Path) -> Path:
    return target if target.is_dir() else target.parent


def _kept(file: Path, project: Path, manifest: Manifest) -> Kept:
    return Kept(file, project, len(manifest.files), file.stat().st_size, manifest.books)
