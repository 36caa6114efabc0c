"""Images that were decoded once, kept as bytes, and what is believed of what lies there.

An entry is a folder with images, labels and, under a seal, what they are. It appears by one rename,
when all is in it and flushed, and is never changed. Its labels are compared with their SHA-256. Its
images are believed as long as they have the length and the time of last change that they had then;
where the time is another, as in a copy, they too are compared. Who uses an entry holds a lock on
it, which the kernel gives back.

A mark is a small file beside the entries. It says which of them came of files of these names,
lengths and times, so that they need not be read again to be known.
"""

from __future__ import annotations

import fcntl
import hashlib
import math
import mmap
import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.errors import StoreError, UnreadableError, UsageError
from bakeoff.files.arrays import from_npz, to_npz
from bakeoff.files.memory import usable_memory
from bakeoff.files.place import Place
from bakeoff.files.private import cache_folder, is_own, is_private, make_missing
from bakeoff.files.reading import read_file, sealed, unsealed

IMAGES = "images.npy"
_ABOUT = "about.json"
_LABELS = "labels.npz"
_LARGEST_LABELS = 1 << 30
_LARGEST_ABOUT = 16 << 20  # Bytes: a name of 64 letters for each of 100,000 classes.
_LARGEST_MARK = 1000
_HEADER = 128  # Bytes before the values: numpy fills up to a multiple of 64.
_USUAL_LIMIT = 20 * 10**9
_ABANDONED = 3600.0  # Seconds after which nobody can be about to lock what he has just made.


@dataclass(frozen=True, eq=False)
class Entry:
    """Arrays that are kept, and what was written beside them."""

    images: NDArray[np.uint8]
    """[n, channels, height, width], read-only, mapped: processes share it."""
    labels: NDArray[np.int64]
    """[n]."""
    groups: NDArray[np.int64] | None
    """[n]."""
    about: dict[str, Any]
    changed: bool
    """Whether the images have another time of last change: then their hash is to be compared."""


def kept_folder() -> Path | None:
    """Return where entries are kept, or None where there is no such place.

    `$BAKEOFF_CACHE/data`, or `bakeoff/data` in the user's folder for caches; absolute only.
    """
    asked = Path(os.environ.get("BAKEOFF_CACHE", ""))
    folder = asked if asked.is_absolute() else cache_folder()
    return folder / "data" if folder else None


def limit() -> int:
    """Return how many bytes may be kept; raise UsageError where BAKEOFF_CACHE_BYTES is none."""
    asked = os.environ.get("BAKEOFF_CACHE_BYTES", "")
    if asked and not asked.isdecimal():
        raise UsageError(f"BAKEOFF_CACHE_BYTES={asked}: give a number of bytes")
    return int(asked) if asked else _USUAL_LIMIT


def opened(folder: Path, key: str) -> Entry | None:
    """Return what is kept under this key; None where that is nothing, or cannot be trusted."""
    try:
        if not is_private(folder):
            return None
        about = unsealed(read_file(folder / key / _ABOUT, _LARGEST_ABOUT), key)
        content = read_file(folder / key / _LABELS, _LARGEST_LABELS)
        if hashlib.sha256(content).hexdigest() != about["labels"]:
            return None
        names = ["labels", "groups"] if about["grouped"] else ["labels"]
        arrays = from_npz(content, names, key)
        with _locked(folder / key / IMAGES, fcntl.LOCK_SH) as file:
            status = os.fstat(file)
            shape = tuple(about["shape"])
            if not is_own(status) or status.st_size != _HEADER + math.prod(shape):
                return None
            images = _mapped(file, shape, mmap.ACCESS_READ)
            os.utime(folder / key)  # When it was last used.
            changed = status.st_mtime_ns != about["changed"]
            return Entry(images, arrays["labels"], arrays.get("groups"), about, changed)
    except (OSError, UnreadableError, KeyError, TypeError, ValueError):
        return None


def discard(folder: Path, key: str) -> None:
    """Remove an entry that is damaged. Who has it mapped keeps what was mapped."""
    shutil.rmtree(folder / key, ignore_errors=True)


def marked(folder: Path, mark: str) -> str:
    """Return the key of the entry that came of files with this mark, or nothing."""
    with suppress(OSError, UnreadableError, KeyError, ValueError):
        if is_private(folder):
            return str(unsealed(read_file(folder / f"{mark}.json", _LARGEST_MARK), mark)["entry"])
    return ""


def remember(folder: Path, mark: str, key: str) -> None:
    """Let files with this mark be known to have come to this entry, where that can be written."""
    with suppress(OSError, StoreError):
        if is_private(folder):
            (Place(folder) / f"{mark}.json").write(sealed({"entry": key}))


class Draft:
    """An entry in the making. Nobody sees it until `keep`."""

    def __init__(self, folder: Path, key: str, shape: tuple[int, int, int, int]) -> None:
        """Make its folder. Raises OSError."""
        self._shape = shape
        self._final = folder / key
        self._folder = folder / f".{key}.{secrets.token_hex(4)}.tmp"
        self._folder.mkdir(mode=stat.S_IRWXU)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._file = os.open(self._folder / IMAGES, flags, stat.S_IRUSR | stat.S_IWUSR)
        fcntl.flock(self._file, fcntl.LOCK_SH)
        self._stream = os.fdopen(self._file, "wb", closefd=False)
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._stream, header)
        if self._stream.tell() != _HEADER:
            raise OSError("a header of another length")

    def append(self, images: NDArray[np.uint8]) -> None:
        """Write the next images. Raises OSError, as where the disk is full."""
        self._stream.write(np.ascontiguousarray(images).data)

    def images(self) -> NDArray[np.uint8]:
        """Return all that was written, to be put into another order. Raises OSError."""
        self._stream.flush()
        return _mapped(self._file, self._shape, mmap.ACCESS_WRITE)

    def keep(
        self,
        labels: NDArray[np.int64],
        groups: NDArray[np.int64] | None,
        about: dict[str, Any],
    ) -> None:
        """Write what the images are, and let the entry appear, unless another process was faster.

        Raises OSError.
        """
        self._stream.flush()
        os.fsync(self._file)
        arrays = {"labels": labels} | ({} if groups is None else {"groups": groups})
        content = to_npz(arrays)
        about = about | {
            "shape": list(self._shape),
            "changed": os.fstat(self._file).st_mtime_ns,
            "labels": hashlib.sha256(content).hexdigest(),
            "grouped": groups is not None,
        }
        self._write(_LABELS, content)
        self._write(_ABOUT, sealed(about))
        with suppress(OSError):
            if opened(self._final.parent, self._final.name) is None:
                discard(self._final.parent, self._final.name)
            self._folder.rename(self._final)

    def _write(self, name: str, content: bytes) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with os.fdopen(os.open(self._folder / name, flags, 0o600), "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())

    def close(self) -> None:
        """Remove what was not kept."""
        with suppress(OSError):
            self._stream.close()
        os.close(self._file)
        shutil.rmtree(self._folder, ignore_errors=True)


@contextmanager
def drafted(folder: Path, key: str, shape: tuple[int, int, int, int]) -> Iterator[Draft]:
    """Give an entry to be made, after making room for it. Raises OSError where none can be made."""
    make_missing(folder)
    if not is_private(folder):
        raise PermissionError(f"{folder} can be written by others")
    size = math.prod(shape)
    make_room(folder, limit() - size)
    if shutil.disk_usage(folder).free < size:
        raise OSError("the disk is full")
    draft = Draft(folder, key, shape)
    try:
        yield draft
    finally:
        draft.close()


def make_room(folder: Path, bytes_kept: int) -> int:
    """Remove entries, those used longest ago first, until at most `bytes_kept` are left.

    One that a process uses stays. What killed processes left goes too. Returns how many bytes were
    removed.
    """
    removed = 0
    entries = []
    for path in folder.iterdir() if folder.is_dir() else []:
        if path.is_symlink():
            continue
        if path.name.startswith(".") and path.name.endswith(".tmp"):
            removed += _remove_leftovers(path)
        elif len(path.name) == 64 and (path / IMAGES).is_file():
            entries.append((path.stat().st_mtime, _size(path), path))
        elif path.suffix == ".json" and not (folder / marked(folder, path.stem)).is_dir():
            path.unlink(missing_ok=True)
    total = sum(size for _, size, _ in entries)
    for _, size, path in sorted(entries):
        if total <= bytes_kept:
            break
        if _remove_unused(path):
            total -= size
            removed += size
    return removed


def clear() -> int:
    """Remove all that is kept and not in use; return how many bytes that were."""
    folder = kept_folder()
    return make_room(folder, 0) if folder else 0


def _remove_leftovers(path: Path) -> int:
    with suppress(OSError):
        size = _size(path)
        old = time.time() - path.stat().st_mtime > _ABANDONED
        if (path / IMAGES).exists() or old:
            return size if _remove_unused(path) else 0
    return 0


def _remove_unused(path: Path) -> bool:
    with suppress(OSError):
        if not (path / IMAGES).exists():
            shutil.rmtree(path)
            return True
        with _locked(path / IMAGES, fcntl.LOCK_EX):
            shutil.rmtree(path)
            return True
    return False


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.iterdir())


@contextmanager
def _locked(file: Path, kind: int) -> Iterator[int]:
    """Open a file under a lock, which whatever is mapped from it holds too. Raises OSError."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        yield descriptor
    finally:
        os.close(descriptor)


def _mapped(file: int, shape: tuple[int, ...], access: int) -> NDArray[np.uint8]:
    # The mapping has a descriptor of its own for the same open file, and so the lock.
    length = _HEADER + math.prod(shape)
    mapping = mmap.mmap(file, length, access=access)
    if length > usable_memory() // 2:
        # Batches take images from everywhere: what the system reads ahead of each would drive out
        # what is needed next.
        mapping.madvise(mmap.MADV_RANDOM)
    return np.frombuffer(mapping, np.uint8, offset=_HEADER).reshape(shape)
