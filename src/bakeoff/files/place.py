"""Places in a folder: reached without following a link, written whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bakeoff.errors import StoreError, UnreadableError
from bakeoff.files.reading import open_file, read_file

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@dataclass(frozen=True)
class Place:
    """A file or folder, or the name of one to be: the one way to all that is below a root.

    root: a folder; it may be a link, for whoever names it knows where it leads.
    steps: the names from there on. Each is looked up in the opened folder before it and is not
    followed if it is a link, so nobody who swaps one meanwhile can lead what is written, moved or
    removed somewhere else.
    """

    root: Path
    steps: tuple[str, ...] = ()

    def __truediv__(self, step: str) -> Place:
        return Place(self.root, (*self.steps, step))

    def __str__(self) -> str:
        return str(self.path)

    @property
    def path(self) -> Path:
        """The whole path, to be shown."""
        return self.root.joinpath(*self.steps)

    @property
    def name(self) -> str:
        """The last step."""
        return self.steps[-1]

    @property
    def parent(self) -> Place:
        """The folder around it."""
        return Place(self.root, self.steps[:-1])

    @contextmanager
    def opened(self, *, make: bool = False) -> Iterator[int]:
        """Open this folder; with `make` it and its parents are made where they are missing.

        Each is as durable then as the files that will be in it. Raises OSError, and StoreError
        where a step is a link.
        """
        try:
            folder = self._open(make)
        except FileNotFoundError:
            if not make:
                raise
            folder = self._open(make)  # Another process has just removed an empty parent.
        try:
            yield folder
        finally:
            os.close(folder)

    def _open(self, make: bool) -> int:
        if not self.steps:
            if make and not self.root.exists():
                missing = [each for each in (self.root, *self.root.parents) if not each.exists()]
                self.root.mkdir(parents=True, exist_ok=True)
                for each in missing:
                    _flush(each.parent)
            return os.open(self.root, _FOLDER)
        around = self.parent._open(make)  # noqa: SLF001
        try:
            with suppress(FileNotFoundError):
                return os.open(self.name, _FOLDER | os.O_NOFOLLOW, dir_fd=around)
            if make:
                with suppress(FileExistsError):
                    os.mkdir(self.name, dir_fd=around)
                os.fsync(around)
            return os.open(self.name, _FOLDER | os.O_NOFOLLOW, dir_fd=around)
        except OSError:
            self._mode(around)
            raise
        finally:
            os.close(around)

    def _mode(self, around: int) -> int:
        """Return what is here in the opened folder, 0 for nothing; raise StoreError for a link."""
        try:
            mode = os.stat(self.name, dir_fd=around, follow_symlinks=False).st_mode
        except FileNotFoundError:
            return 0
        if stat.S_ISLNK(mode):
            raise StoreError(f"{self}: a link, and a run folder has none; remove it")
        return mode

    def is_there(self) -> bool:
        """Return whether there is anything, also a link that leads nowhere. Raises StoreError."""
        try:
            if self.steps:
                with self.parent.opened() as folder:
                    os.stat(self.name, dir_fd=folder, follow_symlinks=False)
            else:
                self.root.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise StoreError(f"{self}: {error.strerror}") from error
        except ValueError as error:
            raise StoreError(f"{self}: not the name of a file") from error
        return True

    def names(self) -> list[str]:
        """Return what is in this folder; nothing where there is none. Raises StoreError."""
        try:
            with self.opened() as folder:
                return os.listdir(folder)  # noqa: PTH208
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise StoreError(f"{self}: cannot read: {error.strerror}") from error

    def read(self, most: int) -> bytes:
        """Return the bytes of a regular file of at most `most` bytes.

        Raises UnreadableError, and StoreError where a folder on the way is a link.
        """
        return read_file(self.path, most, self._open_file)

    def read_beginning(self, most: int) -> bytes:
        """Return the first bytes of a regular file, at most `most`; raise as `read` does."""
        with open_file(self.path, self._open_file) as stream:
            return stream.read(most)

    def _open_file(self, flags: int) -> int:
        with self.parent.opened() as folder:
            try:
                return os.open(self.name, flags | os.O_NOFOLLOW, dir_fd=folder)
            except OSError as error:
                if error.errno == errno.ELOOP:
                    raise UnreadableError(f"{self}: a link, and a run folder has none") from error
                raise

    def write(self, content: bytes, mode: int = 0o666) -> None:
        """Write a file, so that a reader finds the old one or the new one, never a part.

        The bytes go to a temporary name of their own, also where another process writes the same
        file; they are flushed, and the file is renamed; then the folder is flushed. `mode` is what
        the file may be opened for, less the umask. Raises StoreError, naming the file, where the
        system refuses.
        """
        temporary = f".{self.name}.{secrets.token_hex(4)}.tmp"
        try:
            with self.parent.opened(make=True) as folder:
                self._mode(folder)
                try:
                    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
                    with os.fdopen(os.open(temporary, flags, mode, dir_fd=folder), "wb") as stream:
                        stream.write(content)
                        stream.flush()
                        os.fsync(stream.fileno())
                    os.replace(temporary, self.name, src_dir_fd=folder, dst_dir_fd=folder)
                except OSError:
                    with suppress(OSError):
                        os.unlink(temporary, dir_fd=folder)
                    raise
                os.fsync(folder)
        except OSError as error:
            raise StoreError(f"{self}: cannot write: {error.strerror}") from error

    def remove_leftovers(self) -> None:
        """Remove the temporaries of this file that killed processes left.

        Only for a caller that holds the lock under which it is written.
        """
        for name in self.parent.names():
            if name.startswith(f".{self.name}.") and name.endswith(".tmp"):
                (self.parent / name).remove()

    def remove(self) -> None:
        """Remove a file, or a folder with all that is in it, which may be gone already.

        Raises StoreError where the system refuses.
        """
        try:
            with self.parent.opened() as folder:
                mode = self._mode(folder)
                if stat.S_ISDIR(mode):
                    shutil.rmtree(self.name, dir_fd=folder)
                elif mode:
                    with suppress(FileNotFoundError):
                        os.unlink(self.name, dir_fd=folder)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise StoreError(f"{self}: cannot remove: {error.strerror}") from error

    def remove_if_empty(self) -> None:
        """Remove a folder that has nothing in it."""
        with suppress(OSError), self.parent.opened() as folder:
            os.rmdir(self.name, dir_fd=folder)

    def move(self, target: Place) -> None:
        """Rename by one step and flush both parents; raise StoreError if refused.

        A folder that is there and not empty is never replaced: the system refuses. Where the system
        refuses to rename at all, as overlay file systems do with a folder of a lower layer, the
        folder is copied, the copy renamed, and only then the folder removed.
        """
        try:
            with self.parent.opened() as source, target.parent.opened(make=True) as into:
                try:
                    os.rename(self.name, target.name, src_dir_fd=source, dst_dir_fd=into)
                except OSError as error:
                    if error.errno != errno.EXDEV:
                        raise
                    _copy(source, self.name, into, target.name)
                os.fsync(into)
                os.fsync(source)
        except OSError as error:
            raise StoreError(f"{target}: cannot write: {error.strerror}") from error


def _copy(source: int, name: str, into: int, target: str) -> None:
    """Let a folder be at `target`, whole, and no longer at `name`, in two opened folders.

    Only Linux has overlays, and there what is opened has a path that no link can change.
    """
    temporary = f".{target}.{secrets.token_hex(4)}.tmp"
    copy = Path(f"/proc/self/fd/{into}", temporary)
    try:
        shutil.copytree(f"/proc/self/fd/{source}/{name}", copy, symlinks=True)
        for file in copy.rglob("*"):
            if file.is_file() and not file.is_symlink():
                _flush(file)
        _flush(copy)
        os.rename(temporary, target, src_dir_fd=into, dst_dir_fd=into)
    except OSError:
        shutil.rmtree(temporary, ignore_errors=True, dir_fd=into)
        raise
    os.fsync(into)
    shutil.rmtree(name, dir_fd=source)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
