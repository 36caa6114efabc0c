"""Where compiled kernels are kept, and what is believed of what lies there.

A library is code that this process will run. So the folder, with all above it, is one that nobody
else can write to; the file is the user's own; and its SHA-256 stands in its name, so that one
rename brings both, and a damaged file is none.
"""

from __future__ import annotations

import hashlib
import os
import stat
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
            for file in folder.glob(f"kernels-{key}-*.so"):
                content = _read(file)
                if content is not None and file.name == _name(key, content):
                    return content
    return None


def keep(folder: Path, key: str, library: bytes) -> None:
    """Keep the library in place of any other under this key; do nothing where that is not safe."""
    file = Place(folder) / _name(key, library)
    with suppress(OSError, StoreError):
        make_missing(folder)
        if folder.stat().st_uid == os.getuid():
            folder.chmod(stat.S_IRWXU)  # One made under a loose umask, by an earlier version.
        if is_private(folder):
            for damaged in folder.glob(f"kernels-{key}-*.so"):
                damaged.unlink(missing_ok=True)
            file.write(library)
            file.path.chmod(stat.S_IRUSR | stat.S_IWUSR)


def _name(key: str, library: bytes) -> str:
    return f"kernels-{key}-{hashlib.sha256(library).hexdigest()}.so"


def _read(file: Path) -> bytes | None:
    """Return the bytes of a regular file that is the user's and nobody else can write."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        if is_own(status) and stat.S_ISREG(status.st_mode):
            return stream.read(_LARGEST)
    return None
