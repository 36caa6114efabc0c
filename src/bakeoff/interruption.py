"""Ctrl-C and SIGTERM as one exception, which every file survives since every write is atomic."""

from __future__ import annotations

import signal
from types import FrameType


class Interrupted(BaseException):
    """A signal asked to stop. Not an Exception, so that nothing takes it for an error."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    @property
    def exit_code(self) -> int:
        """What a shell reports of a process that the signal ended: 130 or 143."""
        return 128 + self.number


def stop_on_signals() -> None:
    """From now on, let the first SIGINT or SIGTERM raise Interrupted in the main thread.

    Python raises it between two of its own instructions: in training, after the running operation
    of a step. A second signal meets the system's default and ends the process at once. A signal
    that is ignored, as under nohup, stays ignored.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_DFL)
    raise Interrupted(number)
