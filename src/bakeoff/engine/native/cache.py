"""Where compiled kernels are kept, and what is believed of what lies there.

A library is code that this process will run. So the folder, with all above it, is one that nobody
else can write to; the file is the user's own; and its SHA-256 stands in its name, so that one
rename brings both, and a damaged file is none.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from bakeoff.errors import StoreError
from bakeoff.files.place import Place
from bakeoff.files.private import is_own, is_private, make_missing

_LARGEST = 64 << 20
"""Bytes that are read. Ours takes a thousandth."""


def kept(folder: Path, key: str) -> bytes | None:
    """Return the library that `keep` left under this key, or None where none can be trusted."""
    with suppress(OSError):
        if is_private(folder):
            return next(filter(None, map(_whole, _found(folder, key))), None)
    return None


def keep(folder: Path, key: str, library: bytes) -> None:
    """Keep the library under this key; do nothing where that is not safe.

    What is damaged goes, or was kept where others could write. What another process has kept
    meanwhile stays: it may be about to look.
    """
    place = Place(folder) / _name(key, library)
    with suppress(OSError, StoreError):
        make_missing(folder)
        trusted = is_private(folder)
        if folder.stat().st_uid == os.getuid():
            folder.chmod(stat.S_IRWXU)  # One made under a loose umask, by an earlier version.
        if is_private(folder):
            for file in _found(folder, key):
                if not trusted or _whole(file) is None:
                    file.unlink(missing_ok=True)
            place.write(library, mode=stat.S_IRUSR | stat.S_IWUSR)


def _found(folder: Path, key: str) -> Iterable[Path]:
    return folder.glob(f"kernels-{key}-*.so")


def _name(key: str, library: bytes) -> str:
    return f"kernels-{key}-{_sum(library)}.so"


def _sum(library: bytes) -> str:
    return hashlib.sha256(library).hexdigest()


def _whole(file: Path) -> bytes | None:
    """Return the bytes of a regular file that is the user's alone to write, if its sum is right."""
    with suppress(OSError):  # Another process may have just removed it.
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            status = os.fstat(descriptor)
            if is_own(status) and stat.S_ISREG(status.st_mode):
                library = stream.read(_LARGEST)
                if file.stem.endswith(f"-{_sum(library)}"):
                    return library
    return None
