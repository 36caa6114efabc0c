"""Where compiled kernels are kept, and what is believed of what lies there.

A library is code that this process will run. So the folder, with all above it, is one that nobody
else can write to; the file is the user's own; and its SHA-256 stands in its name, so that one
rename brings both, and a damaged file is none.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import stat
from contextlib import suppress
from pathlib import Path

from bakeoff.errors import StoreError
from bakeoff.files.place import Place

_LARGEST = 64 << 20
"""Bytes that are read. Ours takes a thousandth."""

_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def cache_folder() -> Path | None:
    """Return `bakeoff` in the user's folder for caches, or None where there is no such folder.

    Only absolute paths count: any other would mean what lies in the current folder.
    """
    homes = (os.environ.get("HOME", ""), _home())
    caches = [Path(os.environ.get("XDG_CACHE_HOME", "")), *(Path(home, ".cache") for home in homes)]
    return next((cache / "bakeoff" for cache in caches if cache.is_absolute()), None)


def _home() -> str:
    """Return what the system says of the user's home, where it knows the user."""
    with suppress(KeyError):
        return pwd.getpwuid(os.getuid()).pw_dir
    return ""


def kept(folder: Path, key: str) -> bytes | None:
    """Return the library that `keep` left under this key, or None where none can be trusted."""
    with suppress(OSError):
        if _is_private(folder):
            for file in folder.glob(f"kernels-{key}-*.so"):
                content = _read(file)
                if content is not None and file.name == _name(key, content):
                    return content
    return None


def keep(folder: Path, key: str, library: bytes) -> None:
    """Keep the library in place of any other under this key; do nothing where that is not safe."""
    file = Place(folder) / _name(key, library)
    with suppress(OSError, StoreError):
        for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
            missing.mkdir(mode=stat.S_IRWXU, exist_ok=True)
        if folder.stat().st_uid == os.getuid():
            folder.chmod(stat.S_IRWXU)  # One made under a loose umask, by an earlier version.
        if _is_private(folder):
            for damaged in folder.glob(f"kernels-{key}-*.so"):
                damaged.unlink(missing_ok=True)
            file.write(library)
            file.path.chmod(stat.S_IRUSR | stat.S_IWUSR)


def _name(key: str, library: bytes) -> str:
    return f"kernels-{key}-{hashlib.sha256(library).hexdigest()}.so"


def _is_private(folder: Path) -> bool:
    """Return whether the folder is the user's, and only the user and root can change its path."""
    own, *above = [each.stat() for each in (folder.resolve(), *folder.resolve().parents)]
    return _is_own(own) and all(
        # A sticky folder, as /tmp, lets nobody rename what is another's.
        status.st_uid in {0, os.getuid()}
        and (status.st_mode & stat.S_ISVTX or not status.st_mode & _BY_OTHERS)
        for status in above
    )


def _is_own(status: os.stat_result) -> bool:
    return status.st_uid == os.getuid() and not status.st_mode & _BY_OTHERS


def _read(file: Path) -> bytes | None:
    """Return the bytes of a regular file that is the user's and nobody else can write."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        if _is_own(status) and stat.S_ISREG(status.st_mode):
            return stream.read(_LARGEST)
    return None
