"""What a finished trial consists of: the length and SHA-256 of each file, itself under a seal."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bakeoff.errors import DamagedError, StoreError, UnreadableError
from bakeoff.files.reading import read_file, sealed, unsealed

MANIFEST = "manifest.json"
_LARGEST_MANIFEST = 64_000  # Bytes: one of three files has 600.
_GONE = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP}
"""What the system says where something else stands in a file's place."""


def manifest_of(files: Mapping[str, bytes]) -> bytes:
    """Return the manifest of files that lie beside it."""
    return sealed(
        {
            "bytes": {name: len(content) for name, content in files.items()},
            "sha256": {name: hashlib.sha256(each).hexdigest() for name, each in files.items()},
        }
    )


def read_listed(file: Path, most: int) -> bytes:
    """Return the bytes of a file of a trial, after comparing them with the manifest beside it.

    A file that has another length than the manifest says, or more than `most` bytes, is not even
    read. Raises DamagedError, or StoreError where the file cannot be read at all.
    """
    mend = f"move {file.parent} away and run again to train it anew"
    try:
        size, digest = _listed(file)
        if size > most:
            raise UnreadableError(f"{file}: {size:,} bytes, at most {most:,} are read")
        content = read_file(file, size)
        if hashlib.sha256(content).hexdigest() != digest:
            raise UnreadableError(f"{file}: damaged, its SHA-256 is not the manifest's")
    except UnreadableError as error:
        # The trial may be whole where it is the disk or a permission that is not.
        cause = error.__cause__
        if isinstance(cause, OSError) and cause.errno not in _GONE:
            raise StoreError(f"{error}; cannot read it now, run again when it can be") from error
        raise DamagedError(str(error), mend) from error
    return content


def _listed(file: Path) -> tuple[int, Any]:
    """Return the length and the SHA-256 that the manifest gives for a file."""
    manifest = file.with_name(MANIFEST)
    for each in (manifest, file):
        if each.is_symlink():
            raise UnreadableError(f"{each}: a link, and a finished trial has none")
    document = unsealed(read_file(manifest, _LARGEST_MANIFEST), str(manifest))
    sizes, digests = document.get("bytes"), document.get("sha256")
    if not isinstance(sizes, dict) or not isinstance(digests, dict):
        raise UnreadableError(f"{manifest}: damaged, not a manifest")
    size, digest = sizes.get(file.name), digests.get(file.name)
    if size is None or digest is None:
        raise UnreadableError(f"{manifest}: does not list {file.name}")
    if not isinstance(size, int) or size < 0:
        raise UnreadableError(f"{manifest}: damaged, not a manifest")
    return size, digest
