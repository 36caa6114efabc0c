"""Processes that train: a leader that has imported all that a trial needs, and forks the rest."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn, cast

from bakeoff.files.cores import threads_here
from bakeoff.files.search_paths import safe_environment
from bakeoff.runners.cores import Asked
from bakeoff.runners.interruption import STOPPING, end_at_once, flush_streams
from bakeoff.study.frozen import Frozen

_PROGRAM = """
import sys
sys.path.insert(0, sys.argv.pop(1))
import bakeoff
del sys.path[0]
from bakeoff.runners.worker import main
main(sys.argv[1])
"""
"""The package of this process, wherever it was found, and nothing else from beside it."""


_GLANCE = 0.005
"""Seconds between two looks at whether a process has ended."""

WAITING = {"OMP_WAIT_POLICY": "passive"}
"""Threads that wait for each other busily take cores from all that runs beside them, and then wait
for what these took."""


class Order(Frozen):
    """What a crew that was started is asked to do: one line of JSON on its standard input."""

    directory: str
    seeds: int
    device: str
    precision: str
    jobs: int
    threads: int
    """Of each job."""


@dataclass(frozen=True)
class Crew:
    """A leader, which forks a worker for each job, and the pipes to it.

    It has started no threads when it forks, so its children may (`engine.team`). They are in a
    session of their own, so that Ctrl-C comes to them once, by way of this process; and they stop
    where their standard input ends, which is when this process is gone.
    """

    process: int
    orders: int
    """The end of a pipe to its standard input."""
    told: IO[str]
    """Its standard output: events, a line each."""
    printed: IO[str]
    """Its standard error."""
    wait: Callable[[float | None], int | None]
    """Waits so many seconds for its end; returns what it exited with, or None if it did not."""

    def begin(self, order: Order) -> None:
        """Let the workers of a crew that was started begin."""
        with suppress(BrokenPipeError):  # It ended; why, its last words say.
            os.write(self.orders, f"{order.model_dump_json()}\n".encode())

    def signal(self, number: int) -> None:
        """Send a signal to all of them."""
        try:
            os.killpg(self.process, number)
        except ProcessLookupError:
            # A leader that has just been forked has no session yet, and nobody in it.
            with suppress(ProcessLookupError):
                os.kill(self.process, number)


def may_fork(threads: Asked) -> bool:
    """Return whether a fork of this process would be as good as a new one: it has one thread.

    It will have as many `threads` as each trial. On macOS system libraries have some, too.
    """
    return sys.platform == "linux" and str(threads) in {"auto", "1"} and threads_here() == 1


@contextmanager
def started_crew(dataset: str) -> Iterator[Crew]:
    """Start a crew, which imports while this process goes on; one without an order just ends.

    It reads `dataset` meanwhile, if that is one of those that ship.
    """
    home = Path(__file__).absolute().parents[2]
    # NumPy would start threads as it is imported; a fork is safe where there are none.
    environment = {"OPENBLAS_NUM_THREADS": "1"} | WAITING | safe_environment()
    with ExitStack() as held:
        heard, orders = os.pipe()
        held.callback(os.close, orders)
        process = held.enter_context(
            subprocess.Popen(
                [sys.executable, "-P", "-c", _PROGRAM, str(home), dataset],
                env=environment,
                stdin=heard,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
        )
        os.close(heard)
        held.callback(process.kill)  # Where it never got an order; else it is gone.

        def wait(seconds: float | None) -> int | None:
            with suppress(subprocess.TimeoutExpired):
                return process.wait(seconds)
            return None

        told, printed = cast("IO[str]", process.stdout), cast("IO[str]", process.stderr)
        yield Crew(process.pid, orders, told, printed, wait)


@contextmanager
def forked_crew(lead: Callable[[int], NoReturn]) -> Iterator[Crew]:
    """Fork a leader, which has imported what this process has; `lead` is called in it.

    lead: is given the descriptor of a pipe for events. Signals that ask to stop are blocked there.
    """
    (heard, orders), (told, tells), (printed, prints) = os.pipe(), os.pipe(), os.pipe()
    flush_streams()  # Else a child would write it, too.
    # Until it says how it meets signals, a child would meet them as its parent.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    process = os.fork()
    if process == 0:
        try:
            os.setsid()
            for here, there in ((heard, 0), (prints, 1), (prints, 2)):
                os.dup2(here, there)
            # Not even of its own input has it the far end: where this process ends, that does.
            for mine in {heard, orders, told, printed, prints} - {0, 1, 2}:
                os.close(mine)
            lead(tells)
        except BaseException:
            traceback.print_exc()
        finally:
            end_at_once(1)  # Never into what this process was at.
    for theirs in (heard, tells, prints):
        os.close(theirs)
    child = _Child(process)
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        with (
            os.fdopen(told, encoding="utf-8", errors="replace") as events,
            os.fdopen(printed, encoding="utf-8", errors="replace") as words,
        ):
            yield Crew(process, orders, events, words, child.wait)
    finally:
        child.kill()
        os.close(orders)


@dataclass
class _Child:
    """A process that was forked from this one."""

    process: int
    code: int | None = None
    """What it exited with, negative for a signal; None as long as it runs."""

    def wait(self, seconds: float | None) -> int | None:
        """Wait so many seconds for its end; return its code."""
        deadline = math.inf if seconds is None else time.monotonic() + seconds
        while self.code is None:
            ended, status = os.waitpid(self.process, os.WNOHANG)
            if ended:
                self.code = os.waitstatus_to_exitcode(status)
            elif time.monotonic() >= deadline:
                break
            else:
                time.sleep(_GLANCE)
        return self.code

    def kill(self) -> None:
        """End it at once, if it runs."""
        if self.wait(0) is None:
            os.kill(self.process, signal.SIGKILL)
            self.wait(None)
