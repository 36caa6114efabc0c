"""Code that is stopped where it does not return."""

from __future__ import annotations

import ctypes
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_PATIENCE = 4
"""How many times the limit code may take that has had little of the processor."""


class StoppedError(BaseException):
    """Code was stopped; the text says why. Not an Exception, which the code might catch."""


def _overdue(seconds: float) -> type[StoppedError]:
    """Return what is raised without arguments, as Python does it in another thread."""

    class OverdueError(StoppedError):
        def __str__(self) -> str:
            return f"it did not come to its end within {seconds:g} seconds"

    return OverdueError


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise StoppedError inside, between two steps of Python, where it lasts longer than `seconds`.

    In the main thread a signal does so, which also ends waiting, and gives code four times as long
    that has had little of the processor; elsewhere an exception of Python's own does so, after
    whatever the thread waits for.
    """
    in_main = threading.current_thread() is threading.main_thread()
    free = in_main and signal.getitimer(signal.ITIMER_REAL)[0] == 0
    with _alarm(seconds) if free else _exception(seconds):
        yield


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    late, began, worked = _overdue(seconds), time.monotonic(), time.process_time()

    def overdue(number: int, frame: FrameType | None) -> None:
        # Where others have the cores, it may not have come to much yet.
        starved = time.process_time() - worked < seconds / 3
        if not starved or time.monotonic() - began >= _PATIENCE * seconds:
            raise late

    before = signal.signal(signal.SIGALRM, overdue)
    try:
        # Again and again, since code may catch whatever comes.
        signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before or signal.SIG_DFL)


@contextmanager
def _exception(seconds: float) -> Iterator[None]:
    thread = ctypes.c_ulong(threading.get_ident())
    raise_in = ctypes.pythonapi.PyThreadState_SetAsyncExc
    timer = threading.Timer(seconds, raise_in, (thread, ctypes.py_object(_overdue(seconds))))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        raise_in(thread, None)  # What came too late is taken back.
