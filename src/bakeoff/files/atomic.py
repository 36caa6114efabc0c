"""Files that are there whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from bakeoff.errors import StoreError


def write_file(path: Path, content: bytes) -> None:
    """Write `content` to `path`, so that a reader finds the old file or the new one, never a part.

    The bytes go to a temporary name of their own, also where another process writes the same file;
    they are flushed, and the file is renamed; then the folder is flushed. Raises StoreError, naming
    the file, where the system refuses.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        make_folder(path.parent)
        with temporary.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
        flush_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise StoreError(f"{path}: cannot write: {error.strerror}") from error


def below(root: Path, *steps: str) -> Path:
    """Return the path of `steps` in the folder `root`; raise StoreError where a step is a link.

    Through a link, what is written, moved or removed in `root` would be so somewhere else. `root`
    itself may be one: whoever names it knows where it leads.
    """
    path = root
    for step in steps:
        path = path / step
        if path.is_symlink():
            raise StoreError(f"{path}: a link, and a run folder has none; remove it")
    return path


def is_there(file: Path) -> bool:
    """Return whether there is anything under this name, also a link that leads nowhere."""
    try:
        file.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise StoreError(f"{file}: {error.strerror}") from error
    except ValueError as error:
        raise StoreError(f"{file}: not the name of a file") from error
    return True


def remove_leftovers(path: Path) -> None:
    """Remove the temporaries of `path` that killed processes left.

    Only for a caller that holds the lock under which `path` is written.
    """
    for leftover in path.parent.glob(f".{path.name}.*.tmp"):
        remove_file(leftover)


def remove_file(path: Path) -> None:
    """Remove a file that may be gone already; raise StoreError where the system refuses."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"{path}: cannot remove: {error.strerror}") from error


def remove_folder(path: Path) -> None:
    """Remove a folder with all that is in it; raise StoreError where the system refuses."""
    try:
        if path.exists():
            shutil.rmtree(path)
    except OSError as error:
        raise StoreError(f"{path}: cannot remove: {error.strerror}") from error


def move_folder(source: Path, target: Path) -> None:
    """Rename a folder by one step and flush both parents; raise StoreError if refused.

    A target that is there and not empty is never replaced: the system refuses. Where the system
    refuses to rename at all, as overlay file systems do with a folder of a lower layer, the folder
    is copied, the copy renamed, and only then the folder removed.
    """
    try:
        make_folder(target.parent)
        try:
            source.rename(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _copy_folder(source, target)
        flush_folder(target.parent)
        flush_folder(source.parent)
    except OSError as error:
        raise StoreError(f"{target}: cannot write: {error.strerror}") from error


def _copy_folder(source: Path, target: Path) -> None:
    """Let a folder be at `target`, whole, and no longer at `source`."""
    copy = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        shutil.copytree(source, copy, symlinks=True)
        for file in copy.rglob("*"):
            if file.is_file() and not file.is_symlink():
                _flush(file)
        flush_folder(copy)
        copy.rename(target)
    except (OSError, shutil.Error):
        shutil.rmtree(copy, ignore_errors=True)
        raise
    flush_folder(target.parent)
    shutil.rmtree(source)


def make_folder(folder: Path) -> None:
    """Make a folder with its parents, each as durable as the files that will be in it."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileNotFoundError:  # Another process has just removed an empty parent, made here before.
        folder.mkdir(parents=True, exist_ok=True)
    for each in missing:
        flush_folder(each.parent)


def flush_folder(folder: Path) -> None:
    """Make the names in `folder` durable: without it a rename may be lost when power fails."""
    _flush(folder)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
