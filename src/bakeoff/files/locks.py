"""Locks on files, so that several processes can work on one run folder.

They are `flock` locks: the kernel gives one back the moment its holder is dead, however it died. A
lock file is never removed, since a lock on a removed file would exclude nobody; its holder may
leave a note in it. On NFS the server keeps the locks: a dead process loses its locks at once there
too, a dead machine after the server's lease, often 90 s.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bakeoff.errors import StoreError
from bakeoff.files.place import Place

Say = Callable[[str], None]

_SILENT = 2.0
"""Seconds that one waits for a lock without a word."""
_POLL = 0.02
_NOTE, _LONGEST_NOTE = 256, 4096
"""Bytes that a note is filled up to, so that a shorter one leaves nothing of the one before it, and
that are read of any."""


@contextmanager
def held(file: Place, say: Say = lambda text: None) -> Iterator[None]:
    """Hold the lock, after waiting for whoever holds it now; `say` hears for whom.

    Locks are held for moments, or by whoever measures, so two seconds are worth a line. Raises
    StoreError.
    """
    with _opened(file) as descriptor:
        patience = time.monotonic() + _SILENT
        while not _lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, file):
            if time.monotonic() > patience:
                say(f"{file}: waiting for {_holder(descriptor)}, which holds this lock")
                _lock(descriptor, fcntl.LOCK_EX, file)
                break
            time.sleep(_POLL)
        yield


@contextmanager
def held_if_free(file: Place) -> Iterator[bool]:
    """Hold the lock if nobody else does; the value says whether. Raises StoreError."""
    with _opened(file) as descriptor:
        yield _lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, file)


def is_held(file: Place) -> bool:
    """Return whether anybody holds the lock. Raises StoreError.

    It is asked for and given back at once: who wants it at that very moment finds it held.
    """
    if not file.is_there():
        return False
    with _opened(file) as descriptor:
        return not _lock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB, file)


def refuse_without_locks(file: Place) -> None:
    """Raise StoreError where a lock excludes nobody, as on some network file systems."""
    with _opened(file) as first, _opened(file) as second:
        taken = [_lock(each, fcntl.LOCK_EX | fcntl.LOCK_NB, file) for each in (first, second)]
    if all(taken):
        raise StoreError(f"{file}: locks exclude nobody on this file system; give another --out")


def write_note(file: Place, text: str) -> None:
    """Leave a note in the file of a lock, for whoever looks; only for the lock's holder.

    It is not flushed, and nothing depends on it: where it cannot be written there is none. The file
    is closed, upon which NFS shows it to other machines.
    """
    with suppress(StoreError, OSError), _opened(file) as descriptor:
        os.pwrite(descriptor, text.encode().ljust(_NOTE), 0)


def read_note(file: Place) -> str:
    """Return the note of the last holder, or nothing where there is none. Raises BakeoffError."""
    return file.read(_LONGEST_NOTE).decode(errors="replace").strip()


@contextmanager
def _opened(file: Place) -> Iterator[int]:
    """Open a lock file; closing it gives the lock back. A program started meanwhile gets none.

    Whoever may write in the folder may lock: the file is made as the user's umask says. Where it is
    somebody else's, and can only be read, that is enough.
    """
    try:
        with file.parent.opened(make=True) as folder:
            try:
                descriptor = os.open(
                    file.name, os.O_RDWR | os.O_CREAT | _PLAINLY, 0o666, dir_fd=folder
                )
            except PermissionError:
                descriptor = os.open(file.name, os.O_RDONLY | _PLAINLY, dir_fd=folder)
    except OSError as error:
        reason = "it is a link" if error.errno == errno.ELOOP else error.strerror
        raise StoreError(
            f"{file}: cannot lock: {reason}; give a folder that can be written"
        ) from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise StoreError(f"{file}: cannot lock: not a regular file; remove it")
        yield descriptor
    finally:
        os.close(descriptor)


_PLAINLY = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
"""No link is followed, and a pipe in the file's place makes nobody wait."""


def _lock(descriptor: int, kind: int, file: Place) -> bool:
    """Return whether the lock was got; raise StoreError where the file system has no locks."""
    try:
        fcntl.flock(descriptor, kind)
    except BlockingIOError:
        return False
    except OSError as error:
        raise StoreError(f"{file}: cannot lock: {error.strerror}; give another --out") from error
    return True


def _holder(descriptor: int) -> str:
    """Return who holds a lock, as far as the system tells (Linux does, of this machine)."""
    status = os.fstat(descriptor)
    place = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    with suppress(OSError):
        for line in Path("/proc/locks").read_text().splitlines():
            fields = line.split()
            if "->" not in fields and fields[1] == "FLOCK" and fields[5] == place:
                return f"process {fields[4]}"
    return "another process"
