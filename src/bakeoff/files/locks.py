"""Locks on files, so that several processes can work on one run folder.

They are `flock` locks: the kernel gives one back the moment its holder is dead, however it died. A
lock file is empty and is never removed, since a lock on a removed file would exclude nobody. On NFS
the server keeps the locks: a dead process loses its locks at once there too, a dead machine after
the server's lease, often 90 s.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bakeoff.errors import StoreError
from bakeoff.files.atomic import make_folder


@contextmanager
def held(file: Path) -> Iterator[None]:
    """Hold the lock, after waiting for whoever holds it now. Raises StoreError."""
    with _opened(file) as descriptor:
        _lock(descriptor, fcntl.LOCK_EX, file)
        yield


@contextmanager
def held_if_free(file: Path) -> Iterator[bool]:
    """Hold the lock if nobody else does; the value says whether. Raises StoreError."""
    with _opened(file) as descriptor:
        yield _lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, file)


def is_held(file: Path) -> bool:
    """Return whether somebody holds the lock, this process included. Raises StoreError.

    Asking takes a shared lock for a moment, so whoever tries the lock right then finds it taken,
    and has to try again later, as everybody does.
    """
    if not file.exists():
        return False
    with _opened(file) as descriptor:
        return not _lock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB, file)


def stamp(file: Path) -> None:
    """Note in the file's time of change that its holder begins to work. Raises StoreError."""
    try:
        os.utime(file)
    except OSError as error:
        raise StoreError(f"{file}: cannot write: {error.strerror}") from error


def stamps(files: Iterable[Path]) -> dict[Path, int]:
    """Return when the holders of locks last began to work; without those that nobody ever held."""
    found = {}
    for file in files:
        with suppress(FileNotFoundError):
            found[file] = file.stat().st_mtime_ns
    return found


@contextmanager
def _opened(file: Path) -> Iterator[int]:
    """Open a lock file; closing it gives the lock back. A program started meanwhile gets none."""
    try:
        make_folder(file.parent)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StoreError(
            f"{file}: cannot lock: {error.strerror}; give a folder that can be written"
        ) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(descriptor: int, kind: int, file: Path) -> bool:
    """Return whether the lock was got; raise StoreError where the file system has no locks."""
    try:
        fcntl.flock(descriptor, kind)
    except BlockingIOError:
        return False
    except OSError as error:
        raise StoreError(f"{file}: cannot lock: {error.strerror}; give another --out") from error
    return True
