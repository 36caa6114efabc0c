"""Faults in the file operations of a process, below one folder: counted, killed at, or refused."""

from __future__ import annotations

import fcntl
import io
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

REAL_OPEN = io.open
CHANGES = ("fsync", "replace", "rename", "mkdir", "unlink", "rmdir", "utime")
_NAMES = ("open", "stat", "lstat", "scandir", "listdir", *CHANGES)


class Faults:
    """Counts the operations on files below `folder`, and does something at one of them.

    at: which operation, counted from 1; 0 for none. error: an errno to refuse it with; None to end
    the process there by SIGKILL, in the middle of it where it is a write.
    """

    def __init__(self, folder: Path, at: int, error: int | None) -> None:
        self._folder = str(folder.resolve())
        self._at = at
        self._error = error
        self.seen: list[str] = []

    def install(self) -> None:
        """Replace the functions by which Python works on files, for the rest of this process."""
        for name in _NAMES:
            setattr(os, name, self._counted(name, getattr(os, name)))
        fcntl.flock = self._counted("flock", fcntl.flock)
        io.open = self._open

    def _counted(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def operation(target: Any = ".", *rest: Any, **more: Any) -> Any:
            path = self._below(target, more.get("dir_fd", more.get("src_dir_fd")))
            if path is not None:
                self.meet(name, path)
            return real(target, *rest, **more)

        return operation

    def _open(self, file: Any, mode: str = "r", *rest: Any, **more: Any) -> Any:
        path = self._below(file)
        if path is None:
            return REAL_OPEN(file, mode, *rest, **more)
        self.meet(f"open for {'writing' if 'w' in mode else 'reading'}", path)
        return Stream(REAL_OPEN(file, mode, *rest, **more), self, path)

    def _below(self, target: Any, folder: int | None = None) -> str | None:
        """Return the whole path of what is worked on, where it is below the folder."""
        if isinstance(target, int):
            target = Path(f"/proc/self/fd/{target}").readlink()
        if folder is not None:
            target = Path(f"/proc/self/fd/{folder}").readlink() / target
        path: str = os.path.abspath(os.fspath(target))  # noqa: PTH100 - resolve would recurse
        return path if path == self._folder or path.startswith(f"{self._folder}/") else None

    def meet(self, name: str, target: Any, halfway: Callable[[], object] = lambda: None) -> None:
        """Note one operation; if it is due, refuse it, or do it halfway and end the process."""
        self.seen.append(f"{name} {target}")
        if len(self.seen) != self._at:
            return
        if self._error is None:
            halfway()
            os.kill(os.getpid(), signal.SIGKILL)
        raise OSError(self._error, os.strerror(self._error or 0), str(target))


class Stream:
    """An open file whose reads, writes and flushes are operations of their own."""

    def __init__(self, stream: Any, faults: Faults, path: Any) -> None:
        self._stream = stream
        self._faults = faults
        self._path = path

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, content: bytes) -> int:
        """Write, or be ended when half of it is written."""

        def half() -> None:
            self._stream.write(content[: len(content) // 2])
            self._stream.flush()

        self._faults.meet("write", self._path, half)
        return int(self._stream.write(content))

    def flush(self) -> None:
        """Flush what was written."""
        self._faults.meet("flush", self._path)
        self._stream.flush()

    def read(self, *size: int) -> Any:
        """Read."""
        self._faults.meet("read", self._path)
        return self._stream.read(*size)
