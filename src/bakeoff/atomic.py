"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from bakeoff.errors import StoreError


def write_file(path: Path, content: bytes) -> None:
    """Write `content` to `path`, so that a reader finds the old file or the new one, never a part.

    The bytes go to a temporary name, are flushed, and are renamed; then the folder is flushed.
    Raises StoreError, naming the file, where the system refuses.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
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


def flush_folder(folder: Path) -> None:
    """Make the names in `folder` durable: without it a rename may be lost when power fails."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
