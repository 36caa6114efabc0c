"""Signals that ask to stop, as one exception; every file survives it, as all writing is atomic."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR2)
"""Ctrl-C; the usual one; what Slurm is asked to send when the time of a job is nearly up."""


class Interrupted(BaseException):
    """A signal asked to stop. Not an Exception, so that nothing takes it for an error."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    @property
    def exit_code(self) -> int:
        """What a shell reports of a process that the signal ended: 130, 140 or 143."""
        return 128 + self.number


def how_to_go_on(arguments: Sequence[str]) -> str:
    """Return the line that an interrupted command ends with."""
    # Nothing but `run` leaves anything to go on with, but the words hold for all.
    again = shlex.join(["bakeoff", *arguments])
    return f"bakeoff: interrupted; to go on where it stopped: {again}"


_came: list[int] = []
"""The signal that Interrupted was raised for."""


@contextmanager
def never_lost() -> Iterator[None]:
    """Raise Interrupted where a library made an error of its own of it, as pydantic does."""
    try:
        yield
    except Exception as error:
        if not _came:
            raise
        raise Interrupted(_came[0]) from error


def stop_on_signals(last_words: str = "") -> None:
    """From now on, let the first signal that asks to stop raise Interrupted in the main thread.

    Python raises it between two of its own instructions: in training, after the running operation
    of a step. Where the exception could be lost, the process ends at once instead, with
    `last_words` on standard error: while a module is imported, since libraries try imports and take
    whatever comes for a no, or are left half made; and in what Python calls on its own, such as
    `__del__`. A second signal meets the system's default and ends the process at once. A signal
    that is ignored, as under nohup, stays ignored. Called in another thread it does nothing: there
    signals are its caller's.
    """
    if threading.current_thread() is not threading.main_thread():
        return

    _came.clear()

    def interrupt(number: int, frame: FrameType | None) -> None:
        for each in STOPPING:
            signal.signal(each, signal.SIG_DFL)
        if _imports(frame):
            _leave(number, last_words)
        _came.append(number)
        raise Interrupted(number)

    def ignored(report: sys.UnraisableHookArgs) -> None:
        if isinstance(report.exc_value, Interrupted):
            _leave(report.exc_value.number, last_words)
        sys.__unraisablehook__(report)

    sys.unraisablehook = ignored
    for number in STOPPING:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, interrupt)


def _imports(frame: FrameType | None) -> bool:
    """Return whether a module is being imported where `frame` is."""
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


def _leave(number: int, last_words: str) -> NoReturn:
    """End the process as Interrupted would have."""
    show_cursor = "\x1b[?25h" if os.isatty(2) else ""  # Progress bars hide it.
    if last_words:
        os.write(2, f"{show_cursor}{last_words}\n".encode())
    end_at_once(Interrupted(number).exit_code)


def end_at_once(exit_code: int) -> NoReturn:
    """End the process without taking Python down, which with torch takes a second.

    Nothing is lost: every file is whole, and the system gives the locks back.
    """
    flush_streams()
    os._exit(exit_code)


def flush_streams() -> None:
    """Write what is still to be written to the standard streams, as far as that can be."""
    for stream in (sys.stdout, sys.stderr):
        # Nobody may be left to read, it may be closed, or be at work where a signal came. A process
        # that was started without one has none.
        with suppress(OSError, ValueError, RuntimeError, AttributeError):
            stream.flush()
