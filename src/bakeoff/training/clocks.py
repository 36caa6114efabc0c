"""What a stretch of work took: wall seconds, processor seconds, and the share of others."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_SHORTEST = 0.5
"""Seconds; the system counts in hundredths of a second, which say little of less."""

Processor = Callable[[], float]
"""Returns the processor seconds that all processes of a run have taken, this one included."""


@dataclass(frozen=True)
class Taken:
    """What a stretch of work took."""

    seconds: float
    """Wall seconds."""
    processor_seconds: float
    """Of this process, all its threads together."""
    others: float | None
    """The share of the cores, 0 to 1, that other programs than this run took; None where the system
    does not tell, and of less than half a second."""

    def __add__(self, later: Taken) -> Taken:
        """Return what both took; the others' share is that of the seconds of which it is known."""
        known = [each for each in (self, later) if each.others is not None]
        seconds = sum(each.seconds for each in known)
        taken = sum((each.others or 0.0) * each.seconds for each in known)
        return Taken(
            self.seconds + later.seconds,
            self.processor_seconds + later.processor_seconds,
            taken / seconds if known else None,
        )


NOTHING = Taken(0.0, 0.0, None)


@dataclass(frozen=True)
class Clocks:
    """All clocks, as they stand where a stretch of work begins."""

    processor: Processor
    wall: float
    own: float
    accounts: tuple[float, float] | None
    """Processor seconds of all programs on the cores of this process, and those of this run."""

    @classmethod
    def read(cls, processor: Processor = time.process_time) -> Clocks:
        """Return the clocks as they stand now."""
        accounts = None
        with suppress(OSError, ValueError, IndexError):  # A system may hide them.
            accounts = _busy(), processor()
        return cls(processor, time.perf_counter(), time.process_time(), accounts)

    def taken(self) -> Taken:
        """Return what was taken since."""
        now = Clocks.read(self.processor)
        seconds, others = now.wall - self.wall, None
        if seconds >= _SHORTEST and now.accounts is not None and self.accounts is not None:
            by_all, by_run = (b - a for a, b in zip(self.accounts, now.accounts, strict=True))
            share = (by_all - by_run) / (len(os.sched_getaffinity(0)) * seconds)
            others = min(max(share, 0.0), 1.0)
        return Taken(seconds, now.own - self.own, others)


def _busy() -> float:
    """Return the seconds that all programs spent on the cores that this process may use.

    Source: proc(5), /proc/stat: what is neither idle nor waiting, guests being part of users.
    """
    lines = Path("/proc/stat").read_text().splitlines()
    names, ticks = {f"cpu{core}" for core in os.sched_getaffinity(0)}, 0
    for line in lines:
        name, *fields = line.split()
        if name in names:
            user, nice, system, _idle, _wait, irq, softirq, steal = map(int, fields[:8])
            ticks += user + nice + system + irq + softirq + steal
    return ticks / os.sysconf("SC_CLK_TCK")


def of_children(parent: int) -> float:
    """Return the processor seconds of all processes that `parent` started, those that ended too.

    Source: proc(5), the fields utime, stime, cutime and cstime of /proc/PID/stat.
    """
    ticks = sum(_ticks(parent)[2:])
    for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        with suppress(OSError):  # It has just ended, and its parent counts it.
            ticks += sum(_ticks(int(child))[:2])
    return ticks / os.sysconf("SC_CLK_TCK")


def _ticks(process: int) -> list[int]:
    """Return utime, stime, cutime and cstime of a process."""
    # Its name stands in brackets, and may hold anything.
    fields = Path(f"/proc/{process}/stat").read_text("latin-1").rpartition(")")[2].split()
    return [int(field) for field in fields[11:15]]
